#include "store/sqlite/sqlite_store.h"

#include <atomic>
#include <filesystem>
#include <mutex>
#include <unordered_map>

#include "base/check.h"
#include "base/encoding.h"
#include "base/words.h"
#include "db/open_files.h"
#include "record/own_thread.h"
#include "store/sqlite/reading.h"
#include "store/sqlite/schema.h"

namespace spl::store {
namespace {

constexpr int kBusyTimeoutMs = 30'000;
constexpr std::size_t kIdleReadersMax = 8;
constexpr std::size_t kNamesCachedMax = 50'000;   // threads and actors, each
constexpr std::size_t kNameCachedBytesMax = 256;  // a thread's name is no longer; an actor's may be a record long
constexpr std::size_t kSumsPendingMax = 20'000;   // threads and clocks, each

std::string cache_of(int kib) {
  return "PRAGMA cache_size=-" + std::to_string(kib);
}

// Numbers of threads or actors that were looked up, whole as long as it fits.
class NameCache {
 public:
  [[nodiscard]] const std::int64_t* find(std::string_view name) const {
    const auto at = numbers_.find(name);
    return at == numbers_.end() ? nullptr : &at->second;
  }
  void add(std::string_view name, std::int64_t number) {
    if (name.size() > kNameCachedBytesMax) return;
    if (numbers_.size() >= kNamesCachedMax) numbers_.clear();
    numbers_.emplace(name, number);
  }
  void clear() { numbers_.clear(); }

 private:
  struct Hash {
    using is_transparent = void;
    std::size_t operator()(std::string_view text) const { return std::hash<std::string_view>()(text); }
  };
  std::unordered_map<std::string, std::int64_t, Hash, std::equal_to<>> numbers_;
};

// Where a store's files are as long as it is open. Any thread.
class Place {
 public:
  Place(std::string path, std::optional<db::OpenFiles> files) : path_(std::move(path)), files_(std::move(files)) {}
  // Before anything is done with the store, and before it is told to be done.
  Result<void> check() {
    if (!lost_ && (!files_ || files_->are_in_place())) return {};
    lost_ = true;
    return fail(Cause::kStoreReplaced,
                "the store's file " + base::escaped(path_) + " was removed or replaced while it was open",
                "what was acknowledged before is in the file that was there: put it back, or start anew with what is "
                "there now");
  }
  [[nodiscard]] bool is_lost() const { return lost_; }

 private:
  const std::string path_;
  const std::optional<db::OpenFiles> files_;  // nothing with a VFS whose files only it knows, and where none is written
  std::atomic<bool> lost_ = false;
};

// The one connection that writes, with what it remembers between transactions.
struct WriterState {
  WriterState(db::Connection c, const StoreSizes& of, env::Clock* tells, Place& where)
      : sizes(of), clock(tells), place(where), session(std::move(c)) {}
  const StoreSizes sizes;
  env::Clock* const clock;  // may be null
  Place& place;
  std::mutex mutex;  // held by the writer that lives
  PreparedConnection session;
  NameCache threads;
  NameCache actors;
  std::optional<std::int64_t> last_arrival;  // that is surely in the table
  std::atomic<std::uint64_t> authority_generation = 0;
};

struct ThreadSum {
  std::int64_t records = 0;
  std::int64_t last_sequence = 0;
  std::uint8_t flags = 0;
};

struct ClockKey {
  std::int64_t thread_no;
  std::int64_t actor_no;
  auto operator<=>(const ClockKey&) const = default;
};

class SqliteWriter final : public Reading<StoreWriter> {
 public:
  SqliteWriter(WriterState& state, std::unique_lock<std::mutex> lock)
      : Reading(state.session), state_(state), lock_(std::move(lock)) {}
  ~SqliteWriter() override {
    if (done_) return;
    // Where even this fails, the next writer tries it again, and closing the connection takes the transaction back.
    (void)session_.connection.roll_back();
    forget_names();
  }
  // Before anything else: what can fail has been done by then, so that no transaction is left open.
  Result<void> begin() {
    (void)session_.connection.roll_back();
    TRY(session_.connection.execute("BEGIN IMMEDIATE"));
    done_ = false;
    return {};
  }

