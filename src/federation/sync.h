// Pulling what peers have (docs/formats/federation.md): page by page, each in one transaction together with the place
// where the next one begins, so that whoever is killed goes on where it was. Any thread, on an open instance.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "base/result.h"
#include "codec/shape.h"
#include "federation/peer_client.h"
#include "instance/instance.h"

namespace spl::federation {

inline constexpr std::uint64_t kEmptyPagesMax = 1000;       // one after another, of a peer that says there is more
inline constexpr std::uint64_t kRefusedInRunMax = 100'000;  // bad records, before the peer is given up
inline constexpr std::uint64_t kRedactedMax = 5'000'000;    // notes of redacted records that are kept

struct SyncQuestion {
  std::optional<std::string> peer;  // none: every active pair
  bool from_start = false;          // again from the beginning of the peer's log: for what a new grant lets pass
  std::optional<std::string> thread;
  bool insecure_localhost = false;

  static constexpr auto shape() {
    using Q = SyncQuestion;
    using enum codec::Presence;
    return codec::shape(codec::member("peer", &Q::peer, "whom to ask; none: all", kOmitted),
                        codec::member("from_start", &Q::from_start, "again from the beginning"),
                        codec::member("thread", &Q::thread, "this thread alone, from its beginning", kOmitted),
                        codec::member("insecure_localhost", &Q::insecure_localhost, "believe loopback's certificates"));
  }
};

// What became of one peer.
struct PeerSync {
  std::string peer_did;
  std::string peer_base_url;  // afterwards
  std::uint64_t pages = 0;
  std::uint64_t received = 0;      // records in the pages
  std::uint64_t inserted = 0;      // new here
  std::uint64_t deduplicated = 0;  // here already
  std::uint64_t redacted = 0;      // of which no more is known than that they are
  std::uint64_t refused = 0;       // bad ones
  std::optional<std::string> error;
  std::optional<std::string> code;  // of the error
  std::optional<std::string> hint;

  static constexpr auto shape() {
    using P = PeerSync;
    return codec::shape(
        codec::member("peer_did", &P::peer_did, "the peer"),
        codec::member("peer_base_url", &P::peer_base_url, "where it is"),
        codec::member("pages", &P::pages, "that were fetched"),
        codec::member("received", &P::received, "records in them"), codec::member("inserted", &P::inserted, "new here"),
        codec::member("deduplicated", &P::deduplicated, "here already"),
        codec::member("redacted", &P::redacted, "without their bodies"),
        codec::member("refused", &P::refused, "bad ones"),
        codec::member("error", &P::error, "why it ended before there was no more"),
        codec::member("code", &P::code, "the error's word"), codec::member("hint", &P::hint, "what to do"));
  }
};
struct SyncReport {
  std::vector<PeerSync> peers;
  std::uint64_t inserted = 0;  // of all
  std::uint64_t refused = 0;

  static constexpr auto shape() {
    return codec::shape(codec::member("peers", &SyncReport::peers, "each that was asked"),
                        codec::member("inserted", &SyncReport::inserted, "new here, of all"),
                        codec::member("refused", &SyncReport::refused, "bad ones, of all"));
  }
};

// Pulls until there is no more. With a peer named its error is this one's; without, one peer's error does not keep the
// others, and is in the report.
Result<SyncReport> sync(const Outgoing& outgoing, const SyncQuestion& question);

}  // namespace spl::federation
