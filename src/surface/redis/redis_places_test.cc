// Where the places of a part and what is staged for it meet: databases that are both a place and empty, a prefix that
// is the one of the marks, commands that a user may not give.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <csignal>
#include <fstream>
#include <iterator>
#include <sstream>

#include "surface/redis/kept_keys.h"
#include "surface/redis/redis.h"
#include "surface/redis/redis_test_util.h"
#include "surface/spooled_part.h"
#include "testing/free_port.h"
#include "testing/redis_server.h"

namespace spl::surface {
namespace {

using ::testing::HasSubstr;

class RedisPlaces : public ::testing::Test, protected DriverRoom {
 protected:
  RedisPlaces() { (void)std::signal(SIGPIPE, SIG_IGN); }
  static Place place(const testing::RedisServer& server) {
    Place place;
    place.kind = bundle::SurfaceKind::kRedis;
    place.subject = "notes/memory";
    place.url = SecretBytes(server.url());
    return place;
  }
  std::unique_ptr<RestorePart> restore(const Place& place) {
    RestoreRequest request;
    request.id = "0123456789abcdef";
    request.data = InTheWay::kIsReplaced;
    request.keep_directory = directory_.path() + "/kept/of";
    return redis_restore(surroundings_, copy_of(place), std::move(request));
  }
  SpooledPart taken(const Place& place) {
    base::NoProgress progress;
    const auto part = redis_backup(surroundings_, copy_of(place));
    warnings_ = must(part->plan(progress)).warnings;
    must(part->prepare(progress));
    must(part->hold(std::chrono::seconds(60)));
    must(part->open(Writers::kPaused, surroundings_.env.clock.since_boot() + std::chrono::seconds(60)));
    part->release();
    auto files = must(SpooledPart::make(surroundings_.env, surroundings_.spool));
    must(part->stream(files, progress));
    files.rewind();
    return files;
  }
  static void set(const testing::RedisServer& server, const std::vector<std::pair<std::uint32_t, std::string>>& keys) {
    RedisConnection c = connect(server);
    for (const auto& [database, key] : keys) {
      must(c.select(database));
      must(c.ask({"SET", key, key}));
    }
  }
  // "0 a\n15 b\n" of all keys.
  static std::string state(const testing::RedisServer& server) {
    RedisConnection c = connect(server);
    std::vector<std::string> all;
    for (std::uint32_t i = 0; i < 16; ++i) {
      must(c.select(i));
      must(scan_keys(c, "", [&](const std::vector<std::string>& keys) -> Result<void> {
        for (const std::string& key : keys) all.push_back(std::to_string(i) + " " + key + "\n");
        return {};
      }));
    }
    std::ranges::sort(all);
    std::string text;
    for (const std::string& one : all) text += one;
    return text;
  }
  // There and back again, before the commit and after it.
  void expect_exchanges(const testing::RedisServer& server, const Place& place, SpooledPart& files,
                        const std::string& wanted) {
    const std::string before = state(server);
    base::NoProgress progress;
    const std::string mark = must(restore(place)->stage(files, progress));
    must(restore(place)->check(mark, progress));
    EXPECT_TRUE(must(restore(place)->has_other(mark)));
    must(restore(place)->discard(""));
    EXPECT_EQ(state(server), before);

    files.rewind();
    must(restore(place)->stage(files, progress));
    for (int i = 0; i < 2; ++i) must(restore(place)->swap(mark));
    for (int i = 0; i < 2; ++i) must(restore(place)->swap_back(mark));
    must(restore(place)->discard(mark));
    EXPECT_EQ(state(server), before);

    files.rewind();
    must(restore(place)->stage(files, progress));
    must(restore(place)->swap(mark));
    must(restore(place)->retire(mark));
    EXPECT_EQ(state(server), wanted);
    for (int i = 0; i < 2; ++i) must(restore(place)->swap_back(mark));
    must(restore(place)->discard(mark));
    EXPECT_EQ(state(server), before);

    files.rewind();
    must(restore(place)->stage(files, progress));
    must(restore(place)->swap(mark));
    must(restore(place)->retire(mark));
    must(restore(place)->discard(mark));
    EXPECT_FALSE(must(restore(place)->has_other(mark)));
    EXPECT_EQ(state(server), wanted);
  }

