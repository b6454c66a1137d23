// Parts that no backup has made, and servers that are not as a restore wants them: what is live stays as it is, and
// nothing is left beside it.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <csignal>

#include "base/encoding.h"
#include "codec/enum_names.h"
#include "crypto/sha256.h"
#include "surface/redis/key_line.h"
#include "surface/redis/rdb_reader.h"
#include "surface/redis/redis.h"
#include "surface/redis/redis_test_util.h"
#include "surface/redis/scratch_server.h"
#include "surface/spooled_part.h"
#include "testing/free_port.h"
#include "testing/redis_server.h"

namespace spl::surface {
namespace {

using ::testing::HasSubstr;
using ::testing::Not;
using namespace std::string_literals;

constexpr std::string_view kId = "0123456789abcdef";
constexpr unsigned kRdb = 10;

using Files = std::vector<std::pair<std::string, std::string>>;

std::string body_of(const std::string& value) {
  return value + dump_end(kRdb, value);
}
std::string line(const std::string& key, const std::string& dump, RedisType type = RedisType::kString) {
  return key_line_begin({key, type, {}}) + base::to_base64(dump) + std::string(kKeyLineEnd);
}
const std::string kGood = body_of("\0\1v"s);

class RedisHostile : public ::testing::Test, protected DriverRoom {
 protected:
  RedisHostile() { (void)std::signal(SIGPIPE, SIG_IGN); }

