// The payload of an age file: chunks of 64 KiB, each sealed under the payload key with a nonce that
// counts them and marks the last (the STREAM construction, https://eprint.iacr.org/2015/189). One
// thread at a time.
#pragma once

#include <cstddef>
#include <cstdint>
#include <span>
#include <string_view>

#include "base/bytes.h"
#include "crypto/aead.h"

namespace spl::crypto {

inline constexpr std::size_t kAgePayloadNonceBytes = 16;
inline constexpr std::size_t kAgeChunkBytes = 64u << 10;
inline constexpr std::size_t kAgeSealedChunkBytes = kAgeChunkBytes + kAeadTagBytes;

class AgeChunks {
 public:
  enum class Position : std::uint8_t { kMore, kLast };

  AgeChunks(const SecretBytes& file_key, std::string_view nonce, Aead::Direction direction);

  // The next chunk, in place; `buffer` is the text and kAeadTagBytes of room.
  void seal(std::span<char> buffer, Position position);
  // False where it is not the next chunk at this position, whole and unchanged; the buffer is wiped
  // then.
  [[nodiscard]] bool open(std::span<char> buffer, Position position);

  // The next chunk is the one of this number.
  void go_to(std::uint64_t number) { count_ = number; }
  // Chunks sealed, or opened with success.
  [[nodiscard]] std::uint64_t count() const { return count_; }

 private:
  [[nodiscard]] AeadNonce nonce(Position position) const;

  Aead aead_;
  std::uint64_t count_ = 0;
};

}  // namespace spl::crypto
