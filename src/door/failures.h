// Who has failed how often to come in, and how long it has to wait: from the sixth time on twice as long each time. By
// address; of IPv6 by /64, which one household has. One thread at a time.
#pragma once

#include <chrono>
#include <cstddef>
#include <map>
#include <string>

namespace spl::door {

inline constexpr int kFreeFailures = 5;
inline constexpr std::chrono::seconds kFirstWait{2};
inline constexpr std::chrono::minutes kLongestWait{15};
inline constexpr std::size_t kAddressesMax = 10'000;

class Failures {
 public:
  using TimePoint = std::chrono::steady_clock::time_point;
  // How long it has to wait still; 0: it may try.
  [[nodiscard]] std::chrono::seconds wait_of(const std::string& address, TimePoint now) const;
  void note(const std::string& address, TimePoint now);
  void forget(const std::string& address);

 private:
  struct Tries {
    int failures = 0;
    TimePoint until;
  };
  void make_room(TimePoint now);
  std::map<std::string, Tries> by_network_;
};

}  // namespace spl::door
