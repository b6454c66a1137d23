#include "crypto/age_stanza.h"

#include <algorithm>
#include <charconv>
#include <utility>

#include "base/check.h"
#include "base/encoding.h"
#include "crypto/aead.h"
#include "crypto/kdf.h"
#include "crypto/wiped.h"
#include "crypto/x25519.h"

namespace spl::crypto {
namespace {

constexpr std::string_view kX25519Type = "X25519";
constexpr std::string_view kX25519Info = "age-encryption.org/v1/X25519";
constexpr std::string_view kScryptType = "scrypt";
constexpr std::string_view kScryptLabel = "age-encryption.org/v1/scrypt";
constexpr std::size_t kSaltBytes = 16;
constexpr std::size_t kWrappedBytes = kAgeFileKeyBytes + kAeadTagBytes;

std::unexpected<Error> malformed(std::string_view type, std::string_view what) {
  return fail(ErrorCode::kVerification, "age header: " + std::string(type) + " stanza: " + std::string(what));
}

// A wrap key seals one file key only, so its nonce is zero.
std::string seal_file_key(const SecretBytes& wrap_key, const SecretBytes& file_key) {
  std::string body(kWrappedBytes, '\0');
  std::ranges::copy(file_key.reveal(), body.begin());
  Aead(wrap_key.reveal(), Aead::Direction::kSeal).seal(AeadNonce{}, body);
  return body;
}

std::optional<SecretBytes> open_file_key(const SecretBytes& wrap_key, std::string_view body) {
  Wiped<kWrappedBytes> opened;
  std::ranges::copy(body, opened.span().begin());
  if (!Aead(wrap_key.reveal(), Aead::Direction::kOpen).open(AeadNonce{}, opened.span())) return {};
  return SecretBytes(opened.view().substr(0, kAgeFileKeyBytes));
}

SecretBytes x25519_wrap_key(const SecretBytes& shared, std::string_view share, std::string_view recipient) {
  return hkdf_sha256(shared.reveal(), std::string(share) + std::string(recipient), kX25519Info);
}

Result<SecretBytes> scrypt_wrap_key(const SecretBytes& passphrase, std::string_view salt, int log_n) {
  return scrypt(passphrase.reveal(), std::string(kScryptLabel) + std::string(salt), log_n);
}

// Unpadded base64 of exactly `octets` octets.
Result<std::string> parse_argument(std::string_view type, std::string_view text, std::size_t octets) {
  auto value = base::from_base64(text, base::Padding::kNone);
  if (!value || value->size() != octets) return malformed(type, "malformed argument");
  return value;
}

Result<void> check_shape(const AgeStanza& stanza, std::size_t arguments) {
  const std::string& type = stanza.arguments.front();
  if (stanza.arguments.size() != arguments) return malformed(type, "wrong number of arguments");
  if (stanza.body.size() != kWrappedBytes) return malformed(type, "wrong length of the body");
  return {};
}

Result<int> parse_log_n(std::string_view text, int log_n_max) {
  int log_n = 0;
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), log_n);
  const bool digits = std::ranges::all_of(text, [](char c) { return c >= '0' && c <= '9'; }) && text[0] != '0';
  if (!digits) return malformed(kScryptType, "malformed work factor");
  if (error != std::errc() || end != text.data() + text.size() || log_n > log_n_max)
    return fail(
        ErrorCode::kVerification,
        "age header: scrypt stanza: work factor " + base::escaped(text, 16) + " is over " + std::to_string(log_n_max),
        "it would take too much memory: decrypt it with age where there is enough, and encrypt it anew");
  return log_n;
}

}  // namespace

Result<AgeStanza> wrap_for_recipient(const SecretBytes& file_key, const Recipient& recipient,
                                     const FillRandom& fill_random) {
  Wiped<kX25519Bytes> ephemeral;
  fill_random(ephemeral.span());
  const std::string share = x25519_public(ephemeral.view());
  const SecretBytes shared = TRY(x25519(ephemeral.view(), recipient.point()));
  return AgeStanza{{std::string(kX25519Type), base::to_base64(share, base::Padding::kNone)},
                   seal_file_key(x25519_wrap_key(shared, share, recipient.point()), file_key)};
}

Result<AgeStanza> wrap_under_passphrase(const SecretBytes& file_key, const SecretBytes& passphrase,
                                        const FillRandom& fill_random, int log_n) {
  std::string salt(kSaltBytes, '\0');
  fill_random(salt);
  const SecretBytes wrap_key = TRY(scrypt_wrap_key(passphrase, salt, log_n));
  return AgeStanza{{std::string(kScryptType), base::to_base64(salt, base::Padding::kNone), std::to_string(log_n)},
                   seal_file_key(wrap_key, file_key)};
}

Result<AgeLocks> read_locks(const std::vector<AgeStanza>& stanzas, int log_n_max) {
  AgeLocks locks;
  for (const AgeStanza& stanza : stanzas) {
    const std::string& type = stanza.arguments.front();
    if (type == kX25519Type) {
      TRY(check_shape(stanza, 2));
      std::string share = TRY(parse_argument(type, stanza.arguments[1], kX25519Bytes));
      locks.x25519.push_back({std::move(share), stanza.body});
    } else if (type == kScryptType) {
      if (stanzas.size() != 1) return malformed(type, "it does not stand alone");
      TRY(check_shape(stanza, 3));
      std::string salt = TRY(parse_argument(type, stanza.arguments[1], kSaltBytes));
      const int log_n = TRY(parse_log_n(stanza.arguments[2], log_n_max));
      locks.scrypt = {std::move(salt), log_n, stanza.body};
    }
  }
  return locks;
}

Result<std::optional<Unwrapped>> unwrap(std::span<const AgeLocks::X25519> locks,
                                        std::span<const AgeIdentity> identities) {
  std::optional<Unwrapped> unwrapped;
  // No early end: a malformed share is refused wherever it stands.
  for (const AgeLocks::X25519& lock : locks) {
    for (const AgeIdentity& identity : identities) {
      const SecretBytes shared = TRY_IN("age header: X25519 stanza", x25519(identity.scalar().reveal(), lock.share));
      if (unwrapped) continue;
      auto key = open_file_key(x25519_wrap_key(shared, lock.share, identity.recipient().point()), lock.body);
      if (key) unwrapped = Unwrapped{std::move(*key), identity.recipient()};
    }
  }
  return unwrapped;
}

Result<std::optional<Unwrapped>> unwrap(const AgeLocks::Scrypt& lock, const SecretBytes& passphrase) {
  auto key = open_file_key(TRY(scrypt_wrap_key(passphrase, lock.salt, lock.log_n)), lock.body);
  if (!key) return std::nullopt;
  return Unwrapped{std::move(*key), std::nullopt};
}

}  // namespace spl::crypto