  Result<PutOutcome> put(const Record& record) override;
  Result<bool> put_redacted(const RedactedRecord& redacted) override;
  Result<void> mark() override;
  Result<void> rollback_to_mark() override;
  Result<void> set_setting(std::string_view name, std::string_view value) override;
  Result<void> remove_setting(std::string_view name) override;
  Result<void> new_incarnation(std::string_view hex) override { return set_setting("incarnation", hex); }
  Result<void> put_token(const Token& token) override;
  Result<bool> remove_token(const Digest& sha256) override;
  Result<void> expect_many_distinct() override;
  Result<void> clear_records() override;
  Result<void> keep_answer(const Digest& key, const KeptAnswer& answer, std::int64_t since) override;
  Result<void> fence() override;
  Result<void> commit() override;

 protected:
  Result<void> before_read() override { return flush_sums(); }
  Result<void> before_find() override { return id_index_is_put_off_ ? make_id_index() : Result<void>(); }

 private:
  Result<std::int64_t> thread_number(std::string_view thread);
  Result<std::int64_t> actor_number(std::string_view actor);
  Result<PutOutcome> meet_duplicate(const Record& record);
  Result<void> drop_redacted(const RecordId& id);
  Result<void> flush_sums();
  Result<std::optional<std::int64_t>> note_arrival();
  Result<void> make_id_index();
  void forget_names() {
    state_.threads.clear();
    state_.actors.clear();
  }

