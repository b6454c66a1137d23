// X25519 (RFC 7748). Scalars and points are 32 octets; a caller's mistake otherwise. Any thread.
#pragma once

#include <cstddef>
#include <string>
#include <string_view>

#include "base/bytes.h"
#include "base/result.h"

namespace spl::crypto {

inline constexpr std::size_t kX25519Bytes = 32;

// The scalar times the base point.
std::string x25519_public(std::string_view scalar);

// The scalar times the point. Code kVerification where that is zero: the point is of small order,
// whatever the scalar.
Result<SecretBytes> x25519(std::string_view scalar, std::string_view point);

}  // namespace spl::crypto
