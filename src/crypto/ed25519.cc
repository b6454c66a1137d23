#include "crypto/ed25519.h"

#include <openssl/evp.h>

#include <algorithm>
#include <cstring>
#include <string>

#include "base/check.h"
#include "crypto/wiped.h"

namespace spl::crypto {
namespace {

using Scalar = std::array<std::uint8_t, 32>;  // little-endian

// p = 2^255 - 19.
constexpr Scalar kPrime = [] {
  Scalar p;
  p.fill(0xff);
  p[0] = 0xed;
  p[31] = 0x7f;
  return p;
}();
constexpr Scalar kPrimeLessOne = [] {
  Scalar value = kPrime;
  --value[0];
  return value;
}();
constexpr Scalar kZero{};
constexpr Scalar kOne{1};

// L = 2^252 + 27742317777372353535851937790883648493, the order of the base point.
constexpr Scalar kOrder{0xed, 0xd3, 0xf5, 0x5c, 0x1a, 0x63, 0x12, 0x58, 0xd6, 0x9c, 0xf7, 0xa2, 0xde, 0xf9, 0xde, 0x14,
                        0,    0,    0,    0,    0,    0,    0,    0,    0,    0,    0,    0,    0,    0,    0,    0x10};

// The y of the four points of order 8; each of the two has two x.
constexpr Scalar kOrderEightY{0x26, 0xe8, 0x95, 0x8f, 0xc2, 0xb2, 0x27, 0xb0, 0x45, 0xc3, 0xf4,
                              0x89, 0xf2, 0xef, 0x98, 0xf0, 0xd5, 0xdf, 0xac, 0x05, 0xd3, 0xc6,
                              0x33, 0x39, 0xb1, 0x38, 0x02, 0x88, 0x6d, 0x53, 0xfc, 0x05};
constexpr Scalar kOrderEightMinusY = [] {
  Scalar value{};
  int borrow = 0;
  for (std::size_t i = 0; i < value.size(); ++i) {
    const int digit = int{kPrime[i]} - int{kOrderEightY[i]} - borrow;
    borrow = digit < 0 ? 1 : 0;
    value[i] = static_cast<std::uint8_t>(digit & 0xff);
  }
  return value;
}();

bool less(const Scalar& a, const Scalar& b) {
  return std::lexicographical_compare(a.rbegin(), a.rend(), b.rbegin(), b.rend());
}

enum class Encoding : std::uint8_t { kGood, kNotCanonical, kSmallOrder };

Encoding judge(const std::uint8_t* point) {
  Scalar y;
  std::memcpy(y.data(), point, y.size());
  const bool sign = (y[31] & 0x80) != 0;
  y[31] &= 0x7f;
  if (!less(y, kPrime)) return Encoding::kNotCanonical;
  // x is 0 for these two alone.
  if (y == kOne || y == kPrimeLessOne) return sign ? Encoding::kNotCanonical : Encoding::kSmallOrder;
  if (y == kZero || y == kOrderEightY || y == kOrderEightMinusY) return Encoding::kSmallOrder;
  return Encoding::kGood;
}

Result<void> check_key(const std::uint8_t* point) {
  switch (judge(point)) {
    case Encoding::kGood:
      return {};
    case Encoding::kNotCanonical:
      return fail(ErrorCode::kVerification, "Ed25519 public key is not canonically encoded");
    case Encoding::kSmallOrder:
      return fail(ErrorCode::kVerification, "Ed25519 public key is of small order");
  }
  return fail("unreachable");
}

struct DigestContextDeleter {
  void operator()(EVP_MD_CTX* context) const { EVP_MD_CTX_free(context); }
};
using DigestContext = std::unique_ptr<EVP_MD_CTX, DigestContextDeleter>;

}  // namespace

void PkeyDeleter::operator()(evp_pkey_st* key) const {
  EVP_PKEY_free(key);
}

Signature Signature::from(std::string_view bytes) {
  SPL_CHECK(bytes.size() == kSignatureBytes);
  Signature signature;
  std::memcpy(signature.octets.data(), bytes.data(), kSignatureBytes);
  return signature;
}

Result<PublicKey> parse_public_key(std::string_view octets) {
  PublicKey key;
  if (octets.size() != key.octets.size())
    return fail(ErrorCode::kVerification,
                "Ed25519 public key is " + std::to_string(octets.size()) + " bytes long, not 32");
  std::memcpy(key.octets.data(), octets.data(), key.octets.size());
  TRY(check_key(key.octets.data()));
  return key;
}

Result<Verifier> Verifier::make(const PublicKey& key) {
  TRY(check_key(key.octets.data()));
  PkeyHandle handle(EVP_PKEY_new_raw_public_key(EVP_PKEY_ED25519, nullptr, key.octets.data(), key.octets.size()));
  SPL_CHECK(handle != nullptr);
  return Verifier(std::move(handle));
}

bool Verifier::verify(std::string_view message, const Signature& signature) const {
  Scalar s;
  std::memcpy(s.data(), signature.octets.data() + 32, s.size());
  if (!less(s, kOrder) || judge(signature.octets.data()) != Encoding::kGood) return false;
  const DigestContext context(EVP_MD_CTX_new());
  SPL_CHECK(context != nullptr && EVP_DigestVerifyInit(context.get(), nullptr, nullptr, nullptr, key_.get()) == 1);
  return EVP_DigestVerify(context.get(), signature.octets.data(), signature.octets.size(), octets_of(message),
                          message.size()) == 1;
}

bool verify(const PublicKey& key, std::string_view message, const Signature& signature) {
  const Result<Verifier> verifier = Verifier::make(key);
  return verifier && verifier->verify(message, signature);
}

Result<SigningKey> SigningKey::from_seed(std::string_view seed) {
  if (seed.size() != kSeedBytes)
    return fail(ErrorCode::kVerification, "Ed25519 seed is " + std::to_string(seed.size()) + " bytes long, not 32");
  PkeyHandle handle(EVP_PKEY_new_raw_private_key(EVP_PKEY_ED25519, nullptr, octets_of(seed), seed.size()));
  SPL_CHECK(handle != nullptr);
  PublicKey public_key;
  std::size_t length = public_key.octets.size();
  SPL_CHECK(EVP_PKEY_get_raw_public_key(handle.get(), public_key.octets.data(), &length) == 1 &&
            length == kPublicKeyBytes);
  return SigningKey(SecretBytes(seed), std::move(handle), public_key);
}

Signature SigningKey::sign(std::string_view message) const {
  Signature signature;
  std::size_t length = signature.octets.size();
  const DigestContext context(EVP_MD_CTX_new());
  SPL_CHECK(context != nullptr && EVP_DigestSignInit(context.get(), nullptr, nullptr, nullptr, key_.get()) == 1);
  SPL_CHECK(EVP_DigestSign(context.get(), signature.octets.data(), &length, octets_of(message), message.size()) == 1 &&
            length == kSignatureBytes);
  return signature;
}

}  // namespace spl::crypto
