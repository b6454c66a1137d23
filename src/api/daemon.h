// The daemon's life in this process, from the lock to the last request.
#pragma once

#include <functional>
#include <string>

#include "api/server.h"
#include "base/result.h"
#include "env/env.h"
#include "home/daemon_mark.h"
#include "home/home.h"

namespace spl::api {

struct DaemonOptions {
  ServerOptions server;
  std::string store_url;      // "" is the home's own
  std::string ca_file;        // of peers' certificates; "" is what config.toml says
  std::string notify_socket;  // of who started it, as env/service_manager.h has it; "" is nobody
};

// Serves until SIGTERM or SIGINT: to be called before this process has any other thread. SIGHUP has it read its
// certificates anew (where that fails those before stay), look through config.toml, which is read whenever it is asked
// for, and begin the log's file anew; what is wrong is in the log. Events go to the home's log and to that of `outer`.
// `listening` is called once, when clients can connect; its error ends the daemon. Cause kDaemonRuns where a daemon
// serves the home already, kLocked where another process keeps the lock.
Result<void> run_daemon(env::Env outer, const home::HomePaths& paths, const DaemonOptions& options,
                        const std::function<Result<void>(const home::DaemonMark&)>& listening);

}  // namespace spl::api
