#include "federation/nonces.h"

#include <algorithm>

namespace spl::federation {

void Nonces::forget_old(Room& room, std::int64_t now) {
  while (!room.in_order.empty() && room.in_order.front().until < now) {
    room.known.erase(room.in_order.front().key);
    room.in_order.pop_front();
  }
}

Result<void> Nonces::take(std::string_view did, bool is_peer, std::string_view nonce, std::int64_t created,
                          std::int64_t now) {
  const std::scoped_lock lock(mutex_);
  Room& room = rooms_[is_peer ? std::string(did) : std::string()];
  forget_old(room, now);
  std::string key = std::string(did) + " " + std::string(nonce);
  // Who has become a peer since, or is none any more, has used its nonces in the other room.
  const auto has = [this, &key](const std::string& name) {
    const auto at = rooms_.find(name);
    return at != rooms_.end() && at->second.known.contains(key);
  };
  if (has(std::string(did)) || has(std::string()))
    return fail(ErrorCode::kRefused, Cause::kNonceUsed, "a request with this nonce was taken before",
                "make each request with a nonce of its own");
  if (room.known.size() >= (is_peer ? kNoncesOfPeerMax : kNoncesOfStrangersMax))
    return fail(ErrorCode::kUnavailable, "too many signed requests at once", "try again in a few minutes");
  // In order of their ends: one that could be forgotten earlier is kept as long as those before it.
  room.latest = std::max(room.latest, created + kRequestAgeMax.count());
  room.known.insert(key);
  room.in_order.push_back({room.latest, std::move(key)});
  return {};
}

}  // namespace spl::federation
