// Passphrases of bundles: typed, from a file, from a command.
#include <algorithm>

#include "cli_harness.h"
#include "cli_terminal.h"

namespace spl::cli_test {
namespace {

class CliPassphraseTest : public CliTest {};

TEST_F(CliPassphraseTest, APassphraseIsTheFirstLineOfACommand) {
  make_home("h", 1);
  const std::string command = "printf 'correct horse\\n'";
  EXPECT_EQ(on("h", {"export", "--out", path("a"), "--passphrase-command", command}).code, 0);
  for (const Words& words : {Words{"bundle", "verify", path("a")}, Words{"bundle", "show", path("a")},
                             Words{"bundle", "list", path("a")}, Words{"import", path("a")}}) {
    Words with = words;
    with.insert(with.end(), {"--passphrase-command", "echo correct horse; echo more"});
    EXPECT_EQ(on("n", with).code, 0) << words[1];
  }
  const Ran failed = on("h", {"export", "--out", path("b"), "--passphrase-command", "echo secret; exit 3"});
  EXPECT_EQ(failed.code, 1);
  EXPECT_NE(failed.err.find("ended with exit code 3"), std::string::npos) << failed.err;
  EXPECT_EQ(std::ranges::count(failed.err, '\n'), 1) << failed.err;
  EXPECT_EQ(on("h", {"export", "--out", path("b"), "--passphrase-command", "true"}).code, 2);
  EXPECT_EQ(on("h", {"export", "--out", path("b"), "--passphrase-command", "yes secret"}).code, 2);
  EXPECT_EQ(on("h", {"export", "--out", path("b"), "--passphrase-command", command, "--passphrase-file", "-"}).code, 2);
  EXPECT_FALSE(exists(path("b")));
}

TEST_F(CliPassphraseTest, APassphraseThatNobodyCouldTypeAgainClosesNothing) {
  make_home("h", 1);
  const std::vector<std::pair<std::string, std::string>> bad{
      {"\xEF\xBB\xBFsecret\n", "byte order mark"},     {std::string("sec\0ret\n", 8), "zero byte"},
      {"sec\x07ret\n", "control character"},           {"sec\tret\n", "control character"},
      {"sec\xC2\x85ret\n", "control character"},       {"sec\xFFret\n", "not UTF-8"},
      {"secret\nmore\n", "more after its first line"}, {"secret\n\n more\n", "more after its first line"},
      {"\nsecret\n", "the first line is empty"},       {"", "the first line is empty"}};
  for (const auto& [content, why] : bad) {
    write_file(path("pass"), content);
    const Ran ran = on("h", {"export", "--out", path("a"), "--passphrase-file", path("pass")});
    EXPECT_EQ(ran.code, 2) << why << ran.err;
    EXPECT_NE(ran.err.find(why), std::string::npos) << ran.err;
    EXPECT_FALSE(exists(path("a")));
  }
  for (const char* good : {"secret", "secret\n", "secret\r\n", "secret\n\r\n\n", "zwölf Boxkämpfer \n"}) {
    write_file(path("pass"), good);
    EXPECT_EQ(on("h", {"export", "--force", "--out", path("a"), "--passphrase-file", path("pass")}).code, 0) << good;
    EXPECT_EQ(run({"bundle", "verify", path("a"), "--passphrase-file", path("pass")}).code, 0) << good;
  }
}

TEST_F(CliPassphraseTest, APassphraseIsTypedUnseen) {
  make_home("h", 1);
  const auto export_typing = [this](const std::string& first, const std::string& second) {
    Terminal terminal({spl_program(), "--home", path("h"), "export", "--force", "--out", path("a"), "--passphrase"});
    EXPECT_TRUE(terminal.wait_for("passphrase: "));
    terminal.type(first + "\n");
    EXPECT_TRUE(terminal.wait_for("the same again: ")) << terminal.shown();
    terminal.type(second + "\n");
    const int code = terminal.wait();
    EXPECT_EQ(terminal.shown().find(first), std::string::npos) << terminal.shown();
    return code;
  };
  EXPECT_EQ(export_typing("correct horse", "correct house"), 2);
  EXPECT_FALSE(exists(path("a")));
  EXPECT_EQ(export_typing("correct horse", "correct horse"), 0);
  Terminal terminal({spl_program(), "bundle", "verify", path("a"), "--passphrase"});
  EXPECT_TRUE(terminal.wait_for("passphrase: "));
  terminal.type("correct horse\n");
  EXPECT_EQ(terminal.wait(), 0) << terminal.shown();
  // Ctrl-C takes the terminal back, and leaves it as it was.
  Terminal given_up(
      {"/bin/sh", "-c", spl_program() + " bundle verify " + path("a") + " --passphrase; stty -a | grep -o ' echo '"});
  EXPECT_TRUE(given_up.wait_for("passphrase: "));
  given_up.type("cor\x03");
  EXPECT_TRUE(given_up.wait_for("interrupted")) << given_up.shown();
  // Without a terminal there is nobody to ask.
  EXPECT_EQ(shell("setsid -w " + spl_program() + " bundle verify " + path("a") + " --passphrase 2>" + path("e") +
                  " </dev/null"),
            2);
  EXPECT_NE(read_file(path("e")).find("no terminal"), std::string::npos) << read_file(path("e"));
}

}  // namespace
}  // namespace spl::cli_test