  std::vector<std::string> warnings_;
};

// The last databases are the first to be spare.
TEST_F(RedisPlaces, DatabasesThatAreEmptyHereAndAPlaceInTheBundle) {
  const testing::RedisServer from;
  set(from, {{0, "a"}, {1, "b"}, {14, "c"}, {15, "d"}});
  SpooledPart files = taken(place(from));
  const testing::RedisServer to;
  set(to, {{0, "old"}, {13, "old in 13"}});
  expect_exchanges(to, place(to), files, state(from));
}

TEST_F(RedisPlaces, TheLastDatabaseAlone) {
  const testing::RedisServer from;
  set(from, {{15, "d"}});
  SpooledPart files = taken(place(from));
  const testing::RedisServer to;
  set(to, {{0, "old"}});
  expect_exchanges(to, place(to), files, state(from));
}

TEST_F(RedisPlaces, DatabasesThatTheBundleDoesNotHaveAreEmptyAfterwards) {
  const testing::RedisServer from;
  set(from, {{1, "b"}});
  SpooledPart files = taken(place(from));
  const testing::RedisServer to;
  set(to, {{0, "old"}, {14, "old in 14"}, {15, "old in 15"}});
  expect_exchanges(to, place(to), files, state(from));
}

TEST_F(RedisPlaces, APrefixThatTheNamesOfRestoresBeginWith) {
  for (const char* prefix : {"spl:", "s", "spl"}) {
    SCOPED_TRACE(prefix);
    const testing::RedisServer from;
    const std::string p = prefix;
    set(from, {{0, p + "a"}, {0, p + "b"}, {0, "other"}});
    Place source = place(from);
    source.key_prefix = p;
    SpooledPart files = taken(source);
    const testing::RedisServer to;
    set(to, {{0, p + "b"}, {0, p + "old"}, {0, "beside"}});
    Place target = place(to);
    target.key_prefix = p;
    expect_exchanges(to, target, files, "0 beside\n0 " + p + "a\n0 " + p + "b\n");
  }
}

TEST_F(RedisPlaces, WhatARestoreHasStagedIsNotTaken) {
  const testing::RedisServer from;
  set(from, {{0, "a"}, {0, "spl:mine"}, {0, "spl:0123456789abcdef:geo::n:geo:a"}, {1, "spl:0123456789abcdef:1:new"}});
  SpooledPart files = taken(place(from));
  const testing::RedisServer to;
  set(to, {{0, "old"}});
  expect_exchanges(to, place(to), files, "0 a\n0 spl:mine\n");
}

TEST_F(RedisPlaces, FunctionsAreSaidNotToBeCarried) {
  const testing::RedisServer server;
  set(server, {{0, "a"}});
  (void)taken(place(server));
  EXPECT_EQ(warnings_.size(), 0U);
  RedisConnection c = connect(server);
  must(c.ask({"FUNCTION", "LOAD", "#!lua name=mine\nredis.register_function('f', function() return 1 end)"}));
  (void)taken(place(server));
  ASSERT_EQ(warnings_.size(), 1U);
  EXPECT_THAT(warnings_[0], HasSubstr("functions"));
}

// The words of the command in docs/formats/redis.md.
std::vector<std::string> documented_user() {
  std::ifstream file(std::string(SPL_SOURCE_DIR) + "/docs/formats/redis.md");
  std::string text{std::istreambuf_iterator<char>(file), {}};
  text = text.substr(text.find("ACL SETUSER"));
  std::istringstream words(text.substr(0, text.find("```")));
  std::vector<std::string> all;
  for (std::string word; words >> word;) {
    if (word != "\\") all.push_back(word);
  }
  return all;
}

TEST_F(RedisPlaces, TheUserThatTheDocumentDescribesMayDoAllThatIsNeeded) {
  const std::string port = testing::free_port();
  const testing::RedisServer server({"--port", port, "--bind", "127.0.0.1", "--save", "3600 1"});
  RedisConnection admin = connect(server);
  const std::vector<std::string> user = documented_user();
  must(admin.ask(std::vector<std::string_view>(user.begin(), user.end())));
  for (const std::string& prefix : {std::string(), std::string("geo:")}) {
    SCOPED_TRACE(prefix);
    for (std::uint32_t i = 0; i < 16; ++i) {
      must(admin.select(i));
      must(admin.ask({"FLUSHDB"}));
    }
    must(admin.select(0));
    must(admin.ask({"SET", "geo:a", "1"}));
    must(admin.ask({"SET", "geo:b", "1", "PXAT", "4102444800123"}));
    Place by_user = place(server);
    by_user.url = SecretBytes("redis://spl:PASSWORD@127.0.0.1:" + port);
    if (!prefix.empty()) by_user.key_prefix = prefix;
    must(admin.ask({"ACL", "LOG", "RESET"}));
    SpooledPart files = taken(by_user);
    must(admin.ask({"DEL", "geo:a"}));
    must(admin.ask({"SET", "geo:c", "1"}));
    std::vector<Finding> findings;
    must(restore(by_user)->inspect(findings));
    for (const Finding& finding : findings) EXPECT_NE(finding.status, FindingStatus::kStop) << finding.message;
    for (const char* fsync : {"no", "yes"}) {
      must(admin.ask({"CONFIG", "SET", "appendonly", fsync}));
      expect_exchanges(server, by_user, files, "0 geo:a\n0 geo:b\n");
      files.rewind();
      must(admin.ask({"SET", "geo:c", "1"}));
    }
    must(admin.ask({"CONFIG", "SET", "appendonly", "no"}));
    EXPECT_EQ(must(admin.ask({"ACL", "LOG"})).size(), 0U);  // of what was denied
  }
}

// A command that is refused within the exchange leaves nothing half done, and later ones are heard.
TEST_F(RedisPlaces, AnExchangeThatTheUserMayNotMake) {
  const testing::RedisServer from;
  set(from, {{0, "a"}});
  SpooledPart files = taken(place(from));
  const testing::RedisServer to;
  set(to, {{0, "old"}});
  const std::string before = state(to);
  base::NoProgress progress;
  const auto part = restore(place(to));
  const std::string mark = must(part->stage(files, progress));
  RedisConnection admin = connect(to);
  must(admin.ask({"ACL", "SETUSER", "default", "-swapdb"}));
  const auto swapped = part->swap(mark);
  ASSERT_FALSE(swapped);
  EXPECT_EQ(swapped.error().code, ErrorCode::kUnavailable) << swapped.error().message;
  EXPECT_TRUE(must(part->has_other(mark)));
  must(part->discard(mark));
  EXPECT_EQ(state(to), before);
}

}  // namespace
}  // namespace spl::surface
