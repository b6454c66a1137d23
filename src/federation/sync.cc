#include "federation/sync.h"

#include <algorithm>
#include <future>
#include <thread>

#include "base/cause.h"
#include "base/encoding.h"
#include "base/guarded.h"
#include "base/ordered_pool.h"
#include "federation/contact.h"
#include "federation/page.h"
#include "federation/pairing.h"
#include "federation/peer_notes.h"
#include "federation/retirement.h"
#include "federation/source.h"
#include "federation/whereabouts.h"
#include "http/target.h"
#include "instance/move.h"

namespace spl::federation {
namespace {

using substrate::Pair;
using substrate::PairState;

constexpr std::size_t kChunkElements = 64;  // that are checked by one thread at a time
constexpr std::size_t kChunksInFlight = 8;

std::unexpected<Error> misbehaves(std::string why) {
  return fail(ErrorCode::kVerification, Cause::kPeerMisbehaves, "the peer " + std::move(why),
              "ask its owner; spl federation pause keeps it out meanwhile");
}

std::string target_of(const std::string& cursor, const std::optional<std::string>& thread) {
  std::string target = std::string(kChangesPath) + "?since=" + http::percent_encode(cursor.empty() ? "0" : cursor) +
                       "&limit=" + std::to_string(kSyncRecordsMax);
  if (thread) target += "&thread=" + http::percent_encode(*thread);
  return target;
}

// A page whose elements have been looked at; nothing of the answer is held any more.
struct CheckedPage {
  std::vector<Element> elements;
  std::string next_cursor;
  bool has_more = false;
};

// One peer's log, from where it was read to before.
class Pull {
 public:
  Pull(const Outgoing& outgoing, PeerClient peer, const SyncQuestion& question, PeerSync& report)
      : outgoing_(outgoing),
        instance_(outgoing.instance()),
        peer_(std::move(peer)),
        question_(question),
        report_(report),
        pool_(std::max(1u, std::thread::hardware_concurrency()), kChunksInFlight,
              [this](std::span<const std::string_view>&& chunk) { return checked(chunk); }) {}

  Result<void> run() {
    std::string cursor = question_.from_start || question_.thread ? "" : TRY(known_cursor());
    CheckedPage page = TRY(fetch(cursor));
    for (;;) {
      TRY(check_progress(cursor, page));
      // The next page comes, and is checked, while this one is written.
      std::future<Result<CheckedPage>> next;
      if (page.has_more) next = std::async(std::launch::async, [this, &page] { return fetch(page.next_cursor); });
      const auto taken = base::guarded("a page", [&] { return take(page); });
      Result<CheckedPage> fetched = next.valid() ? next.get() : Result<CheckedPage>(CheckedPage{});
      TRY(taken);
      if (!page.has_more) return note_success();
      cursor = page.next_cursor;
      page = TRY(std::move(fetched));
    }
  }

 private:
  // Where the log was read to; the beginning for a store that began anew since: it may lack what came before.
  Result<std::string> known_cursor() {
    const auto reader = TRY(instance_.store().reader());
    PeerNotes notes = TRY(peer_notes(*reader, peer_.did()));
    return notes.cursor_of == TRY(reader->incarnation()) ? std::move(notes.cursor) : std::string();
  }

  // One at a time: the pool is that of the page that is fetched.
  Result<CheckedPage> fetch(const std::string& cursor) {
    return base::guarded("a page", [&]() -> Result<CheckedPage> {
      const std::string text = TRY(peer_.ask("GET", target_of(cursor, question_.thread), "", kSyncAnswerBytesMax));
      Page page = TRY(parse_page(text, kSyncRecordsMax));
      return CheckedPage{
          .elements = check_all(page.elements), .next_cursor = std::move(page.next_cursor), .has_more = page.has_more};
    });
  }

  // In the order of the page, by all processors.
  std::vector<Element> check_all(std::span<const std::string_view> texts) {
    std::vector<Element> elements;
    elements.reserve(texts.size());
    for (std::size_t at = 0; at < texts.size() || !pool_.empty();) {
      while (at < texts.size() && !pool_.full()) {
        pool_.push(texts.subspan(at, std::min(kChunkElements, texts.size() - at)));
        at += std::min(kChunkElements, texts.size() - at);
      }
      for (Element& element : pool_.pop()) elements.push_back(std::move(element));
    }
    return elements;
  }

  std::vector<Element> checked(std::span<const std::string_view> chunk) const {
    std::vector<Element> elements;
    elements.reserve(chunk.size());
    for (const std::string_view text : chunk) elements.push_back(check_element(text, peer_.did()));
    return elements;
  }

