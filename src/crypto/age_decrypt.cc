#include <openssl/crypto.h>

#include <algorithm>
#include <optional>
#include <string>
#include <utility>

#include "base/peek_buffer.h"
#include "crypto/age.h"
#include "crypto/age_chunks.h"
#include "crypto/age_header.h"
#include "crypto/age_stanza.h"

namespace spl::crypto {
namespace {

constexpr std::string_view kMagic = "age-encryption.org/";
constexpr std::string_view kArmorMagic = "-----BEGIN AGE ENCRYPTED FILE-----";
static_assert(kMagic.size() == kAgeMagicBytes && kArmorMagic.size() == kAgeArmorMagicBytes);

constexpr std::size_t kReadAheadBytes = 4 * kAgeSealedChunkBytes;
static_assert(kReadAheadBytes > kAgeHeaderBytesMax + kAgePayloadNonceBytes);

Result<Unwrapped> find_file_key(const AgeLocks& locks, std::span<const AgeIdentity> identities,
                                const SecretBytes* passphrase) {
  const bool fits = locks.scrypt ? passphrase != nullptr : !identities.empty();
  if (!fits)
    return fail(
        ErrorCode::kVerification, Cause::kKeyNeeded, "bundle is encrypted: give --age-identity or --passphrase-file",
        locks.scrypt
            ? "it is locked with a passphrase"
            : "it is encrypted to " + std::to_string(locks.x25519.size()) + " age recipients, of whom one is needed");
  auto unwrapped = locks.scrypt ? TRY(unwrap(*locks.scrypt, *passphrase)) : TRY(unwrap(locks.x25519, identities));
  if (!unwrapped)
    return fail(ErrorCode::kVerification, Cause::kKeyNeeded, "no given key opens this bundle",
                locks.scrypt ? "the passphrase is another one" : "it is encrypted to other age recipients");
  return std::move(*unwrapped);
}

}  // namespace

bool looks_like_age(std::string_view prefix) {
  return prefix.starts_with(kMagic);
}
bool looks_like_armored_age(std::string_view prefix) {
  return prefix.starts_with(kArmorMagic);
}

class AgeDecryptSource::State {
 public:
  explicit State(Source& in) : in_(in, kReadAheadBytes) {}
  State(const State&) = delete;
  State& operator=(const State&) = delete;
  // Chunks are opened where they are.
  ~State() { OPENSSL_cleanse(in_.storage().data(), in_.storage().size()); }

  Result<void> open(std::span<const AgeIdentity> identities, const SecretBytes* passphrase, int log_n_max) {
    const auto prefix = TRY(in_.peek(kAgeHeaderBytesMax));
    const AgeHeader header = TRY(parse_age_header({prefix.data(), prefix.size()}));
    const AgeLocks locks = TRY(read_locks(header.stanzas, log_n_max));
    const Unwrapped unwrapped = TRY(find_file_key(locks, identities, passphrase));
    if (!header.authentic(unwrapped.file_key))
      return fail(ErrorCode::kVerification, "age header: the MAC is wrong: it was changed");
    in_.take(header.length_bytes);
    const auto nonce = TRY(in_.peek(kAgePayloadNonceBytes));
    if (nonce.size() < kAgePayloadNonceBytes) return cut_short();
    chunks_.emplace(unwrapped.file_key, std::string_view(nonce.data(), kAgePayloadNonceBytes), Aead::Direction::kOpen);
    in_.take(kAgePayloadNonceBytes);
    payload_at_ = header.length_bytes + kAgePayloadNonceBytes;
    recipient_ = unwrapped.recipient;
    x25519_stanzas_ = locks.x25519.size();
    return {};
  }

  Result<std::size_t> read(std::span<char> out) {
    if (failed_) return std::unexpected(*failed_);
    if (plain_.empty() && !ended_) {
      if (auto opened = next_chunk(); !opened) {
        failed_ = opened.error();
        return std::unexpected(std::move(opened).error());
      }
    }
    const std::size_t n = std::min(out.size(), plain_.size());
    std::ranges::copy(plain_.first(n), out.begin());
    plain_ = plain_.subspan(n);
    return n;
  }

  [[nodiscard]] std::uint64_t plain_bytes(std::uint64_t sealed_bytes) const {
    return sealed_bytes - payload_at_ - chunks_in(sealed_bytes) * kAeadTagBytes;
  }

