// What must never be shown: secret keys of age and tokens of this program, wherever they stand in a text that was meant
// for people, a log or a client. Pure; any thread.
#pragma once

#include <string>
#include <string_view>

namespace spl::base {

// What stands where a secret stood.
inline constexpr std::string_view kNotShown = "(a secret, not shown)";

// AGE-SECRET-KEY-1..., in any case; spl_<env>_<account>_<hex digits>, or the beginning of one.
bool holds_secret(std::string_view text);
// The text with kNotShown in the place of each.
std::string without_secrets(std::string text);

}  // namespace spl::base
