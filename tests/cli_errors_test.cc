// What errors say: what failed, on what, why, and what to do, in one line.
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <filesystem>

#include "cli_harness.h"

namespace spl::cli_test {
namespace {

class CliErrorTest : public CliTest {
 protected:
  // Standard error of a command that ends with `code`: one line with a hint.
  std::string error(const Words& words, int code, const Input& input = {}) {
    const Ran ran = on("h", words, input);
    EXPECT_EQ(ran.code, code) << ran.out << ran.err;
    EXPECT_EQ(std::ranges::count(ran.err, '\n'), 1) << ran.err;
    EXPECT_TRUE(ran.err.starts_with("spl: ")) << ran.err;
    EXPECT_NE(ran.err.find(" — "), std::string::npos) << "no hint: " << ran.err;
    return ran.err;
  }
  void says(const Words& words, int code, const std::string& text, const Input& input = {}) {
    const std::string told = error(words, code, input);
    EXPECT_NE(told.find(text), std::string::npos) << told;
  }
};

TEST_F(CliErrorTest, OfFilesSayWhatToDo) {
  make_home("h", 1);
  std::filesystem::create_directory(path("dir"));
  write_file(path("file"), "x");
  const std::string none = path("none");
  for (const Words& words :
       {Words{"import", none}, Words{"bundle", "show", none}, Words{"bundle", "verify", none},
        Words{"bundle", "list", none}, Words{"bundle", "extract", none, "", "--to", path("to")},
        Words{"bundle", "diff", none, none}, Words{"export", "--out", path("a"), "--passphrase-file", none},
        Words{"import", path("file"), "--age-identity", none}})
    says(words, 1, "cannot open " + none + ": No such file or directory — check the path");
  says({"export", "--out", path("a"), "--passphrase-file", none}, 1, "--passphrase-file: ");
  says({"import", path("file"), "--age-identity", none}, 1, "--age-identity: ");
  says({"import", path("file/x")}, 1, "Not a directory — ");
  says({"import", path(std::string(300, 'x'))}, 1, "File name too long — choose a shorter name");
  says({"export", "--out", path(std::string(300, 'x'))}, 1, "File name too long — choose a shorter name");
  says({"import", path("dir")}, 2, path("dir") + " is a directory — name a file in it");
  says({"export", "--out", ""}, 2, "is no name for a file — ");
  says({"export", "--out", path("none/")}, 1, "the directory " + none + " does not exist — make it, or name another");
  says({"serve", "--tls-cert", none, "--tls-key", none}, 1,
       "--tls-cert: cannot open " + none + ": No such file or directory — ");
  says({"serve", "--port", "x"}, 2, "--port x: not a number from 0 to 65535 — give a number");
  const Ran home = run({"--home", path("file"), "init"});
  EXPECT_EQ(home.err, "spl: cannot make directory " + path("file") +
                          ": there is something else of that name — remove or rename it, or name another directory\n");
  const Ran empty = run({"--home", "", "status"});
  EXPECT_EQ(empty.err, "spl: --home is empty — name a directory, or leave --home out\n");
}

TEST_F(CliErrorTest, OfDamagedBundlesSayWhereToGetAnother) {
  make_home("h", 1);
  ASSERT_EQ(on("h", {"export", "--out", path("bad"), "--uncompressed"}).code, 0);
  std::filesystem::resize_file(path("bad"), 3000);
  const std::string damaged = " — the file is damaged or was changed: get it again";
  says({"import", path("bad")}, 4, damaged);
  says({"bundle", "verify", path("bad")}, 4, damaged);
  start_daemon("h");
  says({"import", path("bad")}, 4, damaged);
}

TEST_F(CliErrorTest, OfWhatIsNoBundleSayWhatItIs) {
  make_home("h", 1);
  ASSERT_EQ(on("h", {"export", "--out", path("plain"), "--uncompressed"}).code, 0);
  ASSERT_EQ(shell("cd " + path("") + " && gzip -k plain && echo hello > text && : > empty && tar -cf other.tar text" +
                  " && tar --format=ustar -cf ustar.tar text" +
                  " && { cat plain; head -c 300000000 /dev/zero; } | zstd -q -1 --long=28 | head -c 4096 > window.zst" +
                  " && zstd -q text -o text.zst"),
            0);
  const auto refused = [this](const std::string& name, const std::string& what, const std::string& hint) {
    for (const Words& words :
         {Words{"import", path(name)}, Words{"bundle", "verify", path(name)}, Words{"bundle", "show", path(name)}}) {
      const std::string told = error(words, 4);
      EXPECT_NE(told.find(what), std::string::npos) << told;
      EXPECT_NE(told.find(hint), std::string::npos) << told;
      EXPECT_EQ(told.find("damaged"), std::string::npos) << told;
    }
    if (hint == "--long") return;
    EXPECT_EQ(text_of(*json_on("h", {"import", path(name)}, {}, 4).find("error"), "code"), "NOT_A_BUNDLE");
  };
  for (int daemon = 0; daemon < 2; ++daemon) {
    refused("text", "no bundle: it is text", "name the file that spl export");
    refused("empty", "no bundle: it is empty", "name the file that spl export");
    refused("plain.gz", "no bundle: it is a gzip file", "gunzip");
    refused("text.zst", "no bundle: it is text", "name the file that spl export");
    refused("other.tar", "no bundle: it is a tar of other files", "name the file that spl export");
    refused("ustar.tar", "bundle malformed: text: ", "name the file that spl export");
    refused("window.zst", "window is over 128 MiB", "--long");
    if (daemon == 0) start_daemon("h");
  }
}

TEST_F(CliErrorTest, OfRecordsNameTheOption) {
  make_home("h", 0);
  says({"do", "x", "--actor", "bob"}, 2, "--actor \"bob\": actor is not a DID — ");
  says({"do", "x", "--thread", "a\nb"}, 2, "--thread: thread has a control character — ");
  says({"do", "x", "--thread", std::string(257, 'x')}, 2, "--thread: thread is longer than 256 bytes — ");
  says({"do", "x", "--body", R"({"z":1e400})"}, 2, "--body: JSON: ");
  says({"do", "x", "--body", R"({"z":1e400})"}, 2, " at byte 5 — give a JSON object");
  says({"do", "x", "--body", "{"}, 2, "--body: JSON: ");
  says({"do", "x", "--body", "[]"}, 2, "--body is not a JSON object — give a JSON object");
  says({"do", "x", "--body", "{} {}"}, 2, "--body: JSON: ");
  says({"authority", "endorse", std::string(64, 'a')}, 2, "is here — ");
  says({"record", "put"}, 2, "standard input: actor is missing — nothing was put: ", {.text = "{\"act\":\"DO\"}"});
  says({"record", "put"}, 2, "standard input: no record — nothing was put: ");
  says({"record", "put"}, 2, "actor is not a DID — nothing was put: a DID is ",
       {.text = R"({"act":"DO","actor":"bob","body":{},"clock":1,"data_type":"SCALAR","parents":[],"thread":"t"})"});
  says({"record", "put", "--ndjson"}, 2,
       "line 1: actor is missing — nothing was put: ", {.text = "{\"act\":\"DO\"}\n"});
  write_file(path("pass"), "secret\n");
  says({"export", "--out", path("a"), "--plaintext", "--passphrase-file", path("pass")}, 2,
       "--plaintext cannot be given together with --recipient or a passphrase — leave out ");
  EXPECT_EQ(number_of(json_on("h", {"status"}), "record_count"), 0u);
}

TEST_F(CliErrorTest, OfANamespaceSayHowOneLooks) {
  make_home("h", 0);
  const std::string segment(63, 'a');
  for (const std::string& name :
       {std::string(), std::string("Acme"), std::string("-a"), std::string("_a"), std::string("a b"),
        std::string("a//b"), std::string("/a"), std::string("a/"), std::string("a/b/c/d/e"), segment + "a"}) {
    for (const char* act : {"intend", "do", "know", "learn"})
      says({act, "x", "--namespace", name}, 2, "--namespace \"");
  }
  EXPECT_EQ(number_of(json_on("h", {"status"}), "record_count"), 0u);
  for (const std::string& name : {std::string("a"), std::string("0/a-b_c/9"), segment + "/b/c/" + segment})
    EXPECT_EQ(on("h", {"do", "x", "--namespace", name}).code, 0) << name;
}

TEST_F(CliErrorTest, OfAnImportHaveFindingsWhereThereAreAny) {
  make_home("h", 1);
  write_file(path("bad"), "no bundle at all");
  EXPECT_EQ(members(json_on("h", {"import", path("bad")}, {}, 4)), Words{"error"});
}

TEST_F(CliErrorTest, OfAClockAtItsEndNameActorAndThread) {
  make_home("h", 0);
  std::string last = record_text("th_end", 0);
  last.replace(last.find("\"clock\":0"), 9, "\"clock\":9223372036854775807");
  ASSERT_EQ(on("h", {"record", "put"}, {.text = last}).code, 0);
  says({"do", "x", "--thread", "th_end", "--actor", "did:web:else.where"}, 1,
       "the clock of did:web:else.where on thread \"th_end\" has reached its end, 2^63-1 — ");
}

TEST_F(CliErrorTest, OfConfigurationAndStoreSayWhatToDo) {
  make_home("h", 0);
  for (const char* line : {"nonsense", "unknown = 1", "store = \"x\"", "strict_signers = 1", "recipients = 1", "[",
                           "[[", "[.a]", "[a.", "a = {"}) {
    write_file(path("h/config.toml"), std::string("# first\n") + line + "\n");
    says({"status"}, 2, path("h/config.toml") + ":2: ");
  }
  std::filesystem::remove(path("h/config.toml"));
  ASSERT_EQ(shell("sqlite3 " + path("h/hub.db") + " 'PRAGMA user_version=1000'"), 0);
  says({"status"}, 1, "the store was written by a newer program: ");
}

}  // namespace
}  // namespace spl::cli_test
