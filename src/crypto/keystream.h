// ChaCha20 (RFC 8439, with the 64-bit block counter of the original) laid over a file at any
// offset: for an unlinked spool file that must not hold plaintext. Confidentiality only: nothing
// detects a change. The nonce is zero, so a key is drawn for one file, each of whose octets is
// written once, and then forgotten. One thread at a time.
#pragma once

#include <cstddef>
#include <cstdint>
#include <memory>
#include <span>

#include "base/bytes.h"

struct evp_cipher_ctx_st;

namespace spl::crypto {

inline constexpr std::size_t kKeystreamKeyBytes = 32;

class Keystream {
 public:
  // `key` must be 32 octets from a random generator.
  explicit Keystream(SecretBytes key);
  // XORs the stream's octets from `offset` on into `data`: encrypts and decrypts.
  void apply(std::uint64_t offset, std::span<char> data);

 private:
  struct Deleter {
    void operator()(evp_cipher_ctx_st* context) const;
  };
  std::unique_ptr<evp_cipher_ctx_st, Deleter> context_;
};

}  // namespace spl::crypto
