#include "federation/contact.h"

#include <algorithm>
#include <set>
#include <utility>
#include <vector>

#include "federation/pairing.h"
#include "federation/peer_notes.h"
#include "federation/retirement.h"
#include "federation/whereabouts.h"
#include "http/url.h"
#include "instance/move.h"
#include "substrate/body_members.h"

namespace spl::federation {
namespace {

using codec::Json;
using substrate::Pair;
using substrate::PairState;
using substrate::PairStep;

enum class ToldBy : std::uint8_t { kItself, kOthers };

// Keeps what somebody says of where `did` is, if `did` has signed it. Nothing where it is not to be used.
Result<std::optional<Announcement>> heard(instance::Instance& instance, const std::string& did, const std::string& text,
                                          ToldBy by) {
  auto announcement = verified_announcement(text, instance.env().clock.now());
  if (!announcement || announcement->did != did) return std::nullopt;
  TRY(instance.committer().run([&](store::StoreWriter& writer) -> Result<void> {
    TRY(take_announcement(writer, *announcement, text,
                          {.from_itself = by == ToldBy::kItself, .own_did = instance.did()}));
    return {};
  }));
  return std::move(*announcement);
}

// The peer says that its identity has ended: so does the pair.
Result<void> heard_of_end(instance::Instance& instance, const std::string& did, const std::string& text) {
  TRY(instance.committer().run([&](store::StoreWriter& writer) { return take_retirement(instance, writer, text); }));
  const auto ended = TRY(retirements(*TRY(instance.store().reader()), instance.did()));
  const auto at = ended.find(did);
  if (at == ended.end()) return {};
  return fail(ErrorCode::kRefused, Cause::kRetired,
              "the identity of peer " + did + " was retired" +
                  (at->second.successor ? "; it names " + *at->second.successor + " as its successor" : ""),
              "a pair with its successor is one that both owners agree to, like any other");
}

Result<void> check_lives_once(instance::Instance& instance, const std::string& did) {
  const PeerNotes notes = TRY(peer_notes(*TRY(instance.store().reader()), did));
  if (notes.other_copy.empty()) return {};
  return fail(ErrorCode::kRefused, Cause::kTwoCopies,
              "peer " + did + " lives twice: the store of incarnation " + notes.other_copy +
                  " was heard of again after a newer one",
              "find out which is to go on, end the other, then: spl federation refresh " + did);
}

// Asks who is at an address to be the peer, and tells it where this instance is.
Result<void> greet(const Outgoing& outgoing, PeerClient& peer) {
  instance::Instance& instance = outgoing.instance();
  Json question = Json::Object{};
  if (auto own = TRY(own_announcement(instance))) question.add("announcement", std::move(*own));
  if (auto end = TRY(own_retirement(*TRY(instance.store().reader()), instance.did())))
    question.add("retirement", std::move(*end));
  const std::string answer = TRY(peer.ask("POST", std::string(kAnnouncePath), question.text()));
  const auto json = Json::parse(answer);
  const auto said = [&json](std::string_view name) { return json ? substrate::text_in(*json, name) : std::string(); };
  if (const std::string known = said("known"); !known.empty() && TRY(note_known(instance, known))) {
    Json again = Json::Object{};
    if (auto own = TRY(own_announcement(instance))) again.add("announcement", std::move(*own));
    TRY(peer.ask("POST", std::string(kAnnouncePath), again.text()));
  }
  if (const std::string text = said("announcement"); !text.empty())
    TRY(heard(instance, peer.did(), text, ToldBy::kItself));
  if (const std::string text = said("retirement"); !text.empty()) TRY(heard_of_end(instance, peer.did(), text));
  return instance.committer().run([&](store::StoreWriter& writer) -> Result<void> {
    PeerNotes notes = TRY(peer_notes(writer, peer.did()));
    notes.last_contact_at = env::rfc3339(instance.env().clock.now());
    return put_peer_notes(writer, peer.did(), notes);
  });
}

// Where the peer is now, and where it knows this instance to be.
Result<void> record_addresses(instance::Instance& instance, const std::string& peer_did, const std::string& base_url) {
  const std::string own_url = TRY(own_base_url(instance));
  return instance.committer().run([&](store::StoreWriter& writer) -> Result<void> {
    const auto pairs = TRY(substrate::federation_pairs(writer, instance.did()));
    const auto at = std::ranges::find(pairs, peer_did, &Pair::peer_did);
    if (at == pairs.end()) return {};
    Pair pair = *at;
    pair.peer_base_url = base_url;
    if (!own_url.empty()) pair.own_base_url = own_url;
    return pair == *at ? Result<void>() : record_pair(instance, writer, pair, PairStep::kUpdate);
  });
}

// Whoever may know where a peer has gone, each asked when the ones before have not helped.
class Trail {
 public:
  Trail(const Outgoing& outgoing, const Pair& pair) : outgoing_(outgoing), pair_(pair) {
    tried_.insert(pair.peer_base_url);
  }

