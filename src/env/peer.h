// Who serves an address of this machine. Linux only; any thread. Sources: unix(7) (SO_PEERCRED), proc(5) (net/tcp,
// net/unix).
#pragma once

#include <chrono>
#include <string_view>
#include <vector>

#include "base/result.h"

namespace spl::env {

// "unix:PATH" or "tcp:HOST:PORT": all that hold the socket which listens there, whoever made it: also what has taken it
// over by fork, exec or from a supervisor. None where nobody listens or answers in time, or another machine does. Of a
// Unix socket that nobody is seen to hold it is the process that began to listen. An error where it cannot be looked:
// also cause kDenied, where nobody is found and some processes could not be looked at that may be it. It connects, and
// says nothing.
Result<std::vector<int>> peers_of(std::string_view address, std::chrono::milliseconds at_most);

}  // namespace spl::env
