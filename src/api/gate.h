// Who may come in over TCP: bearer tokens (RFC 6750) of service accounts. Any thread.
//
// Who holds which token is worked out once, by one thread while the others wait for it, and kept until change_power():
// neither a stream of requests nor a stranger's guesses make the daemon read accounts and tokens for each.
#pragma once

#include <atomic>
#include <cstdint>
#include <map>
#include <memory>
#include <mutex>
#include <optional>
#include <string>
#include <string_view>

#include "api/exchange.h"
#include "base/bytes.h"
#include "base/result.h"
#include "instance/instance.h"
#include "substrate/accounts.h"

namespace spl::api {

class Gate {
 public:
  explicit Gate(instance::Instance& instance) : instance_(instance) {}

  // Finds out who asks, or refuses the request. At the Unix socket everybody is the owner.
  Result<void> identify(Exchange& exchange);
  // Whether the value of a field "authorization" has a token of this instance that is good.
  Result<bool> is_token_in(std::string_view authorization);
  // The same, and refuses who has not `scope`.
  Result<void> admit(Exchange& exchange, std::string_view scope);
  // Does something after which accounts, tokens or the identity may be others, and gives its result back. Also where it
  // fails: that may have been after a commit.
  template <class Change>
  auto change_power(const Change& change) {
    struct Changed {
      Gate& gate;
      ~Changed() { gate.generation_.fetch_add(1, std::memory_order_release); }
    } const changed{*this};
    return change();
  }

 private:
  struct Holder {
    substrate::Bearer bearer;
    std::optional<std::string> expires_at;
  };
  struct Holders {
    std::uint64_t generation = 0;
    std::map<Digest, Holder> by_token;  // by its hash
  };
  Result<std::shared_ptr<const Holders>> holders();
  Result<std::shared_ptr<const Holders>> read_holders();
  Result<std::optional<substrate::Bearer>> bearer_of(std::string_view token);

  instance::Instance& instance_;
  std::atomic<std::uint64_t> generation_ = 0;
  std::mutex mutex_;  // guards holders_, and is held while they are read
  std::shared_ptr<const Holders> holders_;
};

// May this request write records of `actor`? At the Unix socket, and with the scope admin, of any.
bool may_write_as(const Exchange& exchange, std::string_view actor);
// May it have the instance sign? Only who could take the key away as well: the owner, and the scope admin.
bool may_sign(const Exchange& exchange);

}  // namespace spl::api
