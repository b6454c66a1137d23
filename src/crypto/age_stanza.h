// What the stanzas of an age header mean: how the file key is wrapped for X25519 recipients or
// under a passphrase. Source: https://c2sp.org/age, "Native recipient types". Any thread.
#pragma once

#include <cstddef>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "base/bytes.h"
#include "base/result.h"
#include "crypto/age.h"
#include "crypto/age_header.h"
#include "crypto/random.h"

namespace spl::crypto {

inline constexpr std::size_t kAgeFileKeyBytes = 16;

Result<AgeStanza> wrap_for_recipient(const SecretBytes& file_key, const Recipient& recipient,
                                     const FillRandom& fill_random);
Result<AgeStanza> wrap_under_passphrase(const SecretBytes& file_key, const SecretBytes& passphrase,
                                        const FillRandom& fill_random, int log_n);

// The stanzas that this program knows, checked; stanzas of other types are left out.
struct AgeLocks {
  struct X25519 {
    std::string share;  // a point of 32 octets
    std::string body;   // 32 octets
  };
  struct Scrypt {
    std::string salt;  // 16 octets
    int log_n = 0;
    std::string body;  // 32 octets
  };
  std::vector<X25519> x25519;
  std::optional<Scrypt> scrypt;  // then x25519 is empty, and so was the rest
};

// Code kVerification where a stanza of a known type is not as it must be, also one for somebody
// else; where scrypt does not stand alone; and where its work factor is over `log_n_max`.
Result<AgeLocks> read_locks(const std::vector<AgeStanza>& stanzas, int log_n_max);

struct Unwrapped {
  SecretBytes file_key;
  std::optional<Recipient> recipient;  // of the identity that fits; nothing for a passphrase
};
// Nothing where no identity fits; code kVerification for a share of small order.
Result<std::optional<Unwrapped>> unwrap(std::span<const AgeLocks::X25519> locks,
                                        std::span<const AgeIdentity> identities);
// The same for a passphrase; an error where memory does not suffice for the work factor.
Result<std::optional<Unwrapped>> unwrap(const AgeLocks::Scrypt& lock, const SecretBytes& passphrase);

}  // namespace spl::crypto
