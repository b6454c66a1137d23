// A process that goes on in the background, and the caller that waits until it is ready. To be called before this
// process has any other thread.
#pragma once

#include <functional>
#include <optional>

#include "base/result.h"
#include "cli/daemon_info.h"
#include "instance/home.h"

namespace spl::cli {

// To be called in the background process when it is ready: what it says reaches the caller, and standard input, output
// and error are left.
using Ready = std::function<Result<void>(const DaemonInfo&)>;

struct Started {
  std::optional<DaemonInfo> info;  // in the caller; nothing in the background process, when its work is over
};

// Runs `work` in a process of its own session, in the directory "/". In the caller it returns when `work` is ready or
// has failed, with its error then; in the background process when `work` has ended.
Result<Started> daemonize(const instance::HomePaths& paths, const std::function<Result<void>(const Ready&)>& work);

}  // namespace spl::cli
