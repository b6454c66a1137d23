// Hex and base64 (RFC 4648), strict: one text for one value. Any thread.
#pragma once

#include <string>
#include <string_view>

#include "base/bytes.h"
#include "base/result.h"

namespace spl::base {

// Lowercase.
std::string to_hex(std::string_view octets);
void append_hex(std::string& out, std::string_view octets);
// 64 lowercase digits to a digest; false where it is anything else.
[[nodiscard]] bool parse_hex_digest(std::string_view text, Digest& out);
Result<std::string> from_hex(std::string_view text);  // lowercase only

enum class Padding : bool { kNone, kRequired };
std::string to_base64(std::string_view octets, Padding padding = Padding::kRequired);
// Refuses characters outside the standard alphabet, wrong padding and bits set beyond the last octet.
Result<std::string> from_base64(std::string_view text, Padding padding = Padding::kRequired);

// A JSON string as records.md's canonical form has it: quoted; \" \\ \b \f \n \r \t, other controls as \u00xx, the rest
// as it is. `utf8` must be valid UTF-8.
void append_json_string(std::string& out, std::string_view utf8);

// For messages: graphic ASCII and non-ASCII UTF-8 as they are; quotes, backslashes, what a terminal acts on or shows
// nothing of (base::is_unseen) and broken UTF-8 as \xNN, secrets (secrets.h) not at all. At most max_bytes octets of
// the input are shown, then "...".
std::string escaped(std::string_view foreign, std::size_t max_bytes = 256);
// A path as a JSON string may hold it: as it is where it is UTF-8, otherwise escaped.
std::string path_text(std::string_view path);

}  // namespace spl::base
