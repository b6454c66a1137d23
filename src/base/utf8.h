// UTF-8 (RFC 3629): shortest forms only, no surrogates, up to U+10FFFF. Any thread.
#pragma once

#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>

namespace spl::base {

// The first code point of `text` into `code_point`, and its length in octets; 0 where there is none or it is invalid.
std::size_t decode_utf8(std::string_view text, std::uint32_t& code_point);
// `code_point` must be a scalar value.
void append_utf8(std::string& out, std::uint32_t code_point);
bool is_utf8(std::string_view text);
// What a terminal shows nothing of, or acts on: controls, characters without width, bidirectional ones, tags, line
// separators.
bool is_unseen(std::uint32_t code_point);

}  // namespace spl::base
