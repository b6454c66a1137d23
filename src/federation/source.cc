#include "federation/source.h"

#include <algorithm>

#include "base/encoding.h"
#include "instance/move.h"
#include "record/thread.h"
#include "store/cursor.h"
#include "substrate/consent.h"

namespace spl::federation {
namespace {

using substrate::Pair;
using substrate::PairState;
using substrate::Passage;

constexpr std::string_view kNamespaceMember = "\"namespace\":";
constexpr std::string_view kRedactedBody = R"({"redacted":true})";

// What passes of a record.
class Filter {
 public:
  virtual ~Filter() = default;
  [[nodiscard]] virtual Passage passage(const Record& record) const = 0;
};

class Everything final : public Filter {
 public:
  [[nodiscard]] Passage passage(const Record&) const override { return Passage::kWhole; }
};

// The namespaces of the pair pass whole, others as consent says.
class PairFilter final : public Filter {
 public:
  PairFilter(Pair pair, substrate::Consent consent, std::string now)
      : pair_(std::move(pair)), consent_(std::move(consent)), now_(std::move(now)) {}
  [[nodiscard]] Passage passage(const Record& record) const override {
    // Most records name none.
    const bool names_one = record.body().find(kNamespaceMember) != std::string_view::npos;
    const std::string source = names_one ? substrate::namespace_of(record) : std::string(substrate::kDefaultNamespace);
    if (std::ranges::binary_search(pair_.namespaces, source)) return Passage::kWhole;
    return consent_.passage(source, pair_.namespaces, record.thread, now_);
  }

 private:
  Pair pair_;
  substrate::Consent consent_;
  std::string now_;
};

void append_redacted(std::string& text, const Record& record) {
  std::string canonical = record.canonical;
  canonical.replace(record.body_begin, record.body_end - record.body_begin, kRedactedBody);
  record::append_element(text, record.id, canonical, record.judged_by, std::nullopt);
}

class Page {
 public:
  Page(const Filter& filter, std::uint64_t limit) : filter_(filter), limit_(limit) {}

  // An error where the page was full before this row; it is to be taken by the next one.
  Result<void> take(const store::StoredRecord& row) {
    is_full_ = records_ == limit_ || text_.size() > kSyncPageBytesMax || rows_ == kSyncRowsMax;
    if (is_full_) return fail("the page is full");
    const Record record = TRY(store::parse_row(row));
    ++rows_;
    sequence_ = row.sequence;
    if (record::is_reserved(record.thread)) return {};
    const Passage passage = filter_.passage(record);
    if (passage == Passage::kNothing) return {};
    if (records_++ > 0) text_.push_back(',');
    if (passage == Passage::kRedacted) {
      append_redacted(text_, record);
    } else {
      record::append_element(text_, row.id, row.canonical, row.judged_by, row.sig);
    }
    return {};
  }
  [[nodiscard]] bool is_full() const { return is_full_; }
  std::string end(store::Cursor cursor) {
    if (sequence_ > 0) cursor.sequence = sequence_;
    text_ += "],\"next_cursor\":\"" + cursor.text() + "\",\"has_more\":" + (is_full_ ? "true}" : "false}");
    return std::move(text_);
  }

 private:
  const Filter& filter_;
  std::uint64_t limit_;
  std::string text_ = "{\"records\":[";
  std::uint64_t records_ = 0;
  std::uint64_t rows_ = 0;
  std::uint64_t sequence_ = 0;
  bool is_full_ = false;
};

Result<std::string> page_of(store::StoreReader& reader, const Filter& filter, const PageQuestion& question) {
  if (question.limit == 0 || question.limit > kSyncRecordsMax)
    return fail(ErrorCode::kUsage, "parameter limit is not from 1 to " + std::to_string(kSyncRecordsMax));
  auto cursor = TRY(store::Cursor::parse(question.since));
  // What is known already is passed over by its id.
  if (!TRY(store::is_current(cursor, reader))) cursor = {};
  cursor.incarnation = TRY(reader.incarnation());
  Page page(filter, question.limit);
  const auto walked = reader.changes(cursor.sequence, kSyncRowsMax + 1, question.thread,
                                     [&page](const store::StoredRecord& row) { return page.take(row); });
  if (!walked && !page.is_full()) return std::unexpected(walked.error());
  return page.end(std::move(cursor));
}

// The pair of a peer that may pull.
Result<Pair> admitted(instance::Instance& instance, store::StoreReader& reader, const std::string& peer_did) {
  const auto moved = TRY(instance::moved_at(reader));
  if (moved)
    return fail(ErrorCode::kRefused, Cause::kMoved, "this instance has moved: it was exported with --move at " + *moved,
                "ask it where it is now");
  const auto pairs = TRY(substrate::federation_pairs(reader, instance.did()));
  const auto at = std::ranges::find(pairs, peer_did, &Pair::peer_did);
  if (at == pairs.end())
    return fail(ErrorCode::kRefused, Cause::kUnpairedPeer, "this instance has no pair with " + peer_did,
                "spl federation pair URL makes one");
  if (at->state == PairState::kEstablishing)
    return fail(ErrorCode::kRefused, Cause::kUnpairedPeer, "the pair is not agreed to yet",
                "ask for it: both owners have to name the same namespaces");
  if (at->state == PairState::kPaused)
    return fail(ErrorCode::kRefused, Cause::kPairPaused, "the pair is paused here", "its owner resumes it");
  if (at->state == PairState::kRevoked)
    return fail(ErrorCode::kRefused, Cause::kPairRevoked, "the pair has ended",
                "spl federation pair URL makes a new one");
  return *at;
}

}  // namespace

Result<std::string> changes_for_peer(instance::Instance& instance, const std::string& peer_did,
                                     const PageQuestion& question) {
  const auto reader = TRY(instance.store().reader());
  Pair pair = TRY(admitted(instance, *reader, peer_did));
  const PairFilter filter(std::move(pair), substrate::Consent(TRY(substrate::consent_grants(*reader, instance.did()))),
                          env::rfc3339(instance.env().clock.now()));
  return page_of(*reader, filter, question);
}

Result<std::string> changes_for_owner(instance::Instance& instance, const PageQuestion& question) {
  return page_of(*TRY(instance.store().reader()), Everything(), question);
}

}  // namespace spl::federation
