#include "surface/redis/redis.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <csignal>
#include <map>
#include <set>

#include "base/encoding.h"
#include "surface/conformance.h"
#include "surface/redis/kept_keys.h"
#include "surface/redis/rdb_reader.h"
#include "surface/redis/redis_connection.h"
#include "surface/redis/redis_test_util.h"
#include "testing/redis_server.h"

namespace spl::surface {
namespace {

using ::testing::HasSubstr;
using ::testing::Not;

// Room on the real file system, and what is done in every test.
class Room : public DriverRoom {
 public:
  Room() { (void)std::signal(SIGPIPE, SIG_IGN); }
  std::unique_ptr<BackupPart> backup(Place place) { return redis_backup(surroundings_, std::move(place)); }
  std::unique_ptr<RestorePart> restore(Place place, RestoreRequest request) {
    request.keep_directory = kept() + "/of" + place.database.value_or("") + place.key_prefix.value_or("");
    return redis_restore(surroundings_, std::move(place), std::move(request));
  }
  [[nodiscard]] std::string kept() const { return directory_.path() + "/kept"; }
  std::string names() {
    std::string names;
    for (const char* below : {"/spool", "/kept"}) {
      for (const std::string& name : must(fs_.list(directory_.path() + below))) names += name + "\n";
    }
    return names;
  }

  static void fill(RedisConnection& c, const std::string& prefix, int variant) { fill_redis(c, prefix, variant); }

  // Two keys with one value, which in a bundle is a file unless the server compresses it.
  static void add_large(RedisConnection& c, const std::string& prefix, const char* is_compressed = "no") {
    must(c.ask({"CONFIG", "SET", "rdbcompression", is_compressed}));
    for (const char* key : {"large", "large too"}) must(c.ask({"SET", prefix + key, std::string(33u << 20, 'L')}));
    must(c.ask({"PEXPIREAT", prefix + "large too", "4102444800999"}));
  }

  // What clients see, without what is ours.
  static std::string state(RedisConnection& c, const std::string& prefix) {
    std::map<std::string, std::string> all;
    must(scan_keys(c, prefix, [&](const std::vector<std::string>& keys) -> Result<void> {
      for (const std::string& key : keys) {
        if (key.starts_with("spl:")) continue;
        // What it holds, in whatever order its hash table has it.
        const RedisReply digest = TRY(c.ask({"DEBUG", "DIGEST-VALUE", key}));
        const RedisReply ends = TRY(c.ask({"PEXPIRETIME", key}));
        all[key.substr(prefix.size())] = std::string(digest.text(0)) + " " + std::to_string(ends.integer());
      }
      return {};
    }));
    std::string text;
    for (const auto& [key, value] : all) text += base::escaped(key, 400) + " " + value + "\n";
    return text;
  }

  // Every key of ours in any database, and what else there is in those that are no place.
  static std::string traces(RedisConnection& c, const std::set<int>& places) {
    std::string text;
    for (int i = 0; i < 16; ++i) {
      must(c.select(static_cast<std::uint32_t>(i)));
      must(scan_keys(c, places.contains(i) ? "spl:" : "", [&](const std::vector<std::string>& keys) -> Result<void> {
        for (const std::string& key : keys) text += std::to_string(i) + " " + base::escaped(key) + "\n";
        return {};
      }));
    }
    return text;
  }
};

class OfDatabases : public Room {
 public:
  Place place(int n) {
    Place place;
    place.kind = bundle::SurfaceKind::kRedis;
    place.subject = "notes/memory";
    place.url = SecretBytes(server_.url());
    place.database = std::to_string(n + 1);
    place.other_databases = {"1", "2", "15"};
    return place;
  }
  void fill(const Place& place, int variant) {
    RedisConnection c = selected(place);
    must(c.ask({"FLUSHDB"}));
    Room::fill(c, "", variant);
  }
  void add_large(const Place& place) {
    RedisConnection c = selected(place);
    Room::add_large(c, "");
  }
  std::string state(const Place& place) {
    RedisConnection c = selected(place);
    return Room::state(c, "");
  }
  std::string traces() {
    RedisConnection c = connect(server_);
    return Room::traces(c, {1, 2}) + names();
  }

 private:
  RedisConnection selected(const Place& place) {
    RedisConnection c = connect(server_);
    must(c.ask({"SELECT", *place.database}));
    return c;
  }
  testing::RedisServer server_;
};

class OfPrefixes : public Room {
 public:
  Place place(int n) {
    Place place;
    place.kind = bundle::SurfaceKind::kRedis;
    place.subject = "notes/memory";
    place.url = SecretBytes(server_.url());
    place.key_prefix = n == 0 ? "geo*:" : "geomind[:";
    return place;
  }
  void fill(const Place& place, int variant) {
    RedisConnection c = connect(server_);
    must(c.ask({"SET", "beside", "untouched"}));
    must(scan_keys(c, *place.key_prefix, [&](const std::vector<std::string>& keys) -> Result<void> {
      for (const std::string& key : keys) TRY(c.ask({"DEL", key}));
      return {};
    }));
    Room::fill(c, *place.key_prefix, variant);
  }
  void add_large(const Place& place) {
    RedisConnection c = connect(server_);
    Room::add_large(c, *place.key_prefix);
  }
  std::string state(const Place& place) {
    RedisConnection c = connect(server_);
    return Room::state(c, *place.key_prefix);
  }
  std::string traces() {
    RedisConnection c = connect(server_);
    return Room::traces(c, {0}) + names();
  }
  std::unique_ptr<RestorePart> restore(Place place, RestoreRequest request) {
    place.bundled_key_prefix = "geo*:";
    return Room::restore(std::move(place), std::move(request));
  }