  // A peer that goes on for ever is found out: a cursor that stands, pages without end that have nothing, and more
  // records that are here already than there are here.
  Result<void> check_progress(const std::string& cursor, const CheckedPage& page) {
    ++report_.pages;
    report_.received += page.elements.size();
    empty_pages_ = page.elements.empty() ? empty_pages_ + 1 : 0;
    if (!page.has_more) return {};
    if (page.next_cursor == cursor) return misbehaves("says that there is more, and gives the same page again");
    if (empty_pages_ > kEmptyPagesMax) return misbehaves("says that there is more, and gives empty pages");
    const auto reader = TRY(instance_.store().reader());
    const auto counts = TRY(reader->counts());
    if (report_.deduplicated > counts.records && report_.deduplicated > counts.records + TRY(reader->redacted_count()))
      return misbehaves("gives the same records again and again");
    if (report_.refused > kRefusedInRunMax)
      return misbehaves("gives too many bad records; the last one: " + last_refusal_);
    return {};
  }

  Result<void> take(const CheckedPage& page) {
    PeerSync before = report_;
    const auto written = instance_.committer().run([&](store::StoreWriter& writer) -> Result<void> {
      report_ = before;
      return write(writer, page.elements, page.next_cursor);
    });
    if (!written) report_ = std::move(before);
    outgoing_.progress().update("receiving records", report_.received, 0, "records");
    TRY(written);
    if (outgoing_.progress().cancelled())
      return base::fail_cancelled("what has come stays; spl sync goes on from there");
    return {};
  }

  Result<void> write(store::StoreWriter& writer, const std::vector<Element>& elements, const std::string& cursor) {
    TRY(instance::require_not_moved(writer));
    const Pair pair = TRY(substrate::find_pair(TRY(substrate::federation_pairs(writer, instance_.did())), peer_.did()));
    if (pair.state == PairState::kPaused || pair.state == PairState::kRevoked)
      return fail(ErrorCode::kRefused, pair.state == PairState::kPaused ? Cause::kPairPaused : Cause::kPairRevoked,
                  "the pair was ended or paused meanwhile");
    const std::uint64_t refused_before = report_.refused;
    const std::uint64_t inserted_before = report_.inserted;
    for (const Element& element : elements) TRY(write(writer, element));
    PeerNotes notes = TRY(peer_notes(writer, peer_.did()));
    notes.received += report_.inserted - inserted_before;
    notes.refused += report_.refused - refused_before;
    if (report_.refused > refused_before) notes.last_refusal = last_refusal_;
    notes.last_contact_at = env::rfc3339(instance_.env().clock.now());
    // A thread that was asked for alone says nothing of the others.
    if (!question_.thread) {
      notes.cursor = cursor;
      notes.cursor_of = TRY(writer.incarnation());
    }
    return put_peer_notes(writer, peer_.did(), notes);
  }

  Result<void> write(store::StoreWriter& writer, const Element& element) {
    if (element.record) {
      const bool is_new = TRY(writer.put(*element.record)) == store::PutOutcome::kInserted;
      ++(is_new ? report_.inserted : report_.deduplicated);
      return {};
    }
    if (element.redacted && TRY(has_room_for_redacted(writer))) {
      const bool is_new = TRY(writer.put_redacted(*element.redacted));
      ++(is_new ? report_.redacted : report_.deduplicated);
      redacted_room_ -= is_new ? 1 : 0;
      return {};
    }
    ++report_.refused;
    last_refusal_ = base::escaped(element.redacted ? "too many redacted records" : element.refusal, 200);
    return {};
  }

  // Counted once: the count is that of this run from then on.
  Result<bool> has_room_for_redacted(store::StoreWriter& writer) {
    if (!redacted_room_known_) {
      const std::uint64_t known = TRY(writer.redacted_count());
      redacted_room_ = known < kRedactedMax ? kRedactedMax - known : 0;
      redacted_room_known_ = true;
    }
    return redacted_room_ > 0;
  }

  Result<void> note_success() {
    return instance_.committer().run([this](store::StoreWriter& writer) -> Result<void> {
      PeerNotes notes = TRY(peer_notes(writer, peer_.did()));
      // A thread that was asked for alone says nothing of the others.
      if (!question_.thread) notes.last_success_at = env::rfc3339(instance_.env().clock.now());
      notes.last_error.clear();
      notes.last_error_at.clear();
      return put_peer_notes(writer, peer_.did(), notes);
    });
  }

