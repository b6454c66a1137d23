// Bech32 (BIP 173), as age has it: no limit of 90 characters, octets as data. Strict: one text for
// one value. The case of the human-readable part is the case of the whole text. Any thread.
#pragma once

#include <cstddef>
#include <string>
#include <string_view>

#include "base/bytes.h"
#include "base/result.h"

namespace spl::crypto {

// `prefix` is the human-readable part, in one case.
std::string to_bech32(std::string_view prefix, std::string_view octets);

// The data of exactly `octets` octets behind exactly this prefix. Refuses wrong length (before
// anything else is looked at), mixed case, other characters, a wrong checksum, and padding that is
// not zero. The message does not show `text`, which may be a secret.
Result<SecretBytes> from_bech32(std::string_view prefix, std::string_view text, std::size_t octets);

}  // namespace spl::crypto
