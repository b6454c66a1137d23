// The keys of age: X25519 recipients ("age1...") and identities ("AGE-SECRET-KEY-1..."), as
// age-keygen prints them. Source: https://c2sp.org/age, "The X25519 recipient type". Any thread.
#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "base/bytes.h"
#include "base/result.h"

namespace spl::crypto {

inline constexpr std::size_t kAgeIdentitiesMax = 64;  // in one file of identities
inline constexpr std::size_t kAgeIdentityFileBytesMax = 64u << 10;

// A public key.
class Recipient {
 public:
  // Code kUsage for anything but "age1..." of an X25519 key, and for points of small order.
  static Result<Recipient> parse(std::string_view text);

  [[nodiscard]] std::string text() const;
  [[nodiscard]] std::string_view point() const { return {reinterpret_cast<const char*>(point_.data()), point_.size()}; }
  bool operator==(const Recipient&) const = default;

 private:
  friend class AgeIdentity;
  std::array<std::uint8_t, 32> point_{};
};

// A secret key. Move-only; there is no way to print it.
class AgeIdentity {
 public:
  // Code kUsage for anything else; no message shows the text.
  static Result<AgeIdentity> parse(std::string_view text);

  [[nodiscard]] const Recipient& recipient() const { return recipient_; }
  [[nodiscard]] const SecretBytes& scalar() const { return scalar_; }

 private:
  explicit AgeIdentity(SecretBytes scalar);

  SecretBytes scalar_;
  Recipient recipient_;
};

// The content of a file as age-keygen writes it: identities one a line, blank lines, and comments
// that begin with '#'. Code kUsage where a line is something else, there is no identity, or a limit
// above is passed.
Result<std::vector<AgeIdentity>> parse_identity_file(std::string_view content);

}  // namespace spl::crypto
