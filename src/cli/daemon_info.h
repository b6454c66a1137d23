// What a running daemon says of itself in the home: run/spl.pid, its process id and a newline, for people and scripts;
// and run/daemon.json, from which commands learn its port and store. Both may be left behind by a daemon that was
// killed: what they say is believed only while that very process lives.
#pragma once

#include <cstdint>
#include <optional>
#include <string>

#include "base/result.h"
#include "env/env.h"
#include "instance/home.h"

namespace spl::cli {

struct DaemonInfo {
  int pid = 0;
  std::string process_start;  // tells the process from a later one with the same id: /proc/PID/stat, field 22
  std::string address;        // "http://127.0.0.1:9100"
  std::uint16_t port = 0;
  std::string store_url;  // as it was given to serve; "" is the home's own
};

// When a process began, in a form that only it has; nothing where there is none.
std::optional<std::string> process_start(int pid);

// Of a process that lives; nothing otherwise.
Result<std::optional<DaemonInfo>> running_daemon(env::Env env, const instance::HomePaths& paths);
Result<void> write_daemon_info(env::Env env, const instance::HomePaths& paths, const DaemonInfo& info);
void remove_daemon_info(env::Env env, const instance::HomePaths& paths);

}  // namespace spl::cli
