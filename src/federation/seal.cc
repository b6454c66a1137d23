#include "federation/seal.h"

#include <algorithm>

#include "base/encoding.h"
#include "crypto/did_key.h"
#include "federation/nonces.h"
#include "http/signature.h"

namespace spl::federation {
namespace {

constexpr std::string_view kAlgorithm = "ed25519";
constexpr std::string_view kTag = "spl-federation";
constexpr std::size_t kNonceOctets = 16;

std::unexpected<Error> invalid(std::string why) {
  return fail(ErrorCode::kRefused, Cause::kAuthInvalid, "the request's signature is not taken: " + std::move(why),
              "sign method, path, query, content digest and spl-audience, as RFC 9421 says, with the key of the DID");
}

// The DID of a key's name: itself, or what stands before the name of the key in its document.
std::string_view did_of_key_id(std::string_view key_id) {
  return key_id.substr(0, key_id.find('#'));
}

bool covers_target(const http::SignatureInput& input, std::string_view target) {
  if (input.covers("@request-target")) return true;
  return input.covers("@path") && (input.covers("@query") || target.find('?') == std::string_view::npos);
}

Result<http::ReceivedSignature> signature_of(const http::RequestHead& head) {
  auto received = http::received_signature(head.fields);
  if (!received) return invalid(received.error().message);
  if (!*received)
    return fail(ErrorCode::kRefused, Cause::kAuthRequired, "a signed request is wanted here",
                "sign it with the instance's key, as RFC 9421 says; spl sync and spl federation do");
  return std::move(**received);
}

// What it covers is what the answer depends on.
Result<void> check_coverage(const http::RequestHead& head, const http::SignatureInput& input,
                            std::string_view content) {
  if (!input.covers("@method") || !covers_target(input, head.target) || !input.covers(kAudienceField))
    return invalid("it does not cover method, path, query and spl-audience");
  const std::string* digest = http::find_field(head.fields, http::kContentDigestField);
  const bool covers_digest = input.covers(http::kContentDigestField);
  if (!content.empty() && !covers_digest) return invalid("it does not cover the content's digest");
  if (covers_digest && (digest == nullptr || *digest != http::content_digest(content)))
    return invalid("content-digest is not the SHA-256 of the content");
  return {};
}

}  // namespace

std::int64_t unix_seconds(std::chrono::system_clock::time_point time) {
  return std::chrono::floor<std::chrono::seconds>(time).time_since_epoch().count();
}

SealedRequest seal_request(const Request& request, const substrate::Identity& signer, std::string_view audience,
                           env::Env env) {
  std::string octets(kNonceOctets, '\0');
  env.random.fill(octets);
  SealedRequest sealed;
  sealed.nonce = base::to_hex(octets);
  sealed.fields = {{std::string(kAudienceField), std::string(audience)},
                   {std::string(http::kContentDigestField), http::content_digest(request.content)}};
  http::SignatureInput input;
  input.components = {"@method", "@path", "@query", std::string(http::kContentDigestField),
                      std::string(kAudienceField)};
  input.created = unix_seconds(env.clock.now());
  input.nonce = sealed.nonce;
  input.key_id = signer.did;
  input.algorithm = kAlgorithm;
  input.tag = kTag;
  const http::SignedMessage message{request.method, request.target, 0, sealed.fields};
  SPL_CHECK(http::sign_message(message, input, signer.key, sealed.fields).has_value());
  return sealed;
}

Result<Caller> verified_request(const http::RequestHead& head, std::string_view content, std::string_view own_did,
                                std::int64_t now) {
  const http::ReceivedSignature received = TRY(signature_of(head));
  const http::SignatureInput& input = received.input;
  if (!input.algorithm.empty() && input.algorithm != kAlgorithm) return invalid("its algorithm is not ed25519");
  if (input.nonce.empty() || input.nonce.size() > kNonceBytesMax) return invalid("it has no nonce");
  if (!input.created) return invalid("it does not say when it was made");
  const std::int64_t age = now - *input.created;
  if (age > kRequestAgeMax.count() || age < -kRequestAgeMax.count())
    return invalid("it was made " + std::to_string(age) + " s ago by this clock, and 300 s either way are allowed");
  if (input.expires && *input.expires < now) return invalid("it has expired");
  TRY(check_coverage(head, input, content));
  const std::string* audience = http::find_field(head.fields, kAudienceField);
  if (audience == nullptr || *audience != own_did) return invalid("it is meant for another instance");
  const std::string_view did = did_of_key_id(input.key_id);
  const auto key = crypto::parse_did_key(did);
  if (!key) return invalid("its keyid is no did:key");
  if (!http::signature_holds({head.method, head.target, 0, head.fields}, received, *key))
    return invalid("it does not verify");
  return Caller{std::string(did), input.nonce, *input.created};
}

http::Fields seal_answer(int status, std::string_view content, const substrate::Identity& signer,
                         const Caller& caller) {
  http::Fields fields{{std::string(kAudienceField), caller.did},
                      {std::string(kNonceField), caller.nonce},
                      {std::string(http::kContentDigestField), http::content_digest(content)}};
  http::SignatureInput input;
  input.components = {"@status", std::string(http::kContentDigestField), std::string(kNonceField),
                      std::string(kAudienceField)};
  input.key_id = signer.did;
  input.algorithm = kAlgorithm;
  input.tag = kTag;
  const http::SignedMessage message{"", "", status, fields};
  SPL_CHECK(http::sign_message(message, input, signer.key, fields).has_value());
  return fields;
}

Result<void> check_answer(const http::Answer& answer, std::string_view peer_did, std::string_view own_did,
                          std::string_view nonce) {
  const auto bad = [](std::string_view why) {
    return fail(ErrorCode::kVerification, Cause::kPeerMisbehaves, "the answer is not the peer's: " + std::string(why));
  };
  const auto received = http::received_signature(answer.fields);
  if (!received || !*received) return bad("it is not signed");
  const http::SignatureInput& input = (*received)->input;
  const auto is = [&answer](std::string_view field, std::string_view value) {
    const std::string* found = http::find_field(answer.fields, field);
    return found != nullptr && *found == value;
  };
  if (did_of_key_id(input.key_id) != peer_did) return bad("another instance has signed it");
  if (!input.covers("@status") || !input.covers(http::kContentDigestField) || !input.covers(kNonceField) ||
      !input.covers(kAudienceField))
    return bad("its signature does not cover status, content and request");
  if (!is(kNonceField, nonce) || !is(kAudienceField, own_did)) return bad("it answers another request");
  if (!is(http::kContentDigestField, http::content_digest(answer.content))) return bad("its content was changed");
  const auto key = crypto::parse_did_key(peer_did);
  if (!key || !http::signature_holds({"", "", answer.status, answer.fields}, **received, *key))
    return bad("its signature does not verify");
  return {};
}

}  // namespace spl::federation
