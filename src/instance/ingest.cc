#include "instance/ingest.h"

#include <algorithm>
#include <map>
#include <set>
#include <thread>

#include "base/encoding.h"
#include "base/limits.h"
#include "base/ordered_pool.h"
#include "codec/json.h"
#include "crypto/sha256.h"
#include "instance/move.h"
#include "record/record_lines.h"
#include "record/thread.h"

namespace spl::instance {
namespace {

constexpr std::size_t kReadBytes = 1u << 20;  // of a stream, at once
constexpr std::size_t kBatchesInFlight = 4;
constexpr std::size_t kThreadNonceBytes = 32;
constexpr std::size_t kEndingsNamedMax = 10'000;

// Whole lines of the input, and the number of the first.
struct LineBatch {
  std::string text;
  std::uint64_t first_line = 1;
};

struct ParsedBatch {
  record::ParsedLines lines;
  std::uint64_t first_line = 1;
};

ParsedBatch parse_lines(LineBatch&& batch) {
  return {record::parse_record_lines(batch.text), batch.first_line};
}

// Cuts a stream into batches of whole lines.
class LineReader {
 public:
  explicit LineReader(Source& in) : in_(in) {}

  // Nothing at the end.
  Result<std::optional<LineBatch>> next() {
    LineBatch batch{std::move(carried_), line_};
    carried_.clear();
    while (!ended_) {
      const std::size_t before = batch.text.size();
      batch.text.resize(before + kReadBytes);
      const std::size_t n = TRY(base::read_full(in_, std::span(batch.text).subspan(before)));
      batch.text.resize(before + n);
      ended_ = n < kReadBytes;
      const std::size_t last = batch.text.rfind('\n');
      if (last != std::string::npos) {
        if (!ended_) {
          carried_ = batch.text.substr(last + 1);
          batch.text.resize(last + 1);
        }
        break;
      }
      if (batch.text.size() > record::kRecordLineBytesMax)
        return fail(ErrorCode::kUsage, "line " + std::to_string(line_) + ": longer than a record may be");
    }
    if (batch.text.empty()) return std::nullopt;
    line_ += static_cast<std::uint64_t>(std::ranges::count(batch.text, '\n'));
    bytes_ += batch.text.size();
    return batch;
  }
  [[nodiscard]] std::uint64_t bytes() const { return bytes_; }

