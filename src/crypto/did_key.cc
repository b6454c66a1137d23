#include "crypto/did_key.h"

#include <array>
#include <cstdint>
#include <cstring>
#include <ranges>

#include "base/encoding.h"

namespace spl::crypto {
namespace {

constexpr std::string_view kDidPrefix = "did:key:";
constexpr std::string_view kMulticodec = "\xed\x01";
constexpr std::string_view kBase58 = "123456789ABCDEFGHJKLMNPQRSTUVWXYZabcdefghijkmnopqrstuvwxyz";

constexpr std::size_t kTaggedBytes = 34;  // the multicodec and the key
// 34 octets that begin with ed 01 are 47 digits in base 58, whatever follows.
constexpr std::size_t kDigits = 47;

std::string to_base58(std::array<std::uint8_t, kTaggedBytes> number) {
  std::string digits(kDigits, '\0');
  for (std::size_t i = kDigits; i-- > 0;) {
    std::uint32_t rest = 0;
    for (std::uint8_t& octet : number) {
      rest = rest << 8 | octet;
      octet = static_cast<std::uint8_t>(rest / 58);
      rest %= 58;
    }
    digits[i] = kBase58[rest];
  }
  return digits;
}

// False where a character is not of the alphabet or the number does not fit.
bool from_base58(std::string_view digits, std::array<std::uint8_t, kTaggedBytes>& number) {
  number.fill(0);
  for (const char c : digits) {
    const std::size_t digit = kBase58.find(c);
    if (digit == std::string_view::npos) return false;
    auto carry = static_cast<std::uint32_t>(digit);
    for (std::uint8_t& octet : std::views::reverse(number)) {
      carry += octet * 58u;
      octet = static_cast<std::uint8_t>(carry & 0xff);
      carry >>= 8;
    }
    if (carry != 0) return false;
  }
  return true;
}

}  // namespace

std::string multibase_of(const PublicKey& key) {
  std::array<std::uint8_t, kTaggedBytes> tagged;
  std::memcpy(tagged.data(), kMulticodec.data(), kMulticodec.size());
  std::memcpy(tagged.data() + kMulticodec.size(), key.octets.data(), key.octets.size());
  return "z" + to_base58(tagged);
}

std::string did_of(const PublicKey& key) {
  return std::string(kDidPrefix) + multibase_of(key);
}

Result<PublicKey> parse_multibase(std::string_view text) {
  std::array<std::uint8_t, kTaggedBytes> tagged;
  // With the length fixed and no leading zero octet, a number has one spelling only.
  if (text.size() != 1 + kDigits || text.front() != 'z' || !from_base58(text.substr(1), tagged) ||
      std::memcmp(tagged.data(), kMulticodec.data(), kMulticodec.size()) != 0)
    return fail(ErrorCode::kVerification, "'" + base::escaped(text, 64) + "' is not the multibase of an Ed25519 key");
  return parse_public_key(
      std::string_view(reinterpret_cast<const char*>(tagged.data()), tagged.size()).substr(kMulticodec.size()));
}

Result<PublicKey> parse_did_key(std::string_view did) {
  if (!did.starts_with(kDidPrefix))
    return fail(ErrorCode::kVerification, "'" + base::escaped(did, 64) + "' is not a did:key");
  return parse_multibase(did.substr(kDidPrefix.size()));
}

}  // namespace spl::crypto
