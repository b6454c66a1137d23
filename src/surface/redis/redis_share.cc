#include "surface/redis/redis_share.h"

#include <charconv>

#include "base/encoding.h"

namespace spl::surface {

Result<RedisShare> redis_share_of(const Place& place, const RedisAddress& address) {
  RedisShare share;
  if (place.key_prefix) {
    share.prefix = *place.key_prefix;
    share.database = address.database;
    return share;
  }
  if (!place.database) return share;
  std::uint32_t number = 0;
  const std::string& text = *place.database;
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), number);
  if (error != std::errc{} || end != text.data() + text.size())
    return fail(ErrorCode::kUsage,
                place.subject + ": " + base::escaped(text) + " is no number: a database of redis has one");
  share.database = number;
  return share;
}

}  // namespace spl::surface
