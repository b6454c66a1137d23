// Root (sudo) works on the home of another user, and that user goes on.
#include <gmock/gmock.h>
#include <sys/stat.h>
#include <unistd.h>

#include <filesystem>

#include "cli_harness.h"

namespace spl::cli_test {
namespace {

using ::testing::HasSubstr;

constexpr int kUser = 54321;  // of no name, most likely

class CliRootTest : public CliTest {
 protected:
  void SetUp() override {
    if (::geteuid() != 0) GTEST_SKIP() << "only root can work on the home of another user";
    if (shell("command -v setpriv >/dev/null") != 0) GTEST_SKIP() << "setpriv is not installed";
    // The program where that user can run it.
    ASSERT_EQ(::chmod(path("").c_str(), 0755), 0);
    std::filesystem::copy_file(spl_program(), path("spl"));
    ASSERT_EQ(::chmod(path("spl").c_str(), 0755), 0);
    ASSERT_EQ(shell("mkdir " + path("u") + "; chown " + std::to_string(kUser) + ":" + std::to_string(kUser) + " " +
                    path("u")),
              0);
  }
  // As the user, on the home u/h.
  int user(const std::string& words) { return shell(as_user(path("spl") + " --home " + path("u/h") + " " + words)); }
  std::string as_user(const std::string& command) {
    const std::string id = std::to_string(kUser);
    return "cd " + path("u") + " && setpriv --reuid=" + id + " --regid=" + id + " --clear-groups " + command + " >" +
           path("log") + " 2>&1";
  }
  void expect_all_is_the_users() {
    shell("find " + path("u") + " ! -uid " + std::to_string(kUser) + " -o ! -gid " + std::to_string(kUser) + " >" +
          path("found"));
    EXPECT_EQ(read_file(path("found")), "");
  }
  void expect_the_user_goes_on() {
    expect_all_is_the_users();
    for (const char* words :
         {"intend x", "export --out u.spl --plaintext", "doctor", "serve --daemon --port 0", "intend y", "stop"}) {
      EXPECT_EQ(user(words), 0) << words << ": " << read_file(path("log"));
      ::unlink(path("u/u.spl").c_str());
    }
    expect_all_is_the_users();
  }
  std::string log() { return read_file(path("log")); }
};

TEST_F(CliRootTest, WhatRootMakesInTheHomeIsItsOwners) {
  make_home("source", 2);
  ASSERT_EQ(on("source", {"export", "--out", path("a.spl")}).code, 0);
  ASSERT_EQ(mode_of(path("a.spl")), 0600U) << "root's alone";
  ASSERT_EQ(user("init"), 0) << log();
  const Ran imported = on("u/h", {"import", path("a.spl")});
  ASSERT_EQ(imported.code, 0) << imported.err;
  expect_the_user_goes_on();
  ASSERT_EQ(on("u/h", {"intend", "by root"}).code, 0);
  ASSERT_EQ(on("u/h", {"service-account", "create", "ci", "--scope", "admin"}).code, 0);
  expect_the_user_goes_on();
}

TEST_F(CliRootTest, AHomeThatRootMakesWhereItsOwnersDirectoryIsIsTheOwners) {
  ASSERT_EQ(shell(as_user("mkdir h")), 0);
  ASSERT_EQ(on("u/h", {"init"}).code, 0);
  expect_the_user_goes_on();
  std::filesystem::remove_all(path("u/h"));
  ASSERT_EQ(user("serve --daemon --port 0"), 0);
  ASSERT_EQ(on("u/h", {"identity", "generate"}).code, 0) << "through the daemon";
  ASSERT_EQ(on("u/h", {"stop"}).code, 0);
  expect_the_user_goes_on();
}

TEST_F(CliRootTest, WhatRootExportsIsRootsAndGoesWhereRootMayWrite) {
  ASSERT_EQ(user("init"), 0) << log();
  ASSERT_EQ(shell("mkdir -m 700 " + path("roots")), 0);
  write_file(path("roots/pass"), "secret of root\n");
  ASSERT_EQ(::chmod(path("roots/pass").c_str(), 0600), 0);
  for (const bool replaced : {false, true}) {
    const Ran ran = on("u/h", {"export", "--force", "--out", path("roots/a"), "--passphrase-file", path("roots/pass"),
                               "--spool", path("roots")});
    ASSERT_EQ(ran.code, 0) << ran.err << replaced;
    struct stat info{};
    ASSERT_EQ(::stat(path("roots/a").c_str(), &info), 0);
    EXPECT_EQ(info.st_uid, 0U);
    EXPECT_EQ(info.st_gid, 0U);
  }
  expect_the_user_goes_on();
}

TEST_F(CliRootTest, ADaemonThatRootStartsThereIsTheUsers) {
  ASSERT_EQ(user("init"), 0) << log();
  start_daemon("u/h");
  const std::string pid = read_file(path("u/h/run/spl.pid"));
  const std::string status = read_file("/proc/" + pid.substr(0, pid.size() - 1) + "/status");
  const std::string id = std::to_string(kUser);
  EXPECT_THAT(status, HasSubstr("Uid:\t" + id + "\t" + id + "\t" + id + "\t" + id + "\n"));
  EXPECT_THAT(status, HasSubstr("Gid:\t" + id + "\t" + id + "\t" + id + "\t" + id + "\n"));
  EXPECT_EQ(user("intend x"), 0) << log();
  EXPECT_EQ(on("u/h", {"intend", "by root"}).code, 0);
  EXPECT_EQ(user("stop"), 0) << log();
  expect_the_user_goes_on();
}

// A home is its owner's to arrange: it must not lead root where the owner may not go.
TEST_F(CliRootTest, AHomeDoesNotLeadRootOutOfIt) {
  ASSERT_EQ(shell("mkdir -m 700 " + path("roots")), 0);
  write_file(path("roots/shadow"), "root's\n");
  ASSERT_EQ(::chmod(path("roots/shadow").c_str(), 0600), 0);
  ASSERT_EQ(user("serve --daemon --port 0"), 0) << log();
  ASSERT_EQ(user("stop"), 0);
  std::filesystem::remove_all(path("u/h/identity"));
  std::filesystem::create_symlink(path("roots"), path("u/h/identity"));
  EXPECT_NE(on("u/h", {"identity", "generate"}).code, 0);
  std::filesystem::remove(path("u/h/identity"));
  ASSERT_EQ(shell(as_user("mkdir -m 700 h/identity")), 0);
  write_file(path("u/h/config.toml"), "store = \"sqlite:" + path("roots/hub.db") + "\"\n");
  EXPECT_NE(on("u/h", {"init"}).code, 0);
  EXPECT_EQ(names_in(path("roots")), Words{"shadow"});
  EXPECT_EQ(read_file(path("roots/shadow")), "root's\n");
}

TEST_F(CliRootTest, AHomeThatItsOwnerCannotReachIsRefused) {
  ASSERT_EQ(user("init"), 0) << log();
  ASSERT_EQ(::chmod(path("").c_str(), 0700), 0);
  const Ran ran = on("u/h", {"intend", "x"});
  EXPECT_EQ(ran.code, 3);
  EXPECT_THAT(ran.err, HasSubstr("who cannot reach it"));
}

TEST_F(CliRootTest, ItsOwnHomeIsBelowVar) {
  if (exists("/var/lib/spl")) GTEST_SKIP() << "there is an instance on this machine";
  const Ran none = run({"status"}, {.environment = {{"HOME", path("")}}});
  EXPECT_EQ(none.code, 1);
  EXPECT_THAT(none.err, HasSubstr("/var/lib/spl"));
  ASSERT_EQ(on(".syncro", {"init"}).code, 0);
  EXPECT_EQ(run({"status"}, {.environment = {{"HOME", path("")}}}).code, 0);
}

TEST_F(CliRootTest, AStrangerDoesNotGetThroughTheSocket) {
  make_home("h", 0);
  start_daemon("h");
  EXPECT_EQ(mode_of(path("h")), 0711U);
  EXPECT_EQ(mode_of(path("h/run")), 0711U);
  EXPECT_EQ(mode_of(path("h/data")), 0711U);
  EXPECT_EQ(mode_of(path("h/run/spl.sock")), 0600U);
  for (const char* name : {"identity", "secrets", "services", "logs"})
    EXPECT_EQ(mode_of(path("h/" + std::string(name))), 0700U) << name;
  EXPECT_EQ(mode_of(path("h/hub.db")), 0600U);
  if (shell("command -v curl >/dev/null") != 0) return;
  const std::string ask = "curl -s --unix-socket " + path("h/run/spl.sock") + " http://spl/v1/threads";
  EXPECT_EQ(shell(ask + " >/dev/null"), 0);
  EXPECT_NE(shell(as_user(ask)), 0) << "by the socket's mode";
  // Even where somebody has opened it.
  ASSERT_EQ(::chmod(path("h/run/spl.sock").c_str(), 0666), 0);
  EXPECT_NE(shell(as_user(ask)), 0) << log();
  EXPECT_THAT(read_file(path("h/logs/spl.log")), HasSubstr("stranger at the socket"));
}

// A command tells a daemon secrets: it does not tell them to another user's.
TEST_F(CliRootTest, ACommandDoesNotTalkToAStrangersDaemon) {
  ASSERT_EQ(user("init"), 0) << log();
  ASSERT_EQ(user("serve --daemon --port 0"), 0) << log();
  ASSERT_EQ(::chmod(path("u/h/run/spl.sock").c_str(), 0666), 0);
  const int code = shell("setpriv --reuid=54322 --regid=54322 --clear-groups " + path("spl") + " --home " +
                         path("u/h") + " intend x >" + path("log") + " 2>&1");
  EXPECT_NE(code, 0);
  EXPECT_THAT(log(), HasSubstr("another user"));
  EXPECT_EQ(user("stop"), 0);
}

}  // namespace
}  // namespace spl::cli_test
