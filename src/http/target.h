// The target of a request: a path and a query, percent-decoded strictly (RFC 3986). What comes in is hostile. Pure; any
// thread.
#pragma once

#include <cstddef>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "base/result.h"

namespace spl::http {

inline constexpr std::size_t kTargetBytesMax = 8u << 10;
inline constexpr std::size_t kPathSegmentsMax = 16;
inline constexpr std::size_t kQueryParametersMax = 32;

struct Target {
  std::string path;                                        // as it was sent, without the query: for the log
  std::vector<std::string> segments;                       // of "/a//b%2F": "a", "", "b/"; UTF-8
  std::vector<std::pair<std::string, std::string>> query;  // no name twice; UTF-8; '+' is a space

  // Null where there is no such parameter.
  [[nodiscard]] const std::string* parameter(std::string_view name) const;
};

// "/path?query", or the same after "http://authority". Code kUsage.
Result<Target> parse_target(std::string_view text);

// Everything but unreserved characters as %XX: safe as one path segment or one query value.
std::string percent_encode(std::string_view octets);

}  // namespace spl::http
