// [restore].staged through the program: a command of the declaration that changes what a restore has staged.
#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <sys/stat.h>

#include "cli_harness.h"
#include "testing/redis_server.h"

namespace spl::cli_test {
namespace {

using ::testing::HasSubstr;
using ::testing::IsEmpty;

constexpr char kSurfaces[] =
    "[[surface]]\nname = \"files\"\nkind = \"files\"\npath = \"{data}/files\"\n"
    "[[surface]]\nname = \"pages\"\nkind = \"files\"\npath = \"{data}/{context}/pages\"\n"
    "[[surface]]\nname = \"the-db\"\nkind = \"sqlite\"\npath = \"{data}/notes.db\"\n"
    "[[surface]]\nname = \"mail\"\nkind = \"sqlite\"\npath = \"{data}/mail/*.db\"\n"
    "[[surface]]\nname = \"code\"\nkind = \"git\"\npath = \"{data}/code\"\n";

class StagedCommandTest : public CliTest {
 protected:
  void make(const std::string& home, const std::string& rest) {
    ASSERT_EQ(on(home, {"init"}).code, 0);
    declare(home, rest);
  }
  void declare(const std::string& home, const std::string& rest) {
    write_file(path(home) + "/services/notes.toml", "name = \"notes\"\n" + rest);
  }
  // What is in the service's directory of the home a, and a bundle of it.
  void make_source() {
    make("a", kSurfaces);
    ASSERT_EQ(on("a", {"context", "add", "geo"}).code, 0);
    const std::string data = this->data("a");
    ASSERT_EQ(shell("mkdir -p " + data + "/files " + data + "/geo/pages " + data + "/mail && cd " + data +
                    " && git init -q --bare code/team/site.git && sqlite3 notes.db "
                    "'CREATE TABLE t(v); INSERT INTO t VALUES(1)' && "
                    "sqlite3 mail/one.db 'CREATE TABLE m(v)' && sqlite3 mail/two.db 'CREATE TABLE m(v)'"),
              0);
    write_file(data + "/files/note", "of the bundle");
    ASSERT_EQ(on("a", {"service", "all", "backup", "--to", path("a.spl"), "--plaintext"}).code, 0);
  }
  [[nodiscard]] std::string data(const std::string& home) const { return path(home) + "/data/notes"; }
  // The command, with {staging} as its argument.
  std::string with_command(const std::string& script) {
    write_file(path("fix"), "#!/bin/sh\n" + script);
    EXPECT_EQ(::chmod(path("fix").c_str(), 0755), 0);
    return std::string("[restore]\nstaged = [\"") + path("fix") + "\", \"{staging}\"]\n" + kSurfaces;
  }
  Ran restore(const std::string& home, Words more = {}) {
    Words words{"service", "all", "restore", "--from", path("a.spl")};
    words.insert(words.end(), more.begin(), more.end());
    return on(home, words);
  }
  std::string asked(const std::string& home, const std::string& file, const std::string& query) {
    EXPECT_EQ(shell("sqlite3 '" + data(home) + "/" + file + "' '" + query + "' >" + path("answer")), 0);
    return read_file(path("answer"));
  }
  void expect_nothing_staged(const std::string& home) {
    EXPECT_EQ(shell("find " + path(home) + " -name '.spl-*' -o -name 'r-*' >" + path("found")), 0);
    EXPECT_EQ(read_file(path("found")), "");
    if (exists(path(home) + "/restores")) {
      EXPECT_THAT(names_in(path(home) + "/restores"), IsEmpty());
    }
  }
};

TEST_F(StagedCommandTest, ItChangesWhatIsRestoredOfEveryKind) {
  make_source();
  make("b", with_command("set -eu\n"
                         "pwd\n"
                         "ls $1\n"
                         "test $(readlink $1/files) = $SPL_STAGED_FILES\n"
                         "test $(readlink $1/the-db) = $SPL_STAGED_THE_DB\n"
                         "test $1/pages = $SPL_STAGED_PAGES\n"
                         "printf fixed >$SPL_STAGED_FILES/note\n"
                         "printf new >$1/pages/geo/page\n"
                         "sqlite3 $1/the-db 'PRAGMA journal_mode=WAL; INSERT INTO t VALUES(2)'\n"
                         "sqlite3 $1/mail/two.db 'INSERT INTO m VALUES(7)'\n"
                         "tree=$(git -C $1/code/team/site.git hash-object -t tree -w --stdin </dev/null)\n"
                         "git -C $1/code/team/site.git update-ref refs/tags/empty $tree\n"));
  const Ran ran = restore("b");
  ASSERT_EQ(ran.code, 0) << ran.out << ran.err;
  EXPECT_EQ(read_file(data("b") + "/files/note"), "fixed");
  EXPECT_EQ(read_file(data("b") + "/geo/pages/page"), "new");
  EXPECT_EQ(asked("b", "notes.db", "SELECT group_concat(v) FROM t"), "1,2\n");
  EXPECT_EQ(asked("b", "mail/two.db", "SELECT v FROM m"), "7\n");
  EXPECT_EQ(shell("git -C " + data("b") + "/code/team/site.git rev-parse -q --verify refs/tags/empty >/dev/null"), 0);
  const std::string log = read_file(path("b") + "/logs/services/notes.log");
  EXPECT_THAT(log, HasSubstr(data("b") + "\ncode\nfiles\nmail\npages\nthe-db\n")) << "it runs in its workdir";
  expect_nothing_staged("b");
}

TEST_F(StagedCommandTest, WhereItFailsNothingIsChanged) {
  make_source();
  make("b", with_command("printf spoilt >$1/files/note\necho no such luck >&2\nexit 3\n"));
  ASSERT_EQ(shell("mkdir -p " + data("b") + "/files"), 0);
  write_file(data("b") + "/files/note", "live");
  ASSERT_EQ(on("b", {"context", "add", "other", "--id", "9"}).code, 0);
  const std::string did = text_of(json_on("a", {"identity", "show"}), "did");
  EXPECT_EQ(restore("b", {"--replace", "--expect-did", did, "--dry-run"}).code, 0) << "a dry run runs nothing";
  const Ran ran = restore("b", {"--replace", "--expect-did", did});
  EXPECT_EQ(ran.code, 1) << ran.out;
  EXPECT_THAT(ran.err, HasSubstr("exit code 3"));
  EXPECT_THAT(ran.err, HasSubstr("no such luck"));
  EXPECT_EQ(read_file(data("b") + "/files/note"), "live");
  EXPECT_THAT(read_file(path("b") + "/logs/services/notes.log"), HasSubstr("no such luck"));
  EXPECT_EQ(json_on("b", {"context", "list"}).text(), R"([{"name":"other","id":9,"label":""}])");
  expect_nothing_staged("b");
}

TEST_F(StagedCommandTest, WhatItLeavesIsCheckedLikeWhatWasStaged) {
  make_source();
  const auto refused = [&](const std::string& script, const std::string& why) {
    declare("b", with_command(script));
    const Ran ran = restore("b");
    EXPECT_NE(ran.code, 0) << script;
    EXPECT_THAT(ran.err, HasSubstr(why)) << script;
    EXPECT_FALSE(exists(data("b") + "/files/note")) << script;
    expect_nothing_staged("b");
  };
  make("b", kSurfaces);
  refused("printf 0123456789 | dd of=$SPL_STAGED_THE_DB bs=1 seek=100 conv=notrunc 2>/dev/null\n", "notes/the-db");
  refused("rm -r $SPL_STAGED_FILES\n", "not there any more");
  refused("cp $SPL_STAGED_THE_DB $1/new; mv $1/new $1/the-db\n", "has replaced");
  refused("printf x >$SPL_STAGED_THE_DB-wal\n", "left the staged database open");
}

TEST_F(StagedCommandTest, OneContextIsShownAlone) {
  make_source();
  make("b", with_command("set -eu\nfind $1 | sed \"s:$1::\" | sort >&2\nprintf new >$SPL_STAGED_PAGES/geo/page\n"));
  const Ran ran =
      restore("b", {"--context", "geo", "--expect-did", text_of(json_on("a", {"identity", "show"}), "did")});
  ASSERT_EQ(ran.code, 0) << ran.out << ran.err;
  EXPECT_THAT(read_file(path("b") + "/logs/services/notes.log"), HasSubstr("\n/pages\n/pages/geo\n"));
  EXPECT_EQ(read_file(data("b") + "/geo/pages/page"), "new");
}

TEST_F(StagedCommandTest, AKindThatNoCommandCanChangeIsAStop) {
  const spl::testing::RedisServer server;
  const std::string memory = "[[surface]]\nname = \"memory\"\nkind = \"redis\"\nurl = \"" + server.url() + "\"\n";
  make("a", memory);
  ASSERT_EQ(on("a", {"service", "all", "backup", "--to", path("a.spl"), "--plaintext"}).code, 0);
  make("b", "[restore]\nstaged = [\"/bin/true\"]\n" + memory);
  const Ran ran = restore("b", {"--dry-run"});
  EXPECT_EQ(ran.code, 5) << ran.err;
  EXPECT_THAT(ran.err, HasSubstr("keys that are no database of their own in redis"));
}

}  // namespace
}  // namespace spl::cli_test
