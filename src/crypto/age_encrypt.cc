#include <openssl/crypto.h>

#include <algorithm>
#include <string>
#include <utility>

#include "base/check.h"
#include "crypto/age.h"
#include "crypto/age_chunks.h"
#include "crypto/age_stanza.h"
#include "crypto/wiped.h"

namespace spl::crypto {
namespace {

SecretBytes make_file_key(const FillRandom& fill_random) {
  Wiped<kAgeFileKeyBytes> key;
  fill_random(key.span());
  return SecretBytes(key.view());
}

}  // namespace

class AgeEncryptSink::State {
 public:
  State(Sink& out, const SecretBytes& file_key, std::string_view nonce)
      : out_(out), chunks_(file_key, nonce, Aead::Direction::kSeal), buffer_(kAgeSealedChunkBytes) {}
  State(const State&) = delete;
  State& operator=(const State&) = delete;
  ~State() { OPENSSL_cleanse(buffer_.data(), buffer_.size()); }

  // Header and nonce to `out`; the rest follows through the state.
  static Result<std::unique_ptr<State>> begin(Sink& out, const SecretBytes& file_key,
                                              const std::vector<AgeStanza>& stanzas, const FillRandom& fill_random) {
    std::string nonce(kAgePayloadNonceBytes, '\0');
    fill_random(nonce);
    TRY(out.write(write_age_header(stanzas, file_key) + nonce));
    return std::make_unique<State>(out, file_key, nonce);
  }

  Result<void> write(std::string_view octets) {
    SPL_CHECK(!finished_);
    while (!octets.empty()) {
      if (used_ == kAgeChunkBytes) TRY(emit(AgeChunks::Position::kMore));
      const std::size_t n = octets.copy(buffer_.data() + used_, kAgeChunkBytes - used_);
      octets.remove_prefix(n);
      used_ += n;
    }
    return {};
  }

  Result<void> finish() {
    SPL_CHECK(!finished_);
    finished_ = true;
    return emit(AgeChunks::Position::kLast);
  }

 private:
  Result<void> emit(AgeChunks::Position position) {
    const auto chunk = std::span(buffer_).first(used_ + kAeadTagBytes);
    chunks_.seal(chunk, position);
    used_ = 0;
    return out_.write({chunk.data(), chunk.size()});
  }

  Sink& out_;
  AgeChunks chunks_;
  std::vector<char> buffer_;  // the chunk that is being filled
  std::size_t used_ = 0;
  bool finished_ = false;
};

AgeEncryptSink::AgeEncryptSink(std::unique_ptr<State> state) : state_(std::move(state)) {}
AgeEncryptSink::~AgeEncryptSink() = default;

Result<std::unique_ptr<AgeEncryptSink>> AgeEncryptSink::make(Sink& out, const std::vector<Recipient>& recipients,
                                                             const FillRandom& fill_random) {
  if (recipients.empty()) return fail(ErrorCode::kUsage, "no age recipient");
  if (recipients.size() > kAgeStanzasMax)
    return fail(ErrorCode::kUsage, "more than " + std::to_string(kAgeStanzasMax) + " age recipients");
  const SecretBytes file_key = make_file_key(fill_random);
  std::vector<AgeStanza> stanzas;
  for (const Recipient& recipient : recipients)
    stanzas.push_back(TRY(wrap_for_recipient(file_key, recipient, fill_random)));
  auto state = TRY(State::begin(out, file_key, stanzas, fill_random));
  return std::unique_ptr<AgeEncryptSink>(new AgeEncryptSink(std::move(state)));
}

Result<std::unique_ptr<AgeEncryptSink>> AgeEncryptSink::make_with_passphrase(Sink& out, const SecretBytes& passphrase,
                                                                             const FillRandom& fill_random, int log_n) {
  SPL_CHECK(log_n >= 1 && log_n <= kAgeLogNMax);
  if (passphrase.empty()) return fail(ErrorCode::kUsage, "the passphrase is empty");
  const SecretBytes file_key = make_file_key(fill_random);
  std::vector<AgeStanza> stanzas;
  stanzas.push_back(TRY(wrap_under_passphrase(file_key, passphrase, fill_random, log_n)));
  auto state = TRY(State::begin(out, file_key, stanzas, fill_random));
  return std::unique_ptr<AgeEncryptSink>(new AgeEncryptSink(std::move(state)));
}

Result<void> AgeEncryptSink::write(std::string_view octets) {
  return state_->write(octets);
}
Result<void> AgeEncryptSink::finish() {
  return state_->finish();
}

}  // namespace spl::crypto
