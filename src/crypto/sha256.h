// SHA-256 (FIPS 180-4), one-shot and piece by piece. Free functions: any thread. A Sha256 is used
// by one thread at a time. Nothing here allocates, so it suits a million small inputs.
#pragma once

#include <array>
#include <cstddef>
#include <string>
#include <string_view>

#include "base/bytes.h"

namespace spl::crypto {

class Sha256 {
 public:
  Sha256();
  void update(std::string_view octets);
  // The digest of all octets since construction or the last finish(); the object begins anew.
  Digest finish();

 private:
  static constexpr std::size_t kStateBytes = 112;
  alignas(8) std::array<std::byte, kStateBytes> state_;  // OpenSSL's SHA256_CTX
};

Digest sha256(std::string_view octets);

// Of OpenSSL, which this and all that encrypts stands on: "3.0.17".
std::string library_version();

}  // namespace spl::crypto
