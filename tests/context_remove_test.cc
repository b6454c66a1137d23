// A context that goes with all that it has, through the program, with a real service that holds it open: nothing of it
// is left, and nothing of another goes.
#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <pwd.h>
#include <sys/stat.h>
#include <unistd.h>

#include "cli_harness.h"

namespace spl::cli_test {
namespace {

using ::testing::AllOf;
using ::testing::HasSubstr;
using ::testing::Not;

// Keeps a database of each context open, and its log beside it.
constexpr char kWiki[] = R"py(#!/usr/bin/python3
import glob, sqlite3, sys, time
held = []
for path in glob.glob(sys.argv[1] + "/db/*.db"):
    db = sqlite3.connect(path, isolation_level=None)
    db.execute("PRAGMA journal_mode=WAL")
    db.execute("CREATE TABLE IF NOT EXISTS t(a)")
    db.execute("INSERT INTO t VALUES(1)")
    held.append(db)
open(sys.argv[1] + "/ready", "w").close()
while True:
    time.sleep(1)
)py";

class RemoveTest : public CliTest {
 protected:
  ~RemoveTest() override {
    if (exists(path("h/run/runit"))) (void)ask({"service", "all", "stop"});
  }
  Ran ask(const Words& words, const std::string& text = {}) {
    return on("h", words, {.text = text, .environment = {{"SPL_SECRET_KEY_FILE", path("key")}}});
  }
  [[nodiscard]] std::string data(const std::string& name) const { return path("h") + "/data/wiki/" + name; }
  void declare(const std::string& more = {}) {
    write_file(path("h") + "/services/wiki.toml",
               "name = \"wiki\"\n[run]\ncommand = [\"" + path("wiki") + "\", \"{data}\"]\n" + more +
                   "[[surface]]\nname = \"pages\"\nkind = \"files\"\npath = \"{data}/{context}/pages\"\n"
                   "[[surface]]\nname = \"main\"\nkind = \"sqlite\"\npath = \"{data}/db/{context}.db\"\n"
                   "[[surface]]\nname = \"more\"\nkind = \"sqlite\"\npath = \"{data}/db/{context}.*.sq\"\n"
                   "[[secret]]\nhandle = \"wiki/{context}/key\"\n");
  }
  void make() {
    write_file(path("wiki"), kWiki);
    ASSERT_EQ(::chmod(path("wiki").c_str(), 0755), 0);
    ASSERT_EQ(on("h", {"init"}).code, 0);
    declare();
    ASSERT_EQ(shell("mkdir -p " + data("db")), 0);
    for (const char* name : {"geo", "acme"}) {
      const std::string n = name;
      ASSERT_EQ(ask({"context", "add", n}).code, 0);
      ASSERT_EQ(ask({"secret", "set", "wiki/" + n + "/key"}, "sesame").code, 0);
      ASSERT_EQ(shell("mkdir -p " + data(n + "/pages") + " && echo of-" + n + " > " + data(n + "/pages/page") +
                      " && sqlite3 " + data("db/" + n + ".db") + " 'CREATE TABLE t(a)' && sqlite3 " +
                      data("db/" + n + ".a.sq") + " 'CREATE TABLE t(a)' && touch " + data("db/" + n + ".b.sq-journal")),
                0);
    }
  }
};

TEST_F(RemoveTest, AllThatItHasGoesAndNothingElse) {
  make();
  const Ran started = ask({"service", "wiki", "start"});
  ASSERT_EQ(started.code, 0) << started.err;
  ASSERT_EQ(shell("for i in $(seq 400); do test -e " + data("ready") + " && exit 0; sleep 0.05; done; exit 1"), 0);
  ASSERT_TRUE(exists(data("db/geo.db-wal")));
  const Ran refused = ask({"context", "remove", "geo"});
  EXPECT_EQ(refused.code, 3);
  EXPECT_THAT(refused.err, HasSubstr("--delete-data"));
  EXPECT_THAT(ask({"service", "wiki", "status"}).out, HasSubstr("running"));
  const Ran unsaved = ask({"context", "remove", "geo", "--delete-data"});
  EXPECT_EQ(unsaved.code, 3);
  EXPECT_THAT(unsaved.err, AllOf(HasSubstr("no backup was made here"), HasSubstr("--without-backup")));
  const Ran ran = ask({"context", "remove", "geo", "--delete-data", "--without-backup"});
  ASSERT_EQ(ran.code, 0) << ran.err;
  EXPECT_EQ(shell("find " + data("") + " | grep -F geo."), 1) << "no database, and nothing beside one";
  EXPECT_FALSE(exists(data("geo/pages")));
  EXPECT_EQ(read_file(data("acme/pages/page")), "of-acme\n");
  for (const char* name : {"db/acme.db", "db/acme.a.sq", "db/acme.b.sq-journal"})
    EXPECT_TRUE(exists(data(name))) << name;
  EXPECT_THAT(ask({"secret", "list"}).out, AllOf(HasSubstr("wiki/acme/key"), Not(HasSubstr("wiki/geo/key"))));
  EXPECT_THAT(ask({"context", "list"}).out, Not(HasSubstr("geo")));
  EXPECT_THAT(ask({"service", "wiki", "status"}).out, HasSubstr("running"));
}

TEST_F(RemoveTest, ABackupOfItAllowsThatItGoesOnce) {
  make();
  ASSERT_EQ(ask({"export", "--context", "acme", "--out", path("acme.spl"), "--plaintext"}).code, 0);
  EXPECT_EQ(ask({"context", "remove", "geo", "--delete-data"}).code, 3) << "that is another's";
  ASSERT_EQ(ask({"export", "--out", path("all.spl"), "--plaintext"}).code, 0);
  ASSERT_EQ(ask({"context", "remove", "geo", "--delete-data"}).code, 0);
  // One that comes later has its name, and was in no backup.
  ASSERT_EQ(shell("rm -rf " + data("geo")), 0);
  const Ran renamed = ask({"context", "rename", "acme", "geo"});
  ASSERT_EQ(renamed.code, 0) << renamed.err;
  EXPECT_EQ(ask({"context", "remove", "geo", "--delete-data"}).code, 3);
  ASSERT_EQ(ask({"context", "add", "acme"}).code, 0);
  ASSERT_EQ(shell("mkdir -p " + data("acme/pages") + " && touch " + data("acme/pages/new")), 0);
  EXPECT_EQ(ask({"context", "remove", "acme", "--delete-data"}).code, 3);
}

TEST_F(RemoveTest, WhatSpeaksAgainstItIsFoundBeforeAnythingIsChanged) {
  make();
  ASSERT_EQ(ask({"export", "--context", "geo", "--out", path("geo.spl"), "--plaintext"}).code, 0);
  ASSERT_EQ(ask({"service", "all", "restore", "--from", path("geo.spl"), "--replace"}).code, 0);
  const Ran kept = ask({"context", "remove", "geo", "--delete-data"});
  EXPECT_EQ(kept.code, 3) << kept.err;
  EXPECT_THAT(kept.err, HasSubstr("--discard-previous"));
  ASSERT_EQ(ask({"service", "all", "restore", "--discard-previous"}).code, 0);
  // A surface of everybody's within it.
  write_file(path("h") + "/services/static.toml",
             "name = \"static\"\n[[surface]]\nname = \"s\"\nkind = \"files\"\n"
             "path = \"{home}/data/wiki/geo/pages/static\"\n");
  const Ran inner = ask({"context", "remove", "geo", "--delete-data"});
  EXPECT_EQ(inner.code, 3) << inner.err;
  EXPECT_THAT(inner.err, HasSubstr("which is not of geo"));
  EXPECT_EQ(read_file(data("geo/pages/page")), "of-geo\n");
  EXPECT_TRUE(exists(data("db/geo.db")));
  EXPECT_THAT(ask({"secret", "list"}).out, HasSubstr("wiki/geo/key"));
}

// A service that is another user's puts a link where its context was.
TEST_F(RemoveTest, ALinkOfTheServicesUserLeadsRootNowhereElse) {
  const passwd* nobody = ::getpwnam("nobody");
  if (::geteuid() != 0 || nobody == nullptr) GTEST_SKIP() << "only root can have files of several users";
  make();
  ASSERT_EQ(::chmod(path("").c_str(), 0755), 0);
  declare("user = \"nobody\"\n");
  const std::string owner = std::to_string(nobody->pw_uid) + ":" + std::to_string(nobody->pw_gid);
  ASSERT_EQ(shell("chown -R " + owner + " " + data("") + " && mkdir -p " + path("victim/pages") + " && echo mine > " +
                  path("victim/pages/page") + " && rm -r " + data("geo") + " && ln -s " + path("victim") + " " +
                  data("geo") + " && chown -h " + owner + " " + data("geo")),
            0);
  const Ran ran = ask({"context", "remove", "geo", "--delete-data", "--without-backup"});
  EXPECT_NE(ran.code, 0) << "it cannot be removed with that user's rights";
  EXPECT_EQ(read_file(path("victim/pages/page")), "mine\n");
  ASSERT_EQ(shell("rm " + data("geo")), 0);
  const Ran again = ask({"context", "remove", "geo", "--delete-data", "--without-backup"});
  EXPECT_EQ(again.code, 0) << again.err;
  EXPECT_FALSE(exists(data("db/geo.db")));
}

}  // namespace
}  // namespace spl::cli_test
