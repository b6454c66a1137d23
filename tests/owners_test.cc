// Whose processes services are, and whose files: root with a service of another user, root in the home of another user,
// and that user alone.
#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <pwd.h>
#include <sys/stat.h>
#include <unistd.h>

#include <filesystem>

#include "cli_harness.h"

namespace spl::cli_test {
namespace {

using ::testing::HasSubstr;

class OwnersTest : public CliTest {
 protected:
  void SetUp() override {
    if (::geteuid() != 0) GTEST_SKIP() << "only root can have files of several users";
    if (shell("command -v setpriv >/dev/null") != 0) GTEST_SKIP() << "setpriv is not installed";
    const passwd* nobody = ::getpwnam("nobody");
    if (nobody == nullptr || nobody->pw_uid == 0) GTEST_SKIP() << "this machine has no user nobody";
    uid_ = nobody->pw_uid;
    gid_ = nobody->pw_gid;
    // The program, and the homes, where that user gets through.
    ASSERT_EQ(::chmod(path("").c_str(), 0755), 0);
    std::filesystem::copy_file(spl_program(), path("spl"));
    ASSERT_EQ(::chmod(path("spl").c_str(), 0755), 0);
    ASSERT_EQ(shell("mkdir " + path("u") + " && chown " + ids() + " " + path("u")), 0);
  }
  ~OwnersTest() override {
    for (const std::string home : {"a", "b", "u/a", "u/b"}) {
      if (exists(path(home) + "/run/runit")) root(home, "service all stop");
    }
  }
  [[nodiscard]] std::string ids() const { return std::to_string(uid_) + ":" + std::to_string(gid_); }
  // A command of the program on a home; what it says is in said().
  int root(const std::string& home, const std::string& words) { return shell("cd / && " + command(home, words)); }
  int user(const std::string& home, const std::string& words) {
    const std::string as = "setpriv --reuid=" + std::to_string(uid_) + " --regid=" + std::to_string(gid_) +
                           " --clear-groups env HOME=/nonexistent ";
    return shell("cd / && " + as + command(home, words));
  }
  std::string said() { return read_file(path("said")); }
  // A service that writes who it is, with a surface of each kind that lies in files.
  void declare(const std::string& home, const std::string& more = {}) {
    const std::string script =
        "umask 027; mkdir -p $0/files $0/geo/pages; id -un >$0/files/who; id -gn >$0/files/group; "
        "test -e $0/notes.db || sqlite3 $0/notes.db 'CREATE TABLE t(v)'; "
        "g=$0/code/team/x.git; test -e $g || git init -q --bare $g; cd $g; t=$(git hash-object -t tree -w --stdin "
        "</dev/null); git update-ref refs/heads/main $(git -c user.name=a -c user.email=a@example.org commit-tree -m x "
        "$t); "
        "cat $1/hub.db $1/identity/* >$0/files/stolen 2>/dev/null; exec sleep 600";
    write_file(path(home) + "/services/notes.toml",
               "name = \"notes\"\n[run]\ncommand = [\"/bin/sh\", \"-c\", \"" + script +
                   "\", \"{data}\", \"{home}\"]\n" + more +
                   "\n[restore]\nstaged = [\"/bin/sh\", \"-c\", \"id -un >$SPL_STAGED_FILES/fixed" +
                   (home.starts_with("u/") ? "" : "; ! touch $0/x 2>/dev/null") + "\", \"{staging}\"]\n" +
                   "[[surface]]\nname = \"files\"\nkind = \"files\"\npath = \"{data}/files\"\n"
                   "[[surface]]\nname = \"pages\"\nkind = \"files\"\npath = \"{data}/{context}/pages\"\n"
                   "[[surface]]\nname = \"db\"\nkind = \"sqlite\"\npath = \"{data}/notes.db\"\n"
                   "[[surface]]\nname = \"code\"\nkind = \"git\"\npath = \"{data}/code\"\n");
    if (home.starts_with("u/")) {
      EXPECT_EQ(shell("chown " + ids() + " " + path(home) + "/services/*"), 0);
    }
  }
  [[nodiscard]] std::string data(const std::string& home) const { return path(home) + "/data/notes"; }
  void wait_for(const std::string& file) {
    EXPECT_EQ(shell("for i in $(seq 400); do test -s " + file + " && exit 0; sleep 0.05; done; exit 1"), 0) << file;
  }
  // Of a directory and all below it.
  void expect_all_is_the_users(const std::string& directory) {
    EXPECT_EQ(shell("find " + directory + " ! -user " + std::to_string(uid_) + " -o ! -group " + std::to_string(gid_) +
                    " >" + path("found")),
              0);
    EXPECT_EQ(read_file(path("found")), "") << directory;
  }

  unsigned uid_ = 0;
  unsigned gid_ = 0;

