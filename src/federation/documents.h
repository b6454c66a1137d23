// What an instance says of itself, signed with its key (docs/formats/federation.md): JSON objects with a member
// "signature", the base64 of an Ed25519 signature over the canonical JSON of the rest. Pure; any thread.
#pragma once

#include <chrono>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

#include "base/result.h"
#include "codec/json.h"
#include "codec/shape.h"
#include "substrate/identity.h"

namespace spl::federation {

inline constexpr std::size_t kDocumentBytesMax = 16u << 10;
inline constexpr std::size_t kAnnouncementBytesMax = 4u << 10;
inline constexpr std::chrono::hours kManifestLifetime{7 * 24};
inline constexpr std::chrono::hours kSequenceAheadMax{24};  // of an announcement's sequence, before the clock

// GET /.well-known/syncropel: who is there, and how it is paired with.
struct Manifest {
  std::string kind = "syncropel.federation_manifest.v1";
  std::string did;
  std::string base_url;
  std::string pair_endpoint;
  std::string sync_change_endpoint;
  std::string issued_at;  // RFC 3339, UTC
  std::string expires_at;

  static constexpr auto shape() {
    using M = Manifest;
    return codec::shape(codec::member("kind", &M::kind, "syncropel.federation_manifest.v1"),
                        codec::member("did", &M::did, "the instance"),
                        codec::member("base_url", &M::base_url, "where it is"),
                        codec::member("pair_endpoint", &M::pair_endpoint, "where a pair is asked for"),
                        codec::member("sync_change_endpoint", &M::sync_change_endpoint, "where records are"),
                        codec::member("issued_at", &M::issued_at, "RFC 3339"),
                        codec::member("expires_at", &M::expires_at, "RFC 3339; at most 7 days later"));
  }
};

// Where an instance is now. The newest decides: the one of the largest sequence.
struct Announcement {
  std::string kind = "syncropel.announcement.v1";
  std::string did;
  std::string base_url;
  std::uint64_t sequence = 0;  // the larger of the last one plus one and Unix milliseconds
  std::string incarnation;     // of its store, 32 digits
  std::string issued_at;

  static constexpr auto shape() {
    using A = Announcement;
    return codec::shape(codec::member("kind", &A::kind, "syncropel.announcement.v1"),
                        codec::member("did", &A::did, "the instance"),
                        codec::member("base_url", &A::base_url, "where it is"),
                        codec::member("sequence", &A::sequence, "the larger is the newer"),
                        codec::member("incarnation", &A::incarnation, "of its store"),
                        codec::member("issued_at", &A::issued_at, "RFC 3339"));
  }
};

// The text of the object with its signature.
std::string sign_document(codec::Json document, const substrate::Identity& signer);
// The members of a document whose signature is that of the DID in its member "did"; it has the kind. Code
// kVerification.
Result<codec::Json> verified_document(std::string_view text, std::string_view kind);

// Verified, and fit to be used at `now`: code kVerification where it has expired, is meant for more than 7 days, or has
// no address.
Result<Manifest> verified_manifest(std::string_view text, std::chrono::system_clock::time_point now);
// Verified; code kVerification too where it is longer than kAnnouncementBytesMax, or its sequence is more than a day
// ahead of `now`.
Result<Announcement> verified_announcement(std::string_view text, std::chrono::system_clock::time_point now);

}  // namespace spl::federation
