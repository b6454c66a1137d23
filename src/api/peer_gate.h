// Who may come in from another instance: requests that are signed with its key, each once. Any thread.
//
// Who is a peer and whose identity has ended is read once and kept until something on a reserved thread changes: a
// stranger's requests do not make the daemon read them for each.
#pragma once

#include <cstdint>
#include <memory>
#include <mutex>
#include <set>
#include <string>

#include "api/exchange.h"
#include "base/result.h"
#include "federation/nonces.h"
#include "instance/instance.h"

namespace spl::api {

class PeerGate {
 public:
  // Made when the daemon starts: what was signed before could have been sent to the daemon before it.
  explicit PeerGate(instance::Instance& instance);

  // Takes the body, finds out which instance asks, and has the answer signed; or refuses the request. At the Unix
  // socket one that is not signed is the owner's.
  Result<void> admit(Exchange& exchange);

 private:
  struct Known {
    std::uint64_t generation = 0;
    std::string did;
    std::set<std::string> peers;
    std::set<std::string> retired;
  };
  Result<std::shared_ptr<const Known>> known(const std::string& did);

  instance::Instance& instance_;
  std::mutex mutex_;  // guards known_, and is held while it is read
  std::shared_ptr<const Known> known_;
  std::int64_t started_;  // Unix seconds
  federation::Nonces nonces_;
};

}  // namespace spl::api
