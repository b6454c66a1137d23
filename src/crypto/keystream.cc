#include "crypto/keystream.h"

#include <openssl/evp.h>

#include <algorithm>
#include <array>

#include "base/check.h"
#include "crypto/wiped.h"

namespace spl::crypto {
namespace {

constexpr std::uint64_t kBlockBytes = 64;
constexpr std::size_t kPieceBytesMax = 1u << 30;  // OpenSSL counts in int

void transform(EVP_CIPHER_CTX* context, std::span<char> data) {
  auto* octets = reinterpret_cast<unsigned char*>(data.data());
  int written = 0;
  SPL_CHECK(EVP_EncryptUpdate(context, octets, &written, octets, static_cast<int>(data.size())) == 1);
}

}  // namespace

void Keystream::Deleter::operator()(evp_cipher_ctx_st* context) const {
  EVP_CIPHER_CTX_free(context);
}

Keystream::Keystream(SecretBytes key) : context_(EVP_CIPHER_CTX_new()) {
  SPL_CHECK(key.size() == kKeystreamKeyBytes && context_ != nullptr);
  SPL_CHECK(EVP_EncryptInit_ex(context_.get(), EVP_chacha20(), nullptr, octets_of(key.reveal()), nullptr) == 1);
}

void Keystream::apply(std::uint64_t offset, std::span<char> data) {
  // OpenSSL's ChaCha20 takes the block counter as the first 8 octets of the IV, little-endian.
  std::array<unsigned char, 16> iv{};
  for (std::size_t i = 0; i < 8; ++i) iv[i] = static_cast<unsigned char>(offset / kBlockBytes >> (8 * i) & 0xff);
  SPL_CHECK(EVP_EncryptInit_ex(context_.get(), nullptr, nullptr, nullptr, iv.data()) == 1);
  std::array<char, kBlockBytes> before;
  before.fill(0);
  transform(context_.get(), std::span(before).first(offset % kBlockBytes));
  while (!data.empty()) {
    const std::size_t piece = std::min(data.size(), kPieceBytesMax);
    transform(context_.get(), data.first(piece));
    data = data.subspan(piece);
  }
}

}  // namespace spl::crypto
