// For the tests of age only: known keys, randomness that repeats, and whole files in one call. One thread.
#pragma once

#include <memory>
#include <span>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "base/stream.h"
#include "crypto/age.h"
#include "crypto/age_chunks.h"
#include "crypto/age_header.h"
#include "crypto/age_stanza.h"
#include "crypto/bech32.h"
#include "crypto/sha256.h"

namespace spl::crypto {

// The keys of the age specification.
inline constexpr std::string_view kTestIdentity =
    "AGE-SECRET-KEY-1GFPYYSJZGFPYYSJZGFPYYSJZGFPYYSJZGFPYYSJZGFPYYSJZGFPQ4EGAEX";
inline constexpr std::string_view kTestRecipient = "age1zvkyg2lqzraa2lnjvqej32nkuu0ues2s82hzrye869xeexvn73equnujwj";

// The same octets in every run; two generators of different seeds differ.
inline FillRandom test_random(int seed = 0) {
  auto counter = std::make_shared<int>(0);
  return [seed, counter](std::span<char> out) {
    for (char& c : out)
      c = static_cast<char>(sha256(std::to_string(seed) + " " + std::to_string((*counter)++)).octets[0]);
  };
}

inline std::vector<AgeIdentity> test_identities() {
  std::vector<AgeIdentity> identities;
  identities.push_back(AgeIdentity::parse(kTestIdentity).value());
  return identities;
}

inline std::vector<Recipient> test_recipients() {
  return {Recipient::parse(kTestRecipient).value()};
}

inline std::string test_text(std::size_t size) {
  std::string text(size, '\0');
  for (std::size_t i = 0; i < size; ++i) text[i] = static_cast<char>(i * 31 + i / 251);
  return text;
}

inline std::string age_encrypt(std::string_view text, const std::vector<Recipient>& recipients = test_recipients()) {
  base::StringSink out;
  auto sink = AgeEncryptSink::make(out, recipients, test_random()).value();
  sink->write(text).value();
  sink->finish().value();
  return std::move(out.text);
}

inline std::string age_encrypt_with_passphrase(std::string_view text, std::string_view passphrase, int log_n = 2) {
  base::StringSink out;
  auto sink = AgeEncryptSink::make_with_passphrase(out, SecretBytes(passphrase), test_random(), log_n).value();
  sink->write(text).value();
  sink->finish().value();
  return std::move(out.text);
}

inline Result<std::string> age_decrypt(std::string_view file, std::span<const AgeIdentity> identities,
                                       const SecretBytes* passphrase = nullptr) {
  base::StringSource in(file);
  const auto source = TRY(AgeDecryptSource::open(in, identities, passphrase));
  return base::read_all(*source, 1u << 30);
}

// A file from parts that the sink would not write together: any stanzas, and chunks as they are given.
inline std::string age_assemble(const std::vector<AgeStanza>& stanzas, const SecretBytes& file_key,
                                const std::vector<std::pair<std::string, AgeChunks::Position>>& chunks) {
  const std::string nonce(kAgePayloadNonceBytes, 'n');
  std::string file = write_age_header(stanzas, file_key) + nonce;
  AgeChunks cipher(file_key, nonce, Aead::Direction::kSeal);
  for (const auto& [text, position] : chunks) {
    std::string chunk = text + std::string(kAeadTagBytes, '\0');
    cipher.seal(chunk, position);
    file += chunk;
  }
  return file;
}

}  // namespace spl::crypto
