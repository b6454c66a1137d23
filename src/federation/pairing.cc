#include "federation/pairing.h"

#include <algorithm>

#include "base/encoding.h"
#include "base/rfc3339.h"
#include "crypto/sha256.h"
#include "federation/peer_notes.h"
#include "federation/retirement.h"
#include "federation/whereabouts.h"
#include "http/url.h"
#include "instance/ingest.h"
#include "instance/move.h"
#include "record/thread.h"
#include "substrate/body_members.h"
#include "substrate/engine_config.h"

namespace spl::federation {
namespace {

using codec::Json;
using substrate::Pair;
using substrate::PairState;
using substrate::PairStep;

constexpr std::string_view kRequestPrefix = "pair_request.";
constexpr std::string_view kPending = "pending";
constexpr std::string_view kRejected = "rejected";
constexpr std::size_t kShortestId = 8;
constexpr std::chrono::hours kDegradedAfter{24};
constexpr std::chrono::hours kRequestKept{30 * 24};

// The body of POST /v1/federation/pair, and of its answer.
struct PairWish {
  std::vector<std::string> namespaces;
  std::optional<std::string> announcement;

  static constexpr auto shape() {
    return codec::shape(
        codec::member("namespaces", &PairWish::namespaces, "to be shared whole"),
        codec::member("announcement", &PairWish::announcement, "where the asker is", codec::Presence::kOmitted));
  }
};
struct PairReply {
  std::string pair_id;
  std::string state;  // of the answering side: "active", "pending"
  std::vector<std::string> namespaces;

