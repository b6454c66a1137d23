// Numbers of canonical JSON (records.md, rule 4). Source of the double form: ECMA-262
// Number::toString, as RFC 8785 section 3.2.2.3 cites it. Any thread.
#pragma once

#include <string>
#include <string_view>

namespace spl::codec {

// The length of the JSON number (RFC 8259) at the start of `text`, 0 where there is none.
// `is_integer` says that it has neither fraction nor exponent.
std::size_t scan_json_number(std::string_view text, bool& is_integer);
// Appends the canonical form of a scanned number; false where it overflows a double.
[[nodiscard]] bool append_canonical_number(std::string& out, std::string_view number, bool is_integer);
// As ECMAScript writes it; `value` is finite.
void append_ecmascript_double(std::string& out, double value);

}  // namespace spl::codec
