// The owner's password, as it is kept: by Argon2id (RFC 9106), with a cost that a guess pays each time. Any thread; at
// most two at a time work, the others wait. Source: libargon2.
#pragma once

#include <cstddef>
#include <string>

#include "base/bytes.h"
#include "base/result.h"
#include "env/env.h"

namespace spl::door {

inline constexpr std::size_t kPasswordBytesMin = 12;
inline constexpr std::size_t kPasswordBytesMax = 1024;

// Code kUsage for one that is too short, too long, or no text that a person can type again.
Result<void> check_password(const SecretBytes& password);
// With a salt of its own; to be kept as it is.
Result<std::string> hash_of(const SecretBytes& password, env::Random& random);
// Takes as long for a wrong one. Cause kBusy where too many wait already.
Result<bool> is_password(const SecretBytes& password, const std::string& hash);

}  // namespace spl::door