  WriterState& state_;
  std::unique_lock<std::mutex> lock_;
  std::map<std::int64_t, ThreadSum> thread_sums_;
  std::map<ClockKey, std::int64_t> clock_sums_;
  std::optional<std::int64_t> first_put_;  // its sequence, of this transaction
  std::optional<std::int64_t> first_put_at_mark_;
  std::optional<bool> has_redacted_;  // whether there may be any; nothing until a record is put
  bool marked_ = false;
  bool id_index_is_put_off_ = false;
  bool changes_authority_ = false;
  bool done_ = true;  // until it has begun
};

Result<std::int64_t> SqliteWriter::thread_number(std::string_view thread) {
  if (const std::int64_t* known = state_.threads.find(thread)) return *known;
  std::int64_t number = 0;
  if (const auto found = TRY(thread_no(thread))) {
    number = *found;
  } else {
    const std::string directory = record::thread_directory(thread);
    db::Statement& insert =
        *TRY(session_.get("INSERT INTO threads(thread, directory, records, last_sequence, "
                          "flags) VALUES(?, ?, 0, 0, 0)"));
    TRY(insert.bind_text(1, thread).bind_text(2, directory).run());
    number = session_.connection.last_rowid();
  }
  state_.threads.add(thread, number);
  return number;
}

Result<std::int64_t> SqliteWriter::actor_number(std::string_view actor) {
  if (const std::int64_t* known = state_.actors.find(actor)) return *known;
  db::Statement& row = *TRY(session_.get("SELECT actor_no FROM actors WHERE actor=?"));
  std::int64_t number = 0;
  if (TRY(row.bind_text(1, actor).step())) {
    number = row.integer(0);
    row.reset();
  } else {
    db::Statement& insert = *TRY(session_.get("INSERT INTO actors(actor) VALUES(?)"));
    TRY(insert.bind_text(1, actor).run());
    number = session_.connection.last_rowid();
  }
  state_.actors.add(actor, number);
  return number;
}

Result<PutOutcome> SqliteWriter::put(const Record& record) {
  const std::int64_t number = TRY(thread_number(record.thread));
  const auto flags =
      static_cast<std::uint8_t>(record::fold_flags(record) | (is_signed(record) ? record::kSignedFlag : 0));
  db::Statement& insert =
      *TRY(session_.get(id_index_is_put_off_ ? "INSERT INTO record_log(id, thread_no, flags, clock, "
                                               "canonical, judged_by, sig) VALUES(?,?,?,?,?,?,?)"
                                             : "INSERT INTO record_log(id, thread_no, flags, clock, "
                                               "canonical, judged_by, sig) VALUES(?,?,?,?,?,?,?) "
                                               "ON CONFLICT(id) DO NOTHING"));
  insert.bind_blob(1, record.id.digest.view())
      .bind(2, number)
      .bind(3, flags)
      .bind(4, static_cast<std::int64_t>(record.clock))
      .bind_text(5, record.canonical);
  record.judged_by ? insert.bind_text(6, *record.judged_by) : insert.bind_null(6);
  record.sig ? insert.bind_blob(7, record.sig->view()) : insert.bind_null(7);
  TRY(insert.run());
  if (session_.connection.changes() == 0) return meet_duplicate(record);

  TRY(drop_redacted(record.id));
  changes_authority_ = changes_authority_ || record::is_reserved(record.thread);
  ThreadSum& sum = thread_sums_[number];
  sum.records += 1;
  sum.last_sequence = session_.connection.last_rowid();
  if (!first_put_) first_put_ = sum.last_sequence;
  sum.flags |= flags;
  const std::int64_t actor = TRY(actor_number(record.actor));
  auto [clock, fresh] = clock_sums_.try_emplace({number, actor}, static_cast<std::int64_t>(record.clock));
  if (!fresh) clock->second = std::max(clock->second, static_cast<std::int64_t>(record.clock));
  if (thread_sums_.size() > kSumsPendingMax || clock_sums_.size() > kSumsPendingMax) TRY(flush_sums());
  return PutOutcome::kInserted;
}

Result<PutOutcome> SqliteWriter::meet_duplicate(const Record& record) {
  db::Statement& row = *TRY(session_.get("SELECT judged_by, sig IS NULL, flags FROM record_log WHERE id=?"));
  if (!TRY(row.bind_blob(1, record.id.digest.view()).step()))
    return fail("record " + record.id.hex() + " was neither inserted nor found");
  const auto judged_by = row.optional_text(0);
  const bool differs = judged_by != std::optional<std::string_view>(record.judged_by);
  // A signature that would make the record's file longer than a reader takes is not filled in.
  const bool decides = record::is_reserved(record.thread);
  const bool lacks = row.integer(1) != 0 || (decides && (row.integer(2) & record::kSignedFlag) == 0);
  const bool fillable = lacks && record::fits_with_sig(record.canonical, judged_by);
  row.reset();
  if (fillable && record::signature_is_valid(record)) {
    db::Statement& fill = *TRY(session_.get("UPDATE record_log SET sig=?, flags=flags|? WHERE id=?"));
    fill.bind_blob(1, record.sig->view()).bind(2, decides ? record::kSignedFlag : 0);
    TRY(fill.bind_blob(3, record.id.digest.view()).run());
    changes_authority_ = changes_authority_ || decides;
    if (!differs) return PutOutcome::kSigFilled;
  }
  return differs ? PutOutcome::kDiffers : PutOutcome::kDuplicate;
}

Result<void> SqliteWriter::drop_redacted(const RecordId& id) {
  // Where there is none, as mostly, that is asked once in a transaction.
  if (!has_redacted_)
    has_redacted_ = TRY(session_.connection.query_integer("SELECT EXISTS(SELECT 1 FROM redacted)")) != 0;
  if (!*has_redacted_) return {};
  db::Statement& remove = *TRY(session_.get("DELETE FROM redacted WHERE id=?"));
  return remove.bind_blob(1, id.digest.view()).run();
}

Result<bool> SqliteWriter::put_redacted(const RedactedRecord& redacted) {
  TRY(check_redacted(redacted));
  if (TRY(contains(redacted.id))) return false;
  db::Statement& insert = *TRY(session_.get("INSERT INTO redacted VALUES(?,?,?,?,?,?) ON CONFLICT DO NOTHING"));
  insert.bind_blob(1, redacted.id.digest.view())
      .bind_text(2, redacted.thread)
      .bind_text(3, redacted.actor)
      .bind_text(4, record::act_name(redacted.act))
      .bind(5, static_cast<std::int64_t>(redacted.clock))
      .bind_text(6, redacted.peer);
  TRY(insert.run());
  has_redacted_ = true;
  return session_.connection.changes() > 0;
}

Result<void> SqliteWriter::flush_sums() {
  for (const auto& [number, sum] : thread_sums_) {
    db::Statement& update =
        *TRY(session_.get("UPDATE threads SET records=records+?, last_sequence=?, flags=flags|? WHERE thread_no=?"));
    TRY(update.bind(1, sum.records).bind(2, sum.last_sequence).bind(3, sum.flags).bind(4, number).run());
  }
  thread_sums_.clear();
  for (const auto& [key, clock] : clock_sums_) {
    db::Statement& upsert =
        *TRY(session_.get("INSERT INTO clocks VALUES(?,?,?) ON CONFLICT DO UPDATE SET "
                          "clock=max(clock, excluded.clock)"));
    TRY(upsert.bind(1, key.thread_no).bind(2, key.actor_no).bind(3, clock).run());
  }
  clock_sums_.clear();
  return {};
}

Result<void> SqliteWriter::mark() {
  SPL_CHECK(!id_index_is_put_off_);
  TRY(flush_sums());
  first_put_at_mark_ = first_put_;
  if (std::exchange(marked_, true)) TRY(session_.connection.execute("RELEASE mark"));
  return session_.connection.execute("SAVEPOINT mark");
}

Result<void> SqliteWriter::rollback_to_mark() {
  SPL_CHECK(marked_);
  first_put_ = first_put_at_mark_;
  thread_sums_.clear();
  clock_sums_.clear();
  forget_names();
  has_redacted_.reset();
  return session_.connection.execute("ROLLBACK TO mark");
}

Result<void> SqliteWriter::set_setting(std::string_view name, std::string_view value) {
  db::Statement& upsert =
      *TRY(session_.get("INSERT INTO settings VALUES(?,?) ON CONFLICT DO UPDATE SET value=excluded.value"));
  return upsert.bind_text(1, name).bind_text(2, value).run();
}

Result<void> SqliteWriter::remove_setting(std::string_view name) {
  db::Statement& remove = *TRY(session_.get("DELETE FROM settings WHERE name=?"));
  return remove.bind_text(1, name).run();
}

Result<void> SqliteWriter::put_token(const Token& token) {
  const std::string scopes = base::join(token.scopes, " ");
  db::Statement& upsert = *TRY(session_.get("INSERT OR REPLACE INTO tokens VALUES(?,?,?,?,?)"));
  upsert.bind_blob(1, token.sha256.view())
      .bind_text(2, token.account)
      .bind_text(3, scopes)
      .bind_text(4, token.created_at);
  token.expires_at ? upsert.bind_text(5, *token.expires_at) : upsert.bind_null(5);
  return upsert.run();
}

Result<bool> SqliteWriter::remove_token(const Digest& sha256) {
  db::Statement& remove = *TRY(session_.get("DELETE FROM tokens WHERE sha256=?"));
  TRY(remove.bind_blob(1, sha256.view()).run());
  return session_.connection.changes() > 0;
}

Result<void> SqliteWriter::expect_many_distinct() {
  SPL_CHECK(!marked_);
  // Ids come in random order: it is much quicker to sort them once than to keep their index as they
  // come.
  if (id_index_is_put_off_ || TRY(counts()).records > 0) return {};
  session_.forget_statements();
  TRY(session_.connection.execute(kDropIdIndex));
  id_index_is_put_off_ = true;
  return {};
}

Result<void> SqliteWriter::clear_records() {
  SPL_CHECK(!marked_);
  thread_sums_.clear();
  clock_sums_.clear();
  forget_names();
  changes_authority_ = true;
  first_put_.reset();
  state_.last_arrival.reset();
  for (const char* statement :
       {"DELETE FROM record_log", "DELETE FROM clocks", "DELETE FROM threads", "DELETE FROM actors",
        "DELETE FROM redacted", "DELETE FROM arrivals", "DELETE FROM answers"})
    TRY(session_.connection.execute(statement));
  return {};
}

Result<void> SqliteWriter::make_id_index() {
  TRY(session_.connection.execute(cache_of(state_.sizes.sorting_cache_kib)));
  TRY(session_.connection.execute(kCreateIdIndex));
  TRY(session_.connection.execute(cache_of(state_.sizes.writer_cache_kib)));
  id_index_is_put_off_ = false;
  return {};
}

// The time of the last arrival that is in the table then.
Result<std::optional<std::int64_t>> SqliteWriter::note_arrival() {
  if (!first_put_ || state_.clock == nullptr) return state_.last_arrival;
  const std::int64_t now = std::chrono::floor<std::chrono::seconds>(state_.clock->now().time_since_epoch()).count();
  if (state_.last_arrival == now) return now;
  db::Statement& insert = *TRY(session_.get("INSERT OR REPLACE INTO arrivals VALUES(?,?)"));
  TRY(insert.bind(1, *first_put_).bind(2, now).run());
  return now;
}

Result<void> SqliteWriter::keep_answer(const Digest& key, const KeptAnswer& answer, std::int64_t since) {
  db::Statement& remove = *TRY(session_.get("DELETE FROM answers WHERE made_at<?"));
  TRY(remove.bind(1, since).run());
  db::Statement& insert = *TRY(session_.get("INSERT OR REPLACE INTO answers VALUES(?,?,?,?)"));
  return insert.bind_blob(1, key.view())
      .bind(2, answer.made_at)
      .bind_blob(3, answer.request.view())
      .bind_text(4, answer.answer)
      .run();
}

Result<void> SqliteWriter::commit() {
  SPL_CHECK(!done_);
  TRY(flush_sums());
  const auto arrived = TRY(note_arrival());
  session_.forget_statements();
  if (id_index_is_put_off_) TRY(make_id_index());
  TRY(state_.place.check());
  auto committed = session_.connection.execute("COMMIT");
  done_ = committed.has_value();
  // Also where it failed: what a sync that failed has written may be there.
  if (changes_authority_) ++state_.authority_generation;
  state_.last_arrival = committed ? arrived : std::nullopt;
  // Were the process killed now, the next one would take this for a commit and build on it.
  if (!committed) {
    (void)session_.connection.execute("ROLLBACK");
    (void)fence();
  }
  // What went to a file that is no longer there is not told to be kept.
  return committed ? state_.place.check() : std::move(committed);
}

Result<void> SqliteWriter::fence() {
  return session_.connection.execute(
      "INSERT INTO settings VALUES('commit_failed', lower(hex(randomblob(16)))) "
      "ON CONFLICT DO UPDATE SET value=excluded.value");
}

class SqliteStore;

class SqliteReader final : public Reading<StoreReader> {
 public:
  SqliteReader(SqliteStore& store, std::unique_ptr<PreparedConnection> session)
      : Reading(*session), store_(store), own_session_(std::move(session)) {}
  ~SqliteReader() override;

