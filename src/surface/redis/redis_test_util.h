// What the tests of Redis share. For tests only.
#pragma once

#include <gtest/gtest.h>

#include <string>
#include <string_view>

#include "surface/driver_test_util.h"
#include "surface/part.h"
#include "surface/redis/redis_connection.h"

namespace spl::surface {

// To a testing::RedisServer.
template <class Server>
RedisConnection connect(const Server& server) {
  RedisAddress address;
  address.socket = server.socket();
  return must(RedisConnection::open(address));
}

// The same place: one that holds a secret cannot be copied otherwise.
inline Place copy_of(const Place& place) {
  Place copy;
  copy.kind = place.kind;
  copy.subject = place.subject;
  copy.url = SecretBytes(place.url.reveal());
  copy.database = place.database;
  copy.key_prefix = place.key_prefix;
  return copy;
}

// Every type, in its short form and in its long one.
inline void fill_redis(RedisConnection& c, const std::string& prefix, int variant) {
  const std::string v = std::to_string(variant);
  const std::string& p = prefix;
  const std::string binary("\0\xff\n\"*?[", 7);
  must(c.ask({"SET", p + "text", "variant " + v}));
  must(c.ask({"SET", p + "number", v + "123456"}));
  must(c.ask({"SET", p + std::string(300, 'k'), std::string(5000, 'c')}));
  must(c.ask({"SET", p + binary, binary + v}));
  must(c.ask({"SET", p, "the shortest key"}));
  if (prefix.empty()) {
    for (const char* key : {"1", "-1", "300", "70000", "-70000", "12345678901"}) must(c.ask({"SET", key, key}));
  }
  must(c.ask({"SET", p + "ends", "later"}));
  must(c.ask({"PEXPIREAT", p + "ends", "4102444800" + std::string("12") + v}));
  for (int i = 0; i < 3; ++i) {
    const std::string n = std::to_string(i);
    must(c.ask({"RPUSH", p + "list", n, "x" + v}));
    must(c.ask({"SADD", p + "numbers", n}));
    must(c.ask({"SADD", p + "set", "m" + n + v}));
    must(c.ask({"ZADD", p + "scores", n + ".5", "m" + n}));
    must(c.ask({"HSET", p + "hash", "f" + n, v}));
    must(c.ask({"XADD", p + "stream", "*", "f" + n, v}));
  }
  must(c.ask({"XGROUP", "CREATE", p + "stream", "group", "0"}));
  must(c.ask({"XREADGROUP", "GROUP", "group", "someone", "COUNT", "2", "STREAMS", p + "stream", ">"}));
  for (int i = 0; i < 700; ++i) {
    const std::string n = std::to_string(i);
    const std::string_view x = "0123456789012345678901234567890123456789012345678901234567890123456789";
    must(c.tell({"RPUSH", p + "long list", n + std::string(x)}));
    must(c.tell({"SADD", p + "long set", n + std::string(x)}));
    must(c.tell({"SADD", p + "many numbers", n}));
    must(c.tell({"ZADD", p + "long scores", n + ".25", n + std::string(x)}));
    must(c.tell({"HSET", p + "long hash", n, x}));
    must(c.tell({"XADD", p + "long stream", "*", n, x}));
    must(c.tell({"SET", p + "key " + n, v}));
    for (int answers = 0; answers < 7; ++answers) EXPECT_FALSE(must(c.answer()).is_error());
  }
}

}  // namespace spl::surface
