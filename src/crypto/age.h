// The public age v1 file format, binary: what makes and opens an encrypted bundle. Files written
// here are opened by the `age` program and the reverse. Source: https://c2sp.org/age. Limits:
// age_header.h, and the work factor below.
//
// An object is used by one thread at a time; different objects by any.
#pragma once

#include <cstddef>
#include <cstdint>
#include <memory>
#include <optional>
#include <span>
#include <string_view>
#include <vector>

#include "base/bytes.h"
#include "base/result.h"
#include "base/seekable.h"
#include "base/stream.h"
#include "crypto/age_keys.h"
#include "crypto/random.h"

namespace spl::crypto {

inline constexpr std::size_t kAgeMagicBytes = 19;       // of "age-encryption.org/"
inline constexpr std::size_t kAgeArmorMagicBytes = 34;  // of "-----BEGIN AGE ENCRYPTED FILE-----"

// Binary logarithms of scrypt's N.
inline constexpr int kAgeLogNDefault = 18;
inline constexpr int kAgeLogNMax = 22;  // bundle.md; 4 GiB of memory

// By the first octets of a file; false where fewer than the magic's are given.
[[nodiscard]] bool looks_like_age(std::string_view prefix);
[[nodiscard]] bool looks_like_armored_age(std::string_view prefix);

// Encrypts what is written to it. The header goes out in make(), each chunk when it is full and
// more follows; without finish() the output cannot be opened.
class AgeEncryptSink final : public Sink {
 public:
  // For 1 to kAgeStanzasMax recipients, any of whom can open it; code kUsage otherwise. `out`
  // outlives the sink.
  static Result<std::unique_ptr<AgeEncryptSink>> make(Sink& out, const std::vector<Recipient>& recipients,
                                                      const FillRandom& fill_random);
  // `passphrase` is taken as it is, line feed and all; code kUsage where it is empty. `log_n` from
  // 1 to kAgeLogNMax.
  static Result<std::unique_ptr<AgeEncryptSink>> make_with_passphrase(Sink& out, const SecretBytes& passphrase,
                                                                      const FillRandom& fill_random,
                                                                      int log_n = kAgeLogNDefault);
  ~AgeEncryptSink() override;

  Result<void> write(std::string_view octets) override;
  // Writes the last chunk. Nothing may be called after it.
  Result<void> finish();

 private:
  class State;
  explicit AgeEncryptSink(std::unique_ptr<State> state);
  std::unique_ptr<State> state_;
};

// The plaintext of an age file. Only octets that have been authenticated come out, and the end (a
// read of 0) only where the last chunk was the file's end. Reads up to 256 KiB ahead. Errors of the
// format, wrong keys and changed, missing or surplus octets have code kVerification; an error stays
// the answer.
class AgeDecryptSource final : public Source {
 public:
  // Reads the header and finds the file key. `passphrase` may be null. `in` outlives the source;
  // the keys are not kept. Where nothing was given that fits how the file is locked, the message is
  // "bundle is encrypted: give --age-identity or --passphrase-file". A file that asks for more work
  // than `log_n_max` is refused.
  static Result<std::unique_ptr<AgeDecryptSource>> open(Source& in, std::span<const AgeIdentity> identities,
                                                        const SecretBytes* passphrase, int log_n_max = kAgeLogNMax);
  ~AgeDecryptSource() override;

  Result<std::size_t> read(std::span<char> out) override;

  // The next read() begins at `offset` of the plaintext. `file` is what `in` reads, from its first octet, and can be
  // sought. The first time the last chunk is authenticated before anything else is given: so the file is whole in
  // length.
  Result<void> seek(base::SeekableSource& file, std::uint64_t offset);
  // Of the plaintext, where `file` is sealed_bytes long.
  [[nodiscard]] std::uint64_t plain_bytes(std::uint64_t sealed_bytes) const;

  // Of the identity that opened it; nothing where a passphrase did.
  [[nodiscard]] const std::optional<Recipient>& recipient() const;
  // How many X25519 recipients the header names; 0 for a passphrase.
  [[nodiscard]] std::size_t x25519_stanzas() const;

 private:
  class State;
  explicit AgeDecryptSource(std::unique_ptr<State> state);
  std::unique_ptr<State> state_;
};

}  // namespace spl::crypto