  const Outgoing& outgoing_;
  instance::Instance& instance_;
  PeerClient peer_;
  const SyncQuestion& question_;
  PeerSync& report_;
  std::string last_refusal_;
  std::uint64_t empty_pages_ = 0;
  std::uint64_t redacted_room_ = 0;
  bool redacted_room_known_ = false;
  base::OrderedPool<std::span<const std::string_view>, std::vector<Element>> pool_;
};

Result<void> note_error(instance::Instance& instance, const std::string& peer_did, const Error& error) {
  return instance.committer().run([&](store::StoreWriter& writer) -> Result<void> {
    PeerNotes notes = TRY(peer_notes(writer, peer_did));
    notes.last_error = base::escaped(error.message, 300);
    notes.last_error_at = env::rfc3339(instance.env().clock.now());
    return put_peer_notes(writer, peer_did, notes);
  });
}

// Threads are made for it, and memory for what the peer sends: neither need be there.
Result<void> pulled_from(const Outgoing& outgoing, PeerClient peer, const SyncQuestion& question, PeerSync& report) {
  return base::guarded("sync", [&] { return Pull(outgoing, std::move(peer), question, report).run(); });
}

Result<void> pull_from(const Outgoing& outgoing, const Pair& pair, const SyncQuestion& question, PeerSync& report) {
  if (pair.state == PairState::kPaused)
    return fail(ErrorCode::kRefused, Cause::kPairPaused, "the pair with " + pair.peer_did + " is paused",
                "spl federation resume " + pair.peer_did);
  if (pair.state == PairState::kRevoked)
    return fail(ErrorCode::kRefused, Cause::kPairRevoked, "the pair with " + pair.peer_did + " has ended",
                "spl federation pair URL makes a new one");
  outgoing.progress().step("asking " + pair.peer_base_url);
  PeerClient peer = TRY(reach(outgoing, pair));
  report.peer_base_url = peer.base_url();
  if (pair.state == PairState::kEstablishing && !TRY(ask_again(peer, outgoing.instance(), pair)))
    return fail(ErrorCode::kUnavailable, "the owner of " + pair.peer_did + " has not approved the pair yet",
                "there: spl aitl list, and spl aitl approve ID");
  auto pulled = pulled_from(outgoing, std::move(peer), question, report);
  if (pulled || pair.state != PairState::kActive || pulled.error().cause != Cause::kUnpairedPeer) return pulled;
  // The peer does not know yet that this side has agreed, or was put back to a time before the pair.
  PeerClient again = TRY(reach(outgoing, pair));
  if (!TRY(ask_again(again, outgoing.instance(), pair))) return pulled;
  return pulled_from(outgoing, std::move(again), question, report);
}

}  // namespace

Result<SyncReport> sync(const Outgoing& outgoing, const SyncQuestion& question) {
  instance::Instance& instance = outgoing.instance();
  // Nobody is told that an instance is here that has left.
  TRY(instance::require_not_moved(*TRY(instance.store().reader())));
  const auto pairs = TRY(substrate::federation_pairs(*TRY(instance.store().reader()), instance.did()));
  std::vector<Pair> asked;
  if (question.peer) {
    asked.push_back(TRY(substrate::find_pair(pairs, *question.peer)));
  } else {
    std::ranges::copy_if(pairs, std::back_inserter(asked), [](const Pair& pair) {
      return pair.state == PairState::kActive || pair.state == PairState::kEstablishing;
    });
  }
  TRY(require_not_retired(*TRY(instance.store().reader()), instance.did()));
  SyncReport report;
  for (const Pair& pair : asked) {
    PeerSync& one = report.peers.emplace_back();
    one.peer_did = pair.peer_did;
    one.peer_base_url = pair.peer_base_url;
    const auto pulled = pull_from(outgoing, pair, question, one);
    report.inserted += one.inserted;
    report.refused += one.refused;
    if (pulled) continue;
    if (pulled.error().cause == Cause::kCancelled) return std::unexpected(pulled.error());
    // What the peer has ended has ended.
    if (pulled.error().cause == Cause::kPairRevoked) TRY(revoke_pair(instance, pair.peer_did));
    TRY(note_error(instance, pair.peer_did, pulled.error()));
    if (question.peer) return std::unexpected(pulled.error());
    one.error = pulled.error().message;
    one.code = base::word_of(pulled.error());
    if (!pulled.error().hint.empty()) one.hint = pulled.error().hint;
  }
  return report;
}

}  // namespace spl::federation
