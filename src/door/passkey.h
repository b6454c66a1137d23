// Passkeys (W3C Web Authentication, level 2): what an authenticator has signed is held to what was asked. Challenges
// are asked for and taken once. libfido2 verifies signatures, libcbor reads the attestation object; attestations of who
// made an authenticator are not asked for. Any thread.
#pragma once

#include <chrono>
#include <cstdint>
#include <deque>
#include <mutex>
#include <string>
#include <string_view>

#include "base/result.h"
#include "env/env.h"

namespace spl::door {

inline constexpr std::size_t kPasskeysMax = 16;
inline constexpr std::chrono::minutes kChallengeLifetime{5};
inline constexpr std::size_t kChallengesMax = 1024;  // the newest

// Where the browser is: a challenge is good there alone.
struct Site {
  std::string origin;  // "https://box.example.org:8443"
  std::string rp_id;   // "box.example.org"
};

struct PasskeyKey {
  std::string id;                // octets
  int algorithm = 0;             // of COSE: -7, -8, -257
  std::string public_key;        // as libfido2 has it
  std::uint32_t sign_count = 0;  // 0: the authenticator does not count
};

// What a browser gave, all of it octets.
struct Registration {
  std::string client_data;
  std::string attestation_object;
};
struct Assertion {
  std::string client_data;
  std::string authenticator_data;
  std::string signature;
};

class Challenges {
 public:
  explicit Challenges(env::Env env) : env_(env) {}
  // Base64url, of 256 bits.
  std::string make();
  // Whether it was made here, within the time; it is used up.
  bool take(const std::string& challenge);

 private:
  struct One {
    std::string text;
    std::chrono::steady_clock::time_point until;
  };
  env::Env env_;
  std::mutex mutex_;  // guards open_
  std::deque<One> open_;
};

// Octets in base64url without '='; code kUsage.
std::string to_base64url(std::string_view octets);
Result<std::string> from_base64url(std::string_view text);

// Cause kAuthInvalid, whatever is wrong; the challenge is used up.
Result<PasskeyKey> read_registration(const Registration& registration, const Site& site, Challenges& challenges);
// The authenticator's count afterwards. A count that went back is a copy of the key: that is wrong, too.
Result<std::uint32_t> check_assertion(const PasskeyKey& key, const Assertion& assertion, const Site& site,
                                      Challenges& challenges);

}  // namespace spl::door
