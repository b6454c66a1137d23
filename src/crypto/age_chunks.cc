#include "crypto/age_chunks.h"

#include "crypto/kdf.h"

namespace spl::crypto {

AgeChunks::AgeChunks(const SecretBytes& file_key, std::string_view nonce, Aead::Direction direction)
    : aead_(hkdf_sha256(file_key.reveal(), nonce, "payload").reveal(), direction) {}

AeadNonce AgeChunks::nonce(Position position) const {
  AeadNonce nonce{};
  for (std::size_t i = 0; i < 8; ++i) nonce[10 - i] = static_cast<std::uint8_t>(count_ >> (8 * i) & 0xff);
  nonce[11] = position == Position::kLast ? 1 : 0;
  return nonce;
}

void AgeChunks::seal(std::span<char> buffer, Position position) {
  aead_.seal(nonce(position), buffer);
  ++count_;
}

bool AgeChunks::open(std::span<char> buffer, Position position) {
  if (!aead_.open(nonce(position), buffer)) return false;
  ++count_;
  return true;
}

}  // namespace spl::crypto