  static constexpr auto shape() {
    return codec::shape(codec::member("pair_id", &PairReply::pair_id, "of the two"),
                        codec::member("state", &PairReply::state, "active, or pending"),
                        codec::member("namespaces", &PairReply::namespaces, "that are shared whole"));
  }
};

std::optional<std::string> unless_empty(const std::string& text) {
  return text.empty() ? std::nullopt : std::optional(text);
}

PairSummary summary_of(const Pair& pair, const PeerNotes& notes, std::chrono::system_clock::time_point now) {
  PairSummary summary{.pair_id = pair.pair_id,
                      .peer_did = pair.peer_did,
                      .peer_base_url = pair.peer_base_url,
                      .state = pair.state,
                      .namespaces = pair.namespaces,
                      .last_contact = unless_empty(notes.last_contact_at),
                      .last_success = unless_empty(notes.last_success_at),
                      .lag_seconds = std::nullopt,
                      .last_error = unless_empty(notes.last_error),
                      .received = notes.received,
                      .refused = notes.refused,
                      .last_refusal = unless_empty(notes.last_refusal),
                      .two_copies = !notes.other_copy.empty()};
  if (const auto at = base::parse_rfc3339(notes.last_success_at))
    summary.lag_seconds = static_cast<std::uint64_t>(
        std::max<std::int64_t>(0, std::chrono::floor<std::chrono::seconds>(now - *at).count()));
  const auto contact = base::parse_rfc3339(notes.last_contact_at);
  const bool is_silent = !notes.last_error.empty() && contact && now - *contact > kDegradedAfter;
  if (summary.state == PairState::kActive && is_silent) summary.state = PairState::kDegraded;
  return summary;
}

std::optional<Pair> pair_with_peer(const std::vector<Pair>& pairs, std::string_view did) {
  const auto at = std::ranges::find(pairs, did, &Pair::peer_did);
  return at == pairs.end() ? std::nullopt : std::optional(*at);
}

bool is_agreed(PairState state) {
  return state == PairState::kActive || state == PairState::kEstablishing;
}

std::string setting_name(std::string_view id) {
  return std::string(kRequestPrefix) + std::string(id);
}

Result<std::vector<PairRequest>> requests(store::StoreReader& reader) {
  std::vector<PairRequest> found;
  for (const auto& [name, text] : TRY(reader.settings_beginning(kRequestPrefix))) {
    auto request = codec::parse_shape_text<PairRequest>(text, codec::Unknown::kIgnored);
    if (request) found.push_back(std::move(*request));
  }
  return found;
}

Result<void> keep_request(store::StoreWriter& writer, const PairRequest& request) {
  return writer.set_setting(setting_name(request.id), codec::shape_text(request));
}

// The one that was refused longest ago makes room for another; false where there is none, and no room.
Result<bool> make_room(store::StoreWriter& writer) {
  const auto all = TRY(requests(writer));
  if (all.size() < kPairRequestsMax) return true;
  const PairRequest* oldest = nullptr;
  for (const PairRequest& request : all) {
    if (request.state == kRejected && (oldest == nullptr || request.asked_at < oldest->asked_at)) oldest = &request;
  }
  if (oldest == nullptr) return false;
  TRY(writer.remove_setting(setting_name(oldest->id)));
  return true;
}

// Those that nobody has asked about for a month, and whatever else this peer has asked.
Result<void> drop_old_requests(store::StoreWriter& writer, const std::string& peer,
                               std::chrono::system_clock::time_point now) {
  for (const PairRequest& request : TRY(requests(writer))) {
    const auto asked = base::parse_rfc3339(request.asked_at);
    if (request.peer_did == peer || !asked || now - *asked > kRequestKept)
      TRY(writer.remove_setting(setting_name(request.id)));
  }
  return {};
}

Result<PairRequest> find_request(store::StoreReader& reader, const std::string& id) {
  std::optional<PairRequest> found;
  for (PairRequest& request : TRY(requests(reader))) {
    if (id.size() < kShortestId || request.state != kPending || !request.id.starts_with(id)) continue;
    if (found)
      return fail(ErrorCode::kUsage, "more than one request has an id that begins so", "give more digits of it");
    found = std::move(request);
  }
  if (found) return std::move(*found);
  return fail(ErrorCode::kUsage, Cause::kNotFound, "no request \"" + base::escaped(id, 80) + "\" waits for a decision",
              "spl aitl list shows those that do");
}

std::string request_id(std::string_view own, std::string_view peer, const std::vector<std::string>& namespaces) {
  std::string text = std::string(own) + "\n" + std::string(peer);
  for (const std::string& name : namespaces) text += "\n" + name;
  return base::to_hex(crypto::sha256(text).view());
}

// What the rules of this instance say of a request: "ask" where none of them fits.
Result<std::string> rule_for(store::StoreReader& reader, const std::string& own_did, const PairRequest& request) {
  Json::Array namespaces;
  for (const std::string& name : request.namespaces) namespaces.emplace_back(name);
  const Json body = Json::Object{{"awaits", "actor_decision"},
                                 {"kind", "syncropel.federation.pair_pending.v1"},
                                 {"namespaces", std::move(namespaces)},
                                 {"pair_id", substrate::pair_id_of(own_did, request.peer_did)},
                                 {"peer_base_url", request.peer_base_url},
                                 {"peer_did", request.peer_did}};
  const Json record = Json::Object{{"act", "KNOW"},
                                   {"actor", request.peer_did},
                                   {"body", body},
                                   {"clock", 0},
                                   {"data_type", "SCALAR"},
                                   {"parents", Json::Array{}},
                                   {"thread", record::kPairsThread},
                                   {"judged_by", Json()}};
  const auto config = TRY(substrate::engine_config(reader, own_did));
  const substrate::RuleBook rules(config, substrate::RuleKind::kAitl);
  return rules.action_for(Json::Object{{"record", record}, {"actor", request.peer_did}, {"account", ""}})
      .value_or("ask");
}

Result<void> lay_down_approved(instance::Instance& instance, store::StoreWriter& writer, const PairRequest& request,
                               const std::string& own_url) {
  const std::string own_did = instance.did().value_or("");
  if (TRY(retirements(writer, own_did)).contains(request.peer_did))
    return fail(ErrorCode::kRefused, Cause::kRetired, "the identity " + request.peer_did + " was retired");
  const Pair pair{.pair_id = substrate::pair_id_of(own_did, request.peer_did),
                  .peer_did = request.peer_did,
                  .peer_base_url = request.peer_base_url,
                  .own_base_url = own_url,
                  .state = PairState::kActive,
                  .namespaces = request.namespaces};
  TRY(record_pair(instance, writer, pair, PairStep::kGenesis));
  return writer.remove_setting(setting_name(request.id));
}

std::string reply_text(const std::string& pair_id, std::string_view state, std::vector<std::string> namespaces) {
  return codec::shape_text(PairReply{pair_id, std::string(state), std::move(namespaces)});
}

std::unexpected<Error> rejected() {
  return fail(ErrorCode::kRefused, Cause::kPairRejected, "the owner of this instance does not want the pair");
}

Result<PairSummary> change_state(instance::Instance& instance, const std::string& name, PairStep step,
                                 const std::function<Result<PairState>(const Pair&)>& next) {
  std::string peer;
  TRY(instance.committer().run([&](store::StoreWriter& writer) -> Result<void> {
    TRY(instance::require_not_moved(writer));
    Pair pair = TRY(substrate::find_pair(TRY(substrate::federation_pairs(writer, instance.did())), name));
    peer = pair.peer_did;
    const PairState state = TRY(next(pair));
    if (state == pair.state) return {};
    pair.state = state;
    return record_pair(instance, writer, pair, step);
  }));
  return pair_summary(instance, peer);
}

}  // namespace

Result<void> record_pair(instance::Instance& instance, store::StoreWriter& writer, const Pair& pair, PairStep step) {
  instance::Emission emission;
  emission.act = record::Act::kLearn;
  emission.thread = std::string(record::kPairsThread);
  emission.body = substrate::pair_body(pair, step, env::rfc3339(instance.env().clock.now()));
  TRY(instance::emit_within(instance, writer, emission));
  return {};
}

Result<std::vector<PairSummary>> list_pairs(instance::Instance& instance) {
  const auto reader = TRY(instance.store().reader());
  std::vector<PairSummary> summaries;
  for (const Pair& pair : TRY(substrate::federation_pairs(*reader, instance.did())))
    summaries.push_back(summary_of(pair, TRY(peer_notes(*reader, pair.peer_did)), instance.env().clock.now()));
  return summaries;
}

Result<PairSummary> pair_summary(instance::Instance& instance, const std::string& peer_did) {
  for (PairSummary& summary : TRY(list_pairs(instance))) {
    if (summary.peer_did == peer_did) return std::move(summary);
  }
  return fail(ErrorCode::kUsage, Cause::kNotFound, "there is no pair with " + base::escaped(peer_did, 120));
}

Result<PairSummary> pair_with(const Outgoing& outgoing, const PairQuestion& question) {
  instance::Instance& instance = outgoing.instance();
  const auto identity = instance.identity();
  if (!identity) return std::unexpected(instance.no_identity());
  const auto namespaces = TRY(substrate::pair_namespaces(question.namespaces));
  const Manifest manifest = TRY(outgoing.manifest_at(question.url));
  if (manifest.did == identity->did)
    return fail(ErrorCode::kUsage, "the instance at " + base::escaped(question.url, 200) + " is this one",
                "give the other one's address");
  // Where it was reached is where it is, whatever it says.
  Pair pair{.pair_id = substrate::pair_id_of(identity->did, manifest.did),
            .peer_did = manifest.did,
            .peer_base_url = TRY(http::Url::parse(question.url)).text(),
            .own_base_url = TRY(own_base_url(instance)),
            .state = PairState::kEstablishing,
            .namespaces = namespaces};
  TRY(require_not_retired(*TRY(instance.store().reader()), identity->did));
  // A manifest can be served by anybody; what is signed for this request cannot.
  PeerClient peer(outgoing, pair.peer_base_url, pair.peer_did);
  TRY(peer.ask("POST", std::string(kAnnouncePath), "{}"));
  TRY(instance.committer().run([&](store::StoreWriter& writer) -> Result<void> {
    TRY(instance::require_not_moved(writer));
    TRY(require_not_retired(writer, identity->did));
    if (TRY(retirements(writer, identity->did)).contains(pair.peer_did))
      return fail(ErrorCode::kRefused, Cause::kRetired, "the identity of " + pair.peer_did + " was retired");
    const auto known = pair_with_peer(TRY(substrate::federation_pairs(writer, identity->did)), pair.peer_did);
    if (known && known->state == PairState::kPaused)
      return fail(ErrorCode::kRefused, Cause::kPairPaused, "the pair with " + pair.peer_did + " is paused",
                  "spl federation resume " + pair.peer_did);
    // What both have agreed to stays until both agree to something else.
    if (known && known->state == PairState::kActive) {
      Pair agreed = *known;
      agreed.peer_base_url = pair.peer_base_url;
      agreed.own_base_url = pair.own_base_url;
      return agreed == *known ? Result<void>() : record_pair(instance, writer, agreed, PairStep::kUpdate);
    }
    return known && *known == pair ? Result<void>() : record_pair(instance, writer, pair, PairStep::kInit);
  }));
  const auto end =
      instance.env().clock.steady() + std::chrono::seconds(question.wait_seconds.value_or(kPairWait.count()));
  while (!TRY(ask_again(peer, instance, pair))) {
    const auto left = end - instance.env().clock.steady();
    if (left <= std::chrono::seconds(0)) break;
    outgoing.progress().update("waiting for the other owner", 0, 0, "");
    const auto pause = std::min<std::chrono::nanoseconds>(left, kPairPollInterval);
    for (auto slept = std::chrono::nanoseconds(0); slept < pause; slept += std::chrono::milliseconds(100)) {
      if (outgoing.progress().cancelled())
        return base::fail_cancelled("the pair is asked for; spl sync goes on asking");
      instance.env().clock.sleep_for(std::chrono::milliseconds(100));
    }
  }
  return pair_summary(instance, pair.peer_did);
}

Result<bool> ask_again(PeerClient& peer, instance::Instance& instance, const Pair& pair) {
  const PairWish wish{pair.namespaces, TRY(own_announcement(instance))};
  const auto content = peer.ask("POST", std::string(kPairPath), codec::shape_text(wish));
  if (!content && content.error().cause == Cause::kPairRejected) {
    TRY(instance.committer().run([&](store::StoreWriter& writer) -> Result<void> {
      auto now = pair_with_peer(TRY(substrate::federation_pairs(writer, instance.did())), pair.peer_did);
      if (!now || now->state != PairState::kEstablishing) return {};
      now->state = PairState::kRevoked;
      return record_pair(instance, writer, *now, PairStep::kRevoke);
    }));
    return fail(ErrorCode::kRefused, Cause::kPairRejected, "the owner of " + pair.peer_did + " does not want the pair");
  }
  if (!content) return std::unexpected(content.error());
  const auto reply = TRY_IN("peer's answer", codec::parse_shape_text<PairReply>(*content, codec::Unknown::kIgnored));
  if (reply.state != "active") return false;
  if (reply.pair_id != pair.pair_id || reply.namespaces != pair.namespaces)
    return fail(ErrorCode::kVerification, Cause::kPeerMisbehaves, "the peer agreed to another pair than was asked for");
  TRY(instance.committer().run([&](store::StoreWriter& writer) -> Result<void> {
    auto now = pair_with_peer(TRY(substrate::federation_pairs(writer, instance.did())), pair.peer_did);
    // Whoever has ended or paused it meanwhile has done so.
    if (!now || !is_agreed(now->state)) return {};
    if (now->state == PairState::kActive && now->namespaces == pair.namespaces) return {};
    now->state = PairState::kActive;
    now->namespaces = pair.namespaces;
    return record_pair(instance, writer, *now, PairStep::kActive);
  }));
  return true;
}

Result<std::vector<PairRequest>> list_requests(instance::Instance& instance) {
  auto all = TRY(requests(*TRY(instance.store().reader())));
  std::erase_if(all, [](const PairRequest& request) { return request.state != kPending; });
  return all;
}

Result<PairSummary> approve_request(instance::Instance& instance, const std::string& id) {
  const std::string own_url = TRY(own_base_url(instance));
  std::string peer;
  TRY(instance.committer().run([&](store::StoreWriter& writer) -> Result<void> {
    TRY(require_not_retired(writer, instance.did()));
    const PairRequest request = TRY(find_request(writer, id));
    peer = request.peer_did;
    return lay_down_approved(instance, writer, request, own_url);
  }));
  return pair_summary(instance, peer);
}

Result<PairRequest> reject_request(instance::Instance& instance, const std::string& id) {
  PairRequest request;
  TRY(instance.committer().run([&](store::StoreWriter& writer) -> Result<void> {
    request = TRY(find_request(writer, id));
    request.state = kRejected;
    return keep_request(writer, request);
  }));
  return request;
}

Result<PairSummary> pause_pair(instance::Instance& instance, const std::string& name) {
  return change_state(instance, name, PairStep::kUpdate, [](const Pair& pair) -> Result<PairState> {
    if (pair.state == PairState::kActive || pair.state == PairState::kPaused) return PairState::kPaused;
    return fail(ErrorCode::kRefused,
                "the pair is " + std::string(codec::enum_name(pair.state)) + ": only an active one can be paused");
  });
}

Result<PairSummary> resume_pair(instance::Instance& instance, const std::string& name) {
  return change_state(instance, name, PairStep::kUpdate, [](const Pair& pair) -> Result<PairState> {
    if (pair.state != PairState::kRevoked) return pair.state == PairState::kPaused ? PairState::kActive : pair.state;
    return fail(ErrorCode::kRefused, Cause::kPairRevoked, "the pair has ended",
                "spl federation pair URL makes a new one");
  });
}

Result<PairSummary> revoke_pair(instance::Instance& instance, const std::string& name) {
  return change_state(instance, name, PairStep::kRevoke,
                      [](const Pair&) -> Result<PairState> { return PairState::kRevoked; });
}

Result<void> tell_revoked(const Outgoing& outgoing, const std::string& peer_did, const std::string& base_url) {
  PeerClient peer(outgoing, base_url, peer_did);
  TRY(peer.ask("POST", std::string(kRevokePath), "{}"));
  return {};
}

Result<PairAnswer> answer_pair(instance::Instance& instance, const Caller& caller, std::string_view content) {
  const auto now = instance.env().clock.now();
  const auto wish = TRY_IN("body", codec::parse_shape_text<PairWish>(content, codec::Unknown::kIgnored));
  const auto namespaces = TRY(substrate::pair_namespaces(wish.namespaces));
  std::optional<Announcement> announcement;
  if (wish.announcement) announcement = TRY(verified_announcement(*wish.announcement, now));
  if (announcement && announcement->did != caller.did)
    return fail(ErrorCode::kUsage, "the announcement is another instance's than the request");
  const std::string own_url = TRY(own_base_url(instance));
  PairAnswer answer;
  TRY(instance.committer().run([&](store::StoreWriter& writer) -> Result<void> {
    TRY(instance::require_not_moved(writer));
    const std::string own_did = instance.did().value_or("");
    TRY(require_not_retired(writer, own_did));
    if (caller.did == own_did) return fail(ErrorCode::kUsage, "an instance does not pair with itself");
    // Where it is is in the request as well: a full list is no reason to refuse it.
    if (announcement) {
      const auto taken =
          take_announcement(writer, *announcement, *wish.announcement, {.from_itself = true, .own_did = own_did});
      if (!taken && taken.error().code != ErrorCode::kUnavailable) return std::unexpected(taken.error());
    }
    const std::string pair_id = substrate::pair_id_of(own_did, caller.did);
    auto pair = pair_with_peer(TRY(substrate::federation_pairs(writer, own_did)), caller.did);
    if (pair && pair->state == PairState::kPaused)
      return fail(ErrorCode::kRefused, Cause::kPairPaused, "the pair is paused here");
    // Both owners want it, and the same.
    if (pair && is_agreed(pair->state) && pair->namespaces == namespaces) {
      if (pair->state == PairState::kEstablishing) {
        pair->state = PairState::kActive;
        if (announcement) pair->peer_base_url = announcement->base_url;
        TRY(record_pair(instance, writer, *pair, PairStep::kActive));
      }
      answer.content = reply_text(pair_id, "active", namespaces);
      return {};
    }
    PairRequest request{.id = request_id(own_did, caller.did, namespaces),
                        .peer_did = caller.did,
                        .peer_base_url = announcement ? announcement->base_url : "",
                        .namespaces = namespaces,
                        .asked_at = env::rfc3339(now),
                        .predecessor = std::nullopt};
    for (const auto& [did, ended] : TRY(retirements(writer, own_did))) {
      if (ended.successor == caller.did) request.predecessor = did;
    }
    const auto known = TRY(requests(writer));
    const auto same = std::ranges::find(known, request.id, &PairRequest::id);
    if (same != known.end() && same->state == kRejected) return rejected();
    // What its owner has ended no rule begins again.
    const bool was_ended = pair && pair->state == PairState::kRevoked;
    const std::string action = was_ended ? "ask" : TRY(rule_for(writer, own_did, request));
    if (action == "auto_approve") {
      TRY(drop_old_requests(writer, caller.did, now));
      answer.content = reply_text(pair_id, "active", namespaces);
      return lay_down_approved(instance, writer, request, own_url);
    }
    if (action == "auto_reject") return rejected();
    answer = {reply_text(pair_id, kPending, namespaces), true};
    if (same != known.end() && same->peer_base_url == request.peer_base_url) return {};
    TRY(drop_old_requests(writer, caller.did, now));
    if (!TRY(make_room(writer)))
      return fail(ErrorCode::kUnavailable, "too many instances wait for this one's owner already", "ask later");
    return keep_request(writer, request);
  }));
  return answer;
}

Result<std::string> answer_revoke(instance::Instance& instance, const Caller& caller) {
  TRY(revoke_pair(instance, caller.did));
  return std::string("{}");
}

Result<std::string> answer_announce(instance::Instance& instance, const Caller& caller, std::string_view content) {
  // One that has left hears from itself alone, and says where it went.
  if (caller.did != instance.did()) TRY(instance::require_not_moved(*TRY(instance.store().reader())));
  const auto json = TRY_IN("body", Json::parse(content));
  const std::string text = substrate::text_in(json, "announcement");
  if (!text.empty()) {
    const Announcement announcement = TRY(verified_announcement(text, instance.env().clock.now()));
    if (announcement.did != caller.did)
      return fail(ErrorCode::kUsage, "the announcement is another instance's than the request");
    TRY(instance.committer().run([&](store::StoreWriter& writer) -> Result<void> {
      TRY(take_announcement(writer, announcement, text, {.from_itself = true, .own_did = instance.did()}));
      return {};
    }));
  }
  if (const std::string end = substrate::text_in(json, "retirement"); !end.empty())
    TRY(instance.committer().run([&](store::StoreWriter& writer) { return take_retirement(instance, writer, end); }));
  Json answer = Json::Object{};
  if (auto ended = TRY(own_retirement(*TRY(instance.store().reader()), instance.did())))
    answer.add("retirement", std::move(*ended));
  if (auto own = TRY(own_announcement(instance))) answer.add("announcement", std::move(*own));
  // Where it has said something newer before, it is to know.
  const auto known = TRY(announcement_of(*TRY(instance.store().reader()), caller.did));
  if (known && !text.empty() && *known != text) answer.add("known", *known);
  return answer.text();
}

}  // namespace spl::federation
