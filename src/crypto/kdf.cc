#include "crypto/kdf.h"

#include <openssl/evp.h>
#include <openssl/hmac.h>

#include <cstdint>
#include <string>

#include "base/check.h"
#include "crypto/wiped.h"

namespace spl::crypto {
namespace {

constexpr std::uint64_t kScryptBlockSize = 8;        // r
constexpr std::uint64_t kScryptParallelisation = 1;  // p

void hmac_into(std::string_view key, std::string_view octets, unsigned char* out) {
  unsigned int length = 0;
  // HMAC() takes a null key for "the one from before".
  const std::string_view present = key.data() == nullptr ? std::string_view("") : key;
  SPL_CHECK(HMAC(EVP_sha256(), present.data(), static_cast<int>(present.size()), octets_of(octets), octets.size(), out,
                 &length) != nullptr);
}

}  // namespace

Digest hmac_sha256(std::string_view key, std::string_view octets) {
  Digest digest;
  hmac_into(key, octets, digest.octets.data());
  return digest;
}

SecretBytes hkdf_sha256(std::string_view key, std::string_view salt, std::string_view info) {
  Wiped<kDerivedKeyBytes> extracted;
  hmac_into(salt, key, extracted.octets());
  Wiped<kDerivedKeyBytes> expanded;
  hmac_into(extracted.view(), std::string(info) + '\x01', expanded.octets());
  return SecretBytes(expanded.view());
}

Result<SecretBytes> scrypt(std::string_view passphrase, std::string_view salt, int log_n) {
  SPL_CHECK(log_n >= 1 && log_n <= 30);
  const std::uint64_t n = std::uint64_t{1} << log_n;
  const std::uint64_t memory_bytes_max = 128 * kScryptBlockSize * (n + 4);
  const ErrorQueueMark mark;
  Wiped<kDerivedKeyBytes> key;
  // A null passphrase would mean "only check the parameters".
  const std::string_view present = passphrase.data() == nullptr ? std::string_view("") : passphrase;
  if (EVP_PBE_scrypt(present.data(), present.size(), octets_of(salt), salt.size(), n, kScryptBlockSize,
                     kScryptParallelisation, memory_bytes_max, key.octets(), kDerivedKeyBytes) != 1)
    return fail("scrypt with work factor " + std::to_string(log_n) + " failed",
                "it needs " + std::to_string(memory_bytes_max >> 20) + " MiB of free memory");
  return SecretBytes(key.view());
}

}  // namespace spl::crypto