  // The peer at a newer address, greeted. `said` is what the old address answered.
  Result<PeerClient> follow(const std::string& said) {
    const auto json = Json::parse(said);
    if (const std::string text = json ? substrate::text_in(*json, "announcement") : std::string(); !text.empty())
      TRY(note(text));
    if (auto found = TRY(try_known())) return std::move(*found);
    const std::string directory = TRY(outgoing_.instance().config()).directory_url;
    if (!directory.empty()) {
      TRY(ask(directory));
      if (auto found = TRY(try_known())) return std::move(*found);
    }
    const auto pairs =
        TRY(substrate::federation_pairs(*TRY(outgoing_.instance().store().reader()), outgoing_.instance().did()));
    for (const Pair& other : pairs) {
      if (other.peer_did == pair_.peer_did || other.peer_base_url.empty() || other.state == PairState::kRevoked)
        continue;
      TRY(ask(other.peer_base_url));
      if (auto found = TRY(try_known())) return std::move(*found);
    }
    return fail(ErrorCode::kUnavailable, Cause::kPeerLost, "nobody who was asked knows where it is");
  }

 private:
  Result<void> note(const std::string& text) {
    TRY(heard(outgoing_.instance(), pair_.peer_did, text, ToldBy::kOthers));
    return {};
  }
  // One who does not answer, or does not know, is no help.
  Result<void> ask(const std::string& base_url) {
    if (outgoing_.progress().cancelled()) return base::fail_cancelled("nothing was changed");
    outgoing_.progress().step("asking " + base_url + " where the peer has gone");
    const auto text = outgoing_.directory_entry(base_url, pair_.peer_did);
    return text && *text ? note(**text) : Result<void>();
  }
  // Where it says that it is, as far as is known here; not where it was tried before.
  Result<std::optional<PeerClient>> try_known() {
    instance::Instance& instance = outgoing_.instance();
    const auto text = TRY(announcement_of(*TRY(instance.store().reader()), pair_.peer_did));
    if (!text) return std::nullopt;
    const auto known = verified_announcement(*text, instance.env().clock.now());
    if (!known || !tried_.insert(known->base_url).second) return std::nullopt;
    PeerClient peer(outgoing_, known->base_url, pair_.peer_did);
    const auto greeted = greet(outgoing_, peer);
    if (!greeted && greeted.error().cause == Cause::kRetired) return std::unexpected(greeted.error());
    if (!greeted) return std::nullopt;
    TRY(record_addresses(instance, pair_.peer_did, known->base_url));
    return std::optional<PeerClient>(std::move(peer));
  }

