#include "door/failures.h"

#include <arpa/inet.h>

#include <algorithm>
#include <cstring>
#include <vector>

namespace spl::door {
namespace {

constexpr std::size_t kNetworkOctets = 8;  // of an address of IPv6

std::string network_of(const std::string& address) {
  in6_addr octets{};
  if (::inet_pton(AF_INET6, address.c_str(), &octets) != 1 || IN6_IS_ADDR_V4MAPPED(&octets)) return address;
  return {reinterpret_cast<const char*>(octets.s6_addr), kNetworkOctets};
}

std::chrono::seconds wait_after(int failures) {
  std::chrono::seconds wait = kFirstWait;
  for (int more = failures - kFreeFailures; more > 1 && wait < kLongestWait; --more) wait *= 2;
  return std::min<std::chrono::seconds>(wait, kLongestWait);
}

}  // namespace

std::chrono::seconds Failures::wait_of(const std::string& address, TimePoint now) const {
  const auto at = by_network_.find(network_of(address));
  if (at == by_network_.end() || at->second.until <= now) return {};
  return std::chrono::ceil<std::chrono::seconds>(at->second.until - now);
}

void Failures::note(const std::string& address, TimePoint now) {
  if (by_network_.size() >= kAddressesMax) make_room(now);
  Tries& tries = by_network_[network_of(address)];
  // It is counted as long as it is waited for, and as long again.
  if (tries.failures > kFreeFailures && tries.until + kLongestWait < now) tries.failures = 0;
  ++tries.failures;
  tries.until = tries.failures > kFreeFailures ? now + wait_after(tries.failures) : now;
}

void Failures::forget(const std::string& address) {
  by_network_.erase(network_of(address));
}

// The half that has less to wait goes: who makes up addresses pushes out such as he has made up.
void Failures::make_room(TimePoint now) {
  std::erase_if(by_network_, [now](const auto& one) { return one.second.until <= now; });
  // Room for many at once: the look through all of them is paid for by as many that come.
  if (by_network_.size() < kAddressesMax / 4 * 3) return;
  std::vector<TimePoint> ends;
  ends.reserve(by_network_.size());
  for (const auto& [network, tries] : by_network_) ends.push_back(tries.until);
  const auto middle = ends.begin() + static_cast<std::ptrdiff_t>(ends.size() / 2);
  std::ranges::nth_element(ends, middle);
  std::erase_if(by_network_, [&](const auto& one) { return one.second.until <= *middle; });
}

}  // namespace spl::door
