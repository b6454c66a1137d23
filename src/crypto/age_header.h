// The textual header of an age file, as syntax: version line, stanzas, MAC line. What the stanzas
// mean is age_stanza.h's. Source: https://c2sp.org/age, "ABNF definition of file header". Any
// thread.
#pragma once

#include <cstddef>
#include <string>
#include <string_view>
#include <vector>

#include "base/bytes.h"
#include "base/result.h"

namespace spl::crypto {

inline constexpr std::size_t kAgeHeaderBytesMax = 64u << 10;
inline constexpr std::size_t kAgeStanzasMax = 64;

struct AgeStanza {
  std::vector<std::string> arguments;  // at least one, of graphic ASCII
  std::string body;                    // decoded
};

struct AgeHeader {
  std::vector<AgeStanza> stanzas;  // at least one
  Digest mac;
  std::string maced;             // what the MAC is over: all up to and including "---"
  std::size_t length_bytes = 0;  // of the whole header; the payload begins there

  // Whether the MAC is the one under this file key.
  [[nodiscard]] bool authentic(const SecretBytes& file_key) const;
};

// `prefix` is what the file begins with, at least kAgeHeaderBytesMax octets of it where it has so
// many. Code kVerification for every departure from the ABNF, armor, other versions, and headers
// beyond the limits above.
Result<AgeHeader> parse_age_header(std::string_view prefix);

// The reverse, with the MAC. The stanzas must fit the limits.
std::string write_age_header(const std::vector<AgeStanza>& stanzas, const SecretBytes& file_key);

}  // namespace spl::crypto
