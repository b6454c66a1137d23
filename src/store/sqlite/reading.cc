#include "store/sqlite/reading.h"

#include <limits>

#include "base/words.h"
#include "codec/enum_names.h"
#include "store/signed_clock.h"

namespace spl::store {
namespace {

// The columns of a StoredRecord, in this order, wherever records are read.
#define SPL_RECORD_COLUMNS "id, sequence, canonical, judged_by, sig, flags"

// The same where they are sorted: a long text is not, but looked up by its sequence when its turn comes (kBySequence).
// What SQLite sorts it holds, many of them at a time.
#define SPL_IS_SHORT "length(CAST(canonical AS BLOB))+coalesce(length(CAST(judged_by AS BLOB)),0)<=16384"
#define SPL_SORTED_COLUMNS                                                               \
  "id, sequence, CASE WHEN " SPL_IS_SHORT " THEN canonical END, CASE WHEN " SPL_IS_SHORT \
  " THEN judged_by END, "                                                                \
  "sig, flags"
constexpr const char* kBySequence = "SELECT " SPL_RECORD_COLUMNS " FROM record_log WHERE sequence=?";

constexpr std::size_t kDigestBytes = 32;
constexpr std::size_t kSignatureBytes = 64;

Result<StoredRecord> stored(const db::Statement& row) {
  const std::string_view id = row.blob(0);
  const auto sig = row.optional_blob(4);
  const auto damaged = [&row](const char* what) {
    return fail("the store is damaged: the " + std::string(what) + " of record number " +
                    std::to_string(row.integer(1)) + " has a wrong length",
                "run spl doctor");
  };
  if (id.size() != kDigestBytes) return damaged("id");
  if (sig && sig->size() != kSignatureBytes) return damaged("signature");
  return StoredRecord{{Digest::from(id)},
                      static_cast<std::uint64_t>(row.integer(1)),
                      row.text(2),
                      row.optional_text(3),
                      sig,
                      (row.integer(5) & record::kSignedFlag) != 0};
}

std::int64_t clamped(std::uint64_t value) {
  return static_cast<std::int64_t>(std::min<std::uint64_t>(value, std::numeric_limits<std::int64_t>::max()));
}

Result<void> visit_stored(const db::Statement& row, const RecordVisitor& visit) {
  return visit(TRY(stored(row)));
}

Result<RedactedRecord> redacted_in(const db::Statement& row) {
  const std::string_view id = row.blob(0);
  const auto act = codec::parse_enum<record::Act>(row.text(3));
  if (id.size() != kDigestBytes || !act)
    return fail("the store is damaged: a redacted record is not what it must be", "run spl doctor");
  return RedactedRecord{{Digest::from(id)},
                        std::string(row.text(1)),
                        std::string(row.text(2)),
                        *act,
                        static_cast<std::uint64_t>(row.integer(4)),
                        std::string(row.text(5))};
}

}  // namespace

Result<db::Statement*> PreparedConnection::get(const char* sql) {
  auto at = statements_.find(sql);
  if (at == statements_.end()) at = statements_.emplace(sql, TRY(connection.prepare(sql))).first;
  at->second.reset();
  return &at->second;
}

template <class Base>
Result<StoreCounts> Reading<Base>::counts() {
  TRY(before_read());
  db::Statement& row = *TRY(session_.get("SELECT coalesce(sum(records), 0), count(*) FROM threads"));
  TRY(row.step());
  const StoreCounts counts{static_cast<std::uint64_t>(row.integer(0)), static_cast<std::uint64_t>(row.integer(1))};
  row.reset();
  return counts;
}

template <class Base>
Result<std::uint64_t> Reading<Base>::log_size() {
  TRY(before_find());
  // By the index that has every record and that no walk over threads uses: what is lost of theirs is still counted.
  db::Statement& row = *TRY(session_.get("SELECT count(*) FROM record_log INDEXED BY record_log_id"));
  TRY(row.step());
  const auto size = static_cast<std::uint64_t>(row.integer(0));
  row.reset();
  return size;
}

template <class Base>
Result<std::string> Reading<Base>::incarnation() {
  const auto value = TRY(setting("incarnation"));
  if (!value) return fail("the store has no incarnation");
  return *value;
}

template <class Base>
Result<bool> Reading<Base>::look(const RecordId& id, const RecordVisitor& visit) {
  TRY(before_find());
  db::Statement& row = *TRY(session_.get("SELECT " SPL_RECORD_COLUMNS " FROM record_log WHERE id=?"));
  if (!TRY(row.bind_blob(1, id.digest.view()).step())) return false;
  const auto found = stored(row);
  const auto visited = found ? visit(*found) : std::unexpected(found.error());
  row.reset();
  TRY(visited);
  return true;
}

template <class Base>
Result<std::vector<RecordId>> Reading<Base>::ids_beginning(std::string_view digits, std::size_t limit) {
  TRY(before_find());
  const auto [first, last] = ids_between(digits);
  db::Statement& rows = *TRY(session_.get("SELECT id FROM record_log WHERE id BETWEEN ? AND ? ORDER BY id LIMIT ?"));
  rows.bind_blob(1, first.digest.view()).bind_blob(2, last.digest.view()).bind(3, static_cast<std::int64_t>(limit));
  std::vector<RecordId> ids;
  while (TRY(rows.step())) {
    const std::string_view id = rows.blob(0);
    if (id.size() == kDigestBytes) ids.push_back({Digest::from(id)});
  }
  return ids;
}

template <class Base>
Result<std::optional<std::int64_t>> Reading<Base>::thread_no(std::string_view thread) {
  const std::string directory = record::thread_directory(thread);
  db::Statement& row = *TRY(session_.get("SELECT thread_no FROM threads WHERE directory=?"));
  if (!TRY(row.bind_text(1, directory).step())) return std::nullopt;
  const std::int64_t number = row.integer(0);
  row.reset();
  return std::optional(number);
}

template <class Base>
Result<void> Reading<Base>::visit_at(std::int64_t sequence, const RecordVisitor& visit) {
  db::Statement& row = *TRY(session_.get(kBySequence));
  if (!TRY(row.bind(1, sequence).step()))
    return fail("the store is damaged: record number " + std::to_string(sequence) + " is not where it was",
                "run spl doctor");
  const auto visited = visit_stored(row, visit);
  row.reset();
  return visited;
}

template <class Base>
Result<void> Reading<Base>::walk(db::Statement& rows, const RecordVisitor& visit) {
  while (TRY(rows.step())) {
    auto visited = rows.optional_text(2) ? visit_stored(rows, visit) : visit_at(rows.integer(1), visit);
    if (!visited) {
      rows.reset();
      return visited;
    }
  }
  return {};
}

template <class Base>
Result<void> Reading<Base>::thread_records(std::string_view thread, RecordOrder order, const RecordVisitor& visit) {
  const auto number = TRY(thread_no(thread));
  if (!number) return {};
  const char* sql = "SELECT " SPL_RECORD_COLUMNS " FROM record_log WHERE thread_no=?";
  if (order == RecordOrder::kClock) {
    sql = "SELECT " SPL_SORTED_COLUMNS " FROM record_log WHERE thread_no=? ORDER BY clock, id";
  } else if (order == RecordOrder::kSequence) {
    sql = "SELECT " SPL_RECORD_COLUMNS " FROM record_log WHERE thread_no=? ORDER BY sequence";
  }
  return walk(TRY(session_.get(sql))->bind(1, *number), visit);
}

template <class Base>
Result<void> Reading<Base>::changes(std::uint64_t since, std::uint64_t limit, std::optional<std::string_view> thread,
                                    const RecordVisitor& visit) {
  if (!thread) {
    db::Statement& rows =
        *TRY(session_.get("SELECT " SPL_RECORD_COLUMNS " FROM record_log WHERE sequence>? ORDER BY sequence LIMIT ?"));
    return walk(rows.bind(1, clamped(since)).bind(2, clamped(limit)), visit);
  }
  const auto number = TRY(thread_no(*thread));
  if (!number) return {};
  db::Statement& rows = *TRY(session_.get(
      "SELECT " SPL_RECORD_COLUMNS " FROM record_log WHERE thread_no=? AND sequence>? ORDER BY sequence LIMIT ?"));
  return walk(rows.bind(1, *number).bind(2, clamped(since)).bind(3, clamped(limit)), visit);
}

template <class Base>
Result<void> Reading<Base>::newest_first(std::uint64_t since, std::optional<std::string_view> thread,
                                         const RecordVisitor& visit) {
  if (!thread) {
    db::Statement& rows =
        *TRY(session_.get("SELECT " SPL_RECORD_COLUMNS " FROM record_log WHERE sequence>? ORDER BY sequence DESC"));
    return walk(rows.bind(1, clamped(since)), visit);
  }
  const auto number = TRY(thread_no(*thread));
  if (!number) return {};
  db::Statement& rows = *TRY(session_.get("SELECT " SPL_RECORD_COLUMNS
                                          " FROM record_log WHERE thread_no=? AND sequence>? ORDER BY sequence DESC"));
  return walk(rows.bind(1, *number).bind(2, clamped(since)), visit);
}

template <class Base>
Result<std::optional<Arrival>> Reading<Base>::arrival(std::uint64_t sequence) {
  db::Statement& row = *TRY(session_.get(
      "SELECT first_sequence, at FROM arrivals WHERE first_sequence<=? ORDER BY first_sequence DESC LIMIT 1"));
  if (!TRY(row.bind(1, clamped(sequence)).step())) return std::nullopt;
  const Arrival found{static_cast<std::uint64_t>(row.integer(0)), row.integer(1)};
  row.reset();
  return std::optional(found);
}

template <class Base>
Result<std::optional<std::uint64_t>> Reading<Base>::first_arrived_since(std::int64_t seconds) {
  db::Statement& row = *TRY(session_.get("SELECT first_sequence FROM arrivals WHERE at>=? ORDER BY 1 LIMIT 1"));
  if (!TRY(row.bind(1, seconds).step())) return std::nullopt;
  const auto first = static_cast<std::uint64_t>(row.integer(0));
  row.reset();
  return std::optional(first);
}

template <class Base>
Result<std::optional<KeptAnswer>> Reading<Base>::kept_answer(const Digest& key) {
  db::Statement& row = *TRY(session_.get("SELECT made_at, request, answer FROM answers WHERE key=?"));
  if (!TRY(row.bind_blob(1, key.view()).step())) return std::nullopt;
  const std::string_view request = row.blob(1);
  if (request.size() != kDigestBytes) {
    row.reset();
    return fail("the store is damaged: the digest of a request has a wrong length", "run spl doctor");
  }
  KeptAnswer kept{row.integer(0), Digest::from(request), std::string(row.text(2))};
  row.reset();
  return std::optional(std::move(kept));
}

template <class Base>
Result<void> Reading<Base>::bundle_order(
    const std::function<Result<void>(std::string_view, const StoredRecord&)>& visit) {
  // Thread by thread, so that SQLite sorts one thread at a time, and on disk where that is large. The slash that
  // follows a directory in a path is greater than % - . and so has its part in the order: a-b/ comes before a/.
  db::Statement& threads = *TRY(session_.get("SELECT thread_no, directory FROM threads ORDER BY directory || '/'"));
  while (TRY(threads.step())) {
    const std::string directory(threads.text(1));
    db::Statement& rows =
        *TRY(session_.get("SELECT " SPL_SORTED_COLUMNS " FROM record_log WHERE thread_no=? ORDER BY id"));
    auto walked =
        walk(rows.bind(1, threads.integer(0)), [&](const StoredRecord& record) { return visit(directory, record); });
    if (!walked) {
      threads.reset();
      return walked;
    }
  }
  return {};
}

template <class Base>
Result<record::ThreadState> Reading<Base>::state_of(std::int64_t thread_no, std::uint8_t flags) {
  using record::ThreadState;
  if ((flags & record::kEnds) == 0) {
    if ((flags & record::kWorks) != 0) return ThreadState::kActive;
    return (flags & record::kOpens) != 0 ? ThreadState::kOpen : ThreadState::kLoose;
  }
  const auto fold = record::ThreadFold::of([&](std::uint8_t wanted, const auto& visit) -> Result<void> {
    const bool is_work = (wanted & record::kWorks) != 0;
    db::Statement& rows = *TRY(session_.get(
        is_work ? "SELECT " SPL_RECORD_COLUMNS " FROM record_log WHERE thread_no=? AND flags & ?"
                : "SELECT " SPL_RECORD_COLUMNS " FROM record_log WHERE thread_no=? AND flags & 29 AND flags & ?"));
    return walk(rows.bind(1, thread_no).bind(2, wanted),
                [&visit](const StoredRecord& row) -> Result<void> { return visit(TRY(parse_row(row))); });
  });
  return TRY(fold).state();
}

template <class Base>
Result<ThreadSummary> Reading<Base>::summary(db::Statement& row) {
  ThreadSummary summary;
  summary.thread = row.text(1);
  summary.records = static_cast<std::uint64_t>(row.integer(2));
  summary.last_sequence = static_cast<std::uint64_t>(row.integer(3));
  summary.state = TRY(state_of(row.integer(0), static_cast<std::uint8_t>(row.integer(4))));
  return summary;
}

template <class Base>
Result<void> Reading<Base>::threads(const ThreadVisitor& visit) {
  TRY(before_read());
  db::Statement& rows =
      *TRY(session_.get("SELECT thread_no, thread, records, last_sequence, flags FROM threads ORDER BY directory"));
  while (TRY(rows.step())) {
    const auto found = summary(rows);
    auto visited = found ? visit(*found) : std::unexpected(found.error());
    if (!visited) {
      rows.reset();
      return visited;
    }
  }
  return {};
}

template <class Base>
Result<std::optional<ThreadSummary>> Reading<Base>::thread(std::string_view thread) {
  TRY(before_read());
  const std::string directory = record::thread_directory(thread);
  db::Statement& row =
      *TRY(session_.get("SELECT thread_no, thread, records, last_sequence, flags FROM threads WHERE directory=?"));
  if (!TRY(row.bind_text(1, directory).step())) return std::nullopt;
  auto found = summary(row);
  row.reset();
  return std::optional(TRY(std::move(found)));
}

template <class Base>
Result<std::uint64_t> Reading<Base>::next_clock(std::string_view actor, std::string_view thread) {
  TRY(before_read());
  const auto number = TRY(thread_no(thread));
  if (!number) return 0;
  db::Statement& row =
      *TRY(session_.get("SELECT clock FROM clocks WHERE thread_no=? AND actor_no=(SELECT "
                        "actor_no FROM actors WHERE actor=?)"));
  if (!TRY(row.bind(1, *number).bind_text(2, actor).step())) return 0;
  const std::int64_t last = row.integer(0);
  row.reset();
  if (is_only_a_claim(actor, static_cast<std::uint64_t>(last))) return next_signed_clock(*this, actor, thread);
  if (last == std::numeric_limits<std::int64_t>::max()) return clock_at_end(actor, thread);
  return static_cast<std::uint64_t>(last) + 1;
}

template <class Base>
Result<std::optional<std::string>> Reading<Base>::setting(std::string_view name) {
  db::Statement& row = *TRY(session_.get("SELECT value FROM settings WHERE name=?"));
  if (!TRY(row.bind_text(1, name).step())) return std::nullopt;
  std::string value(row.text(0));
  row.reset();
  return std::optional(std::move(value));
}

template <class Base>
Result<std::map<std::string, std::string>> Reading<Base>::settings_beginning(std::string_view prefix) {
  std::map<std::string, std::string> found;
  db::Statement& rows = *TRY(session_.get("SELECT name, value FROM settings WHERE name>=? ORDER BY name"));
  rows.bind_text(1, prefix);
  while (TRY(rows.step())) {
    if (!rows.text(0).starts_with(prefix)) {
      rows.reset();
      break;
    }
    found.emplace(rows.text(0), rows.text(1));
  }
  return found;
}

template <class Base>
Result<std::vector<Token>> Reading<Base>::tokens() {
  std::vector<Token> all;
  db::Statement& rows =
      *TRY(session_.get("SELECT sha256, account, scopes, created_at, expires_at FROM tokens ORDER BY sha256"));
  while (TRY(rows.step())) {
    const std::string_view sha256 = rows.blob(0);
    if (sha256.size() != kDigestBytes) {
      rows.reset();
      return fail("the store is damaged: the hash of a token has a wrong length", "run spl doctor");
    }
    Token token{Digest::from(sha256), std::string(rows.text(1)), base::split(rows.text(2), ' '),
                std::string(rows.text(3)), std::nullopt};
    if (const auto expires = rows.optional_text(4)) token.expires_at = std::string(*expires);
    all.push_back(std::move(token));
  }
  return all;
}

template <class Base>
Result<std::uint64_t> Reading<Base>::redacted_count() {
  db::Statement& row = *TRY(session_.get("SELECT count(*) FROM redacted"));
  TRY(row.step());
  const auto count = static_cast<std::uint64_t>(row.integer(0));
  row.reset();
  return count;
}

template <class Base>
Result<void> Reading<Base>::redacted(const RedactedVisitor& visit) {
  db::Statement& rows = *TRY(session_.get("SELECT id, thread, actor, act, clock, peer FROM redacted ORDER BY id"));
  while (TRY(rows.step())) {
    const auto row = redacted_in(rows);
    auto visited = row ? visit(*row) : std::unexpected(row.error());
    if (!visited) {
      rows.reset();
      return visited;
    }
  }
  return {};
}

template class Reading<StoreReader>;
template class Reading<StoreWriter>;

}  // namespace spl::store
