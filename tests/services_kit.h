// Homes with services that run, for the tests that go through the program; and the engines that some of them need.
#pragma once

#include <cstdint>
#include <functional>
#include <initializer_list>
#include <map>
#include <string>
#include <string_view>
#include <vector>

#include "cli_harness.h"

namespace spl::cli_test {

// Fails the test where it is not so within a minute.
void wait_until(const std::function<bool()>& is_so, const std::string& what);
// Where the newest PostgreSQL's programs are.
std::string postgres_binaries();
// As a shell's word.
std::string quoted(const std::string& text);
// Clients that services of the tests begin with: redis_client(path) and psql_client(directory, user) each give a
// function that asks.
extern const char* const kPythonClients;

class ServicesKit : public CliTest {
 public:
  ServicesKit();
  ~ServicesKit() override;  // stops the services of every home

 protected:
  // A bare home.
  void init(const std::string& home);
  void declare(const std::string& home, const std::string& name, const std::string& rest);
  // A program in the test's directory; its path.
  std::string write_script(const std::string& name, const std::string& text);
  void add_contexts(const std::string& home, const std::vector<std::string>& names);
  void start(const std::string& home);
  Ran ask(const std::string& home, const Words& words);
  Ran backup(const std::string& home, const std::string& file, const Words& more = {});
  Ran restore(const std::string& home, const std::string& file, const Words& more = {});

  // Services "cache", a Redis, and "pg", a PostgreSQL with the role and the database "app".
  void declare_cache(const std::string& home, const std::string& more_arguments = {});
  void declare_postgres(const std::string& home);
  [[nodiscard]] std::string run_directory(const std::string& home, const std::string& service) const;
  [[nodiscard]] std::string cache_socket(const std::string& home) const {
    return run_directory(home, "cache") + "/redis.sock";
  }
  [[nodiscard]] std::string cache_url(const std::string& home) const { return "unix:" + cache_socket(home); }
  // The members url and admin_url of a surface in "app".
  [[nodiscard]] std::string postgres_urls(const std::string& home) const;

  // What a command of a shell prints, without the last line's end; "?" where it fails.
  std::string output_of(const std::string& command);
  std::string psql(const std::string& home, const std::string& sql, const std::string& user = "app");
  std::string redis(const std::string& home, const std::string& words);
  // An answer of the cache's, as text.
  std::string ask_redis(const std::string& home, std::uint32_t database, std::initializer_list<std::string_view> words);
  // What spl has left in the engines and in the home that is its own; "" for nothing.
  std::string left(const std::string& home);

  std::map<std::string, std::string> environment_;  // of every command

 private:
  std::vector<std::string> homes_;
};

}  // namespace spl::cli_test
