#include "job/jobs_database.h"

#include "base/cause.h"
#include "base/encoding.h"

namespace spl::job {
namespace {

constexpr int kBusyTimeoutMs = 10'000;
constexpr std::int64_t kSchemaVersion = 2;

constexpr char kJobs[] = R"(
CREATE TABLE jobs (number INTEGER PRIMARY KEY, id TEXT NOT NULL UNIQUE, kind TEXT NOT NULL, state TEXT NOT NULL,
                   subject TEXT NOT NULL, request TEXT NOT NULL, created_at TEXT NOT NULL, started_at TEXT, ended_at TEXT,
                   result TEXT NOT NULL DEFAULT 'null', error TEXT NOT NULL DEFAULT 'null',
                   cancelled INTEGER NOT NULL DEFAULT 0) STRICT;
)";

// What a job did is told when it ends, in the same transaction, however it ends: `outcome` is its state then, and
// `error` its error. The newest 10,000 stay.
constexpr char kActivity[] = R"(
ALTER TABLE jobs ADD COLUMN who TEXT NOT NULL DEFAULT '';
CREATE TABLE activity (number INTEGER PRIMARY KEY AUTOINCREMENT, at TEXT NOT NULL, who TEXT NOT NULL, action TEXT NOT NULL,
                       subject TEXT NOT NULL, outcome TEXT NOT NULL, message TEXT NOT NULL,
                       times INTEGER NOT NULL DEFAULT 1, error TEXT NOT NULL DEFAULT 'null') STRICT;
CREATE TRIGGER activity_is_bounded AFTER INSERT ON activity BEGIN
  DELETE FROM activity WHERE number <= NEW.number - 10000;
END;
CREATE TRIGGER job_has_ended AFTER UPDATE OF state ON jobs
WHEN OLD.state IN ('waiting', 'running') AND NEW.state NOT IN ('waiting', 'running') BEGIN
  INSERT INTO activity (at, who, action, subject, outcome, message, error)
  VALUES (NEW.ended_at, NEW.who, NEW.kind, NEW.subject, NEW.state, '', NEW.error);
END;
PRAGMA user_version = 2;
)";

Result<void> bring_up_to_date(db::Connection& database) {
  TRY(database.execute("BEGIN IMMEDIATE"));
  const std::int64_t version = TRY(database.query_integer("PRAGMA user_version"));
  if (version > kSchemaVersion)
    return fail(ErrorCode::kVerification, Cause::kNewerVersion, "the jobs are of a newer spl", "upgrade spl");
  if (version == 0) TRY(database.execute(kJobs));
  if (version < kSchemaVersion) TRY(database.execute(kActivity));
  return database.execute("COMMIT");
}

Result<db::Connection> open_to_write(env::Env env, const std::string& path) {
  // Made by hand: its mode is its owner's alone from the first moment.
  TRY(env.fs.open(path, env::OpenMode::kCreate, 0600));
  auto database = TRY_IN(base::escaped(path), db::Connection::open(path, db::OpenAs::kReadWrite));
  database.set_busy_timeout_ms(kBusyTimeoutMs);
  TRY_IN(base::escaped(path), bring_up_to_date(database));
  return database;
}

}  // namespace

std::string jobs_file(const home::HomePaths& paths) {
  return env::join(paths.root, "jobs.db");
}

Result<db::Connection> open_jobs_database(env::Env env, const home::HomePaths& paths) {
  const std::string path = jobs_file(paths);
  auto writing = open_to_write(env, path);
  if (writing || !base::cannot_be_written(writing.error())) return writing;
  // Nobody changes a home that cannot be written: it is read as it is.
  auto reading = db::Connection::open(path, db::OpenAs::kUnchanging);
  return reading ? std::move(reading) : std::move(writing);
}

}  // namespace spl::job