 private:
  Source& in_;
  std::string carried_;
  std::uint64_t line_ = 1;
  std::uint64_t bytes_ = 0;
  bool ended_ = false;
};

// The record as it is put.
Result<const Record*> clocked(Instance& instance, store::StoreWriter& writer, const Record& record, OwnRecords own,
                              std::optional<Record>& made) {
  if (!record.lacks_clock) return &record;
  made = TRY(record::with_clock(record, TRY(writer.next_clock(record.actor, record.thread))));
  const auto identity = instance.identity();
  if (own == OwnRecords::kSigned && identity && identity->did == made->actor)
    made->sig = identity->key.sign(made->canonical);
  return &*made;
}

Result<void> put_into(store::StoreWriter& writer, const Record& record, PutReport& report) {
  switch (TRY(writer.put(record))) {
    case store::PutOutcome::kInserted:
      ++report.inserted;
      return {};
    case store::PutOutcome::kSigFilled:
      ++report.details.sigs_filled;
      break;
    case store::PutOutcome::kDiffers:
      ++report.details.differing;
      break;
    case store::PutOutcome::kDuplicate:
      break;
  }
  ++report.deduplicated;
  return {};
}

// Who puts records, and who says whether it may.
struct Putting {
  Instance& instance;
  const ActorCheck& check;
  const Permissions& permissions;
  const PutBy& by;
};

Result<void> put_given(store::StoreWriter& writer, const Record& given, const Putting& putting, PutReport& report) {
  std::optional<Record> made;
  const Record& record = *TRY(clocked(putting.instance, writer, given, putting.by.own, made));
  TRY(putting.permissions.check(record, putting.by.account));
  TRY(put_into(writer, record, report));
  if (putting.by.ids != nullptr) putting.by.ids->push_back(record.id);
  return {};
}

Result<void> put_batch(store::StoreWriter& writer, ParsedBatch&& batch, const Putting& putting, PutReport& report) {
  for (const Record& record : batch.lines.records) {
    if (putting.check) TRY(putting.check(record.actor));
    TRY(put_given(writer, record, putting, report));
  }
  if (!batch.lines.error) return {};
  const std::uint64_t line = batch.first_line + batch.lines.lines_read - 1;
  return std::unexpected(std::move(*batch.lines.error).in("line " + std::to_string(line)));
}

// The members of a new record as JSON, to be parsed like any other.
struct Draft {
  record::Act act = record::Act::kIntend;
  std::string actor;
  std::string body;
  std::uint64_t clock = 0;
  std::vector<RecordId> parents;
  std::string thread;
};

Result<Record> make_record(Draft draft, const substrate::Identity* signer) {
  std::ranges::sort(draft.parents);
  draft.parents.erase(std::unique(draft.parents.begin(), draft.parents.end()), draft.parents.end());
  std::string json = "{\"act\":\"" + std::string(record::act_name(draft.act)) + "\",\"actor\":";
  base::append_json_string(json, draft.actor);
  json += ",\"body\":" + draft.body + ",\"clock\":" + std::to_string(draft.clock) +
          ",\"data_type\":\"SCALAR\",\"parents\":[";
  for (const RecordId& parent : draft.parents) {
    if (json.back() != '[') json.push_back(',');
    json += "\"" + parent.hex() + "\"";
  }
  json += "],\"thread\":";
  base::append_json_string(json, draft.thread);
  json.push_back('}');
  Record record = TRY(record::parse_record(json));
  if (signer != nullptr) record.sig = signer->key.sign(record.canonical);
  return record;
}

std::string new_thread(env::Env env) {
  std::string nonce(kThreadNonceBytes, '\0');
  env.random.fill(nonce);
  return "th_" + base::to_hex(crypto::sha256(nonce).view());
}

Result<std::string> emission_body(const Emission& emission, bool answers_earlier) {
  codec::Json body = codec::Json::Object{};
  if (emission.body) {
    body = TRY_IN("--body", codec::Json::parse(*emission.body));
    if (body.object() == nullptr) return fail(ErrorCode::kUsage, "--body is not a JSON object");
  }
  const auto add = [&body](const char* name, codec::Json value) -> Result<void> {
    if (body.find(name) != nullptr)
      return fail(ErrorCode::kUsage, "the body has a member \"" + std::string(name) + "\" already",
                  "leave it out of --body");
    body.add(name, std::move(value));
    return {};
  };
  if (emission.text) TRY(add("text", *emission.text));
  if (emission.fulfills.size() == 1) {
    TRY(add("fulfills", emission.fulfills[0].hex()));
  } else if (!emission.fulfills.empty()) {
    codec::Json::Array ids;
    for (const RecordId& id : emission.fulfills) ids.emplace_back(id.hex());
    TRY(add("fulfills", std::move(ids)));
  }
  if (emission.name_space) TRY(add("namespace", *emission.name_space));
  if (answers_earlier) TRY(add("answers", std::string(record::kAnswersEarlier)));
  return body.text();
}

Result<record::ThreadFold> fold_of(store::StoreReader& reader, const std::string& thread) {
  return record::ThreadFold::of([&](std::uint8_t flags, const auto& visit) {
    return reader.thread_records(thread, store::RecordOrder::kAny, [&](const store::StoredRecord& row) -> Result<void> {
      const Record record = TRY(store::parse_row(row));
      return (record::fold_flags(record) & flags) != 0 ? visit(record) : Result<void>();
    });
  });
}

// What a new record names as its parents for what the thread is: an INTEND the endings that it answers, work the INTEND
// that opened the thread anew.
struct FoldParents {
  std::vector<RecordId> ids;
  bool answer_earlier = false;  // each stands for the earlier endings of its actor: to name all would be long
};
Result<FoldParents> parents_on(store::StoreReader& reader, const std::string& thread, record::Act act) {
  using record::ThreadState;
  const auto summary = TRY(reader.thread(thread));
  if (!summary) return FoldParents();
  if (act == record::Act::kIntend && summary->state <= ThreadState::kClosed) {
    const auto fold = TRY(fold_of(reader, thread));
    auto endings = fold.endings();
    if (endings.size() <= kEndingsNamedMax) return FoldParents{std::move(endings)};
    return FoldParents{fold.last_endings(), true};
  }
  if (act == record::Act::kDo && summary->state == ThreadState::kOpen)
    return FoldParents{TRY(fold_of(reader, thread)).reopenings()};
  return FoldParents();
}

Result<Record> record_of(Instance& instance, store::StoreWriter& writer, const Emission& emission) {
  TRY(require_not_moved(writer));
  const bool opens = emission.act == record::Act::kIntend;
  const auto identity = instance.identity();
  if (!emission.actor && !identity)
    return fail("this instance has no identity to act as", "spl identity generate makes one; or give --actor DID");
  const bool own = !emission.actor || (identity && *emission.actor == identity->did);
  Draft draft;
  draft.act = emission.act;
  draft.actor = own ? identity->did : *emission.actor;
  draft.parents = emission.fulfills;
  draft.thread = emission.thread ? *emission.thread : opens ? new_thread(instance.env()) : "";
  draft.clock = TRY(writer.next_clock(draft.actor, draft.thread));
  const auto parents = emission.thread ? TRY(parents_on(writer, draft.thread, draft.act)) : FoldParents();
  draft.parents.insert(draft.parents.end(), parents.ids.begin(), parents.ids.end());
  draft.body = TRY(emission_body(emission, parents.answer_earlier));
  return make_record(std::move(draft), own ? identity.get() : nullptr);
}

}  // namespace

Result<PutReport> put_ndjson(Instance& instance, Source& in, base::Progress& progress, const ActorCheck& check,
                             const PutBy& by) {
  PutReport report;
  LineReader lines(in);
  const std::size_t workers = std::max(1u, std::thread::hardware_concurrency());
  base::OrderedPool<LineBatch, ParsedBatch> pool(workers, kBatchesInFlight, parse_lines, record::kParsingCostMax);
  const auto writer = TRY(instance.store().writer());
  TRY(require_not_moved(*writer));
  const auto permissions = TRY(instance.permissions());
  env::Clock& clock = instance.env().clock;
  if (TRY(answered_before(*writer, clock, by.once))) return report;
  const Putting putting{instance, check, *permissions, by};
  for (bool more = true; more || !pool.empty();) {
    while (more && !pool.full()) {
      auto batch = TRY(lines.next());
      more = batch.has_value();
      if (!batch) break;
      const std::size_t cost = record::parsing_cost(batch->text.size(), batch->text.size());
      pool.push(std::move(*batch), cost);
    }
    if (!pool.empty()) TRY(put_batch(*writer, pool.pop(), putting, report));
    progress.update("putting records", lines.bytes(), 0, "bytes");
    if (progress.cancelled()) return base::fail_cancelled("nothing was put");
  }
  TRY(keep_answer(*writer, clock, report, by.once));
  TRY(writer->commit());
  return report;
}

Result<PutReport> put_records(Instance& instance, const std::vector<Record>& records, const PutBy& by) {
  PutReport report;
  TRY(instance.committer().run([&](store::StoreWriter& writer) -> Result<void> {
    TRY(require_not_moved(writer));
    env::Clock& clock = instance.env().clock;
    if (TRY(answered_before(writer, clock, by.once))) return {};
    const auto permissions = TRY(instance.permissions());
    const ActorCheck nobody_is_asked;
    const Putting putting{instance, nobody_is_asked, *permissions, by};
    for (const Record& record : records) TRY(put_given(writer, record, putting, report));
    return keep_answer(writer, clock, report, by.once);
  }));
  return report;
}

Result<Emitted> emit_within(Instance& instance, store::StoreWriter& writer, const Emission& emission) {
  const Record record = TRY(record_of(instance, writer, emission));
  TRY(writer.put(record));
  return Emitted{record.id, record.thread};
}

Result<Emitted> emit(Instance& instance, const Emission& emission) {
  Emitted emitted;
  TRY(instance.committer().run([&](store::StoreWriter& writer) -> Result<void> {
    const Record record = TRY(record_of(instance, writer, emission));
    TRY(TRY(instance.permissions())->check(record, ""));
    TRY(writer.put(record));
    emitted = {record.id, record.thread};
    return {};
  }));
  return emitted;
}

namespace {

// The ids by reserved thread, but for those that are in force.
Result<std::map<std::string, std::set<std::string>>> to_be_endorsed(store::StoreReader& reader, const std::string& did,
                                                                    const std::vector<RecordId>& ids) {
  std::map<std::string, std::set<std::string>> by_thread;
  for (const RecordId& id : ids) {
    const auto record = TRY(reader.find(id));
    if (!record)
      return fail(ErrorCode::kUsage, "no record " + id.hex() + " is here", "spl authority list shows those that are");
    if (!record::is_reserved(record->thread))
      return fail(ErrorCode::kUsage, "record " + id.hex() + " is on no reserved thread: it needs no endorsement",
                  "spl authority list shows those that do");
    by_thread[record->thread].insert(id.hex());
  }
  for (auto& [thread, wanted] : by_thread) {
    TRY(substrate::effective_records(reader, thread, did, [&wanted](const Record& record) -> Result<void> {
      wanted.erase(record.id.hex());
      return {};
    }));
  }
  std::erase_if(by_thread, [](const auto& entry) { return entry.second.empty(); });
  return by_thread;
}

}  // namespace

Result<std::vector<RecordId>> endorse(Instance& instance, const std::vector<RecordId>& ids) {
  std::vector<RecordId> written;
  TRY(instance.committer().run([&](store::StoreWriter& writer) -> Result<void> {
    TRY(require_not_moved(writer));
    const auto identity = instance.identity();
    if (!identity) return fail("this instance has no identity to endorse with", "spl identity generate makes one");
    for (const auto& [thread, endorsed] : TRY(to_be_endorsed(writer, identity->did, ids))) {
      codec::Json::Array named;
      for (const std::string& id : endorsed) named.emplace_back(id);
      const codec::Json body = codec::Json::Object{{"endorses", std::move(named)}, {"kind", "spl.endorsement.v1"}};
      Draft draft;
      draft.act = record::Act::kKnow;
      draft.actor = identity->did;
      draft.body = body.text();
      draft.clock = TRY(writer.next_clock(identity->did, thread));
      draft.thread = thread;
      const Record record = TRY(make_record(std::move(draft), identity.get()));
      TRY(writer.put(record));
      written.push_back(record.id);
    }
    return {};
  }));
  return written;
}

}  // namespace spl::instance
