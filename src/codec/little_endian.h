// Unsigned 32-bit numbers as zstd writes them: the lowest octet first. Any thread.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>

namespace spl::codec {

// `at` + 4 must be within `octets`.
inline std::uint32_t load_le32(std::string_view octets, std::size_t at) {
  std::uint32_t value = 0;
  for (std::size_t i = 4; i > 0; --i) value = value << 8 | static_cast<unsigned char>(octets[at + i - 1]);
  return value;
}

inline void append_le32(std::string& out, std::uint32_t value) {
  for (int shift = 0; shift < 32; shift += 8) out.push_back(static_cast<char>(value >> shift & 255));
}

}  // namespace spl::codec
