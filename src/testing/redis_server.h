// A real Redis server on a socket of its own, for tests: nothing it has outlives it. One thread.
#pragma once

#include <gtest/gtest.h>

#include <memory>
#include <string>
#include <vector>

#include "env/child_process.h"
#include "env/connect.h"
#include "env/posix_env.h"
#include "testing/temp_directory.h"

namespace spl::testing {

class RedisServer {
 public:
  explicit RedisServer(const std::vector<std::string>& more = {}) {
    env::ChildOptions options{
        .arguments = {"redis-server", "--port", "0", "--unixsocket", "s", "--save", "", "--appendonly", "no",
                      "--enable-debug-command", "yes", "--dir", directory_.path(), "--logfile", "log"},
        .environment = {"PATH=/usr/local/bin:/usr/bin:/bin", "LC_ALL=C.UTF-8"},
        .working_directory = directory_.path()};
    options.arguments.insert(options.arguments.end(), more.begin(), more.end());
    auto started = env::ChildProcess::start(options);
    EXPECT_TRUE(started) << started.error().message;
    if (!started) return;
    process_ = std::move(*started);
    env::SystemClock clock;
    for (int looks = 0; looks < 2000; ++looks) {
      const auto answer = env::ask_address("unix:" + socket(), "PING\r\n", 5, std::chrono::seconds(5));
      if (answer && (answer->starts_with("+PONG") || answer->starts_with("-NOAU"))) return;
      clock.sleep_for(std::chrono::milliseconds(10));
    }
    ADD_FAILURE() << "redis-server does not answer";
  }

  [[nodiscard]] std::string socket() const { return directory_.path() + "/s"; }
  [[nodiscard]] std::string url() const { return "unix:" + socket(); }
  [[nodiscard]] std::string directory() const { return directory_.path(); }
  [[nodiscard]] int pid() const { return process_->pid(); }

 private:
  TempDirectory directory_;
  std::unique_ptr<env::ChildProcess> process_;
};

}  // namespace spl::testing