  Result<void> seek(base::SeekableSource& file, std::uint64_t offset) {
    const std::uint64_t last = chunks_in(file.seekable_bytes().value_or(payload_at_ + 1)) - 1;
    if (!last_is_authentic_) {
      TRY(go_to(file, last));
      if (!ended_) return cut_short();
      last_is_authentic_ = true;
    }
    const std::uint64_t number = std::min(offset / kAgeChunkBytes, last);
    TRY(go_to(file, number));
    plain_ = plain_.subspan(std::min<std::uint64_t>(offset - number * kAgeChunkBytes, plain_.size()));
    return {};
  }

  [[nodiscard]] const std::optional<Recipient>& recipient() const { return recipient_; }
  [[nodiscard]] std::size_t x25519_stanzas() const { return x25519_stanzas_; }

 private:
  // At least one.
  [[nodiscard]] std::uint64_t chunks_in(std::uint64_t sealed_bytes) const {
    const std::uint64_t payload = sealed_bytes > payload_at_ ? sealed_bytes - payload_at_ : 1;
    return (payload + kAgeSealedChunkBytes - 1) / kAgeSealedChunkBytes;
  }

  Result<void> go_to(base::SeekableSource& file, std::uint64_t number) {
    in_.take(in_.held().size());
    TRY(file.seek(payload_at_ + number * kAgeSealedChunkBytes));
    chunks_->go_to(number);
    plain_ = {};
    ended_ = false;
    failed_.reset();
    if (auto opened = next_chunk(); !opened) {
      failed_ = opened.error();
      return opened;
    }
    return {};
  }

  static std::unexpected<Error> cut_short() { return fail(ErrorCode::kVerification, "age payload: cut short"); }

  Result<void> next_chunk() {
    // One octet more than a chunk tells whether it is the last.
    const auto ahead = TRY(in_.peek(kAgeSealedChunkBytes + 1));
    const auto chunk = ahead.first(std::min(ahead.size(), kAgeSealedChunkBytes));
    const bool last = ahead.size() <= kAgeSealedChunkBytes;
    const std::uint64_t number = chunks_->count();
    if (chunk.size() < kAeadTagBytes) return cut_short();
    if (last && chunk.size() == kAeadTagBytes && number > 0)
      return fail(ErrorCode::kVerification, "age payload: the last chunk is empty");
    if (!chunks_->open(chunk, last ? AgeChunks::Position::kLast : AgeChunks::Position::kMore))
      return fail(ErrorCode::kVerification, "age payload: chunk " + std::to_string(number) +
                                                " does not authenticate: changed, cut short, or "
                                                "with bytes after the end");
    in_.take(chunk.size());
    plain_ = chunk.first(chunk.size() - kAeadTagBytes);
    ended_ = last;
    return {};
  }

  base::PeekBuffer in_;
  std::optional<AgeChunks> chunks_;
  std::span<char> plain_;  // in the buffer; opened and not yet read
  bool ended_ = false;
  std::uint64_t payload_at_ = 0;  // of the file
  bool last_is_authentic_ = false;
  std::optional<Error> failed_;
  std::optional<Recipient> recipient_;
  std::size_t x25519_stanzas_ = 0;
};

AgeDecryptSource::AgeDecryptSource(std::unique_ptr<State> state) : state_(std::move(state)) {}
AgeDecryptSource::~AgeDecryptSource() = default;

Result<std::unique_ptr<AgeDecryptSource>> AgeDecryptSource::open(Source& in, std::span<const AgeIdentity> identities,
                                                                 const SecretBytes* passphrase, int log_n_max) {
  auto state = std::make_unique<State>(in);
  TRY(state->open(identities, passphrase, log_n_max));
  return std::unique_ptr<AgeDecryptSource>(new AgeDecryptSource(std::move(state)));
}

Result<std::size_t> AgeDecryptSource::read(std::span<char> out) {
  return state_->read(out);
}
Result<void> AgeDecryptSource::seek(base::SeekableSource& file, std::uint64_t offset) {
  return state_->seek(file, offset);
}
std::uint64_t AgeDecryptSource::plain_bytes(std::uint64_t sealed_bytes) const {
  return state_->plain_bytes(sealed_bytes);
}
const std::optional<Recipient>& AgeDecryptSource::recipient() const {
  return state_->recipient();
}
std::size_t AgeDecryptSource::x25519_stanzas() const {
  return state_->x25519_stanzas();
}

}  // namespace spl::crypto
