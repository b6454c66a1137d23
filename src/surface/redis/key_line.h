// A key of Redis as a bundle has it: one line of JSON in db-<n>.ndjson (docs/formats/redis.md). Pure; any thread.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

#include "base/bytes.h"
#include "base/result.h"
#include "surface/redis/redis_type.h"

namespace spl::surface {

// A body over this many octets is a file of its own, named after its digest.
inline constexpr std::uint64_t kLineBodyBytesMax = 32u << 20;
inline constexpr std::size_t kKeyLineBytesMax = 160u << 20;  // with a key of 64 MiB, in base64

struct KeyHead {
  std::string key;
  RedisType type = RedisType::kString;
  std::optional<std::int64_t> expires_at_ms = {};  // since 1970
  bool operator==(const KeyHead&) const = default;
};

struct KeyLine {
  KeyHead head;
  std::string dump;                  // the body, or
  std::optional<Digest> large = {};  // the name of the file that is it
};

// {"key":..,"type":..,"expires_at_ms":..,"dump":" ; then the body in base64, then kLineEnd.
std::string key_line_begin(const KeyHead& head);
inline constexpr std::string_view kKeyLineEnd = "\"}\n";
// The whole line of a body that is a file.
std::string large_key_line(const KeyHead& head, const Digest& body);
constexpr std::uint64_t base64_bytes(std::uint64_t octets) {
  return (octets + 2) / 3 * 4;
}
// Of one line without its end. Cause kMalformed where it is not just what the format says.
Result<KeyLine> parse_key_line(std::string_view line);

}  // namespace spl::surface
