// Who may come in over TCP: bearer tokens (RFC 6750) of service accounts. Any thread.
//
// A token that was found good is remembered for a moment, by its hash, so that a stream of requests does not fold the
// accounts' records for each; whatever can take power away is reported with power_changed() and ends that at once.
#pragma once

#include <atomic>
#include <chrono>
#include <cstdint>
#include <map>
#include <mutex>
#include <optional>
#include <string_view>

#include "base/bytes.h"
#include "base/result.h"
#include "http/exchange.h"
#include "instance/instance.h"
#include "substrate/accounts.h"

namespace spl::http {

inline constexpr std::size_t kBearersKeptMax = 256;
inline constexpr std::chrono::milliseconds kBearerKept{1000};  // a token may outlive its expiry by this

class Gate {
 public:
  explicit Gate(instance::Instance& instance) : instance_(instance) {}

  // Lets the request in, as somebody who has `scope`, or refuses it. At the Unix socket everybody is the owner.
  Result<void> admit(Exchange& exchange, std::string_view scope);
  // Accounts, tokens or the identity may be others from now on. To be called after the commit.
  void power_changed() { generation_.fetch_add(1, std::memory_order_release); }

 private:
  struct Kept {
    substrate::Bearer bearer;
    std::uint64_t generation = 0;
    std::chrono::steady_clock::time_point until;
  };
  Result<substrate::Bearer> bearer_of(std::string_view token);
  std::optional<substrate::Bearer> kept(const Digest& sha256);

  instance::Instance& instance_;
  std::atomic<std::uint64_t> generation_ = 0;
  std::mutex mutex_;  // guards kept_
  std::map<Digest, Kept> kept_;
};

// May this request write records of `actor`? At the Unix socket, and with the scope admin, of any.
bool may_write_as(const Exchange& exchange, std::string_view actor);
// May it have the instance sign? Only who could take the key away as well: the owner, and the scope admin.
bool may_sign(const Exchange& exchange);

}  // namespace spl::http
