#include "crypto/bech32.h"

#include <openssl/crypto.h>

#include <array>
#include <cstdint>

namespace spl::crypto {
namespace {

constexpr std::string_view kAlphabet = "qpzry9x8gf2tvdw0s3jn54khce6mua7l";
constexpr std::size_t kChecksumDigits = 6;

char lower(char c) {
  return c >= 'A' && c <= 'Z' ? static_cast<char>(c - 'A' + 'a') : c;
}
char upper(char c) {
  return c >= 'a' && c <= 'z' ? static_cast<char>(c - 'a' + 'A') : c;
}
bool is_upper(std::string_view prefix) {
  return prefix.find_first_of("ABCDEFGHIJKLMNOPQRSTUVWXYZ") != std::string_view::npos;
}

std::size_t digits_of(std::size_t octets) {
  return (octets * 8 + 4) / 5;
}

// The checksum's state (BIP 173, bech32_polymod), fed five bits at a time.
class Checksum {
 public:
  explicit Checksum(std::string_view prefix) {
    for (const char c : prefix) add(static_cast<std::uint32_t>(lower(c)) >> 5);
    add(0);
    for (const char c : prefix) add(static_cast<std::uint32_t>(lower(c)) & 31);
  }
  void add(std::uint32_t digit) {
    constexpr std::array<std::uint32_t, 5> kGenerator{0x3b6a57b2, 0x26508e6d, 0x1ea119fa, 0x3d4233dd, 0x2a1462b3};
    const std::uint32_t top = state_ >> 25;
    state_ = (state_ & 0x1ffffff) << 5 ^ digit;
    for (std::size_t i = 0; i < kGenerator.size(); ++i)
      if ((top >> i & 1) != 0) state_ ^= kGenerator[i];
  }
  [[nodiscard]] std::uint32_t state() const { return state_; }

 private:
  std::uint32_t state_ = 1;
};

}  // namespace

std::string to_bech32(std::string_view prefix, std::string_view octets) {
  std::string text = std::string(prefix) + '1';
  Checksum checksum(prefix);
  const auto put = [&](std::uint32_t digit) {
    checksum.add(digit);
    text.push_back(kAlphabet[digit]);
  };
  std::uint32_t bits = 0;
  int held = 0;
  for (const char octet : octets) {
    bits = bits << 8 | static_cast<unsigned char>(octet);
    for (held += 8; held >= 5;) {
      held -= 5;
      put(bits >> held & 31);
    }
  }
  if (held > 0) put(bits << (5 - held) & 31);
  for (std::size_t i = 0; i < kChecksumDigits; ++i) checksum.add(0);
  const std::uint32_t sum = checksum.state() ^ 1;
  for (std::size_t i = 0; i < kChecksumDigits; ++i) text.push_back(kAlphabet[sum >> (25 - 5 * i) & 31]);
  if (is_upper(prefix))
    for (char& c : text) c = upper(c);
  return text;
}

Result<SecretBytes> from_bech32(std::string_view prefix, std::string_view text, std::size_t octets) {
  const std::size_t digits = digits_of(octets);
  if (text.size() != prefix.size() + 1 + digits + kChecksumDigits || !text.starts_with(prefix) ||
      text[prefix.size()] != '1')
    return fail(ErrorCode::kVerification, "wrong prefix or length");
  const bool upper_case = is_upper(prefix);
  text.remove_prefix(prefix.size() + 1);

  std::string decoded;
  decoded.reserve(octets);
  Checksum checksum(prefix);
  std::uint32_t bits = 0;
  int held = 0;
  bool good = true;
  for (std::size_t i = 0; i < text.size(); ++i) {
    const char c = upper_case ? lower(text[i]) : text[i];
    const std::size_t digit = kAlphabet.find(c);
    if (digit == std::string_view::npos || (upper_case && c == text[i] && c >= 'a')) {
      good = false;
      break;
    }
    checksum.add(static_cast<std::uint32_t>(digit));
    if (i >= digits) continue;
    bits = bits << 5 | static_cast<std::uint32_t>(digit);
    held += 5;
    if (held >= 8) {
      held -= 8;
      decoded.push_back(static_cast<char>(bits >> held & 0xff));
    }
  }
  good = good && checksum.state() == 1 && (bits & ((1u << held) - 1)) == 0;
  SecretBytes result(decoded);
  OPENSSL_cleanse(decoded.data(), decoded.size());
  if (!good) return fail(ErrorCode::kVerification, "wrong character or checksum: mistyped?");
  return result;
}

}  // namespace spl::crypto
