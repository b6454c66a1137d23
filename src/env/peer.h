// Who serves an address of this machine. Linux only; any thread. Sources: unix(7) (SO_PEERCRED), proc(5) (net/tcp).
#pragma once

#include <chrono>
#include <string_view>
#include <vector>

#include "base/result.h"

namespace spl::env {

// "unix:PATH" or "tcp:HOST:PORT": the process that began to listen at the socket, or all that hold the port's. None
// where nobody answers in time, where another machine does, or where it may not be looked at. It connects, and says
// nothing.
Result<std::vector<int>> peers_of(std::string_view address, std::chrono::milliseconds at_most);

}  // namespace spl::env
