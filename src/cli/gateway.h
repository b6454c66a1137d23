// The way of a command that a running daemon must see: through the daemon where one answers, else directly, under the
// home's lock. Both do the same. One thread.
#pragma once

#include <memory>
#include <optional>
#include <string>

#include "base/result.h"
#include "cli/progress.h"
#include "cli/session.h"
#include "cli/streams.h"
#include "http/daemon_client.h"
#include "instance/instance.h"
#include "instance/spooled.h"

namespace spl::cli {

// Exactly one of the two is there.
struct Gateway {
  std::optional<http::DaemonClient> daemon;
  std::unique_ptr<instance::Instance> instance;
};

// While another process has the lock and no daemon answers, both ways are tried again for up to 30 s; then the code is
// kUnavailable. `how` is kWriting or kCreating.
Result<Gateway> open_gateway(Session& session, instance::OpenFor how);

// Who writes into a pipe may be slow, or wait for the home's lock: before this process takes the lock, `file` is read
// to its end; nothing where nobody else could wait. A daemon does so itself. `phase` is for `progress`.
Result<std::optional<instance::Spooled>> spool_if_slow(Session& session, InputFile& file, ShownProgress& progress,
                                                       std::string_view phase);

// Code kRefused where there is one already. After an error `gateway` is of no use.
Result<instance::IdentitySummary> generate_identity(Gateway& gateway);

// Who holds the advisory lock on a file, as far as the kernel tells.
std::optional<int> lock_holder(const std::string& path);

}  // namespace spl::cli
