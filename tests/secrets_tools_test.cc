// The backend `command` of secrets with the programs that people have: pass with GnuPG, and keyctl with the kernel's
// keyrings. The configurations are those of docs/formats/secrets.md.
#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <linux/keyctl.h>
#include <sys/syscall.h>
#include <unistd.h>

#include <cerrno>
#include <cstring>

#include "cli_harness.h"

namespace spl::cli_test {
namespace {

using ::testing::HasSubstr;
using ::testing::Not;

// The first block of docs/formats/secrets.md below a heading.
std::string documented(const std::string& heading) {
  const std::string page = read_file(std::string(SPL_SOURCE_DIR) + "/docs/formats/secrets.md");
  const std::size_t at = page.find("\n## " + heading + "\n");
  const std::size_t begin = page.find("```toml\n", at);
  const std::size_t end = page.find("```\n", begin + 8);
  EXPECT_NE(at, std::string::npos) << heading;
  return end == std::string::npos ? std::string() : page.substr(begin + 8, end - begin - 8);
}

class SecretsToolsTest : public CliTest {
 protected:
  void make(const std::string& config) {
    ASSERT_EQ(on("h", {"init"}).code, 0);
    write_file(path("h/config.toml"), config);
    write_file(path("h/services/notes.toml"),
               "name = \"notes\"\n[run]\ncommand = [\"/bin/sh\", \"-c\", \"printenv KEY >$0/key; exec sleep 600\", "
               "\"{data}\"]\nenv = { KEY = \"{secret:notes/key}\" }\n"
               "[[secret]]\nhandle = \"notes/key\"\nrequired = true\n"
               "[[secret]]\nhandle = \"notes/{context}/key\"\nclass = \"regenerate\"\n");
    ASSERT_EQ(on("h", {"context", "add", "geo"}).code, 0);
  }
  Ran with(const Words& words, const std::string& text = {}) {
    return on("h", words, {.text = text, .environment = environment_});
  }
  // Whether each declared secret has a value.
  std::string states() {
    std::string found;
    const Ran ran = with({"secret", "check", "-o", "json"});
    const codec::Json json = json_of(ran.out);
    if (json.array() == nullptr) return ran.err;
    for (const codec::Json& one : *json.array())
      found += text_of(one, "handle") + (flag_of(one, "there") ? " is there\n" : " is missing\n");
    return found;
  }
  // Sets, lists, reads and deletes values through the program.
  void expect_it_keeps_secrets() {
    EXPECT_EQ(states(), "notes/key is missing\nnotes/geo/key is missing\n");
    const Ran set = with({"secret", "set", "notes/key"}, "first value");
    ASSERT_EQ(set.code, 0) << set.err;
    ASSERT_EQ(with({"secret", "set", "notes/key"}, "open\tsesame'\"$(x) \xC3\xA4").code, 0) << "it replaces";
    ASSERT_EQ(with({"secret", "set", "notes/geo/key"}, "two\nlines").code, 0);
    EXPECT_EQ(states(), "notes/key is there\nnotes/geo/key is there\n");
    EXPECT_EQ(json_of(with({"secret", "list", "-o", "json"}).out).text(), R"(["notes/geo/key","notes/key"])");
    const Ran started = with({"service", "notes", "start"});
    ASSERT_EQ(started.code, 0) << started.err;
    EXPECT_EQ(with({"service", "all", "stop"}).code, 0);
    EXPECT_EQ(read_file(path("h/data/notes/key")), "open\tsesame'\"$(x) \xC3\xA4\n");
    // Nothing of it stands in the home, but where the service itself has written it.
    EXPECT_EQ(shell("grep -rl -D skip sesame " + path("h") + " > " + path("found")), 0);
    EXPECT_EQ(read_file(path("found")), path("h/data/notes/key\n"));
    EXPECT_THAT(with({"secret", "delete", "notes/key"}).out, HasSubstr("deleted"));
    EXPECT_THAT(with({"secret", "delete", "notes/key"}).out, HasSubstr("no secret"));
    EXPECT_EQ(states(), "notes/key is missing\nnotes/geo/key is there\n");
  }

