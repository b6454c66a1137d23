#include "store/sqlite/schema.h"

#include <string>
#include <string_view>

#include "record/thread.h"
#include "store/record_store.h"

namespace spl::store {
namespace {

// record_log is in arrival order. Records of a thread are found by record_log_thread, whose entries
// end with the sequence; record_log_marks holds only those that can change a thread's state in a
// way that its flags do not tell. threads and clocks are sums over record_log, kept in the same
// transaction.
constexpr char kTables[] = R"sql(
CREATE TABLE threads(
  thread_no INTEGER PRIMARY KEY,
  thread TEXT NOT NULL,
  directory TEXT NOT NULL UNIQUE,
  records INTEGER NOT NULL,
  last_sequence INTEGER NOT NULL,
  flags INTEGER NOT NULL
) STRICT;
CREATE TABLE actors(
  actor_no INTEGER PRIMARY KEY,
  actor TEXT NOT NULL UNIQUE
) STRICT;
CREATE TABLE clocks(
  thread_no INTEGER NOT NULL,
  actor_no INTEGER NOT NULL,
  clock INTEGER NOT NULL,
  PRIMARY KEY(thread_no, actor_no)
) STRICT, WITHOUT ROWID;
CREATE TABLE record_log(
  sequence INTEGER PRIMARY KEY,
  id BLOB NOT NULL,
  thread_no INTEGER NOT NULL,
  flags INTEGER NOT NULL,
  clock INTEGER NOT NULL,
  canonical TEXT NOT NULL,
  judged_by TEXT,
  sig BLOB
) STRICT;
CREATE INDEX record_log_thread ON record_log(thread_no);
CREATE INDEX record_log_marks ON record_log(thread_no) WHERE flags & 29;
CREATE TABLE settings(
  name TEXT PRIMARY KEY,
  value TEXT NOT NULL
) STRICT, WITHOUT ROWID;
CREATE TABLE tokens(
  sha256 BLOB PRIMARY KEY,
  account TEXT NOT NULL,
  scopes TEXT NOT NULL,
  created_at TEXT NOT NULL,
  expires_at TEXT
) STRICT, WITHOUT ROWID;
CREATE VIEW records AS
  SELECT lower(hex(r.id)) AS id, t.thread AS thread,
         -- What SQLite would cut at a NUL is shown as JSON.
         CASE WHEN instr(r.canonical -> '$.actor', '\u0000') THEN r.canonical -> '$.actor'
              ELSE r.canonical ->> '$.actor' END AS actor,
         r.canonical ->> '$.act' AS act, r.clock AS clock, r.canonical -> '$.body' AS body,
         r.canonical ->> '$.data_type' AS data_type, r.canonical -> '$.parents' AS parents,
         r.judged_by AS judged_by, lower(hex(r.sig)) AS sig, r.sequence AS sequence
  FROM record_log r JOIN threads t USING (thread_no);
)sql";

// Since version 3. What peers gave of records without their bodies: none of a record that is in record_log.
constexpr char kRedactedTable[] = R"sql(
CREATE TABLE redacted(
  id BLOB PRIMARY KEY,
  thread TEXT NOT NULL,
  actor TEXT NOT NULL,
  act TEXT NOT NULL,
  clock INTEGER NOT NULL,
  peer TEXT NOT NULL
) STRICT, WITHOUT ROWID;
)sql";

// Since version 4. A row of arrivals is of the records from its sequence on, as long as nothing comes in another
// second.
constexpr char kArrivalTables[] = R"sql(
CREATE TABLE arrivals(
  first_sequence INTEGER PRIMARY KEY,
  at INTEGER NOT NULL
) STRICT;
CREATE INDEX arrivals_at ON arrivals(at);
CREATE TABLE answers(
  key BLOB PRIMARY KEY,
  made_at INTEGER NOT NULL,
  request BLOB NOT NULL,
  answer TEXT NOT NULL
) STRICT, WITHOUT ROWID;
CREATE INDEX answers_made_at ON answers(made_at);
)sql";

