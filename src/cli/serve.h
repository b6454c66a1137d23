// The daemon's life in this process, from the lock to the last request.
#pragma once

#include <functional>
#include <string>

#include "base/result.h"
#include "cli/daemon_info.h"
#include "cli/session.h"
#include "http/server.h"

namespace spl::cli {

struct ServeOptions {
  http::ServerOptions server;
  std::string store_url;  // "" is the home's own
};

// Serves until SIGTERM, SIGINT or SIGHUP. `listening` is called once, when clients can connect; its error ends the
// daemon. Code kRefused where a daemon serves the home already, kUnavailable where another process keeps the lock.
Result<void> serve(Session& session, const ServeOptions& options,
                   const std::function<Result<void>(const DaemonInfo&)>& listening);

}  // namespace spl::cli