  std::map<std::string, std::string> environment_;
};

class PassTest : public SecretsToolsTest {
 protected:
  void SetUp() override {
    if (shell("command -v pass >/dev/null && command -v gpg >/dev/null") != 0)
      GTEST_SKIP() << "pass or gpg is not installed";
    environment_ = {{"HOME", path("user")}, {"GNUPGHOME", path("gnupg")}, {"PASSWORD_STORE_DIR", path("store")}};
    variables_ = "HOME=" + path("user") + " GNUPGHOME=" + path("gnupg") + " PASSWORD_STORE_DIR=" + path("store") + " ";
    ASSERT_EQ(shell("mkdir -m 700 " + path("gnupg") + " " + path("user")), 0);
    ASSERT_EQ(tool("gpg --batch --quiet --pinentry-mode loopback --passphrase '' --quick-generate-key spl-test "
                   "future-default default never"),
              0)
        << said();
    ASSERT_EQ(tool("pass init spl-test"), 0) << said();
    make(documented("pass"));
  }
  void TearDown() override { (void)tool("gpgconf --kill all"); }
  int tool(const std::string& command) { return shell(variables_ + command + " >" + path("said") + " 2>&1"); }
  std::string said() { return read_file(path("said")); }

 private:
  std::string variables_;
};

TEST_F(PassTest, KeepsSecretsAsTheDocumentSays) {
  expect_it_keeps_secrets();
  // What pass was given by hand is found, too.
  ASSERT_EQ(tool("sh -c 'echo by hand | pass insert --echo --force spl/notes/key'"), 0) << said();
  EXPECT_THAT(states(), HasSubstr("notes/key is there\n"));
}

// A value that is there and cannot be read is not one that is missing: it would be made anew over the old one.
TEST_F(PassTest, AKeyThatIsNotThereIsNoMissingSecret) {
  ASSERT_EQ(with({"secret", "set", "notes/geo/key"}, "precious").code, 0);
  ASSERT_EQ(tool("gpgconf --kill all"), 0);
  ASSERT_EQ(tool("mv " + path("gnupg/private-keys-v1.d") + " " + path("away")), 0);
  const Ran ran = with({"secret", "check"});
  EXPECT_EQ(ran.code, 6) << ran.out;
  EXPECT_THAT(ran.err, HasSubstr("notes/geo/key is there and cannot be read"));
  EXPECT_THAT(ran.err, Not(HasSubstr("precious")));
  ASSERT_EQ(tool("gpgconf --kill all"), 0);
  ASSERT_EQ(tool("rm -rf " + path("gnupg/private-keys-v1.d")), 0);
  ASSERT_EQ(tool("mv " + path("away") + " " + path("gnupg/private-keys-v1.d")), 0);
  EXPECT_THAT(states(), HasSubstr("notes/geo/key is there\n"));
}

class KeyctlTest : public SecretsToolsTest {
 protected:
  void SetUp() override {
    if (shell("command -v keyctl >/dev/null") != 0) GTEST_SKIP() << "keyctl is not installed";
    // A session keyring of this process and its children alone: nothing is left in the user's.
    if (::syscall(SYS_keyctl, KEYCTL_JOIN_SESSION_KEYRING, nullptr) < 0)
      GTEST_SKIP() << "this kernel or container gives no keyring: " << std::strerror(errno);
    if (shell("keyctl padd user spl-probe @s </dev/zero 2>/dev/null >&2; echo x | keyctl padd user spl-probe @s "
              ">/dev/null") != 0)
      GTEST_SKIP() << "this kernel or container takes no key into the session's keyring";
    make(documented("keyctl"));
  }
};

TEST_F(KeyctlTest, KeepsSecretsAsTheDocumentSays) {
  expect_it_keeps_secrets();
}

}  // namespace
}  // namespace spl::cli_test