  // Of all of a server; some of it is live.
  Place whole(const testing::RedisServer& server) {
    RedisConnection c = connect(server);
    must(c.ask({"SET", "live", "as it was"}));
    must(c.ask({"SET", "geo:live", "as it was"}));
    must(c.select(2));
    must(c.ask({"RPUSH", "live too", "1"}));
    Place place;
    place.kind = bundle::SurfaceKind::kRedis;
    place.subject = "notes/memory";
    place.url = SecretBytes(server.url());
    return place;
  }
  Place database(const testing::RedisServer& server) {
    Place place = whole(server);
    place.database = "2";
    return place;
  }
  Place prefix(const testing::RedisServer& server) {
    Place place = whole(server);
    place.key_prefix = "geo:";
    return place;
  }
  enum class Of : std::uint8_t { kWhole, kDatabase, kPrefix };
  Place place_of(const testing::RedisServer& server, Of of) {
    if (of == Of::kWhole) return whole(server);
    return of == Of::kDatabase ? database(server) : prefix(server);
  }
  static RestoreRequest request(std::string engine = "") {
    RestoreRequest request;
    request.id = kId;
    request.data = InTheWay::kIsReplaced;
    request.engine = std::move(engine);
    return request;
  }
  SpooledPart part_of(const Files& files) const {
    auto part = must(SpooledPart::make(surroundings_.env, surroundings_.spool));
    for (const auto& [path, content] : files) must(part.add(path, content));
    part.rewind();
    return part;
  }
  static std::string state(const testing::RedisServer& server) {
    RedisConnection c = connect(server);
    return std::string(must(c.ask({"DEBUG", "DIGEST"})).text());  // of all databases
  }
  void expect_refused(const testing::RedisServer& server, const Place& place, const Files& files, ErrorCode code,
                      const std::string& why) {
    SCOPED_TRACE(why);
    const std::string before = state(server);
    SpooledPart part = part_of(files);
    base::NoProgress progress;
    const auto restore = redis_restore(surroundings_, copy_of(place), request());
    const auto mark = restore->stage(part, progress);
    ASSERT_FALSE(mark);
    EXPECT_EQ(mark.error().code, code) << mark.error().message;
    EXPECT_THAT(mark.error().message, HasSubstr(why));
    must(restore->discard(""));
    EXPECT_EQ(state(server), before);
    const auto anew = redis_restore(surroundings_, copy_of(place), request());
    EXPECT_FALSE(must(anew->has_other("")));
    must(anew->discard(""));
    EXPECT_EQ(state(server), before);
  }
  std::vector<Finding> stops(const Place& place, const std::string& engine = "") {
    std::vector<Finding> findings;
    must(redis_restore(surroundings_, copy_of(place), request(engine))->inspect(findings));
    std::erase_if(findings, [](const Finding& finding) { return finding.status != FindingStatus::kStop; });
    return findings;
  }
  void expect_stop(const Place& place, const std::string& check, const std::string& why,
                   const std::string& engine = "") {
    const auto found = stops(place, engine);
    ASSERT_EQ(found.size(), 1U);
    EXPECT_EQ(found[0].check, check);
    EXPECT_THAT(found[0].message, HasSubstr(why));
    EXPECT_NE(found[0].hint, "");
  }
};

TEST_F(RedisHostile, BodiesThatRedisDoesNotTakeAreRefused) {
  const testing::RedisServer server;
  const Place place = database(server);
  const auto refused = [&](const std::string& dump, RedisType type, const std::string& why) {
    expect_refused(server, place, {{"db-0.ndjson", line("a", kGood) + line("b", dump, type)}}, ErrorCode::kVerification,
                   why);
  };
  std::string broken = kGood;
  broken.back() = static_cast<char>(broken.back() ^ 1);
  refused(broken, RedisType::kString, "version or checksum are wrong");
  refused("", RedisType::kString, "version or checksum are wrong");
  refused("\0\1v"s + dump_end(200, "\0\1v"s), RedisType::kString, "version or checksum are wrong");
  refused(kGood, RedisType::kList, "it is a string");
  refused(body_of("\0\x20v"s), RedisType::kString, "Bad data format");
  refused(body_of("\x07\1v"s), RedisType::kString, "Bad data format");
  // A ziplist, a listpack and a stream that say other lengths than they have.
  refused(body_of("\x0a\x11\x11\0\0\0\x0d\0\0\0\x03\0\0\1a\3\1b\xff"s), RedisType::kList, "Bad data format");
  refused(body_of("\x12\1\2\x10\x7f\0\0\0\3\0\x81"s + "a\2\x81" + "b\2\x81" + "c\2\xff"), RedisType::kList,
          "Bad data format");
  refused(body_of("\x13\1\x10"s + std::string(15, '\0') + "\1\1\xff\1\1\0\1\0\0\0\1\0"s), RedisType::kStream,
          "Bad data format");
  // Compressed, and a thousand times as long as it can be.
  refused(body_of("\0\xc3\2\x81\0\0\0\1\0\0\0\0\0a"s), RedisType::kString, "refused by redis");
}

TEST_F(RedisHostile, NoOctetChangedWithinAValueEndsMoreThanItsOwnRestore) {
  const testing::RedisServer server;
  RedisConnection c = connect(server);
  must(c.ask({"RPUSH", "list", "a", "1", std::string(20, 'x')}));
  must(c.ask({"SADD", "set", "1", "2", "70000"}));
  must(c.ask({"HSET", "hash", "f", "v", "g", "12"}));
  must(c.ask({"ZADD", "zset", "1.5", "m", "2", "n"}));
  must(c.ask({"XADD", "stream", "1-1", "f", "v"}));
  must(c.ask({"XGROUP", "CREATE", "stream", "g", "0"}));
  must(c.ask({"XREADGROUP", "GROUP", "g", "c", "STREAMS", "stream", ">"}));
  base::NoProgress progress;
  auto scratch = must(ScratchServer::start(surroundings_, progress));
  std::size_t refused = 0;
  std::size_t taken = 0;
  for (const char* key : {"list", "set", "hash", "zset", "stream"}) {
    const std::string dump(must(c.ask({"DUMP", key})).text());
    const auto type = codec::parse_enum<RedisType>(must(c.ask({"TYPE", key})).text());
    const std::string value = dump.substr(0, dump.size() - dump_end(kRdb, "").size());
    ASSERT_EQ(body_of(value), dump);
    for (std::size_t at = 1; at < value.size(); ++at) {
      for (const int change : {0x01, 0x80, 0xff}) {
        KeyLine changed{{key, *type, {}}, value, {}};
        changed.dump[at] = static_cast<char>(changed.dump[at] ^ change);
        changed.dump = body_of(changed.dump);
        const auto tried = scratch.try_keys(std::span(&changed, 1));
        ++(tried ? taken : refused);
        if (tried) continue;
        ASSERT_EQ(tried.error().code, ErrorCode::kVerification) << key << " " << at << ": " << tried.error().message;
        if (tried.error().message.contains("ended at one"))
          scratch = must(ScratchServer::start(surroundings_, progress));
      }
    }
  }
  EXPECT_GT(refused, 300U);
  EXPECT_GT(taken, 50U);  // the texts in them
}

TEST_F(RedisHostile, LinesOutOfOrderAreRefused) {
  const testing::RedisServer server;
  for (const Of of : {Of::kWhole, Of::kDatabase}) {
    const Place place = place_of(server, of);
    const auto refused = [&](const std::string& lines, const std::string& why) {
      expect_refused(server, place, {{"db-0.ndjson", lines}}, ErrorCode::kVerification, why);
    };
    refused(line("b", kGood) + line("a", kGood), "not in ascending order");
    refused(line("b", kGood) + line("b", kGood), "not in ascending order");
    refused(line("\xff", kGood) + line("a", kGood), "not in ascending order");
    refused(line("a", kGood) + "\n", "a line ");
    refused(line("a", kGood) + "{}\n", "a line has no member key");
    refused(line("a", kGood).substr(0, 60), "the last line does not end");
    refused(line("a", kGood) + "x", "the last line does not end");
  }
}

TEST_F(RedisHostile, FilesThatArePartsOfNoServerAreRefused) {
  const testing::RedisServer server;
  const std::string lines = line("a", kGood);
  for (const char* path : {"db-.ndjson", "db-00.ndjson", "db-0.json", "db-a.ndjson", "db--1.ndjson", "dump.rdb",
                           "db-4294967296.ndjson", "large/x", "large"}) {
    expect_refused(server, whole(server), {{path, lines}}, ErrorCode::kVerification, "is no file of a redis part");
  }
  for (const Of of : {Of::kDatabase, Of::kPrefix}) {
    const Place place = place_of(server, of);
    expect_refused(server, place, {{"db-0.ndjson", line("geo:a", kGood)}, {"db-3.ndjson", line("geo:a", kGood)}},
                   ErrorCode::kVerification, "db-3.ndjson: is no file of a redis part");
  }
  for (const char* number : {"16", "2147483647", "4294967295"}) {
    expect_refused(server, whole(server), {{"db-0.ndjson", lines}, {"db-"s + number + ".ndjson", lines}},
                   ErrorCode::kStop, "has no database "s + number);
  }
}

TEST_F(RedisHostile, LargeBodiesAreJustThoseThatAreNamed) {
  const testing::RedisServer server;
  const auto path = [](const std::string& body) { return "large/" + base::to_hex(crypto::sha256(body).view()); };
  const auto naming = [](const std::string& key, const std::string& body, RedisType type = RedisType::kString) {
    return large_key_line({key, type, {}}, crypto::sha256(body));
  };
  const std::string other = body_of("\0\5other"s);
  for (const Of of : {Of::kWhole, Of::kPrefix}) {
    const Place place = place_of(server, of);
    const auto refused = [&](const Files& files, const std::string& why) {
      expect_refused(server, place, files, ErrorCode::kVerification, why);
    };
    refused({{"db-0.ndjson", naming("geo:a", kGood)}}, "is missing");
    refused({{"db-0.ndjson", naming("geo:a", kGood) + naming("geo:b", other)}, {path(kGood), kGood}}, "is missing");
    refused({{"db-0.ndjson", line("geo:a", kGood)}, {path(kGood), kGood}}, "is the value of no key");
    refused({{"db-0.ndjson", naming("geo:a", kGood)}, {path(kGood), other}}, "is not what its name says");
    refused({{"db-0.ndjson", naming("geo:a", kGood, RedisType::kHash)}, {path(kGood), kGood}}, "it is a string");
    refused({{"db-0.ndjson", naming("geo:a", "no body")}, {path("no body"), "no body"}}, "checksum are wrong");
    refused({{"db-0.ndjson", naming("geo:a", "")}, {path(""), ""}}, "checksum are wrong");
  }
  expect_refused(server, prefix(server), {{"db-0.ndjson", naming("other:a", kGood)}, {path(kGood), kGood}},
                 ErrorCode::kStop, "does not begin with");
}

TEST_F(RedisHostile, KeysOutsideThePlaceAreRefused) {
  const testing::RedisServer server;
  for (const char* key : {"live", "geo", "Geo:x", "geomind:x", ""}) {
    std::string first = line("geo:a", kGood);
    std::string second = line(key, kGood);
    if (std::string_view(key) < "geo:a") std::swap(first, second);
    expect_refused(server, prefix(server), {{"db-0.ndjson", first + second}}, ErrorCode::kStop, "does not begin with");
  }
  // A mark would be believed, of this restore and of another one.
  for (const char* key : {"spl:0123456789abcdef:all:new", "spl:0123456789abcdef:2:old", "spl:fedcba9876543210:2:new",
                          "spl:0000000000000000:durable"}) {
    for (const Of of : {Of::kWhole, Of::kDatabase}) {
      const Place place = place_of(server, of);
      expect_refused(server, place, {{"db-0.ndjson", line("a", kGood) + line(key, body_of("\0\1"s + "0"))}},
                     ErrorCode::kStop, "has a name that restores have");
    }
  }
  Place place = prefix(server);
  place.key_prefix = "spl:";
  expect_refused(server, place, {{"db-0.ndjson", line("spl:0123456789abcdef:spl::staged", kGood)}}, ErrorCode::kStop,
                 "has a name that restores have");
}

TEST_F(RedisHostile, AValueOverTheLengthThatTheServerTakesIsAStop) {
  const testing::RedisServer server({"--proto-max-bulk-len", "1mb"});
  const std::string value = "\0\x80\0\x20\0\0"s + std::string(2u << 20, 'x');
  const std::string body = body_of(value);
  expect_refused(server, whole(server), {{"db-0.ndjson", line("a", kGood) + line("b", body)}}, ErrorCode::kStop,
                 "and the server takes 1048576");
  const Digest digest = crypto::sha256(body);
  expect_refused(server, whole(server),
                 {{"db-0.ndjson", large_key_line({"b", RedisType::kString, {}}, digest)},
                  {"large/" + base::to_hex(digest.view()), body}},
                 ErrorCode::kStop, "and the server takes 1048576");
}

// Gives what another source has, and ends a process before one of its entries.
class Killing final : public PartSource {
 public:
  Killing(PartSource& source, int pid, int before) : source_(source), pid_(pid), left_(before) {}
  Result<std::optional<codec::TarEntry>> next() override {
    if (left_-- == 0) (void)::kill(pid_, SIGKILL);
    return source_.next();
  }
  Result<std::size_t> read(std::span<char> out) override { return source_.read(out); }

