#include "surface/redis/rdb_reader.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <fstream>
#include <iterator>
#include <map>

#include "base/encoding.h"
#include "codec/enum_names.h"
#include "surface/redis/redis_test_util.h"
#include "testing/redis_server.h"

namespace spl::surface {
namespace {

using ::testing::HasSubstr;
using namespace std::string_literals;

struct Read {
  RdbKey head;
  std::string body;
};

// All keys, by database and name.
class Collector final : public RdbSink {
 public:
  Result<void> begin_key(const RdbKey& key) override {
    current_ = {key, ""};
    return {};
  }
  Result<void> body(std::string_view piece) override {
    current_.body += piece;
    return {};
  }
  Result<void> end_key() override {
    keys_[{current_.head.database, current_.head.key}] = current_;
    return {};
  }
  using Keys = std::map<std::pair<std::uint32_t, std::string>, Read>;
  [[nodiscard]] const Keys& keys() const { return keys_; }

 private:
  Read current_;
  Keys keys_;
};

Result<RdbSummary> read(std::string_view rdb, Collector& out) {
  base::StringSource source(rdb);
  RdbReader reader(source);
  return reader.read(out);
}

Error error_of(std::string_view rdb) {
  Collector out;
  const auto summary = read(rdb, out);
  EXPECT_FALSE(summary);
  return summary ? Error{} : summary.error();
}

// What stands between its head and its end; a checksum of 0 is none.
std::string rdb_of(std::string_view content, std::string_view version = "0010") {
  return "REDIS" + std::string(version) + std::string(content) + "\xff" + std::string(8, '\0');
}

std::string big_endian(std::uint64_t value) {
  std::string octets;
  for (int i = 7; i >= 0; --i) octets += static_cast<char>(value >> (8 * i) & 255);
  return octets;
}

// What SAVE writes.
std::string saved(const testing::RedisServer& server, RedisConnection& c) {
  must(c.ask({"SAVE"}));
  std::ifstream file(server.directory() + "/dump.rdb", std::ios::binary);
  return {std::istreambuf_iterator<char>(file), {}};
}

// Each key of the server is in the RDB, and is what the server says of it.
void expect_same(RedisConnection& c, const Collector& read, std::uint32_t databases) {
  std::size_t number = 0;
  for (std::uint32_t i = 0; i < databases; ++i) {
    must(c.select(i));
    number += static_cast<std::size_t>(must(c.ask({"DBSIZE"})).integer());
  }
  EXPECT_EQ(read.keys().size(), number);
  std::uint32_t selected = databases;
  for (const auto& [where, value] : read.keys()) {
    const auto& [database, key] = where;
    if (std::exchange(selected, database) != database) must(c.select(database));
    const std::string shown = std::to_string(database) + " " + base::escaped(key);
    EXPECT_TRUE(must(c.ask({"DUMP", key})).text() == value.body) << shown;
    EXPECT_EQ(must(c.ask({"TYPE", key})).text(), codec::enum_name(value.head.type)) << shown;
    EXPECT_EQ(must(c.ask({"PEXPIRETIME", key})).integer(), value.head.expires_at_ms.value_or(-1)) << shown;
  }
}

TEST(RdbReader, EveryValueHasTheOctetsOfDump) {
  const testing::RedisServer server;
  RedisConnection c = connect(server);
  fill_redis(c, "", 1);
  std::string random(700'001, '\0');  // more than any buffer, and nothing to compress
  std::uint32_t state = 1;
  for (char& octet : random) octet = static_cast<char>((state = state * 1664525 + 1013904223) >> 24);
  must(c.ask({"SET", "long", random}));
  must(c.ask({"RPUSH", "long in a list", random, "short", random}));
  must(c.ask({"ZADD", "infinite", "-inf", "a", "+inf", std::string(100, 'b')}));
  must(c.select(7));
  fill_redis(c, "p:", 2);
  Collector out;
  const auto summary = must(read(saved(server, c), out));
  EXPECT_EQ(summary.version, 10U);
  EXPECT_FALSE(summary.has_functions);
  expect_same(c, out, 16);
}

TEST(RdbReader, AServerWithoutChecksumsAndWithFunctionsAndEviction) {
  const testing::RedisServer server(
      {"--rdbchecksum", "no", "--rdbcompression", "no", "--maxmemory", "900mb", "--maxmemory-policy", "allkeys-lfu"});
  RedisConnection c = connect(server);
  fill_redis(c, "", 1);
  must(c.ask({"FUNCTION", "LOAD", "#!lua name=mine\nredis.register_function('f', function() return 1 end)"}));
  Collector out;
  EXPECT_TRUE(must(read(saved(server, c), out)).has_functions);
  expect_same(c, out, 1);
  must(c.ask({"CONFIG", "SET", "maxmemory-policy", "allkeys-lru"}));
  Collector again;
  must(read(saved(server, c), again));
  expect_same(c, again, 1);
}

// One of each type, in some hundred octets.
std::string small_rdb() {
  const testing::RedisServer server;
  RedisConnection c = connect(server);
  must(c.ask({"SET", "t", "v"}));
  must(c.ask({"SET", "number", "1234", "PXAT", "4102444800123"}));
  must(c.ask({"SET", std::string(60, 'k'), std::string(60, 'c')}));
  must(c.ask({"RPUSH", "l", "a", "1"}));
  must(c.ask({"SADD", "i", "1", "2"}));
  must(c.ask({"SADD", "s", "a"}));
  must(c.ask({"HSET", "h", "f", "v"}));
  must(c.ask({"ZADD", "z", "1.5", "m"}));
  must(c.ask({"XADD", "x", "1-1", "f", "v"}));
  must(c.ask({"XGROUP", "CREATE", "x", "g", "0"}));
  must(c.ask({"XREADGROUP", "GROUP", "g", "c", "STREAMS", "x", ">"}));
  return saved(server, c);
}

TEST(RdbReader, OneThatEndsTooEarlyOrHasABitChangedIsRefused) {
  const std::string rdb = small_rdb();
  Collector whole;
  must(read(rdb, whole));
  ASSERT_EQ(whole.keys().size(), 9U);
  for (std::size_t bytes = 0; bytes < rdb.size(); ++bytes) {
    EXPECT_EQ(error_of(std::string_view(rdb).substr(0, bytes)).cause, Cause::kMalformed) << bytes;
  }
  for (std::size_t bit = 0; bit < rdb.size() * 8; ++bit) {
    std::string other = rdb;
    other[bit / 8] = static_cast<char>(other[bit / 8] ^ (1 << (bit % 8)));
    Collector out;
    EXPECT_FALSE(read(other, out)) << "bit " << bit;
  }
}

TEST(RdbReader, WhatComesAfterItIsLeft) {
  const std::string octets = rdb_of("\0\1k\1v"s) + "the rest";
  base::StringSource source(octets);
  RdbReader reader(source);
  Collector out;
  must(reader.read(out));
  std::string rest;
  must(reader.read_rest(rest, 8));
  EXPECT_EQ(rest, "the rest");
  EXPECT_FALSE(reader.read_rest(rest, 1));
}

TEST(RdbReader, TypesOfOlderServersAreCut) {
  const std::string ziplist(
      "\x11\0\0\0\x0d\0\0\0\x02\0\0\x01"
      "a\x03\x01"
      "b\xff",
      17);
  const auto packed = [](const std::string& octets) { return static_cast<char>(octets.size()) + octets; };
  std::string pair = ziplist;  // a member and a score
  pair[14] = '\x01';
  pair[15] = '1';
  struct Case {
    int type;
    std::string body;
    std::string named;
    bool is_known = true;  // to a server of 7.0
  };
  const std::vector<Case> cases{
      {1, "\x02\x01"s + "a\xc0\x05", "list"},
      {2, "\x01\x01"s + "a", "set"},
      {3, "\x03\x01"s + "a\x03" + "1.5\x01" + "b\xfe\x01" + "c\xff", "zset"},
      {4, "\x01\x01"s + "f\x01" + "v", "hash"},
      {5, "\x01\x01"s + "a" + std::string("\0\0\0\0\0\0\xf8\x3f", 8), "zset"},
      {9, packed("\x01\x01"s + "f\x01" + "\0"s + "v\xff"), "hash"},
      {10, packed(ziplist), "list"},
      {11, packed("\x02\0\0\0\x01\0\0\0\x07\0"s), "set"},
      {12, packed(pair), "zset"},
      {13, packed(ziplist), "hash"},
      {14, "\x01" + packed(ziplist), "list"},
      {15, "\0\0\0\0\x01\x01g\0\0\0\x01\x01"s + "c" + std::string(8, '\0') + "\0"s, "stream"},
      {19, "\0\0\0\0\0\0\0\0\0\x01\x01g\0\0\0\0\x01\x01"s + "c" + std::string(8, '\0') + "\0"s, "stream"},
      {20, packed("\x0a\0\0\0\x01\0\x81"s + "a\x02\xff"), "set", false},
      {21, "\0\0\0\0\0\0\0\0\0\x01\x01g\0\0\0\0\x01\x01"s + "c" + std::string(16, '\0') + "\0"s, "stream", false},
  };
  const testing::RedisServer server;
  RedisConnection c = connect(server);
  for (const Case& one : cases) {
    const std::string value = static_cast<char>(one.type) + one.body;
    const std::string rdb = rdb_of(static_cast<char>(one.type) + "\x01k"s + one.body + "\0\5after\1v"s, "0009");
    Collector out;
    must(read(rdb, out));
    ASSERT_EQ(out.keys().size(), 2U) << one.type;
    const Read& key = out.keys().at({0, "k"});
    EXPECT_EQ(key.body, value + dump_end(9, value)) << one.type;
    EXPECT_EQ(codec::enum_name(key.head.type), one.named) << one.type;
    if (!one.is_known) continue;
    must(c.tell({"RESTORE", "k", "0", key.body, "REPLACE"}));
    EXPECT_EQ(must(c.answer()).text(), "OK") << one.type;
    EXPECT_EQ(must(c.ask({"TYPE", "k"})).text(), one.named) << one.type;
  }
}

TEST(RdbReader, KeysAreNumbersCompressedOrPlain) {
  const auto key_of = [](const std::string& written) {
    Collector out;
    must(read(rdb_of("\0"s + written + "\1v"), out));
    EXPECT_EQ(out.keys().size(), 1U);
    return out.keys().empty() ? "" : out.keys().begin()->first.second;
  };
  EXPECT_EQ(key_of("\xc0\xff"), "-1");
  EXPECT_EQ(key_of("\xc1\x00\x80"s), "-32768");
  EXPECT_EQ(key_of("\xc2\x00\x00\x00\x80"s), "-2147483648");
  EXPECT_EQ(key_of("\xc2\xff\xff\xff\x7f"), "2147483647");
  EXPECT_EQ(key_of("\0"s), "");
  EXPECT_EQ(key_of("\x40\x01k"s), "k");
  EXPECT_EQ(key_of("\x81"s + big_endian(1) + "k"), "k");
  EXPECT_EQ(key_of("\xc3\x05\x0a\x00"s + "a\xe0\x00\x00"s), "aaaaaaaaaa");
}

TEST(RdbReader, LengthsThatNoFileHasAreRefused) {
  const std::string huge = "\x81" + big_endian(std::uint64_t{1} << 63);
  const std::string most = "\x81" + big_endian(UINT64_MAX);
  const std::string head = "\1k"s;
  for (const std::string& length : {huge, most}) {
    // As a string's, as a count at every depth, and as a compressed string's.
    for (const std::string& content :
         {"\0"s + head + length + "v", "\x01"s + head + length, "\x02"s + head + length + "\1a",
          "\x04"s + head + length + "\1a", "\x03"s + head + length, "\x05"s + head + length, "\x12"s + head + length,
          "\x12"s + head + "\1" + length, "\x13"s + head + length, "\x13"s + head + "\0\0\0\0\0\0\0\0\0"s + length,
          "\x13"s + head + "\0\0\0\0\0\0\0\0\0\1\1g\0\0\0"s + length,
          "\x13"s + head + "\0\0\0\0\0\0\0\0\0\1\1g\0\0\0\0"s + length,
          "\x13"s + head + "\0\0\0\0\0\0\0\0\0\1\1g\0\0\0\0\1\1c12345678"s + length,
          "\0"s + head + "\xc3" + length + "\1a", "\xfe" + length, "\xfa" + length + "a\1b", "\xf5" + length,
          "\0"s + length + "k\1v"}) {
      EXPECT_EQ(error_of(rdb_of(content)).cause, Cause::kMalformed) << base::escaped(content);
    }
  }
}

TEST(RdbReader, KeysThatAreTooLongOrTakeTooMuchRoomAreRefused) {
  const std::string over = "\x81" + big_endian((64u << 20) + 1);
  const std::string most = "\x81" + big_endian(64u << 20);
  EXPECT_THAT(error_of(rdb_of("\0"s + over)).message, HasSubstr("a key that is too long"));
  EXPECT_THAT(error_of(rdb_of("\0"s + most)).message, HasSubstr("ends too early"));
  // Compressed: the lengths are looked at before there is room for them, and the content must have just that length.
  EXPECT_THAT(error_of(rdb_of("\0\xc3\1"s + over + "a")).message, HasSubstr("a key that is too long"));
  EXPECT_THAT(error_of(rdb_of("\0\xc3"s + over + "\1a")).message, HasSubstr("a key that is too long"));
  EXPECT_THAT(error_of(rdb_of("\0\xc3\2"s + most + "\0a"s)).message, HasSubstr("compressed string that is broken"));
  EXPECT_THAT(error_of(rdb_of("\0\xc3\2\1\1a"s)).message, HasSubstr("compressed string that is broken"));
  EXPECT_THAT(error_of(rdb_of("\0\xc3\0\1"s)).message, HasSubstr("compressed string that is broken"));
  EXPECT_THAT(error_of(rdb_of("\0\xc3\4\5\xe0\xff\xff\xff"s)).message, HasSubstr("compressed string that is broken"));
  EXPECT_THAT(error_of(rdb_of("\0\xc3\1\0a"s)).message, HasSubstr("a key that is too long"));
}

TEST(RdbReader, WhatItDoesNotKnowIsRefused) {
  for (const int type : {8, 22, 23, 100, 244}) {
    EXPECT_THAT(error_of(rdb_of(static_cast<char>(type) + "\1k\0\0\0"s)).message,
                HasSubstr("a value of the unknown type " + std::to_string(type)));
  }
  EXPECT_THAT(error_of(rdb_of("\xf6\1k")).message, HasSubstr("an unknown opcode 246"));
  EXPECT_THAT(error_of(rdb_of("\0\x82"s)).message, HasSubstr("a length of an unknown form"));
  EXPECT_THAT(error_of(rdb_of("\0\xbf"s)).message, HasSubstr("a length of an unknown form"));
  EXPECT_THAT(error_of(rdb_of("\0\xc4k"s)).message, HasSubstr("unknown encoding"));
  EXPECT_THAT(error_of(rdb_of("\0\1k\xff"s)).message, HasSubstr("unknown encoding"));
  EXPECT_THAT(error_of(rdb_of("\xfe\xc0\1"s)).message, HasSubstr("an encoding where a length should be"));
  EXPECT_THAT(error_of(rdb_of("\xfe\x80\x80\0\0\0"s)).message, HasSubstr("a database of number 2147483648"));
  EXPECT_THAT(error_of(rdb_of("\xfc"s + std::string(8, '\0') + "\0\1k\1v"s)).message, HasSubstr("before 1970"));
  EXPECT_THAT(error_of(rdb_of("\xfc"s + std::string(8, '\xff') + "\0\1k\1v"s)).message, HasSubstr("before 1970"));
}

TEST(RdbReader, DataOfAModuleIsRefused) {
  for (const std::string& content : {"\x06\1k"s, "\x07\1k"s, "\xf7"s}) {
    const Error error = error_of(rdb_of(content));
    EXPECT_EQ(error.code, ErrorCode::kUsage);
    EXPECT_THAT(error.message, HasSubstr("of a module"));
  }
}

TEST(RdbReader, OtherVersionsAreRefused) {
  Collector out;
  for (const char* version : {"0009", "0010", "0011"}) EXPECT_TRUE(read(rdb_of("", version), out)) << version;
  for (const char* version : {"0000", "0008", "0012", "9999"}) {
    const Error error = error_of(rdb_of("", version));
    EXPECT_EQ(error.code, ErrorCode::kUnavailable) << version;
    EXPECT_EQ(error.cause, Cause::kNewerVersion) << version;
  }
  EXPECT_EQ(error_of(rdb_of("", "001x")).cause, Cause::kMalformed);
  EXPECT_EQ(error_of(rdb_of("", "-010")).cause, Cause::kMalformed);
  EXPECT_EQ(error_of("redis0010\xff" + std::string(8, '\0')).cause, Cause::kMalformed);
  EXPECT_EQ(error_of("").cause, Cause::kMalformed);
}

TEST(RdbReader, AnEndIsOfTheNextKeyAlone) {
  Collector out;
  must(read(rdb_of("\xfe\x03\xfc\x05\0\0\0\0\0\0\0\xf8\x01\0\1a\1v\0\1b\1v\xfd\x02\0\0\0\xf9\x07\0\1c\1v"s), out));
  EXPECT_EQ(out.keys().at({3, "a"}).head.expires_at_ms, 5);
  EXPECT_EQ(out.keys().at({3, "b"}).head.expires_at_ms, std::nullopt);
  EXPECT_EQ(out.keys().at({3, "c"}).head.expires_at_ms, 2000);
}

TEST(RdbReader, TheEndOfADumpIsThatOfAServer) {
  EXPECT_EQ(base::to_hex(dump_end(10, "\0\1v"s)), "0a009108ceb219388ace");
  const std::string list = must(base::from_base64("EgECEBAAAAADAIFhAoFiAoFjAv8="));
  EXPECT_EQ(base::to_hex(dump_end(10, list)), "0a00c818b90c9533529e");
}

}  // namespace
}  // namespace spl::surface
