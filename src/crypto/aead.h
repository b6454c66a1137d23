// ChaCha20-Poly1305 (RFC 8439) in place, one key and many nonces. Associated data is authenticated and not written:
// who opens gives the same. A nonce is used once with a key, which is the caller's care. One thread at a time.
#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <memory>
#include <span>
#include <string_view>

struct evp_cipher_ctx_st;

namespace spl::crypto {

inline constexpr std::size_t kAeadKeyBytes = 32;
inline constexpr std::size_t kAeadTagBytes = 16;
using AeadNonce = std::array<std::uint8_t, 12>;

class Aead {
 public:
  enum class Direction : std::uint8_t { kSeal, kOpen };

  Aead(std::string_view key, Direction direction);  // `key` must be 32 octets

  // Encrypts all but the last 16 octets of `buffer` (at most 1 GiB), and writes the tag there.
  void seal(const AeadNonce& nonce, std::span<char> buffer, std::string_view associated = {});

  // The reverse, of a buffer of at least 16 octets. False where the tag is wrong; the buffer is
  // wiped then, so that nothing of it can be used.
  [[nodiscard]] bool open(const AeadNonce& nonce, std::span<char> buffer, std::string_view associated = {});

 private:
  struct Deleter {
    void operator()(evp_cipher_ctx_st* context) const;
  };
  std::unique_ptr<evp_cipher_ctx_st, Deleter> context_;
  Direction direction_;
};

}  // namespace spl::crypto
