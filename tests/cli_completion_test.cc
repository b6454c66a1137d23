// What shells complete. bash is asked for real; zsh and fish where they are installed.
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>

#include "cli/complete.h"
#include "cli_harness.h"
#include "cli_terminal.h"

namespace spl::cli_test {
namespace {

class CliCompletionTest : public CliTest {
 protected:
  // What is offered for words as zsh and fish give them, without what it means.
  static Words offers(Words words) {
    words.insert(words.begin(), {"__complete", "fish"});
    const Ran ran = run(words);
    EXPECT_EQ(ran.code, 0);
    EXPECT_EQ(ran.err, "");
    Words offered;
    for (std::size_t at = 0; at < ran.out.size();) {
      const std::size_t end = ran.out.find('\n', at);
      const std::string line = ran.out.substr(at, end - at);
      offered.push_back(line.substr(0, line.find('\t')));
      at = end + 1;
    }
    return offered;
  }
  static bool has(const Words& words, const std::string& word) { return std::ranges::find(words, word) != words.end(); }
  // What bash makes of `line` when Tab is typed at its end, and Enter.
  std::string bash(const std::string& line) {
    write_file(path("rc"), "PATH=" + path("bin") +
                               ":$PATH\nPS1='ready> '\nbind 'set enable-bracketed-paste off'\n"
                               "bind 'set bell-style none'\nsource <(spl completion bash)\n");
    ::mkdir(path("bin").c_str(), 0700);
    // What is run in the end only says what it got; what bash asks is answered by the program.
    write_file(path("bin/spl"), "#!/bin/sh\ncase $1 in __complete|completion) exec " + spl_program() +
                                    " \"$@\" ;; esac\nfor word; do printf '<%s>' \"$word\"; done; echo .\n");
    ::chmod(path("bin/spl").c_str(), 0700);
    Terminal terminal({"/bin/bash", "--rcfile", path("rc"), "-i"}, {.columns = 400});
    EXPECT_TRUE(terminal.wait_for("ready> "));
    terminal.type("cd " + path("") + "\n");
    EXPECT_TRUE(terminal.wait_for("ready> "));
    terminal.type(line + "\t");
    ::usleep(400'000);
    terminal.type("\n");
    EXPECT_TRUE(terminal.wait_for("\r\n<")) << terminal.shown();
    EXPECT_TRUE(terminal.wait_for(">.")) << terminal.shown();
    const std::string& shown = terminal.shown();
    const std::size_t at = shown.rfind("\r\n<") + 2;
    return shown.substr(at, shown.find(">.", at) + 1 - at);
  }
};

TEST_F(CliCompletionTest, CommandsAndOptionsAreOffered) {
  EXPECT_TRUE(has(offers({""}), "export"));
  EXPECT_FALSE(has(offers({""}), "__complete"));
  EXPECT_EQ(offers({"bundle", "ver"}), Words{"verify"});
  EXPECT_EQ(offers({"export", "--no"}), (Words{"--no-identity", "--no-progress"}));
  EXPECT_EQ(offers({"-o", "str"}), Words{"stream-json"});
  EXPECT_EQ(offers({"export", "--output=js"}), Words{"--output=json"});
  EXPECT_EQ(offers({"export", "--quiesce", ""}), (Words{"freeze", "hook", "none"}));
  EXPECT_EQ(offers({"export", "--uncompressed", "--uncomp"}), Words{});
  EXPECT_EQ(offers({"completion", "z"}), Words{"zsh"});
  EXPECT_EQ(offers({"help", "bundle", "ver"}), Words{"verify"});
  EXPECT_TRUE(has(offers({"status", ""}), "--verbose"));
  EXPECT_EQ(offers({"service-account", "create", "x", "--scope", "config:"}), (Words{"config:read", "config:write"}));
}

TEST_F(CliCompletionTest, FilesAreTheShells) {
  EXPECT_EQ(offers({"import", ""}), Words{":files"});
  EXPECT_EQ(offers({"export", "--out", "x"}), Words{":files"});
  EXPECT_EQ(offers({"--home", ""}), Words{":directories"});
  EXPECT_EQ(offers({"bundle", "verify", "a", "--age-identity", ""}), Words{":files"});
}

TEST_F(CliCompletionTest, NothingIsAnError) {
  for (const Words& words :
       {Words{}, Words{"frobnicate", "x"}, Words{"--frob=", "x"}, Words{"--", "--"}, Words{"record", "get", "zz"},
        Words{"--home", path("none"), "thread", "show", ""}, Words{"--home", "", "thread", "show", ""},
        Words{"bundle", "frob", "ver"}, Words{std::string(10'000, 'x')}})
    offers(words);
  for (const Words& words : {Words{"__complete"}, Words{"__complete", "bash"}, Words{"__complete", "bash", "'"},
                             Words{"__complete", "bash", "spl \\", "="}}) {
    const Ran ran = run(words);
    EXPECT_EQ(ran.code, 0);
    EXPECT_EQ(ran.err, "");
  }
  EXPECT_FALSE(exists(path("none")));
}

TEST_F(CliCompletionTest, WhatTheHomeHasIsOffered) {
  make_home("h", 2);
  ASSERT_EQ(on("h", {"intend", "x", "--thread", "two words"}).code, 0);
  const std::string id = text_of(json_on("h", {"intend", "y", "--thread", "last"}), "id");
  ASSERT_EQ(on("h", {"service-account", "create", "ci", "--scope", "records:read"}).code, 0);
  ASSERT_EQ(on("h", {"token", "create", "ci"}).code, 0);
  const std::string token = text_of(json_on("h", {"token", "list"}).array()->front(), "id");
  const auto at_home = [this](Words words) {
    words.insert(words.begin(), {"--home", path("h")});
    return offers(words);
  };
  EXPECT_EQ(at_home({"thread", "show", "th_test"}), (Words{"th_test0", "th_test1"}));
  EXPECT_EQ(at_home({"do", "x", "--thread", "two"}), Words{"two words"});
  EXPECT_EQ(at_home({"do", "x", "--thread=two"}), Words{"--thread=two words"});
  EXPECT_EQ(at_home({"record", "get", ""}).at(1), id);  // the account came after it
  EXPECT_EQ(at_home({"record", "get", id.substr(0, 6)}), Words{id});
  EXPECT_EQ(at_home({"do", "x", "--fulfills", id.substr(0, 6)}), Words{id});
  EXPECT_EQ(at_home({"token", "create", ""}), Words{"ci"});
  EXPECT_EQ(at_home({"token", "revoke", ""}), Words{token});
  start_daemon("h");
  EXPECT_EQ(at_home({"thread", "show", "th_test"}), (Words{"th_test0", "th_test1"}));
}

TEST_F(CliCompletionTest, WhatIsDeclaredIsOfferedWhereItIsNamed) {
  make_home("h", 0);
  for (const char* name : {"notes", "wiki"})
    write_file(path(std::string("h/services/") + name + ".toml"), std::string("name = \"") + name + "\"\n");
  ASSERT_EQ(on("h", {"context", "add", "acme"}).code, 0);
  const auto at_home = [this](Words words) {
    words.insert(words.begin(), {"--home", path("h")});
    return offers(words);
  };
  EXPECT_TRUE(has(at_home({"service", ""}), "start"));
  EXPECT_TRUE(has(at_home({"service", ""}), "wiki"));
  EXPECT_EQ(at_home({"service", "no"}), Words{"notes"});
  EXPECT_EQ(at_home({"service", "start", "no"}), Words{"notes"});
  EXPECT_EQ(at_home({"service", "start", "al"}), Words{"all"});
  EXPECT_EQ(at_home({"service", "notes", "resta"}), Words{"restart"});
  EXPECT_EQ(at_home({"service", "notes", "cat"}), Words{}) << "of no service";
  EXPECT_EQ(at_home({"service", "notes", "restore", "--prev"}), Words{"--previous"});
  EXPECT_EQ(at_home({"export", "--without", "w"}), Words{"wiki"});
  EXPECT_EQ(at_home({"export", "--context", ""}), Words{"acme"});
  EXPECT_EQ(at_home({"context", "remove", ""}), Words{"acme"});
  EXPECT_EQ(at_home({"federation", "show", ""}), Words{});
}

TEST_F(CliCompletionTest, BashCompletes) {
  make_home("h", 1);
  ASSERT_EQ(on("h", {"intend", "x", "--thread", "two words"}).code, 0);
  ASSERT_EQ(on("h", {"intend", "x", "--thread", "urn:a:b"}).code, 0);
  write_file(path("my file.spl"), "x");
  ::mkdir(path("verify").c_str(), 0700);
  EXPECT_EQ(bash("spl bundle ver"), "<bundle><verify>");
  EXPECT_EQ(bash("spl export --uncom"), "<export><--uncompressed>");
  EXPECT_EQ(bash("spl export --output=str"), "<export><--output=stream-json>");
  EXPECT_EQ(bash("spl import my"), "<import><my file.spl>");
  EXPECT_EQ(bash("spl import \"my"), "<import><my file.spl>");
  EXPECT_EQ(bash("spl --home h thread show two"), "<--home><h><thread><show><two words>");
  EXPECT_EQ(bash("spl --home h thread show 'two w"), "<--home><h><thread><show><two words>");
  EXPECT_EQ(bash("spl --home h thread show urn:a"), "<--home><h><thread><show><urn:a:b>");
  EXPECT_EQ(bash("spl --ho"), "<--home>");
}

TEST_F(CliCompletionTest, OtherShellsTakeTheirScripts) {
  for (const char* name : {"zsh", "fish"}) {
    const Ran script = run({"completion", name});
    EXPECT_EQ(script.code, 0);
    EXPECT_NE(script.out.find("__complete"), std::string::npos);
    write_file(path(name), script.out);
    if (shell(std::string("command -v ") + name + " >/dev/null") == 0) {
      EXPECT_EQ(shell(std::string(name) + " -n " + path(name)), 0);
    }
  }
}

TEST(CliTypedLine, IsReadAsBashReadsIt) {
  const auto words = [](std::string_view line) { return cli::words_of_line(line, " :=").words; };
  EXPECT_EQ(words("spl a"), (Words{"spl", "a"}));
  EXPECT_EQ(words("spl a "), (Words{"spl", "a", ""}));
  EXPECT_EQ(words("spl  'a b' \"c d\" e\\ f"), (Words{"spl", "a b", "c d", "e f"}));
  EXPECT_EQ(words("spl 'a b"), (Words{"spl", "a b"}));
  EXPECT_EQ(words("spl \"a\\\"b\\n"), (Words{"spl", "a\"b\\n"}));
  EXPECT_EQ(words("spl '' x"), (Words{"spl", "", "x"}));
  EXPECT_EQ(cli::words_of_line("spl --a=b:c", ":=").kept_bytes, 6u);
  EXPECT_EQ(cli::words_of_line("spl '--a=b:c", ":=").kept_bytes, 0u);
}

}  // namespace
}  // namespace spl::cli_test
