// What a running daemon says of itself in the home: run/spl.pid, its process id and a newline, for people and scripts;
// and run/daemon.json, from which commands learn its port and store. Both may be left behind by a daemon that was
// killed, or by a power cut: what they say is believed only while that very process lives and has the home's lock.
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
  std::string process_mark;  // tells the process from all others that ever have its id
  std::string address;       // "http://127.0.0.1:9100"
  std::uint16_t port = 0;
  std::string store_url;  // as it was given to serve; "" is the home's own
};

// Of a process that there is: the run of the machine, the namespace of process ids, when it began.
std::optional<std::string> process_mark(int pid);

// Whether this is still the daemon of the home.
bool is_alive(const DaemonInfo& info, const instance::HomePaths& paths);
// Of one that is alive; nothing otherwise.
Result<std::optional<DaemonInfo>> running_daemon(env::Env env, const instance::HomePaths& paths);
Result<void> write_daemon_info(env::Env env, const instance::HomePaths& paths, const DaemonInfo& info);
void remove_daemon_info(env::Env env, const instance::HomePaths& paths);

}  // namespace spl::cli
