// Services whose data lies in engines: Redis, run by spl as a service of its own, and one that writes into it and into
// a file, one after the other. Through the program, with real servers.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "services_kit.h"

namespace spl::cli_test {
namespace {

using ::testing::HasSubstr;
using ::testing::Not;

// For each context in turn: a number into a file, then into Redis, in which the context has a database and, of another
// surface, keys with a prefix.
constexpr char kShop[] = R"py(
import os, sys, time
data, path, contexts = sys.argv[1], sys.argv[2], [c for c in sys.argv[3].split(",") if c]
ask = redis_client(path)
def number(context, place):
    os.makedirs(data + "/" + context, exist_ok=True)
    n = 0
    if os.path.exists(data + "/" + context + "/count"):
        n = int(open(data + "/" + context + "/count").read())
    ask("SELECT", place)
    for value in (ask("GET", "count"),):
        if value not in ("-1",):
            n = max(n, int(value))
    return n
counts = [number(c, i + 1) for i, c in enumerate(contexts)]
while True:
    for i, context in enumerate(contexts):
        counts[i] += 1
        with open(data + "/" + context + "/count.new", "w") as f:
            f.write(str(counts[i]))
        os.rename(data + "/" + context + "/count.new", data + "/" + context + "/count")
        ask("SELECT", i + 1)
        ask("SET", "count", counts[i])
        ask("SELECT", 0)
        ask("SET", context + ":count", counts[i])
    time.sleep(0.001)
)py";

class EnginesTest : public ServicesKit {
 protected:
  // An engine, and a service beside it that works for these contexts, which are added.
  void make(const std::string& home, const std::string& contexts = "geo,geomind") {
    init(home);
    declare_cache(home);
    const std::string program = write_script("shop", std::string(kPythonClients) + kShop);
    declare(home, "shop",
            "version = \"1\"\nafter = [\"cache\"]\n[run]\ncommand = [\"" + program +
                "\", \"{data}\", \"{home}/run/services/cache/redis.sock\", \"" + contexts +
                "\"]\n"
                "[[surface]]\nname = \"files\"\nkind = \"files\"\npath = \"{data}/{context}\"\n"
                "[[surface]]\nname = \"memory\"\nkind = \"redis\"\n"
                "url = \"unix:{home}/run/services/cache/redis.sock\"\nsplit = { database = \"{context_id}\" }\n"
                "[[surface]]\nname = \"marks\"\nkind = \"redis\"\n"
                "url = \"unix:{home}/run/services/cache/redis.sock\"\nsplit = { prefix = \"{context}:\" }\n");
    if (contexts.empty()) return;
    add_contexts(home, {"geo", "geomind"});
  }
  void start(const std::string& home) {
    ServicesKit::start(home);
    wait_until([&] { return ask(home, 2, {"GET", "count"}) != ""; }, "it does not count");
  }
  std::string ask(const std::string& home, std::uint32_t database, std::initializer_list<std::string_view> words) {
    return ask_redis(home, database, words);
  }
  long count(const std::string& home, std::uint32_t database) {
    const std::string text = ask(home, database, {"GET", "count"});
    return text.empty() ? -1 : std::stol(text);
  }
  // What a key of a bundle has, as it is in it.
  std::string line_of(const std::string& file, const std::string& section) {
    const std::string out = path("x" + std::to_string(extracted_++));
    EXPECT_EQ(run({"bundle", "extract", path(file), "services/", "--to", out}).code, 0);
    return read_file(out + "/services/shop/" + section);
  }

