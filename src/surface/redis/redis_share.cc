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

std::vector<RedisShare> shares_of_server(const std::vector<Place>& places, const RedisAddress& address) {
  std::vector<RedisShare> shares;
  for (const Place& place : places) {
    const auto its = RedisAddress::parse(place.url.reveal());
    if (!its || its->socket != address.socket || its->host != address.host || its->port != address.port) continue;
    if (auto share = redis_share_of(place, *its)) shares.push_back(std::move(*share));
  }
  return shares;
}

}  // namespace spl::surface
