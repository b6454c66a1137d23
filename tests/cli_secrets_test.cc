// What is secret is shown to nobody by an error, a log or a token that could not be printed.
#include <gmock/gmock.h>
#include <sys/resource.h>
#include <unistd.h>

#include "cli_harness.h"

namespace spl::cli_test {
namespace {

using ::testing::HasSubstr;
using ::testing::Not;

constexpr const char* kKey = "AGE-SECRET-KEY-1QQPQ9QPZ3XRQ9QZQ9QPZ3XRQ9QZQ9QPZ3XRQ9QZQ9QPZ3XRQ9QZQ9QPZ";
constexpr const char* kToken = "spl_prod_ci_0123456789abcdef0123456789abcdef0123456789abcdef0123456789abcdef";

class CliSecretsTest : public CliTest {
 protected:
  // What the command says, all of it, in both formats; it must fail.
  std::string said(const std::string& home, const Words& words) {
    std::string all;
    for (const char* format : {"text", "json"}) {
      Words asked = words;
      asked.insert(asked.end(), {"-o", format});
      const Ran ran = on(home, asked);
      EXPECT_NE(ran.code, 0) << words[0];
      all += ran.out + ran.err;
    }
    return all;
  }
  // The code of a shell's line in which SPL is the program on the home "h".
  int shell_with_spl(const std::string& line) {
    return shell("SPL='" + spl_program() + " --home " + path("h") + "'; " + line);
  }
  std::size_t tokens() { return json_on("h", {"token", "list"}).array()->size(); }
};

TEST_F(CliSecretsTest, ADaemonsKeyIsInNoCoreFileAndInLockedMemory) {
  make_home("h", 0);
  start_daemon("h");
  std::string pid = read_file(path("h/run/spl.pid"));
  pid = pid.substr(0, pid.find_first_not_of("0123456789"));
  ASSERT_FALSE(pid.empty());
  EXPECT_THAT(read_file("/proc/" + pid + "/limits"), ::testing::ContainsRegex("Max core file size +0 "));
  rlimit limit{};
  ASSERT_EQ(::getrlimit(RLIMIT_MEMLOCK, &limit), 0);
  if (limit.rlim_cur >= (1u << 20)) {
    EXPECT_THAT(read_file("/proc/" + pid + "/status"), Not(::testing::ContainsRegex("VmLck:[ \t]+0 kB")));
  }
  // Everybody's where it is dumpable.
  if (::geteuid() != 0) {
    EXPECT_THAT(shell("test -O /proc/" + pid), 1);
  }
}

TEST_F(CliSecretsTest, ErrorsDoNotRepeatASecretThatStandsWhereSomethingElseIsWanted) {
  make_home("h", 0);
  const std::string config = path("h/config.toml");
  for (const std::string& line :
       {"recipients = [\"" + std::string(kKey) + "\"]", std::string(kKey), std::string("recipients = [") + kKey + "]",
        std::string(kKey) + " = 1", "store = \"" + std::string(kKey) + "\""}) {
    write_file(config, line + "\n");
    EXPECT_THAT(said("h", {"status"}), AllOf(HasSubstr(config + ":1: "), Not(HasSubstr("QQPQ9Q")))) << line;
  }
  write_file(config, "recipients = [\"" + std::string(kKey) + "\"]\n");
  EXPECT_THAT(said("h", {"export", "--out", path("b")}), HasSubstr(config + ":1: a secret key; give its public key"));
  write_file(config, "");
  const std::vector<Words> commands{{"export", "--out", path("b"), "--recipient", kKey},
                                    {"export", "--out", path("b"), "--recipient", "age-secret-key-1qqpq9q"},
                                    {"export", "--out", path("b"), "--recipient", "correct horse battery"},
                                    {"import", kKey},
                                    {"import", path("b"), "--age-identity", kKey},
                                    {"import", path("b"), "--recipient", kKey},
                                    {"export", "--out", path("b"), std::string("--") + kKey},
                                    {"token", "revoke", kToken},
                                    {"token", "revoke", "spl_prod_ci_0123456789abcdef"},
                                    {"token", "create", kToken},
                                    {"intend", "x", "--body", kKey},
                                    {"record", "get", kToken},
                                    {kToken}};
  for (const Words& words : commands) {
    const std::string text = said("h", words);
    EXPECT_THAT(text, AllOf(Not(HasSubstr("QQPQ9Q")), Not(HasSubstr("qqpq9q")), Not(HasSubstr("0123456789abcdef")),
                            Not(HasSubstr("correct horse"))))
        << words[0];
  }
  EXPECT_THAT(said("h", {"export", "--out", path("b"), "--recipient", "age1mistyped"}), HasSubstr("'age1mistyped'"))
      << "what is public is named";
}

TEST_F(CliSecretsTest, AKeyFileIsNotQuoted) {
  make_home("h", 0);
  ASSERT_EQ(on("h", {"export", "--out", path("b")}).code, 0);
  write_file(path("keys"), std::string("# mine\n") + kKey + "\n" + kToken + "\n");
  EXPECT_THAT(said("n", {"import", path("b"), "--age-identity", path("keys")}),
              AllOf(HasSubstr("line 2"), Not(HasSubstr("QQPQ9Q")), Not(HasSubstr("0123456789abcdef"))));
}

TEST_F(CliSecretsTest, NeitherADaemonsAnswersNorItsLogHaveSecrets) {
  if (shell("command -v curl >/dev/null") != 0) GTEST_SKIP() << "curl is not installed";
  make_home("h", 0);
  const std::string port = std::to_string(start_daemon("h"));
  const std::string door = "curl -s --unix-socket " + path("h/run/spl.sock") + " ";
  const std::string json = "-H 'content-type: application/json' ";
  for (const std::string& line :
       {door + json + "-d '{\"recipients\":[\"" + kKey + "\"]}' http://spl/v1/portability/export",
        door + json + "-d '{\"" + kKey + "\":1}' http://spl/v1/portability/export",
        door + json + "-d '{\"id\":\"" + kToken + "\"}' http://spl/v1/local/tokens/revoke",
        door + json + "-d '{\"account\":\"" + kToken + "\"}' http://spl/v1/local/tokens",
        door + "-X POST 'http://spl/v1/records?" + kToken + "=1'", door + "http://spl/v1/records/" + kToken,
        "curl -s -H 'authorization: Bearer " + std::string(kToken) + "' http://127.0.0.1:" + port + "/v1/threads",
        "curl -s -H 'authorization: Basic " + std::string(kToken) + "' http://127.0.0.1:" + port + "/v1/threads",
        "curl -s http://127.0.0.1:" + port + "/" + kKey})
    EXPECT_EQ(shell(line + " >>" + path("answers")), 0) << line;
  const std::string all = read_file(path("answers")) + read_file(path("h/logs/spl.log"));
  EXPECT_THAT(all, AllOf(HasSubstr("\"error\""), Not(HasSubstr("QQPQ9Q")), Not(HasSubstr("0123456789abcdef"))));
}

TEST_F(CliSecretsTest, ATokenThatCouldNotBeShownIsNotLeftBehind) {
  make_home("h", 0);
  ASSERT_EQ(on("h", {"service-account", "create", "ci", "--scope", "admin"}).code, 0);
  for (const bool served : {false, true}) {
    SCOPED_TRACE(served ? "with a daemon" : "without a daemon");
    if (served) start_daemon("h");
    for (const std::string format : {"text", "json"}) {
      SCOPED_TRACE(format);
      const std::string create = "$SPL token create ci -o " + format;
      EXPECT_EQ(shell_with_spl(create + " >/dev/full 2>" + path("e")), 1);
      EXPECT_THAT(read_file(path("e")), HasSubstr("the token was taken back"));
      EXPECT_EQ(shell_with_spl(create + " >&- 2>" + path("e")), 1);
      EXPECT_THAT(read_file(path("e")), HasSubstr("the token was taken back"));
      shell_with_spl("{ sleep 0.3; " + create + " 2>" + path("e") + "; echo $? >" + path("code") + "; } | true");
      EXPECT_EQ(read_file(path("code")), "1\n");
      EXPECT_THAT(read_file(path("e")), HasSubstr("the token was taken back"));
      EXPECT_EQ(tokens(), 0U);
      EXPECT_EQ(shell_with_spl(create + " >" + path("shown") + " 2>" + path("e")), 0);
      EXPECT_EQ(tokens(), 1U);
      const std::string shown = read_file(path("shown"));
      const std::string token = shown.substr(shown.find("spl_prod_ci_"), 12 + 64);
      EXPECT_EQ(on("h", {"token", "revoke", token}).code, 0) << "the token names itself";
      EXPECT_EQ(tokens(), 0U);
    }
  }
}

TEST_F(CliSecretsTest, WhoseTokensStayBehindIsToldAtBothEnds) {
  make_home("h", 0);
  for (const char* account : {"ci", "reader", "unused"})
    ASSERT_EQ(on("h", {"service-account", "create", account, "--scope", "records:read"}).code, 0);
  for (const char* account : {"ci", "reader"}) ASSERT_EQ(on("h", {"token", "create", account}).code, 0);
  for (const bool served : {false, true}) {
    SCOPED_TRACE(served ? "with a daemon" : "without a daemon");
    if (served) start_daemon("h");
    const std::string plain = path(served ? "plain2" : "plain");
    const Ran ran = on("h", {"export", "--out", plain});
    EXPECT_EQ(ran.code, 0);
    EXPECT_THAT(ran.err, HasSubstr("the tokens of ci, reader stay behind"));
    const codec::Json report = json_on("h", {"export", "--out", path(served ? "again2" : "again")});
    ASSERT_NE(report.find("tokens_left"), nullptr);
    EXPECT_EQ(report.find("tokens_left")->text(), R"(["ci","reader"])");
    const std::string carried = path(served ? "carried2" : "carried");
    EXPECT_THAT(on("h", {"export", "--out", carried, "--carry-tokens"}).err, Not(HasSubstr("stay behind")));
    const std::string home = served ? "n2" : "n";
    for (const Words& words : {Words{"import", plain, "--dry-run"}, Words{"import", plain}}) {
      const Ran into = on(home, words);
      EXPECT_EQ(into.code, 0) << into.err;
      EXPECT_THAT(into.out, AllOf(HasSubstr("warn  tokens: ci, reader, unused"), HasSubstr("spl token create ci")));
    }
    EXPECT_THAT(on(served ? "c2" : "c", {"import", carried}).out,
                AllOf(HasSubstr("warn  tokens: unused"), Not(HasSubstr("reader, "))));
  }
}

}  // namespace
}  // namespace spl::cli_test
