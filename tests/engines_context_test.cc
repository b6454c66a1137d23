// Contexts whose data is in an engine: one gets another name there, all or nothing, whenever the program is killed, and
// one goes with its keys and with no others. Through the program, with real servers.
#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <signal.h>
#include <sys/stat.h>

#include <chrono>
#include <thread>

#include "engines_kit.h"

namespace spl::cli_test {
namespace {

using ::testing::AllOf;
using ::testing::HasSubstr;
using ::testing::Not;

// Ends at once where there are keys of a context that is called "poison".
constexpr char kWorker[] = R"sh(#!/bin/sh
[ "$(redis-cli -s "$1" EXISTS poison:count)" = 0 ] || { echo "this name is poison"; exit 1; }
while true; do sleep 1; done
)sh";

class ContextTest : public EngineKit {
 protected:
  ContextTest() {
    write_file(path("worker"), kWorker);
    EXPECT_EQ(::chmod(path("worker").c_str(), 0755), 0);
    declare_shop("[[surface]]\nname = \"files\"\nkind = \"files\"\npath = \"{data}/{context}\"\n");
    for (const char* name : {"geo", "acme"}) add_context(name);
    EXPECT_EQ(shell("mkdir -p " + data("geo") + " " + data("acme") + " && echo of-geo > " + data("geo/page")), 0);
  }
  void declare_shop(const std::string& more) {
    EngineKit::declare_shop("[run]\ncommand = [\"" + path("worker") +
                            "\", \"{home}/run/services/cache/redis.sock\"]\nstart_timeout_ms = 3000\n" + more);
  }
  [[nodiscard]] std::string data(const std::string& name) const { return path("h") + "/data/shop/" + name; }
  void fill(int number = 1) {
    for (int i = 0; i < number; ++i) {
      set(0, "geo:" + std::to_string(i), "of geo");
      set(0, "acme:" + std::to_string(i), "of acme");
    }
    set(0, "geo:count", "1");
    set(0, "acme:count", "2");
    set(1, "count", "1");
    set(2, "count", "2");
    set(5, "count", "of nobody");
  }
  Ran rename(const std::string& from, const std::string& to) { return on("h", {"context", "rename", from, to}); }
  std::string number_of_keys(const std::string& prefix) {
    return ask(0, {"EVAL", "return #redis.call('KEYS', ARGV[1])", "0", prefix + "*"});
  }
};

TEST_F(ContextTest, KeysThatBearTheNameBearTheNewOne) {
  start();
  fill();
  ASSERT_EQ(ask(0, {"EXPIRE", "geo:0", "1000"}), "1");
  const Ran ran = rename("geo", "mind");
  ASSERT_EQ(ran.code, 0) << ran.err;
  EXPECT_EQ(keys(0), "acme:0 acme:count mind:0 mind:count");
  EXPECT_EQ(ask(0, {"TTL", "mind:0"}).size(), 4U - 1U) << "it ends when it would have";
  EXPECT_EQ(keys(1), "count") << "a number stays";
  EXPECT_EQ(read_file(data("mind/page")), "of-geo\n");
  EXPECT_THAT(on("h", {"service", "shop", "status"}).out, HasSubstr("running"));
  EXPECT_EQ(backup({"--context", "mind"}).code, 0);
  ASSERT_EQ(rename("mind", "geo").code, 0);
  EXPECT_EQ(keys(0), "acme:0 acme:count geo:0 geo:count");
}

TEST_F(ContextTest, KeysThatAreAnotherSurfacesStayWithIt) {
  declare_shop(redis_surface("index", "prefix = \"geo:by:{context}:\""));
  start();
  set(0, "geo:1");
  set(0, "geo:by:acme:1");
  set(0, "geo:by:geo:1");
  const Ran ran = rename("geo", "mind");
  ASSERT_EQ(ran.code, 0) << ran.err;
  EXPECT_EQ(keys(0), "geo:by:acme:1 geo:by:mind:1 mind:1");
}

TEST_F(ContextTest, KeysInTheWayStopARenameBeforeAnythingIsChanged) {
  start();
  fill();
  set(0, "mind:1");
  const Ran ran = rename("geo", "mind");
  EXPECT_EQ(ran.code, 3);
  EXPECT_THAT(ran.err, AllOf(HasSubstr("shop/marks"), HasSubstr("mind already")));
  EXPECT_EQ(keys(0), "acme:0 acme:count geo:0 geo:count mind:1");
  EXPECT_TRUE(exists(data("geo/page")));
}

TEST_F(ContextTest, AnEngineThatIsDownIsStartedForIt) {
  start();
  fill();
  ASSERT_EQ(on("h", {"service", "all", "stop"}).code, 0);
  const Ran ran = rename("geo", "mind");
  ASSERT_EQ(ran.code, 0) << ran.err;
  EXPECT_EQ(keys(0), "acme:0 acme:count mind:0 mind:count");
  EXPECT_THAT(on("h", {"service", "shop", "status"}).out, Not(HasSubstr("running")));
}

TEST_F(ContextTest, AServiceThatDoesNotStartPutsKeysBack) {
  start();
  fill();
  const Ran ran = rename("geo", "poison");
  EXPECT_EQ(ran.code, 6) << ran.err;
  EXPECT_THAT(ran.err, HasSubstr("this name is poison"));
  EXPECT_EQ(keys(0), "acme:0 acme:count geo:0 geo:count");
  EXPECT_TRUE(exists(data("geo/page")));
  EXPECT_FALSE(exists(path("h") + "/restores/rename.json"));
  EXPECT_THAT(on("h", {"service", "shop", "status"}).out, HasSubstr("running"));
}

// It has written under the new name while it was about to stop.
TEST_F(ContextTest, AKeyThatComesUpInTheWayMeanwhileOverwritesNothing) {
  write_file(path("worker"),
             "#!/bin/sh\ntrap 'redis-cli -s \"$1\" SET mind:count late >/dev/null; exit 0' TERM\n"
             "while true; do sleep 0.05; done\n");
  start();
  fill();
  const Ran ran = rename("geo", "mind");
  EXPECT_EQ(ran.code, 3) << ran.err;
  EXPECT_EQ(keys(0), "acme:0 acme:count geo:0 geo:count mind:count");
  EXPECT_EQ(ask(0, {"GET", "geo:count"}), "1");
  EXPECT_EQ(ask(0, {"GET", "mind:count"}), "late");
  EXPECT_TRUE(exists(data("geo/page")));
  EXPECT_FALSE(exists(path("h") + "/restores/rename.json"));
}

// It bears the one name or the other, wholly.
TEST_F(ContextTest, AKillAtAnyMomentIsFinishedOrUndoneByTheNextStart) {
  constexpr int kKeys = 3000;
  start();
  fill();
  ASSERT_EQ(ask(0, {"EVAL", "for i = 1, 3000 do redis.call('SET', 'geo:n' .. i, i) end return 'OK'", "0"}), "OK");
  bool saw_journal = false;
  for (int step = 0; step < 14; ++step) {
    {
      Process process({"--home", path("h"), "context", "rename", "geo", "mind"});
      std::this_thread::sleep_for(std::chrono::milliseconds(100 * step));
      ::kill(process.pid(), SIGKILL);
      (void)process.wait();
    }
    saw_journal = saw_journal || exists(path("h") + "/restores/rename.json");
    const Ran next = on("h", {"service", "all", "resume"});
    ASSERT_EQ(next.code, 0) << step << next.err;
    EXPECT_FALSE(exists(path("h") + "/restores/rename.json"));
    const bool renamed = exists(data("mind"));
    EXPECT_EQ(number_of_keys(renamed ? "mind:" : "geo:"), std::to_string(kKeys + 2)) << step;
    EXPECT_EQ(number_of_keys(renamed ? "geo:" : "mind:"), "0") << step;
    EXPECT_EQ(number_of_keys("acme:"), "2");
    if (renamed) {
      ASSERT_EQ(rename("mind", "geo").code, 0) << step;
    }
  }
  EXPECT_TRUE(saw_journal);
}

// However far it was; the journal is as docs/formats/restore-journal.md has it.
TEST_F(ContextTest, AJournalPutsKeysBackThatWereMoved) {
  start();
  fill();
  ASSERT_EQ(ask(0, {"RENAME", "geo:0", "mind:0"}), "OK");
  // The engine is started for it.
  ASSERT_EQ(on("h", {"service", "all", "stop"}).code, 0);
  ASSERT_EQ(shell("mkdir -p " + path("h") + "/restores"), 0);
  write_file(path("h") + "/restores/rename.json",
             R"({"from":"geo","to":"mind","began_at":"2026-01-01T00:00:00Z","services":[{"name":"shop","runs":true}],)"
             R"("secrets":[],"moves":[],"parts":[{"service":"shop","surface":"marks"}]})"
             "\n");
  const Ran ran = on("h", {"service", "all", "resume"});
  ASSERT_EQ(ran.code, 0) << ran.err;
  EXPECT_EQ(keys(0), "acme:0 acme:count geo:0 geo:count");
  EXPECT_THAT(on("h", {"service", "shop", "status"}).out, HasSubstr("running"));
}

TEST_F(ContextTest, AContextGoesWithItsKeysAndNoOthers) {
  declare_shop(redis_surface("index", "prefix = \"geo:by:{context}:\""));
  start();
  fill();
  set(0, "geo:by:acme:1");
  set(0, "geo:by:geo:1");
  ASSERT_EQ(shell("rm -r " + data("")), 0);
  const Ran refused = on("h", {"context", "remove", "geo"});
  EXPECT_EQ(refused.code, 3);
  EXPECT_THAT(refused.err, AllOf(HasSubstr("shop/memory of geo"), HasSubstr("--delete-data")));
  EXPECT_EQ(keys(1), "count");
  const Ran ran = on("h", {"context", "remove", "geo", "--delete-data", "--without-backup"});
  ASSERT_EQ(ran.code, 0) << ran.err;
  EXPECT_EQ(keys(0), "acme:0 acme:count geo:by:acme:1");
  EXPECT_EQ(keys(1), "");
  EXPECT_EQ(keys(2), "count");
  EXPECT_EQ(keys(5), "count");
  ASSERT_EQ(on("h", {"context", "add", "new"}).code, 0);
  EXPECT_EQ(on("h", {"context", "remove", "new"}).code, 0) << "it has nothing";
}

TEST_F(ContextTest, WhatCannotBeLookedAtIsNotRemoved) {
  const Ran ran = on("h", {"context", "remove", "geo", "--delete-data", "--without-backup"});
  EXPECT_EQ(ran.code, 6) << ran.err;
  EXPECT_TRUE(exists(data("geo/page")));
  EXPECT_THAT(on("h", {"context", "list"}).out, HasSubstr("geo"));
}

}  // namespace
}  // namespace spl::cli_test