 private:
  SqliteStore& store_;
  std::unique_ptr<PreparedConnection> own_session_;
};

class SqliteStore final : public RecordStore {
 public:
  SqliteStore(SqliteStoreOptions options, db::OpenAs how, db::Connection writer, std::optional<db::OpenFiles> files)
      : options_(std::move(options)),
        how_(how),
        place_(options_.path, std::move(files)),
        writer_(std::move(writer), options_.sizes, options_.clock, place_) {
    idle_.reserve(kIdleReadersMax);
  }

  Result<std::unique_ptr<StoreReader>> reader() override;
  Result<std::unique_ptr<StoreWriter>> writer() override;
  [[nodiscard]] std::string name() const override { return "sqlite:" + options_.path; }
  [[nodiscard]] std::string directory() const override {
    return std::filesystem::path(options_.path).parent_path().string();
  }
  [[nodiscard]] std::vector<std::string> files() const override { return sqlite_files(options_.path); }
  Result<void> check() override;
  [[nodiscard]] std::uint64_t authority_generation() const override { return writer_.authority_generation; }
  [[nodiscard]] bool is_lost() const override { return place_.is_lost(); }

  void give_back(std::unique_ptr<PreparedConnection> session) noexcept {
    const std::scoped_lock lock(idle_mutex_);
    if (idle_.size() < kIdleReadersMax) idle_.push_back(std::move(session));
  }