 private:
  int extracted_ = 0;
};

TEST_F(EnginesTest, RedisLeavesOneMachineAndComesBackOnAnother) {
  make("a");
  start("a");
  wait_until([&] { return count("a", 2) > 20; }, "it does not count");
  const auto report = json_on("a", {"export", "--out", path("a.spl"), "--plaintext"});
  EXPECT_EQ(text_of(report, "consistency"), "quiesced");
  const long before = count("a", 1);
  wait_until([&] { return count("a", 1) > before; }, "it does not go on after the backup");
  EXPECT_EQ(run({"bundle", "verify", path("a.spl")}).code, 0);

  make("b", "");
  const Ran ran = restore("b", "a.spl");
  ASSERT_EQ(ran.code, 0) << ran.out << ran.err;
  for (std::uint32_t i : {1U, 2U}) {
    EXPECT_GT(count("b", i), 20);
    EXPECT_EQ(ask("b", 0, {"EXISTS", i == 1 ? "geo:count" : "geomind:count"}), "1");
  }
  EXPECT_EQ(left("b"), "");
}

TEST_F(EnginesTest, EveryBackupShowsFilesAndRedisAtOneMoment) {
  make("a");
  start("a");
  for (int i = 0; i < 10; ++i) {
    const Ran ran = backup("a", "a.spl");
    ASSERT_EQ(ran.code, 0) << ran.err;
    make("b" + std::to_string(i), "");
    const std::string home = "b" + std::to_string(i);
    ASSERT_EQ(restore(home, "a.spl").code, 0);
    for (std::uint32_t n : {1U, 2U}) {
      const std::string context = n == 1 ? "geo" : "geomind";
      const long in_file = std::stol(read_file(path(home) + "/data/shop/" + context + "/count"));
      const long in_redis = count(home, n);
      const long in_marks = std::stol(ask(home, 0, {"GET", context + ":count"}));
      EXPECT_TRUE(in_redis == in_file || in_redis == in_file - 1) << in_file << " and " << in_redis;
      EXPECT_TRUE(in_marks == in_redis || in_marks == in_redis - 1) << in_marks << " and " << in_redis;
    }
    EXPECT_EQ(on(home, {"service", "all", "stop"}).code, 0);
  }
}

TEST_F(EnginesTest, OneTenantGoesAloneAndUnderAnotherName) {
  make("a");
  start("a");
  ASSERT_EQ(backup("a", "geo.spl", {"--context", "geo"}).code, 0);
  EXPECT_THAT(line_of("geo.spl", "memory/geo/db-0.ndjson"), HasSubstr("\"type\":\"string\""));
  EXPECT_THAT(read_file(path("geo.spl")), Not(HasSubstr("geomind")));
  make("b", "");
  ASSERT_EQ(on("b", {"context", "add", "geo"}).code, 0);
  ASSERT_EQ(on("b", {"context", "add", "other"}).code, 0);
  const Ran ran = restore("b", "geo.spl", {"--context", "geo", "--as", "earth"});
  ASSERT_EQ(ran.code, 0) << ran.out << ran.err;
  EXPECT_EQ(ask("b", 0, {"EXISTS", "geo:count"}), "0");
  EXPECT_EQ(ask("b", 0, {"EXISTS", "earth:count"}), "1");
  EXPECT_GT(count("b", 3), 0) << "the smallest free id";
  EXPECT_EQ(left("b"), "");
}

TEST_F(EnginesTest, WhatIsReplacedInRedisIsPreviousAndComesBack) {
  make("a", "geo,geomind");
  start("a");
  ASSERT_EQ(backup("a", "a.spl").code, 0);
  ASSERT_EQ(ask("a", 1, {"SET", "later", "yes"}), "OK");
  ASSERT_EQ(ask("a", 0, {"SET", "geo:later", "yes"}), "OK");
  EXPECT_EQ(restore("a", "a.spl").code, 5) << "keys are in the way";
  const Ran ran = restore("a", "a.spl", {"--replace"});
  ASSERT_EQ(ran.code, 0) << ran.out << ran.err;
  EXPECT_EQ(ask("a", 1, {"EXISTS", "later"}), "0");
  EXPECT_EQ(ask("a", 0, {"EXISTS", "geo:later"}), "0");
  EXPECT_EQ(left("a"), "") << "what was replaced costs no memory";
  EXPECT_EQ(restore("a", "a.spl", {"--replace"}).code, 3) << "there is a previous";
  const Ran back = on("a", {"service", "all", "restore", "--previous"});
  ASSERT_EQ(back.code, 0) << back.err;
  EXPECT_EQ(ask("a", 1, {"GET", "later"}), "yes");
  EXPECT_EQ(ask("a", 0, {"GET", "geo:later"}), "yes");
  EXPECT_EQ(left("a"), "");
  EXPECT_EQ(names_in(path("a") + "/restores").size(), 0U);
}

}  // namespace
}  // namespace spl::cli_test
