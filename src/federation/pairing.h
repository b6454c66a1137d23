// How two instances become a pair (docs/formats/federation.md), and how a pair is paused, resumed and ended. Any
// thread, on an open instance.
//
// The one who begins lays down that it wants the pair, and asks until the other has decided. What is asked for is kept
// by the other beside its records, so that strangers do not fill its log; once its owner, or a rule, approves, it lays
// down the pair. Asking again is harmless on either side, so that whoever was killed goes on.
#pragma once

#include <array>
#include <chrono>
#include <cstdint>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "base/result.h"
#include "codec/enum_names.h"
#include "codec/shape.h"
#include "federation/peer_client.h"
#include "federation/seal.h"
#include "instance/instance.h"
#include "substrate/pairs.h"

namespace spl::federation {

inline constexpr std::size_t kPairRequestsMax = 64;  // that wait for the owner
inline constexpr std::chrono::seconds kPairPollInterval{2};
inline constexpr std::chrono::seconds kPairWait{60};

// What a pair is to its owner.
struct PairSummary {
  std::string pair_id;
  std::string peer_did;
  std::string peer_base_url;
  substrate::PairState state = substrate::PairState::kEstablishing;
  std::vector<std::string> namespaces;
  std::optional<std::string> last_contact;
  std::optional<std::string> last_success;
  std::optional<std::uint64_t> lag_seconds;  // since there was nothing more to fetch
  std::optional<std::string> last_error;
  std::uint64_t received = 0;
  std::uint64_t refused = 0;
  std::optional<std::string> last_refusal;
  bool two_copies = false;

  static constexpr auto shape() {
    using S = PairSummary;
    return codec::shape(codec::member("pair_id", &S::pair_id, "fed_ and 64 digits"),
                        codec::member("peer_did", &S::peer_did, "the other side"),
                        codec::member("peer_base_url", &S::peer_base_url, "where it was last; may be empty"),
                        codec::member("state", &S::state, "establishing, active, paused, degraded or revoked"),
                        codec::member("namespaces", &S::namespaces, "shared whole"),
                        codec::member("last_contact", &S::last_contact, "when it last answered"),
                        codec::member("last_success", &S::last_success, "when there was last no more to fetch"),
                        codec::member("lag_seconds", &S::lag_seconds, "since then"),
                        codec::member("last_error", &S::last_error, "since then"),
                        codec::member("received", &S::received, "records that were new here"),
                        codec::member("refused", &S::refused, "records that were bad"),
                        codec::member("last_refusal", &S::last_refusal, "why the last one was"),
                        codec::member("two_copies", &S::two_copies, "the peer lives twice"));
  }
};
Result<std::vector<PairSummary>> list_pairs(instance::Instance& instance);

struct PairQuestion {
  std::string url;
  std::vector<std::string> namespaces;        // none: the default one
  std::optional<std::uint64_t> wait_seconds;  // for the other side; none: kPairWait
  bool insecure_localhost = false;

  static constexpr auto shape() {
    using Q = PairQuestion;
    using enum codec::Presence;
    return codec::shape(codec::member("url", &Q::url, "the other instance's address"),
                        codec::member("namespaces", &Q::namespaces, "to be shared whole; none: default", kOmitted),
                        codec::member("wait_seconds", &Q::wait_seconds, "for its owner; none: 60", kOmitted),
                        codec::member("insecure_localhost", &Q::insecure_localhost, "believe loopback's certificates"));
  }
};
// Asks for a pair until the other side has decided, or the wait is over: then the pair is still establishing, and
// spl sync goes on asking. Cause kPairRejected where the other owner has said no.
Result<PairSummary> pair_with(const Outgoing& outgoing, const PairQuestion& question);
// Asks once more for a pair that is being established; true where it is active now.
Result<bool> ask_again(PeerClient& peer, instance::Instance& instance, const substrate::Pair& pair);

// What another instance asks of this one's owner.
struct PairRequest {
  std::string id;  // 64 digits
  std::string kind = "pair";
  std::string peer_did;
  std::string peer_base_url;
  std::vector<std::string> namespaces;
  std::string asked_at;
  std::optional<std::string> predecessor;  // an identity that has ended, and names the asker as its successor
  std::string state = "pending";           // or "rejected"

  static constexpr auto shape() {
    using R = PairRequest;
    return codec::shape(
        codec::member("id", &R::id, "what it is approved by"), codec::member("kind", &R::kind, "pair"),
        codec::member("peer_did", &R::peer_did, "who asks"),
        codec::member("peer_base_url", &R::peer_base_url, "where it is; may be empty"),
        codec::member("namespaces", &R::namespaces, "that would be shared whole"),
        codec::member("asked_at", &R::asked_at, "when it first asked"),
        codec::member("predecessor", &R::predecessor, "whose successor it is", codec::Presence::kOmitted),
        codec::member("state", &R::state, "pending or rejected"));
  }
};
// Those that wait.
Result<std::vector<PairRequest>> list_requests(instance::Instance& instance);
// `id` may be a beginning of 8 digits or more. Cause kNotFound.
Result<PairSummary> approve_request(instance::Instance& instance, const std::string& id);
Result<PairRequest> reject_request(instance::Instance& instance, const std::string& id);

// `name` as substrate::find_pair() has it.
Result<PairSummary> pause_pair(instance::Instance& instance, const std::string& name);
Result<PairSummary> resume_pair(instance::Instance& instance, const std::string& name);
// Here, whether the peer can be told or not.
Result<PairSummary> revoke_pair(instance::Instance& instance, const std::string& name);
// Tells a peer that its pair with this instance has ended.
Result<void> tell_revoked(const Outgoing& outgoing, const std::string& peer_did, const std::string& base_url);

// Lays down what a pair is now, in a unit of the committer.
Result<void> record_pair(instance::Instance& instance, store::StoreWriter& writer, const substrate::Pair& pair,
                         substrate::PairStep step);
Result<PairSummary> pair_summary(instance::Instance& instance, const std::string& peer_did);

// The other side of the wire: answers to the requests of `caller`, whose signature was verified. What is returned is
// the body of the answer; `waits` says that the owner has still to decide.
struct PairAnswer {
  std::string content;
  bool waits = false;
};
Result<PairAnswer> answer_pair(instance::Instance& instance, const Caller& caller, std::string_view content);
Result<std::string> answer_revoke(instance::Instance& instance, const Caller& caller);
// {"announcement"} both ways.
Result<std::string> answer_announce(instance::Instance& instance, const Caller& caller, std::string_view content);

}  // namespace spl::federation
