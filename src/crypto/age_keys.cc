#include "crypto/age_keys.h"

#include <algorithm>
#include <utility>

#include "base/encoding.h"
#include "crypto/bech32.h"
#include "crypto/x25519.h"

namespace spl::crypto {
namespace {

constexpr std::string_view kRecipientPrefix = "age";
constexpr std::string_view kPublicBeginning = "age1";
constexpr std::string_view kIdentityPrefix = "AGE-SECRET-KEY-";

// Of any kind, in either case, as a beginning of it or whole.
bool is_secret_key(std::string_view text) {
  std::string begin(text.substr(0, kIdentityPrefix.size()));
  std::ranges::transform(begin, begin.begin(),
                         [](char c) { return c >= 'a' && c <= 'z' ? static_cast<char>(c - 32) : c; });
  return begin == kIdentityPrefix;
}

}  // namespace

Result<Recipient> Recipient::parse(std::string_view text) {
  const auto point = from_bech32(kRecipientPrefix, text, kX25519Bytes);
  if (!point && is_secret_key(text))
    return fail(ErrorCode::kUsage, "a secret key; give its public key",
                "age-keygen -y prints the public key of a secret one");
  if (!point) {
    // Anything else may be a secret as well: a passphrase, the key of another program.
    const std::string named = text.starts_with(kPublicBeginning) ? "'" + base::escaped(text, 100) + "' is" : "this is";
    return fail(ErrorCode::kUsage, named + " not an age recipient: " + point.error().message,
                "give a public key as age-keygen prints it: age1 and 58 more characters");
  }
  // Whether a point is of small order does not depend on the scalar.
  if (!x25519(std::string(kX25519Bytes, '\x01'), point->reveal()))
    return fail(ErrorCode::kUsage, "age recipient '" + std::string(text) + "' is of small order: anyone could open it");
  Recipient recipient;
  std::ranges::copy(point->reveal(), recipient.point_.begin());
  return recipient;
}

std::string Recipient::text() const {
  return to_bech32(kRecipientPrefix, point());
}

AgeIdentity::AgeIdentity(SecretBytes scalar) : scalar_(std::move(scalar)) {
  std::ranges::copy(x25519_public(scalar_.reveal()), recipient_.point_.begin());
}

Result<AgeIdentity> AgeIdentity::parse(std::string_view text) {
  auto scalar = from_bech32(kIdentityPrefix, text, kX25519Bytes);
  if (!scalar)
    return fail(ErrorCode::kUsage, "not an age identity: " + scalar.error().message,
                "give a secret key as age-keygen prints it: AGE-SECRET-KEY-1 and 58 more characters");
  return AgeIdentity(std::move(scalar).value());
}

Result<std::vector<AgeIdentity>> parse_identity_file(std::string_view content) {
  if (content.size() > kAgeIdentityFileBytesMax)
    return fail(ErrorCode::kUsage,
                "age identities are longer than " + std::to_string(kAgeIdentityFileBytesMax) + " bytes");
  std::vector<AgeIdentity> identities;
  for (int number = 1; !content.empty(); ++number) {
    const std::size_t end = std::min(content.find('\n'), content.size());
    std::string_view line = content.substr(0, end);
    content.remove_prefix(std::min(end + 1, content.size()));
    if (line.ends_with('\r')) line.remove_suffix(1);
    if (line.empty() || line.starts_with('#')) continue;
    if (identities.size() == kAgeIdentitiesMax)
      return fail(ErrorCode::kUsage, "more than " + std::to_string(kAgeIdentitiesMax) + " age identities");
    identities.push_back(TRY_IN("line " + std::to_string(number), AgeIdentity::parse(line)));
  }
  if (identities.empty())
    return fail(ErrorCode::kUsage, "no age identity among comments and blank lines", "age-keygen makes one");
  return identities;
}

}  // namespace spl::crypto