 private:
  const SqliteStoreOptions options_;
  const db::OpenAs how_;  // of further connections
  Place place_;
  WriterState writer_;
  std::mutex idle_mutex_;  // guards idle_
  std::vector<std::unique_ptr<PreparedConnection>> idle_;
};

SqliteReader::~SqliteReader() {
  if (session_.connection.roll_back()) store_.give_back(std::move(own_session_));
}

Result<std::unique_ptr<StoreReader>> SqliteStore::reader() {
  // A further connection would read another file than those before it.
  TRY(place_.check());
  std::unique_ptr<PreparedConnection> session;
  {
    const std::scoped_lock lock(idle_mutex_);
    if (!idle_.empty()) {
      session = std::move(idle_.back());
      idle_.pop_back();
    }
  }
  if (!session) {
    session = std::make_unique<PreparedConnection>(TRY(db::Connection::open(options_.path, how_, options_.vfs)));
    session->connection.set_busy_timeout_ms(kBusyTimeoutMs);
    TRY(session->connection.execute(cache_of(options_.sizes.reader_cache_kib)));
  }
  TRY(session->connection.execute("BEGIN"));
  // The transaction begins to see with its first read.
  TRY(session->connection.query_integer("SELECT count(*) FROM settings"));
  return std::make_unique<SqliteReader>(*this, std::move(session));
}

Result<std::unique_ptr<StoreWriter>> SqliteStore::writer() {
  std::unique_lock lock(writer_.mutex);
  TRY(place_.check());
  auto writer = std::make_unique<SqliteWriter>(writer_, std::move(lock));
  TRY(writer->begin());
  return writer;
}

// Every record is in a thread, in its own, and the sums of the threads are those of their records.
Result<void> check_threads(db::Connection& connection) {
  const auto none = [&connection](const char* sql, const char* what) -> Result<void> {
    const std::int64_t wrong = TRY(connection.query_integer(sql));
    return wrong == 0 ? Result<void>()
                      : fail("the store is damaged: " + std::string(what) + ": " + std::to_string(wrong));
  };
  TRY(none("SELECT count(*) FROM record_log WHERE thread_no NOT IN (SELECT thread_no FROM threads)",
           "records whose thread is lost"));
  TRY(
      none("SELECT count(*) FROM threads t WHERE records=0 OR records<>(SELECT count(*) FROM record_log r WHERE "
           "r.thread_no=t.thread_no)",
           "threads with a wrong count"));
  TRY(none("SELECT count(*) FROM redacted WHERE id IN (SELECT id FROM record_log)",
           "records that are there and redacted as well"));
  db::Statement threads = TRY(connection.prepare("SELECT thread, directory FROM threads"));
  while (TRY(threads.step())) {
    if (record::thread_directory(threads.text(0)) != threads.text(1))
      return fail("the store is damaged: thread " + base::escaped(threads.text(0)) + " has a directory not its own");
  }
  db::Statement records = TRY(connection.prepare(
      "SELECT r.sequence, r.canonical, t.directory FROM record_log r JOIN threads t USING(thread_no) "
      "ORDER BY r.sequence"));
  record::OwnThread own;
  while (TRY(records.step())) {
    if (!own.lies_in(records.text(1), records.text(2)))
      return fail("the store is damaged: record number " + std::to_string(records.integer(0)) +
                  " is in another thread than its own");
  }
  return {};
}

Result<void> SqliteStore::check() {
  TRY(place_.check());
  db::Connection connection = TRY(db::Connection::open(options_.path, how_, options_.vfs));
  const std::string verdict = TRY(connection.query_text("PRAGMA integrity_check(1)"));
  if (verdict != "ok") return fail("the store is damaged: " + verdict);
  return check_threads(connection);
}

Result<std::unique_ptr<RecordStore>> open_as(const SqliteStoreOptions& options, db::OpenAs how) {
  db::Connection connection = TRY(db::Connection::open(options.path, how, options.vfs));
  connection.set_busy_timeout_ms(kBusyTimeoutMs);
  TRY_IN(options.path,
         how == db::OpenAs::kUnchanging ? check_schema(connection) : prepare_schema(connection, options.sizes));
  TRY(connection.execute(cache_of(options.sizes.writer_cache_kib)));
  std::optional<db::OpenFiles> files;
  if (options.vfs.empty() && how != db::OpenAs::kUnchanging) files = TRY(db::OpenFiles::of(connection, options.path));
  const auto reopen = how == db::OpenAs::kUnchanging ? how : db::OpenAs::kReadWrite;
  return std::make_unique<SqliteStore>(options, reopen, std::move(connection), std::move(files));
}

}  // namespace

std::vector<std::string> sqlite_files(const std::string& path) {
  return {path, path + "-wal", path + "-shm", path + "-journal"};
}

Result<std::unique_ptr<RecordStore>> open_sqlite_store(const SqliteStoreOptions& options, StoreOpen how) {
  auto opened = open_as(options, how == StoreOpen::kCreate ? db::OpenAs::kCreate : db::OpenAs::kReadWrite);
  if (opened || how != StoreOpen::kReading || !options.log_is_empty) return opened;
  // SQLite wants to write an index of the log before it reads. On a disk that is full or read-only it cannot; without
  // a log it need not.
  auto unchanging = open_as(options, db::OpenAs::kUnchanging);
  return unchanging ? std::move(unchanging) : std::move(opened);
}

}  // namespace spl::store
