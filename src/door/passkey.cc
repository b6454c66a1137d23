#include "door/passkey.h"

#include <cbor.h>
#include <fido.h>
#include <fido/eddsa.h>
#include <fido/es256.h>
#include <fido/rs256.h>

#include <algorithm>
#include <array>
#include <memory>
#include <optional>

#include "base/encoding.h"
#include "codec/json.h"
#include "crypto/sha256.h"

namespace spl::door {
namespace {

constexpr std::size_t kChallengeBytes = 32;
constexpr std::size_t kClientDataBytesMax = 8192;
constexpr std::size_t kIdBytesMax = 1023;
// Web Authentication, 6.1: the digest of the rp's id, flags, a count, and what follows.
constexpr std::size_t kHeadBytes = 37;
constexpr std::size_t kFlagsAt = 32;
constexpr unsigned char kUserPresent = 0x01;
constexpr unsigned char kUserVerified = 0x04;
constexpr std::array kAlgorithms{COSE_ES256, COSE_EDDSA, COSE_RS256};

struct CredentialDeleter {
  void operator()(fido_cred_t* credential) const { fido_cred_free(&credential); }
};
struct AssertDeleter {
  void operator()(fido_assert_t* assert) const { fido_assert_free(&assert); }
};
struct CborDeleter {
  void operator()(cbor_item_t* item) const { cbor_decref(&item); }
};

std::unexpected<Error> invalid(const char* why) {
  return fail(ErrorCode::kRefused, Cause::kAuthInvalid, std::string("that passkey is not right: ") + why,
              "try again, or sign in with the password");
}

const unsigned char* octets_of(std::string_view text) {
  return reinterpret_cast<const unsigned char*>(text.data());
}

// 7.1 and 7.2: what the browser says it has asked for.
Result<void> check_client_data(std::string_view text, std::string_view type, const Site& site, Challenges& challenges) {
  if (text.size() > kClientDataBytesMax) return invalid("its client data is too long");
  const auto data = codec::Json::parse(text);
  if (!data) return invalid("its client data is no JSON");
  const auto member = [&data](std::string_view name) -> std::string {
    const codec::Json* value = data->find(name);
    return value == nullptr || value->string() == nullptr ? std::string() : *value->string();
  };
  if (!challenges.take(member("challenge"))) return invalid("it answers no question that is open");
  if (member("type") != type) return invalid("it is of another kind");
  if (member("origin") != site.origin) return invalid("it is of another site");
  const codec::Json* crossed = data->find("crossOrigin");
  if (crossed != nullptr && crossed->boolean() != nullptr && *crossed->boolean())
    return invalid("a page of another site asked for it");
  return {};
}

Result<void> check_head(std::string_view authenticator_data, const Site& site) {
  if (authenticator_data.size() < kHeadBytes) return invalid("its data is too short");
  if (authenticator_data.substr(0, kFlagsAt) != crypto::sha256(site.rp_id).view())
    return invalid("it is of another site");
  const auto flags = static_cast<unsigned char>(authenticator_data[kFlagsAt]);
  if ((flags & kUserPresent) == 0 || (flags & kUserVerified) == 0) return invalid("it has not looked who is there");
  return {};
}

// The member authData of {"fmt", "attStmt", "authData"}.
std::optional<std::string> authenticator_data_in(std::string_view attestation_object) {
  cbor_load_result loaded{};
  const std::unique_ptr<cbor_item_t, CborDeleter> item(
      cbor_load(octets_of(attestation_object), attestation_object.size(), &loaded));
  if (!item || loaded.read != attestation_object.size() || !cbor_isa_map(item.get())) return std::nullopt;
  const cbor_pair* pairs = cbor_map_handle(item.get());
  for (std::size_t i = 0; i < cbor_map_size(item.get()); ++i) {
    const cbor_item_t* key = pairs[i].key;
    const cbor_item_t* value = pairs[i].value;
    if (!cbor_isa_string(key) || !cbor_string_is_definite(key) || !cbor_isa_bytestring(value) ||
        !cbor_bytestring_is_definite(value))
      continue;
    const std::string_view name(reinterpret_cast<const char*>(cbor_string_handle(key)), cbor_string_length(key));
    if (name == "authData")
      return std::string(reinterpret_cast<const char*>(cbor_bytestring_handle(value)), cbor_bytestring_length(value));
  }
  return std::nullopt;
}

template <class Key>
int verify_with(const fido_assert_t* assertion, const PasskeyKey& key, Key* made,
                int (*from_octets)(Key*, const void*, std::size_t), void (*free_key)(Key**)) {
  int outcome = made == nullptr ? FIDO_ERR_INTERNAL : from_octets(made, key.public_key.data(), key.public_key.size());
  if (outcome == FIDO_OK) outcome = fido_assert_verify(assertion, 0, key.algorithm, made);
  free_key(&made);
  return outcome;
}

bool is_signed_by(const fido_assert_t* assertion, const PasskeyKey& key) {
  switch (key.algorithm) {
    case COSE_ES256:
      return verify_with(assertion, key, es256_pk_new(), es256_pk_from_ptr, es256_pk_free) == FIDO_OK;
    case COSE_EDDSA:
      return verify_with(assertion, key, eddsa_pk_new(), eddsa_pk_from_ptr, eddsa_pk_free) == FIDO_OK;
    case COSE_RS256:
      return verify_with(assertion, key, rs256_pk_new(), rs256_pk_from_ptr, rs256_pk_free) == FIDO_OK;
    default:
      return false;
  }
}

}  // namespace

std::string to_base64url(std::string_view octets) {
  std::string text = base::to_base64(octets, base::Padding::kNone);
  std::ranges::replace(text, '+', '-');
  std::ranges::replace(text, '/', '_');
  return text;
}

Result<std::string> from_base64url(std::string_view text) {
  if (text.find_first_of("+/=") != std::string_view::npos) return fail(ErrorCode::kUsage, "is no base64url");
  std::string plain(text);
  std::ranges::replace(plain, '-', '+');
  std::ranges::replace(plain, '_', '/');
  return base::from_base64(plain, base::Padding::kNone);
}

std::string Challenges::make() {
  std::array<char, kChallengeBytes> octets{};
  env_.random.fill(octets);
  std::string text = to_base64url({octets.data(), octets.size()});
  const std::scoped_lock lock(mutex_);
  open_.push_back({text, env_.clock.steady() + kChallengeLifetime});
  if (open_.size() > kChallengesMax) open_.pop_front();
  return text;
}

bool Challenges::take(const std::string& challenge) {
  const std::scoped_lock lock(mutex_);
  const auto at = std::ranges::find(open_, challenge, &One::text);
  if (at == open_.end()) return false;
  const bool is_open = at->until > env_.clock.steady();
  open_.erase(at);
  return is_open;
}

Result<PasskeyKey> read_registration(const Registration& registration, const Site& site, Challenges& challenges) {
  TRY(check_client_data(registration.client_data, "webauthn.create", site, challenges));
  const auto data = authenticator_data_in(registration.attestation_object);
  if (!data) return invalid("its attestation object has no data of an authenticator");
  TRY(check_head(*data, site));
  for (const int algorithm : kAlgorithms) {
    const std::unique_ptr<fido_cred_t, CredentialDeleter> credential(fido_cred_new());
    if (!credential || fido_cred_set_type(credential.get(), algorithm) != FIDO_OK) continue;
    if (fido_cred_set_authdata_raw(credential.get(), octets_of(*data), data->size()) != FIDO_OK) continue;
    PasskeyKey key;
    key.algorithm = algorithm;
    key.id.assign(reinterpret_cast<const char*>(fido_cred_id_ptr(credential.get())),
                  fido_cred_id_len(credential.get()));
    key.public_key.assign(reinterpret_cast<const char*>(fido_cred_pubkey_ptr(credential.get())),
                          fido_cred_pubkey_len(credential.get()));
    key.sign_count = fido_cred_sigcount(credential.get());
    if (key.id.empty() || key.id.size() > kIdBytesMax) return invalid("its id is too long");
    return key;
  }
  return invalid("its key is of no kind that was asked for");
}

Result<std::uint32_t> check_assertion(const PasskeyKey& key, const Assertion& assertion, const Site& site,
                                      Challenges& challenges) {
  TRY(check_client_data(assertion.client_data, "webauthn.get", site, challenges));
  TRY(check_head(assertion.authenticator_data, site));
  const std::unique_ptr<fido_assert_t, AssertDeleter> asked(fido_assert_new());
  const Digest digest = crypto::sha256(assertion.client_data);
  const bool is_set =
      asked && fido_assert_set_count(asked.get(), 1) == FIDO_OK &&
      fido_assert_set_rp(asked.get(), site.rp_id.c_str()) == FIDO_OK &&
      fido_assert_set_clientdata_hash(asked.get(), octets_of(digest.view()), digest.view().size()) == FIDO_OK &&
      fido_assert_set_authdata_raw(asked.get(), 0, octets_of(assertion.authenticator_data),
                                   assertion.authenticator_data.size()) == FIDO_OK &&
      fido_assert_set_up(asked.get(), FIDO_OPT_TRUE) == FIDO_OK &&
      fido_assert_set_uv(asked.get(), FIDO_OPT_TRUE) == FIDO_OK &&
      fido_assert_set_sig(asked.get(), 0, octets_of(assertion.signature), assertion.signature.size()) == FIDO_OK;
  if (!is_set || !is_signed_by(asked.get(), key)) return invalid("its signature does not hold");
  const std::uint32_t count = fido_assert_sigcount(asked.get(), 0);
  const bool counts = count != 0 || key.sign_count != 0;
  if (counts && count <= key.sign_count) return invalid("it was copied, or its count went back");
  return count;
}

}  // namespace spl::door
