// Debian's nginx, run with the configuration of a plan: tried before it is loaded, so that a bad one never is. One
// thread at a time: who holds the home's lock. Source: nginx(8).
#pragma once

#include <cstdint>
#include <string>
#include <utility>

#include "base/progress.h"
#include "base/result.h"
#include "env/env.h"
#include "router/plan.h"

namespace spl::router {

// Of a router that runs: connections of before keep workers of before, so what has not changed is not loaded again.
enum class Reload : std::uint8_t { kWhenChanged, kAlways };

class Nginx {
 public:
  Nginx(env::Env env, home::HomePaths paths) : env_(env), paths_(std::move(paths)) {}

  // Code kUnavailable where it is not installed.
  Result<void> check() const;
  [[nodiscard]] Result<bool> is_running() const;
  // Begins to serve the plan, or serves it from now on: connections of before end in their own time. Code kUnavailable
  // where a port is taken, by whom if that can be seen; kUsage where nginx does not take the configuration: then what
  // was served before still is.
  Result<void> serve(const RouterPlan& plan, Reload reload);
  // Until none of it is left. True where it ran.
  Result<bool> stop(base::Progress& progress);

  // Whether a daemon of the home is to start it; noted by serve() and stop().
  [[nodiscard]] Result<bool> is_wanted() const;

 private:
  Result<int> process() const;  // 0: none
  Result<void> write(const RouterPlan& plan);
  Result<void> try_out(const std::string& file);
  Result<void> check_ports(const RouterPlan& plan, bool is_running) const;
  [[nodiscard]] std::string config_file() const;
  [[nodiscard]] std::string wanted_file() const;

  env::Env env_;
  home::HomePaths paths_;
};

}  // namespace spl::router
