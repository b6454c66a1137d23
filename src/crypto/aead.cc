#include "crypto/aead.h"

#include <openssl/evp.h>

#include "base/check.h"
#include "crypto/wiped.h"

namespace spl::crypto {
namespace {

constexpr std::size_t kBufferBytesMax = 1u << 30;  // OpenSSL counts in int

}  // namespace

namespace {

void add_associated(EVP_CIPHER_CTX* context, std::string_view associated) {
  int written = 0;
  SPL_CHECK(associated.size() <= kBufferBytesMax);
  if (associated.empty()) return;
  SPL_CHECK(EVP_CipherUpdate(context, nullptr, &written, octets_of(associated), static_cast<int>(associated.size())) ==
            1);
}

}  // namespace

void Aead::Deleter::operator()(evp_cipher_ctx_st* context) const {
  EVP_CIPHER_CTX_free(context);
}

Aead::Aead(std::string_view key, Direction direction) : context_(EVP_CIPHER_CTX_new()), direction_(direction) {
  SPL_CHECK(key.size() == kAeadKeyBytes && context_ != nullptr);
  SPL_CHECK(EVP_CipherInit_ex(context_.get(), EVP_chacha20_poly1305(), nullptr, octets_of(key), nullptr,
                              direction == Direction::kSeal ? 1 : 0) == 1);
}

void Aead::seal(const AeadNonce& nonce, std::span<char> buffer, std::string_view associated) {
  SPL_CHECK(direction_ == Direction::kSeal && buffer.size() >= kAeadTagBytes && buffer.size() <= kBufferBytesMax);
  auto* text = reinterpret_cast<unsigned char*>(buffer.data());
  const std::size_t size = buffer.size() - kAeadTagBytes;
  int written = 0;
  int tail = 0;
  SPL_CHECK(EVP_CipherInit_ex(context_.get(), nullptr, nullptr, nullptr, nonce.data(), -1) == 1);
  add_associated(context_.get(), associated);
  SPL_CHECK(EVP_CipherUpdate(context_.get(), text, &written, text, static_cast<int>(size)) == 1);
  SPL_CHECK(EVP_CipherFinal_ex(context_.get(), text + written, &tail) == 1);
  SPL_CHECK(EVP_CIPHER_CTX_ctrl(context_.get(), EVP_CTRL_AEAD_GET_TAG, kAeadTagBytes, text + size) == 1);
}

bool Aead::open(const AeadNonce& nonce, std::span<char> buffer, std::string_view associated) {
  SPL_CHECK(direction_ == Direction::kOpen && buffer.size() >= kAeadTagBytes && buffer.size() <= kBufferBytesMax);
  auto* text = reinterpret_cast<unsigned char*>(buffer.data());
  const std::size_t size = buffer.size() - kAeadTagBytes;
  int written = 0;
  int tail = 0;
  SPL_CHECK(EVP_CipherInit_ex(context_.get(), nullptr, nullptr, nullptr, nonce.data(), -1) == 1);
  SPL_CHECK(EVP_CIPHER_CTX_ctrl(context_.get(), EVP_CTRL_AEAD_SET_TAG, kAeadTagBytes, text + size) == 1);
  add_associated(context_.get(), associated);
  const ErrorQueueMark mark;
  const bool good = EVP_CipherUpdate(context_.get(), text, &written, text, static_cast<int>(size)) == 1 &&
                    EVP_CipherFinal_ex(context_.get(), text + written, &tail) == 1;
  if (!good) OPENSSL_cleanse(buffer.data(), buffer.size());
  return good;
}

}  // namespace spl::crypto
