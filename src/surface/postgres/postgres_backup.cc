#include <fcntl.h>
#include <poll.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <cerrno>
#include <memory>
#include <mutex>
#include <optional>

#include "base/encoding.h"
#include "base/words.h"
#include "spool/spool.h"
#include "surface/patience.h"
#include "surface/postgres/database_facts.h"
#include "surface/postgres/dump_program.h"
#include "surface/postgres/grants.h"
#include "surface/postgres/postgres.h"
#include "surface/postgres/session_relay.h"

namespace spl::surface {
namespace {

using std::chrono::milliseconds;
using std::chrono::nanoseconds;

constexpr std::size_t kPieceBytes = 256u << 10;
constexpr std::chrono::hours kDumpTimeMax{24};
constexpr std::chrono::minutes kDumpSilenceMax{30};
constexpr milliseconds kLockWaitMax{50};  // of one try: whoever waits for what we hold waits as long
constexpr milliseconds kBetweenTries{5};
constexpr std::size_t kTablesPerLock = 500;
constexpr std::size_t kNamesBytesShown = 300;

// A spool that tells how much has come.
class SpoolSink final : public Sink {
 public:
  SpoolSink(spool::Spool& spool, base::Progress& progress, std::uint64_t expected)
      : spool_(spool), progress_(progress), expected_(expected) {}
  Result<void> write(std::string_view octets) override {
    TRY(spool_.append(octets));
    progress_.update("dumping the database", spool_.size_bytes(), std::max(expected_, spool_.size_bytes()), "bytes");
    return {};
  }

 private:
  spool::Spool& spool_;
  base::Progress& progress_;
  const std::uint64_t expected_;
};

// Sessions that the parts of one moment hold on one server, all at the same time.
struct WantedSessions {
  std::mutex mutex;
  std::uint64_t number = 0;
};

// Until the other end is closed.
Result<void> copy_all(int from, Sink& out, Patience& patience) {
  constexpr int kLookEveryMs = 200;
  std::string piece(kPieceBytes, '\0');
  for (;;) {
    pollfd one{from, POLLIN, 0};
    if (::poll(&one, 1, kLookEveryMs) < 0 && errno != EINTR) return base::fail_errno("cannot wait for pg_dump", errno);
    if (one.revents != 0) patience.heard();
    TRY(patience.check());
    if (one.revents == 0) continue;
    const ssize_t n = ::read(from, piece.data(), piece.size());
    if (n == 0) return {};
    if (n < 0 && errno != EINTR) return base::fail_errno("cannot read what pg_dump writes", errno);
    if (n > 0) TRY(out.write(std::string_view(piece.data(), static_cast<std::size_t>(n))));
  }
}

class PostgresBackup final : public BackupPart {
 public:
  PostgresBackup(const Surroundings& surroundings, Place place)
      : surroundings_(surroundings), place_(std::move(place)) {}

  Result<BackupPlan> plan(base::Progress& progress) override {
    auto made = make_plan(progress);
    if (!made) return std::unexpected(std::move(made).error().in(place_.subject));
    return made;
  }
  Result<void> prepare(base::Progress& progress) override {
    // The pause has no time for it.
    session_ = TRY_IN(place_.subject, ServerConnection::open(*address_, surroundings_.env.clock, &progress));
    session_->limit_waits(nullptr);
    return {};
  }
  Result<Consistency> open(Writers writers, nanoseconds deadline) override;
  Result<void> stream(PartSink& out, base::Progress& progress) override {
    auto done = is_absent_ ? Result<void>() : make_file(out, progress);
    session_.reset();
    if (!done) return std::unexpected(std::move(done).error().in(place_.subject));
    return {};
  }

 private:
  Result<BackupPlan> make_plan(base::Progress& progress);
  Result<bool> lacks_schema(ServerConnection& server) const;
  Result<void> refuse_what_cannot_work(ServerConnection& server);
  Result<void> require_sessions(ServerConnection& server);
  Result<void> describe(ServerConnection& server, BackupPlan& plan);
  Result<bool> try_to_open(nanoseconds deadline);
  Result<bool> lock_tables(const std::vector<TableName>& tables, nanoseconds deadline);
  Result<bool> or_try_again(Result<void> result);
  Result<void> make_file(PartSink& out, base::Progress& progress);
  Result<void> dump(Sink& out, base::Progress& progress);
  [[nodiscard]] std::vector<std::string> words(const std::string& connection) const;

