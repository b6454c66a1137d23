// The types of Redis's values, as TYPE names them. Values; any thread.
#pragma once

#include <array>
#include <cstdint>
#include <utility>

namespace spl::surface {

enum class RedisType : std::uint8_t { kString, kList, kSet, kSortedSet, kHash, kStream };
constexpr auto names_of(RedisType /*type*/) {
  using enum RedisType;
  return std::array{std::pair{kString, "string"},  std::pair{kList, "list"}, std::pair{kSet, "set"},
                    std::pair{kSortedSet, "zset"}, std::pair{kHash, "hash"}, std::pair{kStream, "stream"}};
}

}  // namespace spl::surface