// The version of the tables, 0 where there are none yet. Changes nothing, so that a file of another program stays as it
// is.
Result<std::int64_t> version_of(db::Connection& connection) {
  const std::int64_t version = TRY(connection.query_integer("PRAGMA user_version"));
  const std::int64_t application = TRY(connection.query_integer("PRAGMA application_id"));
  const bool empty = TRY(connection.query_integer("SELECT count(*) FROM sqlite_schema")) == 0;
  if (empty && application == 0 && version == 0) return 0;
  if (application != kApplicationId || version < 1) return fail("the database file is not a record store");
  if (version > kSchemaVersion) {
    return fail("the store was written by a newer program: its version is " + std::to_string(version) +
                    ", this program knows " + std::to_string(kSchemaVersion),
                "use a newer spl");
  }
  return version;
}

Result<void> make_tables(db::Connection& connection) {
  TRY(connection.execute(kTables));
  TRY(connection.execute(kRedactedTable));
  TRY(connection.execute(kArrivalTables));
  TRY(connection.execute(kCreateIdIndex));
  TRY(connection.execute("INSERT INTO settings VALUES('incarnation', lower(hex(randomblob(16))))"));
  return connection.execute("PRAGMA application_id=" + std::to_string(kApplicationId));
}

// Version 1 did not keep whether the signature of a record on a reserved thread is its actor's.
Result<void> flag_signed_records(db::Connection& connection) {
  db::Statement flag = TRY(connection.prepare("UPDATE record_log SET flags=flags|? WHERE sequence=?"));
  for (const std::string_view thread : record::reserved_threads()) {
    db::Statement rows =
        TRY(connection.prepare("SELECT sequence, canonical, judged_by, sig FROM record_log WHERE sig IS NOT NULL AND "
                               "thread_no=(SELECT thread_no FROM threads WHERE directory=?)"));
    rows.bind_text(1, thread);
    while (TRY(rows.step())) {
      const auto record = record::parse_stored(rows.text(1), rows.optional_text(2), rows.optional_blob(3));
      if (!record || !is_signed(*record)) continue;
      TRY(flag.bind(1, record::kSignedFlag).bind(2, rows.integer(0)).run());
    }
  }
  return {};
}

}  // namespace

Result<void> check_schema(db::Connection& connection) {
  const std::int64_t version = TRY(version_of(connection));
  if (version == 0) return fail("the database file is not a record store");
  if (version < kSchemaVersion)
    return fail("the store was written by an older program, and cannot be brought up to date where nothing is written",
                "run spl status once where the home can be written");
  return {};
}

Result<void> prepare_schema(db::Connection& connection, const StoreSizes& sizes) {
  TRY(connection.execute("BEGIN"));
  const std::int64_t found = TRY(version_of(connection));
  TRY(connection.execute("COMMIT"));
  if (found == 0) TRY(connection.execute("PRAGMA page_size=" + std::to_string(sizes.page_bytes)));
  TRY(connection.use_write_ahead_log());
  TRY(connection.execute(
      "PRAGMA synchronous=FULL; PRAGMA wal_autocheckpoint=" + std::to_string(sizes.checkpoint_pages) +
      "; PRAGMA journal_size_limit=" + std::to_string(sizes.log_kept_bytes)));
  // What is as it must be is not waited for: a long import holds the writer's lock.
  if (found == kSchemaVersion) return {};
  TRY(connection.execute("BEGIN IMMEDIATE"));
  const std::int64_t version = TRY(version_of(connection));
  if (version == 0) TRY(make_tables(connection));
  if (version == 1) TRY(flag_signed_records(connection));
  if (version == 1 || version == 2) TRY(connection.execute(kRedactedTable));
  if (version >= 1 && version <= 3) TRY(connection.execute(kArrivalTables));
  TRY(connection.execute("PRAGMA user_version=" + std::to_string(kSchemaVersion)));
  return connection.execute("COMMIT");
}

}  // namespace spl::store