 private:
  testing::RedisServer server_;
};

// Two servers, of which all is carried.
class OfServers : public Room {
 public:
  Place place(int n) {
    Place place;
    place.kind = bundle::SurfaceKind::kRedis;
    place.subject = "notes/memory";
    place.url = SecretBytes(servers_.at(static_cast<std::size_t>(n)).url());
    return place;
  }
  void fill(const Place& place, int variant) {
    RedisConnection c = connection(place);
    // Not FLUSHALL, which ends what a replica is being sent.
    for (std::uint32_t i = 0; i < 16; ++i) {
      must(c.select(i));
      must(c.ask({"FLUSHDB"}));
    }
    must(c.select(0));
    Room::fill(c, "", variant);
    must(c.select(variant == 1 ? 10 : 2));
    must(c.ask({"SET", "in another database", "here"}));
    must(c.select(3));
    must(c.ask({"SET", "in both", std::to_string(variant)}));
  }
  void add_large(const Place& place) {
    RedisConnection c = connection(place);
    Room::add_large(c, "", "yes");
  }
  std::string state(const Place& place) {
    RedisConnection c = connection(place);
    std::string text;
    for (std::uint32_t i = 0; i < 16; ++i) {
      must(c.select(i));
      const auto found = must(c.ask({"MGET", "spl:0123456789abcdef:all:new", "spl:0123456789abcdef:all:old"}));
      const std::string number = std::to_string(i);
      // What stands beside the live databases is no client's.
      const bool is_beside =
          (!found.text(0).empty() && found.text(0) != number) || (!found.text(1).empty() && found.text(1) != number);
      const std::string content = is_beside ? "" : Room::state(c, "");
      if (!content.empty()) text.append("database ").append(number).append("\n").append(content);
    }
    return text;
  }
  std::string traces() {
    std::string text = names();
    for (const auto& server : servers_) {
      RedisConnection c = connect(server);
      text += Room::traces(c, {0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13, 14, 15}) + ";";
    }
    return text;
  }

 private:
  RedisConnection connection(const Place& place) {
    return must(RedisConnection::open(must(RedisAddress::parse(place.url.reveal()))));
  }
  std::array<testing::RedisServer, 2> servers_;
};

INSTANTIATE_TYPED_TEST_SUITE_P(RedisDatabase, DriverConformance, OfDatabases);
INSTANTIATE_TYPED_TEST_SUITE_P(RedisPrefix, DriverConformance, OfPrefixes);
INSTANTIATE_TYPED_TEST_SUITE_P(RedisServer, DriverConformance, OfServers);

template <class Fixture>
class RedisLargeValues : public ::testing::Test {
 protected:
  SpooledPart taken(int place) {
    base::NoProgress progress;
    auto part = fixture_.backup(fixture_.place(place));
    must(part->plan(progress));
    must(part->prepare(progress));
    must(part->hold(std::chrono::seconds(60)));
    must(part->open(Writers::kPaused, fixture_.surroundings().env.clock.since_boot() + std::chrono::seconds(60)));
    part->release();
    auto files = must(SpooledPart::make(fixture_.surroundings().env, fixture_.surroundings().spool));
    must(part->stream(files, progress));
    files.rewind();
    return files;
  }
  std::unique_ptr<RestorePart> restore() {
    RestoreRequest request;
    request.id = "0123456789abcdef";
    request.data = InTheWay::kIsReplaced;
    return fixture_.restore(fixture_.place(1), std::move(request));
  }
  Fixture fixture_;
};
using Fixtures = ::testing::Types<OfDatabases, OfPrefixes, OfServers>;
TYPED_TEST_SUITE(RedisLargeValues, Fixtures);

TYPED_TEST(RedisLargeValues, AValueOfManyMegabytesComesAndGoesInPieces) {
  auto& f = this->fixture_;
  f.fill(f.place(0), 1);
  f.fill(f.place(1), 2);
  f.add_large(f.place(0));
  const std::string wanted = f.state(f.place(0));
  SpooledPart files = this->taken(0);
  base::NoProgress progress;
  const std::string mark = must(this->restore()->stage(files, progress));
  must(this->restore()->swap(mark));
  EXPECT_EQ(f.state(f.place(1)), wanted);
  // And back, from the file.
  must(this->restore()->retire(mark));
  must(this->restore()->swap_back(mark));
  must(this->restore()->discard(mark));
  EXPECT_THAT(f.state(f.place(1)), Not(HasSubstr("large")));
}

}  // namespace
}  // namespace spl::surface
