// How a bundle file was opened, to be held against what its manifest says of its encryption: whoever has opened it on
// the way and closed it again has done so for other recipients, or for more of them. Any thread.
#pragma once

#include <cstdint>
#include <string>

#include "bundle/manifest.h"
#include "crypto/age.h"

namespace spl::bundle {

struct Opening {
  static Opening of(const crypto::AgeDecryptSource& age);
  // Whether a file of this encryption is opened like this. What is not known is not compared.
  [[nodiscard]] bool fits(const Encryption& encryption) const;

  Encryption::Kind kind = Encryption::Kind::kNone;
  std::string recipient;         // "age1...", of the identity that opened it; empty where it is not known
  std::uint64_t recipients = 0;  // how many there are; 0 where it is not known
};

// For people: "not encrypted", "encrypted for age1... and 2 others".
std::string words(const Opening& opening);
std::string words(const Encryption& encryption);

}  // namespace spl::bundle
