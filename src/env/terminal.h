// What a terminal is and can show, and what a person types there unseen. Any thread. Sources: tty_ioctl(4), termios(3),
// locale(7).
#pragma once

#include <cstddef>
#include <optional>
#include <string>
#include <string_view>

#include "base/bytes.h"
#include "base/result.h"
#include "env/interrupt.h"

namespace spl::env {

// In columns; nothing where the descriptor is no terminal, or it does not say.
std::optional<std::size_t> terminal_width(int descriptor);

// The variables of the environment that say what may be shown, "" where one is not set.
struct TerminalVariables {
  std::string_view lc_all;
  std::string_view lc_ctype;
  std::string_view lang;
  std::string_view term;
};
// Whether more than ASCII is welcome: the locale is one of UTF-8, and the terminal not a dumb one.
bool shows_unicode(const TerminalVariables& variables);

// A line that is typed on the terminal that the process belongs to (/dev/tty), without echo, whatever the standard
// streams are. Code kUsage where it belongs to none, or nothing was typed; cause kCancelled after an interrupt (may be
// null). The terminal is as it was before when it returns.
Result<SecretBytes> read_hidden_line(std::string_view prompt, const Interrupt* interrupt);

}  // namespace spl::env
