// What an engine has that belongs to no context: the inventory lists it, and a backup of the instance does not leave it
// behind in silence. And which processes serve an engine that says nowhere what it binds. Through the program, with
// real servers.
#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <unistd.h>

#include <algorithm>

#include "engines_kit.h"

namespace spl::cli_test {
namespace {

using ::testing::AllOf;
using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::testing::IsEmpty;
using ::testing::Not;

class StrayTest : public EngineKit {
 protected:
  // What the inventory calls stray, without where the server is.
  std::vector<std::string> strays() {
    std::vector<std::string> found;
    const auto rows = json_on("h", {"inventory"});
    EXPECT_NE(rows.array(), nullptr);
    if (rows.array() == nullptr) return found;
    for (const codec::Json& row : *rows.array()) {
      const std::string where = text_of(row, "where");
      if (text_of(row, "state") == "stray") found.push_back(where.substr(where.find(".sock") + 6));
    }
    std::ranges::sort(found);
    return found;
  }
};

TEST_F(StrayTest, DatabasesAndKeysOfNoContextAreListedAndStopABackup) {
  start();
  add_context("geo");
  set(1, "count");
  set(0, "geo:count");
  // No context could have these.
  set(0, "plain");
  set(0, "No:name");
  set(0, ":x");
  EXPECT_THAT(strays(), IsEmpty());
  EXPECT_EQ(backup().code, 0);

  set(3, "count");
  set(0, "nobody:1");
  set(0, "nobody:2");
  EXPECT_THAT(strays(), ElementsAre("database 3", "prefix nobody:"));
  const Ran refused = backup();
  EXPECT_EQ(refused.code, 3);
  EXPECT_THAT(refused.err,
              AllOf(HasSubstr("would be left behind"), HasSubstr("database 3"), HasSubstr("--allow-stray")));
  EXPECT_EQ(backup({"--allow-stray"}).code, 0);
  EXPECT_EQ(backup({"--context", "geo"}).code, 0) << "one context leaves nothing behind that is its own";
  EXPECT_EQ(backup({"--without", "shop"}).code, 0);

  ASSERT_EQ(on("h", {"context", "add", "nobody", "--id", "3"}).code, 0);
  EXPECT_THAT(strays(), IsEmpty());
  EXPECT_EQ(backup().code, 0);
}

TEST_F(StrayTest, WhatIsAnotherSurfacesIsNobodysStray) {
  declare_shop(redis_surface("index", "prefix = \"idx:{context}:\""));
  start();
  add_context("geo");
  set(0, "idx:geo:1");
  EXPECT_THAT(strays(), IsEmpty());
  EXPECT_EQ(backup().code, 0);
  set(0, "idx:nobody:1");
  EXPECT_THAT(strays(), ElementsAre("prefix idx:", "prefix idx:nobody:"));
}

TEST_F(StrayTest, WithoutAContextEverythingThatMatchesIsStray) {
  start();
  set(2, "x");
  EXPECT_THAT(strays(), ElementsAre("database 2"));
  EXPECT_EQ(backup().code, 3);
}

TEST_F(StrayTest, AnEngineThatDoesNotAnswerStopsABackupAndNoInventory) {
  add_context("geo");
  const Ran inventory = on("h", {"inventory", "-o", "json"});
  EXPECT_EQ(inventory.code, 0) << inventory.err;
  EXPECT_THAT(inventory.out, HasSubstr("redis.sock: "));
  EXPECT_EQ(backup().code, 6);
  EXPECT_EQ(backup({"--allow-stray"}).code, 6) << "what is declared could not be taken either";
  EXPECT_EQ(backup({"--without", "shop"}).code, 0);
}

// Its socket is neither below its run directory nor in `listen`.
TEST_F(StrayTest, AnEngineIsFoundByWhoListensAndIsNeverFrozen) {
  const std::string socket = path("r.sock");
  for (const bool by_port : {false, true}) {
    const std::string port = by_port ? std::to_string(20000 + (::getpid() % 20000)) : "0";
    const std::string address = by_port ? "tcp:127.0.0.1:" + port : "unix:" + socket;
    declare("cache", "[run]\ncommand = [\"/usr/bin/redis-server\", \"--port\", \"" + port + "\", \"--unixsocket\", \"" +
                         socket + "\", \"--dir\", \"{data}\", \"--logfile\", \"\"]\nhealth = \"" + address + "\"\n");
    declare("shop", "[[surface]]\nname = \"all\"\nkind = \"redis\"\nurl = \"" +
                        (by_port ? "redis://localhost:" + port : address) + "\"\n");
    ASSERT_EQ(on("h", {"service", "all", "start"}).code, 0);
    const auto report = json_on("h", {"export", "--out", path("a.spl"), "--plaintext", "--force"});
    EXPECT_EQ(text_of(report, "consistency"), "quiesced");
    EXPECT_EQ(on("h", {"export", "--out", path("a.spl"), "--plaintext", "--force", "--quiesce", "freeze"}).code, 0)
        << "freeze passes over engines";
    ASSERT_EQ(on("h", {"service", "cache", "stop"}).code, 0);
  }
}

}  // namespace
}  // namespace spl::cli_test
