// A Redis server that a home runs, and a service of the operator's whose data is in it: one database a context, and
// keys that begin with its name.
#pragma once

#include <gtest/gtest.h>

#include <initializer_list>
#include <string>
#include <string_view>

#include "services_kit.h"

namespace spl::cli_test {

class EngineKit : public ServicesKit {
 protected:
  EngineKit() {
    init("h");
    declare_cache("h");
    declare_shop("");
  }

  void declare(const std::string& name, const std::string& rest) { ServicesKit::declare("h", name, rest); }
  static std::string redis_surface(const std::string& name, const std::string& split) {
    return "[[surface]]\nname = \"" + name +
           "\"\nkind = \"redis\"\nurl = \"unix:{home}/run/services/cache/redis.sock\"\n" +
           (split.empty() ? "" : "split = { " + split + " }\n");
  }
  void declare_shop(const std::string& more) {
    declare("shop", redis_surface("memory", "database = \"{context_id}\"") +
                        redis_surface("marks", "prefix = \"{context}:\"") + more);
  }
  void start() { ServicesKit::start("h"); }
  void add_context(const std::string& name) { add_contexts("h", {name}); }

  std::string ask(std::uint32_t database, std::initializer_list<std::string_view> words) {
    return ask_redis("h", database, words);
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
  Ran backup(const Words& more = {}) { return ServicesKit::backup("h", "a.spl", more); }
};

}  // namespace spl::cli_test
