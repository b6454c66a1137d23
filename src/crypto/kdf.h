// Keys from other keys and from passphrases: HMAC-SHA-256 (RFC 2104), HKDF-SHA-256 (RFC 5869),
// scrypt (RFC 7914, with r = 8 and p = 1). Any thread.
#pragma once

#include <cstddef>
#include <string_view>

#include "base/bytes.h"
#include "base/result.h"

namespace spl::crypto {

inline constexpr std::size_t kDerivedKeyBytes = 32;

Digest hmac_sha256(std::string_view key, std::string_view octets);

// Extract and expand, 32 octets.
SecretBytes hkdf_sha256(std::string_view key, std::string_view salt, std::string_view info);

// 32 octets; N = 2^log_n, which needs 2^(log_n + 10) octets of memory. `log_n` from 1 to 30. An
// error where memory does not suffice.
Result<SecretBytes> scrypt(std::string_view passphrase, std::string_view salt, int log_n);

}  // namespace spl::crypto
