// Codes that a person may type: 128 random bits as 26 letters and digits in groups. Pure; any thread.
#pragma once

#include <optional>
#include <string>
#include <string_view>

#include "base/bytes.h"
#include "env/env.h"

namespace spl::door {

// "k7m2q-...": without what looks like something else.
SecretBytes new_code(env::Random& random);
// Its SHA-256, by which it is known; the same for capitals, and with or without spaces and hyphens. Nothing for what
// cannot be one.
std::optional<Digest> digest_of_code(std::string_view typed);

// 256 random bits, for a cookie.
SecretBytes new_token(env::Random& random);
std::optional<Digest> digest_of_token(std::string_view token);

}  // namespace spl::door