 private:
  [[nodiscard]] std::string command(const std::string& home, const std::string& words) const {
    return path("spl") + " --home " + path(home) + " " + words + " >" + path("said") + " 2>&1";
  }
};

TEST_F(OwnersTest, AServiceOfRootsHomeRunsAsItsUserAndOwnsWhatIsRestored) {
  ASSERT_EQ(root("a", "init"), 0) << said();
  declare("a", "user = \"nobody\"");
  ASSERT_EQ(root("a", "context add geo"), 0) << said();
  ASSERT_EQ(root("a", "service notes start"), 0) << said();
  wait_for(data("a") + "/code/team/x.git/refs/heads/main");
  EXPECT_EQ(read_file(data("a") + "/files/who"), "nobody\n");
  expect_all_is_the_users(data("a"));
  expect_all_is_the_users(path("a") + "/run/services/notes");
  EXPECT_EQ(mode_of(data("a")), 0750U);
  EXPECT_EQ(mode_of(path("a") + "/run/services/notes"), 0750U);
  EXPECT_EQ(read_file(data("a") + "/files/stolen"), "") << "what is the home's own is closed to it";
  ASSERT_EQ(root("a", "service all backup --plaintext --to " + path("a.spl")), 0) << said();

  ASSERT_EQ(root("b", "init"), 0) << said();
  declare("b", "user = \"nobody\"");
  ASSERT_EQ(root("b", "service all restore --from " + path("a.spl")), 0) << said();
  EXPECT_EQ(read_file(data("b") + "/files/fixed"), "nobody\n") << "[restore].staged runs as it, too";
  wait_for(data("b") + "/files/who");
  expect_all_is_the_users(data("b"));
  EXPECT_EQ(shell("find " + path("b") + "/restores " + path("b") + "/identity " + path("b") + "/hub.db ! -user 0 >" +
                  path("found")),
            0);
  EXPECT_EQ(read_file(path("found")), "") << "the rest is root's";
  ASSERT_EQ(root("b", "service all restore --replace --from " + path("a.spl")), 0) << said();
  expect_all_is_the_users(data("b"));
  ASSERT_EQ(root("b", "service all restore --previous"), 0) << said();
  expect_all_is_the_users(data("b"));
}

TEST_F(OwnersTest, AGroupOfItsOwnIsTheServices) {
  if (shell("getent group daemon >/dev/null") != 0) GTEST_SKIP() << "this machine has no group daemon";
  ASSERT_EQ(root("a", "init"), 0) << said();
  declare("a", "user = \"nobody\"\ngroup = \"daemon\"");
  ASSERT_EQ(root("a", "context add geo"), 0) << said();
  ASSERT_EQ(root("a", "service notes start"), 0) << said();
  wait_for(data("a") + "/files/group");
  EXPECT_EQ(read_file(data("a") + "/files/group"), "daemon\n");
  EXPECT_EQ(shell("test $(stat -c %U:%G " + data("a") + ") = nobody:daemon"), 0);
}

TEST_F(OwnersTest, AUserThatIsNotThereIsSaidBeforeAnythingIsDone) {
  ASSERT_EQ(root("a", "init"), 0) << said();
  declare("a", "user = \"no-such-user\"");
  EXPECT_EQ(root("a", "service notes start"), 6);
  EXPECT_THAT(said(), HasSubstr("there is no user no-such-user"));
  EXPECT_FALSE(exists(data("a")));
}

TEST_F(OwnersTest, InTheHomeOfAnotherUserRootsServicesAreThatUsers) {
  ASSERT_EQ(user("u/a", "init"), 0) << said();
  declare("u/a");
  ASSERT_EQ(root("u/a", "context add geo"), 0) << said();
  ASSERT_EQ(root("u/a", "service notes start"), 0) << said();
  wait_for(data("u/a") + "/code/team/x.git/refs/heads/main");
  EXPECT_EQ(read_file(data("u/a") + "/files/who"), "nobody\n");
  expect_all_is_the_users(path("u/a"));
  ASSERT_EQ(root("u/a", "service all backup --plaintext --to " + path("a.spl")), 0) << said();
  EXPECT_EQ(shell("test $(stat -c %u " + path("a.spl") + ") = 0"), 0) << "what root named is root's";
  ASSERT_EQ(root("u/a", "service all restore --replace --from " + path("a.spl")), 0) << said();
  EXPECT_EQ(read_file(data("u/a") + "/files/fixed"), "nobody\n");
  expect_all_is_the_users(path("u/a"));
  ASSERT_EQ(root("u/a", "service all restore --discard-previous"), 0) << said();
  // The user goes on where root has stopped.
  EXPECT_EQ(user("u/a", "service notes status"), 0) << said();
  EXPECT_THAT(said(), HasSubstr("running"));
  ASSERT_EQ(user("u/a", "service all stop"), 0) << said();
  expect_all_is_the_users(path("u/a"));
  // Who may write the declarations gets no other user's rights by them.
  declare("u/a", "user = \"root\"");
  ASSERT_EQ(shell("rm " + data("u/a") + "/files/who"), 0);
  ASSERT_EQ(root("u/a", "service notes start"), 0) << said();
  wait_for(data("u/a") + "/files/who");
  EXPECT_EQ(read_file(data("u/a") + "/files/who"), "nobody\n");
  EXPECT_EQ(root("u/a", "service all restore --replace --from " + path("a.spl")), 3) << said();
  EXPECT_THAT(said(), HasSubstr("the home is another user's"));
}

TEST_F(OwnersTest, AUserHasServicesOfItsOwn) {
  ASSERT_EQ(user("u/a", "init"), 0) << said();
  declare("u/a");
  ASSERT_EQ(user("u/a", "context add geo"), 0) << said();
  ASSERT_EQ(user("u/a", "service notes start"), 0) << said();
  wait_for(data("u/a") + "/code/team/x.git/refs/heads/main");
  ASSERT_EQ(user("u/a", "service all backup --plaintext --to " + path("u/a.spl")), 0) << said();
  ASSERT_EQ(user("u/b", "init"), 0) << said();
  declare("u/b");
  ASSERT_EQ(user("u/b", "service all restore --from " + path("u/a.spl")), 0) << said();
  EXPECT_EQ(read_file(data("u/b") + "/files/fixed"), "nobody\n");
  wait_for(data("u/b") + "/files/who");
  EXPECT_EQ(mode_of(data("u/b")), 0750U);
  EXPECT_EQ(user("u/b", "doctor"), 0) << said();
  ASSERT_EQ(user("u/b", "service all stop"), 0) << said();
  ASSERT_EQ(user("u/a", "service all stop"), 0) << said();
  expect_all_is_the_users(path("u"));
}

}  // namespace
}  // namespace spl::cli_test