 private:
  PartSource& source_;
  int pid_;
  int left_;
};

TEST_F(RedisHostile, AServerThatGoesDownMeanwhileIsUnavailable) {
  for (const bool is_large : {false, true}) {
    const testing::RedisServer server;
    const Place place = whole(server);
    const std::string body = body_of("\0\x80\1\0\0\0"s + std::string(16u << 20, 'x'));
    const Digest digest = crypto::sha256(body);
    Files files{{"db-0.ndjson", line("a", kGood)}, {"db-1.ndjson", line("a", kGood)}};
    if (is_large)
      files = {{"db-0.ndjson", large_key_line({"b", RedisType::kString, {}}, digest)},
               {"large/" + base::to_hex(digest.view()), body}};
    SpooledPart part = part_of(files);
    Killing source(part, server.pid(), 1);
    base::NoProgress progress;
    const auto restore = redis_restore(surroundings_, copy_of(place), request());
    const auto mark = restore->stage(source, progress);
    ASSERT_FALSE(mark);
    EXPECT_EQ(mark.error().code, ErrorCode::kUnavailable) << mark.error().message;
    const auto discarded = restore->discard("");
    ASSERT_FALSE(discarded);
    EXPECT_EQ(discarded.error().code, ErrorCode::kUnavailable) << discarded.error().message;
    std::vector<Finding> findings;
    EXPECT_EQ(restore->inspect(findings).error().code, ErrorCode::kUnavailable);
  }
}

TEST_F(RedisHostile, APasswordIsInNoMessage) {
  const std::string port = testing::free_port();
  const testing::RedisServer server({"--port", port, "--bind", "127.0.0.1", "--requirepass", "the right one"});
  const testing::RedisServer open;
  const std::string open_port = testing::free_port();
  const testing::RedisServer without({"--port", open_port, "--bind", "127.0.0.1"});
  base::NoProgress progress;
  const auto refused = [&](const std::string& url) {
    Place place;
    place.kind = bundle::SurfaceKind::kRedis;
    place.subject = "notes/memory";
    place.url = SecretBytes(url);
    std::vector<Finding> findings;
    std::vector<Error> errors;
    const auto inspected = redis_restore(surroundings_, copy_of(place), request())->inspect(findings);
    ASSERT_FALSE(inspected) << url;
    errors.push_back(inspected.error());
    const auto planned = redis_backup(surroundings_, copy_of(place))->plan(progress);
    ASSERT_FALSE(planned) << url;
    errors.push_back(planned.error());
    SpooledPart part = part_of({{"db-0.ndjson", line("a", kGood)}});
    const auto staged = redis_restore(surroundings_, copy_of(place), request())->stage(part, progress);
    ASSERT_FALSE(staged) << url;
    errors.push_back(staged.error());
    for (const Error& error : errors) {
      EXPECT_EQ(error.code, ErrorCode::kUnavailable) << error.message;
      EXPECT_THAT(error.message + error.hint, Not(HasSubstr("s3cret"))) << url;
    }
  };
  refused("redis://:s3cret@127.0.0.1:" + port);
  refused("redis://someone:s3cret@127.0.0.1:" + port);
  refused("redis://127.0.0.1:" + port);                          // none
  refused("redis://:s3cret@127.0.0.1:" + open_port);             // where there is none
  refused("redis://:s3cret@127.0.0.1:" + testing::free_port());  // where nobody is
  EXPECT_TRUE(RedisConnection::open(must(RedisAddress::parse("redis://:the%20right%20one@127.0.0.1:" + port))));
  // A url that is none.
  for (const char* url : {"redis://:s3cret@", "redis://:s3cret@h:port", "redis://:s3cret/@h", "rediss://:s3cret@h",
                          "redis://:s3cret@h/db", "redis://:s3cret%4@h", "redis://user:s3cret"}) {
    const auto parsed = RedisAddress::parse(url);
    ASSERT_FALSE(parsed) << url;
    EXPECT_EQ(parsed.error().code, ErrorCode::kUsage);
    EXPECT_THAT(parsed.error().message + parsed.error().hint, Not(HasSubstr("s3cret")));
  }
}

TEST_F(RedisHostile, ServersInWhichNothingCanBeStagedAreStops) {
  {
    const testing::RedisServer server({"--maxmemory", "900mb", "--maxmemory-policy", "allkeys-lru"});
    expect_stop(whole(server), "memory", "may throw keys away");
    RedisConnection c = connect(server);
    must(c.ask({"CONFIG", "SET", "maxmemory-policy", "noeviction"}));
    EXPECT_EQ(stops(whole(server)).size(), 0U);
    const Place place = database(server);
    must(c.ask({"CONFIG", "SET", "maxmemory", "1mb"}));
    expect_stop(place, "memory", "MiB are staged");
  }
  {
    const testing::RedisServer server;
    EXPECT_EQ(stops(whole(server), "redis 7.0.15 rdb 10").size(), 0U);
    EXPECT_EQ(stops(whole(server), "redis 6.0.16 rdb 9").size(), 0U);
    for (const char* engine : {"redis 7.4.1 rdb 12", "redis 7.2.4 rdb 11", "redis 9 rdb 99999999999999999999"})
      expect_stop(whole(server), "engine", "which redis 7.0.15 rdb 10 cannot read", engine);
    RedisConnection c = connect(server);
    must(c.ask({"REPLICAOF", "127.0.0.1", testing::free_port()}));
    std::vector<Finding> findings;
    Place place;
    place.kind = bundle::SurfaceKind::kRedis;
    place.subject = "notes/memory";
    place.url = SecretBytes(server.url());
    expect_stop(place, "engine", "is a replica");
    base::NoProgress progress;
    EXPECT_EQ(redis_backup(surroundings_, copy_of(place))->plan(progress).error().code, ErrorCode::kUsage);
  }
  {
    const testing::RedisServer server({"--databases", "3"});
    for (const char* number : {"1", "2"}) {
      RedisConnection c = connect(server);
      must(c.ask({"SELECT", number}));
      must(c.ask({"SET", "k", "v"}));
    }
    expect_stop(whole(server), "databases", "no empty database");
    EXPECT_EQ(stops(prefix(server)).size(), 0U);
    expect_refused(server, whole(server), {{"db-0.ndjson", line("a", kGood)}}, ErrorCode::kStop, "no database left");
  }
  {
    const testing::RedisServer server({"--cluster-enabled", "yes"});
    Place place;
    place.kind = bundle::SurfaceKind::kRedis;
    place.subject = "notes/memory";
    place.url = SecretBytes(server.url());
    const auto found = stops(place);
    ASSERT_FALSE(found.empty());
    EXPECT_THAT(found[0].message, HasSubstr("cluster"));
  }
}

}  // namespace
}  // namespace spl::surface
