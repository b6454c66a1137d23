// A Redis server that a home runs, and a service of the operator's whose data is in it: one database a context, and
// keys that begin with its name.
#pragma once

#include <gtest/gtest.h>

#include <initializer_list>
#include <string>
#include <string_view>

#include "cli_harness.h"
#include "surface/redis/redis_connection.h"

namespace spl::cli_test {

class EngineKit : public CliTest {
 protected:
  EngineKit() {
    EXPECT_EQ(on("h", {"init"}).code, 0);
    declare("cache",
            "version = \"7\"\n[run]\n"
            "command = [\"/usr/bin/redis-server\", \"--port\", \"0\", \"--unixsocket\", \"{run}/redis.sock\",\n"
            "  \"--dir\", \"{data}\", \"--save\", \"3600 1\", \"--logfile\", \"\"]\n"
            "health = \"unix:{run}/redis.sock\"\n");
    declare_shop("");
  }
  ~EngineKit() override { (void)on("h", {"service", "all", "stop"}); }

  void declare(const std::string& name, const std::string& rest) {
    write_file(path("h") + "/services/" + name + ".toml", "name = \"" + name + "\"\n" + rest);
  }
  static std::string redis_surface(const std::string& name, const std::string& split) {
    return "[[surface]]\nname = \"" + name +
           "\"\nkind = \"redis\"\nurl = \"unix:{home}/run/services/cache/redis.sock\"\n" +
           (split.empty() ? "" : "split = { " + split + " }\n");
  }
  void declare_shop(const std::string& more) {
    declare("shop", redis_surface("memory", "database = \"{context_id}\"") +
                        redis_surface("marks", "prefix = \"{context}:\"") + more);
  }
  void start() {
    const Ran ran = on("h", {"service", "all", "start"});
    ASSERT_EQ(ran.code, 0) << ran.err;
  }
  void add_context(const std::string& name) { ASSERT_EQ(on("h", {"context", "add", name}).code, 0); }

  std::string ask(std::uint32_t database, std::initializer_list<std::string_view> words) {
    surface::RedisAddress address;
    address.socket = path("h") + "/run/services/cache/redis.sock";
    auto server = surface::RedisConnection::open(address);
    EXPECT_TRUE(server) << server.error().message;
    if (!server) return "";
    EXPECT_TRUE(server->select(database));
    const auto reply = server->ask(words);
    EXPECT_TRUE(reply) << reply.error().message;
    if (!reply) return "";
    return reply->text().empty() && !reply->is_null() ? std::to_string(reply->integer()) : std::string(reply->text());
  }
  void set(std::uint32_t database, const std::string& key, const std::string& value = "x") {
    EXPECT_EQ(ask(database, {"SET", key, value}), "OK");
  }
  // The keys of a database, ascending, with a space between; "" of none.
  std::string keys(std::uint32_t database) {
    const std::string all = ask(
        database, {"EVAL", "local k = redis.call('KEYS','*') table.sort(k) return '.' .. table.concat(k,' ')", "0"});
    return all.empty() ? all : all.substr(1);
  }
  Ran backup(Words more = {}) {
    Words words{"service", "all", "backup", "--to", path("a.spl"), "--plaintext", "--force"};
    words.insert(words.end(), more.begin(), more.end());
    return on("h", words);
  }
};

}  // namespace spl::cli_test
