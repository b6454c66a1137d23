// Input that may be slow to come: whoever writes into a pipe may wait for the home's lock, or for a person. One thread.
#pragma once

#include <optional>
#include <string_view>

#include "base/result.h"
#include "cli/session.h"
#include "env/streams.h"
#include "spool/receive.h"

namespace spl::cli {

// Before this process takes the home's lock, a pipe is read to its end; nothing where nobody else could wait. A daemon
// does so itself. `phase` is for the session's progress.
Result<std::optional<spool::Received>> receive_if_slow(Session& session, env::InputFile& file, std::string_view phase);

}  // namespace spl::cli
