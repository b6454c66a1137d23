#include "federation/documents.h"

#include <algorithm>

#include "base/encoding.h"
#include "base/rfc3339.h"
#include "crypto/did_key.h"
#include "crypto/ed25519.h"
#include "http/url.h"
#include "substrate/body_members.h"

namespace spl::federation {
namespace {

using codec::Json;
using std::chrono::system_clock;

constexpr std::string_view kSignatureMember = "signature";
constexpr std::size_t kIncarnationDigits = 32;
constexpr std::chrono::seconds kClockSkew{300};

std::unexpected<Error> bad(std::string_view kind, std::string why) {
  return fail(ErrorCode::kVerification, Cause::kSignature, std::string(kind) + ": " + std::move(why));
}

std::string canonical_of(const Json& document) {
  std::string canonical;
  // What was parsed, or made here, is JSON.
  SPL_CHECK(codec::canonicalize_json(document.text(), canonical).has_value());
  return canonical;
}

Result<void> check_url(std::string_view kind, const std::string& url) {
  const auto parsed = http::Url::parse(url);
  if (!parsed) return bad(kind, "its base_url is no address");
  if (!parsed->is_tls && !parsed->is_loopback()) return bad(kind, "its base_url is plain HTTP, and not on loopback");
  return {};
}

bool is_incarnation(std::string_view text) {
  return text.size() == kIncarnationDigits &&
         std::ranges::all_of(text, [](char c) { return (c >= '0' && c <= '9') || (c >= 'a' && c <= 'f'); });
}

}  // namespace

std::string sign_document(Json document, const substrate::Identity& signer) {
  const crypto::Signature signature = signer.key.sign(canonical_of(document));
  document.add(std::string(kSignatureMember), base::to_base64(signature.view()));
  return document.text();
}

Result<Json> verified_document(std::string_view text, std::string_view kind) {
  if (text.size() > kDocumentBytesMax) return bad(kind, "it is too long");
  const auto parsed = Json::parse(text);
  if (!parsed || parsed->object() == nullptr) return bad(kind, "it is no JSON object");
  if (substrate::text_in(*parsed, "kind") != kind) return bad(kind, "it is of another kind");
  const auto key = crypto::parse_did_key(substrate::text_in(*parsed, "did"));
  if (!key) return bad(kind, "its did is no did:key");
  const auto octets = base::from_base64(substrate::text_in(*parsed, kSignatureMember));
  if (!octets || octets->size() != crypto::kSignatureBytes) return bad(kind, "it has no signature");
  Json::Object rest;
  for (const auto& [name, value] : *parsed->object()) {
    if (name != kSignatureMember) rest.emplace_back(name, value);
  }
  Json document(std::move(rest));
  if (!crypto::verify(*key, canonical_of(document), crypto::Signature::from(*octets)))
    return bad(kind, "its signature does not verify against the DID that it names");
  return document;
}

Result<Manifest> verified_manifest(std::string_view text, system_clock::time_point now) {
  constexpr std::string_view kKind = "federation manifest";
  const Json document = TRY(verified_document(text, Manifest().kind));
  auto manifest = codec::parse_shape<Manifest>(document, codec::Unknown::kIgnored);
  if (!manifest) return bad(kKind, manifest.error().message);
  TRY(check_url(kKind, manifest->base_url));
  const auto issued = base::parse_rfc3339(manifest->issued_at);
  const auto expires = base::parse_rfc3339(manifest->expires_at);
  if (!issued || !expires || *expires > *issued + kManifestLifetime)
    return bad(kKind, "its times are not within 7 days");
  if (*issued > now + kClockSkew) return bad(kKind, "it was issued in the future: a clock is wrong");
  if (*expires + kClockSkew < now) return bad(kKind, "it has expired");
  return std::move(*manifest);
}

Result<Announcement> verified_announcement(std::string_view text, system_clock::time_point now) {
  constexpr std::string_view kKind = "announcement";
  if (text.size() > kAnnouncementBytesMax) return bad(kKind, "it is too long");
  const Json document = TRY(verified_document(text, Announcement().kind));
  auto announcement = codec::parse_shape<Announcement>(document, codec::Unknown::kIgnored);
  if (!announcement) return bad(kKind, announcement.error().message);
  TRY(check_url(kKind, announcement->base_url));
  if (!is_incarnation(announcement->incarnation)) return bad(kKind, "its incarnation is none");
  const auto latest =
      std::chrono::duration_cast<std::chrono::milliseconds>((now + kSequenceAheadMax).time_since_epoch());
  if (announcement->sequence > static_cast<std::uint64_t>(latest.count()))
    return bad(kKind, "its sequence is more than a day ahead: a clock is wrong");
  return std::move(*announcement);
}

}  // namespace spl::federation
