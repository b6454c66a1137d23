// Times as RFC 3339 writes them, with any offset and any fraction, to a moment. Any thread.
#pragma once

#include <chrono>
#include <optional>
#include <string_view>

namespace spl::base {

// Nothing where it is none; a leap second is the second after it. Fractions beyond nanoseconds are cut off.
std::optional<std::chrono::system_clock::time_point> parse_rfc3339(std::string_view text);

}  // namespace spl::base
