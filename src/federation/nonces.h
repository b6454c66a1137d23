// The nonces of requests that were taken, for as long as the requests could be sent again. Any thread.
#pragma once

#include <chrono>
#include <cstdint>
#include <deque>
#include <mutex>
#include <string>
#include <string_view>
#include <unordered_map>
#include <unordered_set>

#include "base/result.h"

namespace spl::federation {

inline constexpr std::chrono::seconds kRequestAgeMax{300};    // between a request's `created` and this clock, both ways
inline constexpr std::size_t kNoncesOfPeerMax = 20'000;       // that are kept for one paired peer
inline constexpr std::size_t kNoncesOfStrangersMax = 20'000;  // and for all others together

class Nonces {
 public:
  // Takes a nonce of `did` that was sent with a `created` of these Unix seconds. Cause kNonceUsed where it was taken
  // before, kUnavailable where there is no room for more. Who is no peer shares its room with all who are none.
  Result<void> take(std::string_view did, bool is_peer, std::string_view nonce, std::int64_t created, std::int64_t now);

 private:
  struct Taken {
    std::int64_t until = 0;
    std::string key;
  };
  struct Room {
    std::unordered_set<std::string> known;
    std::deque<Taken> in_order;
    std::int64_t latest = 0;
  };
  static void forget_old(Room& room, std::int64_t now);

  std::mutex mutex_;                             // guards the rooms
  std::unordered_map<std::string, Room> rooms_;  // by peer's DID; strangers' under ""
};

}  // namespace spl::federation
