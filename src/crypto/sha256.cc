// The low-level calls are deprecated for fetching no provider, which is what makes them fast on
// small inputs.
#define OPENSSL_SUPPRESS_DEPRECATED
#include "crypto/sha256.h"

#include <openssl/crypto.h>
#include <openssl/sha.h>

#include <new>

namespace spl::crypto {
namespace {

SHA256_CTX* context_in(std::array<std::byte, 112>& state) {
  static_assert(sizeof(SHA256_CTX) == 112 && alignof(SHA256_CTX) <= 8);
  return std::launder(reinterpret_cast<SHA256_CTX*>(state.data()));
}

}  // namespace

Sha256::Sha256() {
  SHA256_Init(new (state_.data()) SHA256_CTX);
}

void Sha256::update(std::string_view octets) {
  SHA256_Update(context_in(state_), octets.data(), octets.size());
}

Digest Sha256::finish() {
  Digest digest;
  SHA256_Final(digest.octets.data(), context_in(state_));
  SHA256_Init(context_in(state_));
  return digest;
}

Digest sha256(std::string_view octets) {
  Digest digest;
  SHA256_CTX context;
  SHA256_Init(&context);
  SHA256_Update(&context, octets.data(), octets.size());
  SHA256_Final(digest.octets.data(), &context);
  return digest;
}

std::string library_version() {
  return ::OpenSSL_version(OPENSSL_VERSION_STRING);
}

}  // namespace spl::crypto
