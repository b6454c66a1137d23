// One question to an address and what comes back, for finding out whether something answers there, and who. Any thread.
#pragma once

#include <chrono>
#include <string>
#include <string_view>

#include "base/result.h"
#include "env/descriptor.h"

namespace spl::env {

// "unix:PATH" or "tcp:HOST:PORT": sends `question` (may be empty) and gives the first bytes of what comes back, at most
// `bytes_max`; with 0 it only connects. Code kUnavailable where nobody answers in time; another one where it cannot be
// asked, as without a free descriptor. The limit holds for the look-up of HOST, too, which goes on by itself after it.
Result<std::string> ask_address(std::string_view address, std::string_view question, std::size_t bytes_max,
                                std::chrono::milliseconds at_most);

// The same address, connected; what is read from it and written to it does not wait.
Result<Descriptor> connect_address(std::string_view address, std::chrono::milliseconds at_most);

}  // namespace spl::env