  const Outgoing& outgoing_;
  const Pair& pair_;
  std::set<std::string> tried_;
};

// As reach(), whether the peer lives twice or not.
Result<PeerClient> found(const Outgoing& outgoing, const Pair& pair) {
  PeerClient peer(outgoing, pair.peer_base_url, pair.peer_did);
  const auto greeted = greet(outgoing, peer);
  if (greeted) return peer;
  const Error& why = greeted.error();
  if (why.cause != Cause::kPeerLost && why.cause != Cause::kMoved) return std::unexpected(why);
  auto elsewhere = Trail(outgoing, pair).follow(peer.refusal());
  if (elsewhere || elsewhere.error().cause != Cause::kPeerLost) return elsewhere;
  return fail(ErrorCode::kUnavailable, Cause::kPeerLost, why.message + "; and " + elsewhere.error().message,
              "once it is back, or its new address is known: spl federation refresh " + pair.peer_did);
}

// Its owner has looked: the one that answers here goes on, and what was heard of before is older.
Result<void> believe(const Outgoing& outgoing, PeerClient& peer) {
  instance::Instance& instance = outgoing.instance();
  std::vector<std::string> before;
  std::string other_copy;
  TRY(instance.committer().run([&](store::StoreWriter& writer) -> Result<void> {
    PeerNotes notes = TRY(peer_notes(writer, peer.did()));
    before = std::exchange(notes.incarnations, {});
    other_copy = std::exchange(notes.other_copy, {});
    return put_peer_notes(writer, peer.did(), notes);
  }));
  auto greeted = greet(outgoing, peer);
  TRY(instance.committer().run([&](store::StoreWriter& writer) -> Result<void> {
    PeerNotes notes = TRY(peer_notes(writer, peer.did()));
    std::vector<std::string> all = before;
    std::erase_if(all, [&notes](const std::string& one) { return std::ranges::count(notes.incarnations, one) > 0; });
    all.insert(all.end(), notes.incarnations.begin(), notes.incarnations.end());
    notes.incarnations = std::move(all);
    if (!greeted) notes.other_copy = other_copy;
    return put_peer_notes(writer, peer.did(), notes);
  }));
  return greeted;
}

}  // namespace

Result<PeerClient> reach(const Outgoing& outgoing, const Pair& pair) {
  PeerClient peer = TRY(found(outgoing, pair));
  TRY(check_lives_once(outgoing.instance(), pair.peer_did));
  return peer;
}

Result<std::string> refresh(const Outgoing& outgoing, const Pair& pair, const std::string& url) {
  instance::Instance& instance = outgoing.instance();
  if (url.empty()) {
    PeerClient peer = TRY(found(outgoing, pair));
    TRY(believe(outgoing, peer));
    return peer.base_url();
  }
  const Manifest manifest = TRY(outgoing.manifest_at(url));
  if (manifest.did != pair.peer_did)
    return fail(ErrorCode::kRefused, "at " + url + " is another instance: " + manifest.did,
                "the pair is with " + pair.peer_did);
  std::string address = TRY(http::Url::parse(url)).text();
  PeerClient peer(outgoing, address, pair.peer_did);
  TRY(believe(outgoing, peer));
  TRY(record_addresses(instance, pair.peer_did, address));
  return address;
}

void announce_to_all(const Outgoing& outgoing) {
  instance::Instance& instance = outgoing.instance();
  const auto identity = instance.identity();
  if (!identity) return;
  // The reader ends before others are waited for.
  const auto pairs = [&instance]() -> Result<std::vector<Pair>> {
    const auto reader = TRY(instance.store().reader());
    TRY(instance::require_not_moved(*reader));
    return substrate::federation_pairs(*reader, instance.did());
  }();
  const auto own_url = own_base_url(instance);
  const auto config = instance.config();
  if (!pairs || !own_url || !config) return;
  std::set<std::string> former;
  for (const Pair& pair : *pairs) {
    if (pair.state == PairState::kRevoked || pair.peer_base_url.empty()) continue;
    if (!own_url->empty() && !pair.own_base_url.empty() && pair.own_base_url != *own_url)
      former.insert(pair.own_base_url);
    PeerClient peer(outgoing, pair.peer_base_url, pair.peer_did);
    if (outgoing.progress().cancelled()) return;
    auto told = greet(outgoing, peer);
    if (told) told = record_addresses(instance, pair.peer_did, pair.peer_base_url);
    if (!told)
      instance.env().log.write(env::LogLevel::kWarn, "peer-not-told",
                               {{"peer", pair.peer_did}, {"why", told.error().message}});
  }
  // The instance that has left from there answers with where it went.
  for (const std::string& url : former) {
    if (outgoing.progress().cancelled()) return;
    PeerClient self(outgoing, url, identity->did);
    (void)greet(outgoing, self);
  }
  if (config->directory_url.empty() || outgoing.progress().cancelled()) return;
  const auto manifest = outgoing.manifest_at(config->directory_url);
  if (!manifest) return;
  PeerClient directory(outgoing, config->directory_url, manifest->did);
  (void)greet(outgoing, directory);
}

}  // namespace spl::federation
