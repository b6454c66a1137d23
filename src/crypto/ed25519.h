// Ed25519 (RFC 8032, pure, no context) under one fixed rule, so that every build and every instance
// says the same:
//
//   a public key is a canonical encoding (y < p; no sign with x = 0) and not of small order;
//   a signature is R || S where R is such an encoding too, and S < L;
//   it verifies when the encoding of S*B - k*A is R, octet for octet (no cofactor), with k =
//   SHA-512(R, A, message).
//
// A key that is canonical but no point of the curve can be held, and verifies nothing.
// See "Taming the many EdDSAs" (Chalkias, Garillot, Nikolaenko; SSR 2020). All of it is safe from
// any thread, also on one object at the same time; a moved-from SigningKey or Verifier may only be
// destroyed or assigned to.
#pragma once

#include <array>
#include <compare>
#include <cstddef>
#include <cstdint>
#include <memory>
#include <string_view>

#include "base/bytes.h"
#include "base/result.h"

struct evp_pkey_st;

namespace spl::crypto {

inline constexpr std::size_t kPublicKeyBytes = 32;
inline constexpr std::size_t kSignatureBytes = 64;
inline constexpr std::size_t kSeedBytes = 32;

struct PublicKey {
  std::array<std::uint8_t, kPublicKeyBytes> octets{};
  auto operator<=>(const PublicKey&) const = default;

  [[nodiscard]] std::string_view view() const { return {reinterpret_cast<const char*>(octets.data()), octets.size()}; }
};

struct Signature {
  std::array<std::uint8_t, kSignatureBytes> octets{};
  bool operator==(const Signature&) const = default;

  [[nodiscard]] std::string_view view() const { return {reinterpret_cast<const char*>(octets.data()), octets.size()}; }
  // `bytes` must be 64 long.
  static Signature from(std::string_view bytes);
};

struct PkeyDeleter {
  void operator()(evp_pkey_st* key) const;
};
using PkeyHandle = std::unique_ptr<evp_pkey_st, PkeyDeleter>;

// Code kVerification where the octets are no key under the rule above.
Result<PublicKey> parse_public_key(std::string_view octets);

// One key, many signatures.
class Verifier {
 public:
  // Applies the rule for keys, also to one that did not come from parse_public_key.
  static Result<Verifier> make(const PublicKey& key);
  [[nodiscard]] bool verify(std::string_view message, const Signature& signature) const;

 private:
  explicit Verifier(PkeyHandle key) : key_(std::move(key)) {}
  PkeyHandle key_;
};

// False for a bad key too.
[[nodiscard]] bool verify(const PublicKey& key, std::string_view message, const Signature& signature);

class SigningKey {
 public:
  // `seed` is the 32 octets of RFC 8032's private key; code kVerification for another length.
  static Result<SigningKey> from_seed(std::string_view seed);

  [[nodiscard]] const PublicKey& public_key() const { return public_key_; }
  [[nodiscard]] const SecretBytes& seed() const { return seed_; }
  [[nodiscard]] Signature sign(std::string_view message) const;

 private:
  SigningKey(SecretBytes seed, PkeyHandle key, const PublicKey& public_key)
      : seed_(std::move(seed)), key_(std::move(key)), public_key_(public_key) {}

  SecretBytes seed_;
  PkeyHandle key_;
  PublicKey public_key_;
};

}  // namespace spl::crypto
