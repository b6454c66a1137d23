#include "door/code.h"

#include <array>
#include <cstring>
#include <span>

#include "base/encoding.h"
#include "crypto/sha256.h"

namespace spl::door {
namespace {

constexpr std::string_view kAlphabet = "abcdefghjkmnpqrstuvwxyz023456789";  // 32: no i, l, o, 1
static_assert(kAlphabet.size() == 32);
constexpr std::size_t kCodeLetters = 26;  // of 5 bits
constexpr std::size_t kGroupLetters = 5;
constexpr std::size_t kTokenBytes = 32;
constexpr std::size_t kTypedBytesMax = 256;

}  // namespace

SecretBytes new_code(env::Random& random) {
  std::array<char, kCodeLetters> octets{};
  random.fill(octets);
  std::string text;
  text.reserve(kCodeLetters + kCodeLetters / kGroupLetters);
  for (std::size_t i = 0; i < kCodeLetters; ++i) {
    if (i > 0 && i % kGroupLetters == 0) text += '-';
    text += kAlphabet[static_cast<unsigned char>(octets[i]) % kAlphabet.size()];
  }
  SecretBytes code(text);
  explicit_bzero(text.data(), text.size());
  explicit_bzero(octets.data(), octets.size());
  return code;
}

std::optional<Digest> digest_of_code(std::string_view typed) {
  if (typed.size() > kTypedBytesMax) return std::nullopt;
  std::string letters;
  letters.reserve(kTypedBytesMax);
  for (const char c : typed) {
    if (c == ' ' || c == '-' || c == '\t') continue;
    letters += c >= 'A' && c <= 'Z' ? static_cast<char>(c - 'A' + 'a') : c;
  }
  const bool is_code = letters.size() == kCodeLetters && letters.find_first_not_of(kAlphabet) == std::string::npos;
  const std::optional<Digest> digest = is_code ? std::optional(crypto::sha256(letters)) : std::nullopt;
  explicit_bzero(letters.data(), letters.size());
  return digest;
}

SecretBytes new_token(env::Random& random) {
  std::array<char, kTokenBytes> octets{};
  random.fill(octets);
  std::string text = base::to_hex({octets.data(), octets.size()});
  SecretBytes token(text);
  explicit_bzero(text.data(), text.size());
  explicit_bzero(octets.data(), octets.size());
  return token;
}

std::optional<Digest> digest_of_token(std::string_view token) {
  if (token.size() != 2 * kTokenBytes || token.find_first_not_of("0123456789abcdef") != std::string_view::npos)
    return std::nullopt;
  return crypto::sha256(token);
}

}  // namespace spl::door