  const Surroundings& surroundings_;
  const Place place_;
  std::optional<ServerAddress> address_;
  std::optional<DumpProgram> program_;
  std::shared_ptr<WantedSessions> wanted_;
  std::optional<ServerConnection> session_;  // from open() on within the transaction that is the moment
  std::uint64_t bytes_ = 0;
  bool is_absent_ = false;  // its schema: the part has no file
};

// A context of which the service has made nothing yet.
Result<bool> PostgresBackup::lacks_schema(ServerConnection& server) const {
  if (!place_.schema) return false;
  return TRY(server.query("SELECT FROM pg_namespace WHERE nspname = $1", {*place_.schema})).size() == 0;
}

// What pg_dump would say in the middle of everything.
Result<void> PostgresBackup::refuse_what_cannot_work(ServerConnection& server) {
  if (place_.schema) {
    if (TRY(count_large_objects(server)) > 0)
      return fail(ErrorCode::kUsage,
                  "the " + address_->shown() + " holds large objects, which belong to no schema: they would be lost",
                  "keep them in bytea columns, or split by database");
  }
  std::string unreadable;
  std::string hidden;
  const auto add = [](std::string& names, const std::string& name) {
    if (names.size() < kNamesBytesShown) names += (names.empty() ? "" : ", ") + base::escaped(name, 140);
  };
  for (const Unreadable& one : TRY(list_unreadable(server, place_.schema)))
    add(one.why == Unreadable::Why::kNoRight ? unreadable : hidden, one.what);
  const std::string role = "the role " + base::escaped(address_->user(), 70);
  if (!unreadable.empty())
    return fail(ErrorCode::kUsage, Cause::kDenied, role + " may not read: " + unreadable,
                "name the owner of all of it in the url; or GRANT pg_read_all_data to that role, which is enough for "
                "all but large objects");
  if (!hidden.empty())
    return fail(ErrorCode::kUsage, Cause::kDenied,
                role + " does not see all rows of " + hidden + ": policies of row security stand before them",
                "ALTER ROLE " + base::escaped(address_->user(), 70) + " BYPASSRLS, or name one in the url that does");
  return {};
}

// The server would refuse the last ones when all the others have been opened.
Result<void> PostgresBackup::require_sessions(ServerConnection& server) {
  const auto make = [] { return std::make_shared<WantedSessions>(); };
  SharedViews* views = surroundings_.views;
  const std::string name = "sessions of PostgreSQL on " + address_->host() + " " + address_->port();
  wanted_ = views == nullptr ? make() : views->get<WantedSessions>(name, make);
  const std::scoped_lock lock(wanted_->mutex);
  // Where a session cannot be lent pg_dump has one of its own.
  wanted_->number += server.plain_socket() >= 0 ? 1 : 2;
  const Rows rows = TRY(server.query(
      "SELECT greatest(0, current_setting('max_connections')::bigint - CASE WHEN r.rolsuper THEN 0 ELSE "
      "current_setting('superuser_reserved_connections')::bigint END - (SELECT count(*) FROM pg_stat_activity WHERE "
      "datid IS NOT NULL AND coalesce(backend_type, 'client backend') = 'client backend' AND pid <> pg_backend_pid())) "
      "FROM pg_roles r WHERE r.rolname = current_user"));
  const std::uint64_t free = rows.number(0, 0);
  if (wanted_->number <= free) return {};
  return fail(ErrorCode::kUnavailable,
              "the server has " + std::to_string(free) + " connections left, and a backup holds one for each " +
                  "database or schema that is a part of it: more than that",
              "raise max_connections, or back up one context at a time (--context)");
}

// What a restore needs, and what it will not bring.
Result<void> PostgresBackup::describe(ServerConnection& server, BackupPlan& plan) {
  EngineFacts facts = TRY(read_engine_facts(server, place_.schema));
  facts.program = program_->version;
  plan.engine = engine_text(facts);
  std::vector<std::string> names;
  for (const ExtensionFacts& extension : facts.extensions) names.push_back(extension.name);
  if (!names.empty())
    plan.warnings.push_back(place_.subject + ": a restore needs the extensions " + base::join(names, ", "));
  const auto grants = TRY(list_grants(server, place_.schema));
  if (!grants.empty())
    plan.warnings.push_back(
        place_.subject + ": " + base::counted(grants.size(), "grant") +
        " to other roles, which a restore does not give: " + base::escaped(base::join(grants, "; "), kNamesBytesShown));
  if (!place_.schema) {
    if (TRY(server.query("SELECT FROM pg_publication UNION ALL SELECT FROM pg_subscription s JOIN pg_database d ON "
                         "d.oid = s.subdbid WHERE d.datname = current_database()"))
            .size() > 0)
      plan.warnings.push_back(place_.subject + ": publications and subscriptions are not carried");
    if (TRY(server.query("SELECT FROM pg_event_trigger")).size() > 0)
      plan.warnings.push_back(place_.subject + ": event triggers, which only a superuser makes, stop a restore");
  }
  return {};
}

Result<BackupPlan> PostgresBackup::make_plan(base::Progress& progress) {
  address_ = TRY(ServerAddress::parse(place_.url));
  if (place_.database) address_->set("dbname", *place_.database);
  ServerConnection server = TRY(ServerConnection::open(*address_, surroundings_.env.clock, &progress));
  program_ = TRY(find_dump_program(surroundings_.env.fs, "pg_dump", server.major_version(), progress));
  is_absent_ = TRY(lacks_schema(server));
  TRY(refuse_what_cannot_work(server));
  TRY(require_sessions(server));
  BackupPlan plan;
  if (is_absent_)
    plan.warnings.push_back(place_.subject + ": there is no schema " + base::escaped(*place_.schema, 70) + " in the " +
                            address_->shown() + ", so that nothing of it is taken");
  plan.method = "a snapshot in a transaction, read by pg_dump " + program_->version;
  const Rows size =
      place_.schema ? TRY(server.query("SELECT coalesce(sum(pg_table_size(c.oid)), 0)::bigint FROM pg_class c JOIN "
                                       "pg_namespace n ON n.oid = c.relnamespace WHERE n.nspname = $1 AND c.relkind IN "
                                       "('r', 'm')",
                                       {*place_.schema}))
                    : TRY(server.query("SELECT pg_database_size(current_database())"));
  plan.bytes = bytes_ = size.number(0, 0);
  TRY(describe(server, plan));
  return plan;
}

// True where it went well; false where another try may: somebody holds a lock, or has just changed what there is.
Result<bool> PostgresBackup::or_try_again(Result<void> result) {
  if (result) return true;
  const std::string state = session_->last_state();
  if (state != sql_state::kLockNotAvailable && state != sql_state::kDeadlock && state != sql_state::kNoSuchTable &&
      state != sql_state::kNoSuchSchema)
    return std::unexpected(std::move(result).error());
  session_->roll_back();
  return false;
}

Result<bool> PostgresBackup::lock_tables(const std::vector<TableName>& tables, nanoseconds deadline) {
  for (std::size_t at = 0; at < tables.size(); at += kTablesPerLock) {
    const auto left = std::chrono::duration_cast<milliseconds>(deadline - surroundings_.env.clock.since_boot());
    const auto wait = std::clamp(left, milliseconds(1), kLockWaitMax);
    std::string sql = "SET LOCAL lock_timeout = " + std::to_string(wait.count()) + "; LOCK TABLE ";
    for (std::size_t i = at; i < std::min(at + kTablesPerLock, tables.size()); ++i)
      sql += (i == at ? "ONLY " : ", ONLY ") + sql_name(tables[i].schema) + "." + sql_name(tables[i].name);
    if (!TRY(or_try_again(session_->run(sql + " IN ACCESS SHARE MODE")))) return false;
  }
  return true;
}

Result<bool> PostgresBackup::try_to_open(nanoseconds deadline) {
  const auto tables = TRY(list_tables(*session_, place_.schema));
  // A lock is no query: the transaction has no snapshot yet.
  TRY(session_->run("BEGIN ISOLATION LEVEL REPEATABLE READ READ ONLY"));
  if (!TRY(lock_tables(tables, deadline))) return false;
  // The first query takes the snapshot. A table that came meanwhile is in it, and not locked.
  if (TRY(list_tables(*session_, place_.schema)) == tables) {
    TRY(session_->run("SET LOCAL lock_timeout = 0"));
    return true;
  }
  TRY(session_->run("ROLLBACK"));
  return false;
}

Result<Consistency> PostgresBackup::open(Writers writers, nanoseconds deadline) {
  env::Clock& clock = surroundings_.env.clock;
  session_->limit_waits(nullptr, deadline);
  if (is_absent_ && !TRY_IN(place_.subject, lacks_schema(*session_)))
    return fail(place_.subject + ": its schema was made while the backup was planned", "back up again");
  while (!is_absent_) {
    auto opened = try_to_open(deadline);
    if (!opened && opened.error().cause != Cause::kTimeout)
      return std::unexpected(std::move(opened).error().in(place_.subject));
    if (opened && *opened) break;
    if (!opened || clock.since_boot() + kBetweenTries > deadline)
      return fail(Cause::kTimeout,
                  place_.subject + ": its tables were not locked within the pause: somebody holds them",
                  "see pg_locks for who does; or give the service a longer [quiesce] timeout_ms");
    clock.sleep_for(kBetweenTries);
  }
  session_->limit_waits(nullptr);
  return writers == Writers::kPaused ? Consistency::kQuiesced : Consistency::kFilesystem;
}

std::vector<std::string> PostgresBackup::words(const std::string& connection) const {
  std::vector<std::string> words{"--format=custom", "--compress=0", "--no-password",
                                 "--encoding=" + session_->reported("server_encoding"), "--dbname=" + connection};
  if (place_.schema) words.push_back(schema_word(*place_.schema));
  return words;
}

Result<void> PostgresBackup::dump(Sink& out, base::Progress& progress) {
  std::array<int, 2> ends{};
  if (::pipe2(ends.data(), O_CLOEXEC) != 0) return base::fail_errno("cannot make a pipe", errno);
  const env::Descriptor reading(ends[0]);
  env::Descriptor writing(ends[1]);
  std::optional<SessionRelay> relay;
  std::optional<PasswordFile> password;
  std::vector<std::string> arguments;
  if (session_->plain_socket() >= 0) {
    relay.emplace(TRY(SessionRelay::make(*session_, surroundings_.scratch_directory)));
    arguments = words(relay->argument(*address_));
  } else {
    // What is encrypted cannot be lent. A session of its own may have to wait behind somebody who waits for ours.
    password.emplace(TRY(PasswordFile::make(surroundings_, address_->password())));
    arguments = words(address_->argument());
    arguments.push_back("--snapshot=" + TRY(session_->query("SELECT pg_export_snapshot()")).text(0, 0));
    arguments.emplace_back("--lock-wait-timeout=60s");
  }
  env::ChildOptions options = dump_program_options(*program_, std::move(arguments), password ? &*password : nullptr);
  options.output = writing.number();
  const auto child = TRY(env::ChildProcess::start(options));
  writing.close();
  child->limit_waits(kDumpTimeMax, &progress);
  child->close_input();
  Patience patience(surroundings_.env.clock, progress, "pg_dump", kDumpTimeMax, kDumpSilenceMax);
  TRY(relay ? relay->serve(reading.number(), out, patience) : copy_all(reading.number(), out, patience));
  const env::ChildExit exit = TRY(child->wait());
  if (!exit.ok())
    return fail("pg_dump " + exit.text() + ": " + base::escaped(address_->without_password(child->said()), 600),
                "an object that was changed or dropped during the backup fails it, too: back up again");
  return {};
}

Result<void> PostgresBackup::make_file(PartSink& out, base::Progress& progress) {
  session_->limit_waits(&progress);
  // An entry's size is said before its content.
  spool::Spool waiting = TRY(spool::Spool::make(surroundings_.env, surroundings_.spool));
  SpoolSink sink(waiting, progress, bytes_);
  TRY(dump(sink, progress));
  // The session has lived until here, and so have its locks.
  TRY(session_->commit());
  codec::TarEntry entry;
  entry.path = kDumpArchive;
  entry.size_bytes = waiting.size_bytes();
  TRY(out.begin(entry));
  std::string buffer(kPieceBytes, '\0');
  for (std::uint64_t at = 0; at < entry.size_bytes;) {
    const std::size_t n = TRY(waiting.read_at(at, buffer));
    TRY(out.write(std::string_view(buffer.data(), n)));
    at += n;
  }
  return {};
}

}  // namespace

std::unique_ptr<BackupPart> postgres_backup(const Surroundings& surroundings, Place place) {
  return std::make_unique<PostgresBackup>(surroundings, std::move(place));
}

}  // namespace spl::surface
