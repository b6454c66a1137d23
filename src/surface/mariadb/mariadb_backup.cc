#include <fcntl.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <cerrno>
#include <memory>
#include <optional>

#include "base/encoding.h"
#include "base/words.h"
#include "spool/spool.h"
#include "surface/mariadb/lent_session.h"
#include "surface/mariadb/mariadb.h"
#include "surface/mariadb/mariadb_facts.h"
#include "surface/mariadb/mariadb_rights.h"
#include "surface/mariadb/mariadb_target.h"
#include "surface/mariadb/programs.h"
#include "surface/mariadb/statement_text.h"
#include "surface/patience.h"

namespace spl::surface {
namespace {

using std::chrono::milliseconds;
using std::chrono::nanoseconds;

constexpr std::size_t kPieceBytes = 256u << 10;
constexpr std::chrono::hours kDumpTimeMax{24};
constexpr std::chrono::minutes kDumpSilenceMax{30};
constexpr std::chrono::seconds kVersionTimeMax{20};
constexpr milliseconds kLockWaitMax{50};  // of one try: whoever writes waits behind us as long
constexpr milliseconds kBetweenTries{5};
constexpr std::size_t kTablesPerQuery = 50;
constexpr std::size_t kNamesBytesShown = 300;
constexpr std::size_t kArgumentBytesMax = 1u << 20;
constexpr const char* kNoRestore = "0";
constexpr const char* kProgram = "mariadb-dump";
const std::vector<std::string> kEnvironment{"PATH=/usr/local/bin:/usr/bin:/bin", "LC_ALL=C", "HOME=/nonexistent"};

// A spool that tells how much has come.
class DumpSink final : public Sink {
 public:
  DumpSink(spool::Spool& spool, base::Progress& progress, std::uint64_t expected)
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

std::string shown(const std::vector<std::string>& names) {
  std::string text;
  for (const std::string& name : names) {
    if (text.size() > kNamesBytesShown) return text + ", ...";
    text += (text.empty() ? "" : ", ") + name;
  }
  return text;
}

std::string shown_names(const MariadbRows& rows) {
  std::vector<std::string> names;
  for (std::size_t i = 0; i < rows.size(); ++i) names.push_back(base::escaped(rows.text(i, 0), 70));
  return shown(names);
}

// "10.11.19"
Result<std::string> version_of_program(base::Progress& progress) {
  const auto said = env::output_of_command({.arguments = {kProgram, "--version"}, .environment = kEnvironment}, {},
                                           {.at_most = kVersionTimeMax, .progress = &progress});
  if (!said && said.error().cause == Cause::kCancelled) return std::unexpected(said.error());
  // "mariadb-dump  Ver 10.19 Distrib 10.11.19-MariaDB, for debian-linux-gnu (x86_64)"
  constexpr std::string_view kWord = "Distrib ";
  const std::size_t at = said ? said->find(kWord) : std::string::npos;
  if (at == std::string::npos)
    return fail(ErrorCode::kUnavailable, "there is no mariadb-dump", "install mariadb-client");
  return said->substr(at + kWord.size(), said->find_first_of("-, ", at + kWord.size()) - at - kWord.size());
}

class MariadbBackup final : public BackupPart {
 public:
  MariadbBackup(const Surroundings& surroundings, Place place)
      : surroundings_(surroundings), place_(std::move(place)) {}

  Result<BackupPlan> plan(base::Progress& progress) override { return TRY_IN(place_.subject, make_plan(progress)); }
  Result<void> prepare(base::Progress& progress) override {
    // The pause has no time for it.
    locker_ = TRY_IN(place_.subject, target_->open_admin(&progress));
    session_ = TRY_IN(place_.subject, target_->open_admin(&progress));
    programs_ = TRY_IN(place_.subject, digest_of_programs(*session_, target_->live()));
    locker_->limit_waits(nullptr);
    session_->limit_waits(nullptr);
    return {};
  }
  Result<Consistency> open(Writers writers, nanoseconds deadline) override;
  void release() override { locker_.reset(); }
  Result<void> stream(PartSink& out, base::Progress& progress) override {
    auto done = make_file(out, progress);
    session_.reset();
    if (!done) return std::unexpected(std::move(done).error().in(place_.subject));
    return {};
  }

 private:
  Result<BackupPlan> make_plan(base::Progress& progress);
  Result<void> require_rights(MariadbSession& server);
  Result<void> describe(MariadbSession& server, BackupPlan& plan);
  Result<void> describe_programs(MariadbSession& server, BackupPlan& plan);
  Result<void> describe_tables(MariadbSession& server, BackupPlan& plan);
  Result<bool> lock_all(nanoseconds deadline);
  Result<bool> try_to_open();
  Result<bool> hold_tables(const std::vector<MariadbTable>& tables);
  Result<void> open_view(nanoseconds deadline);
  Result<void> make_file(PartSink& out, base::Progress& progress);
  Result<void> dump(Sink& out, base::Progress& progress);
  [[nodiscard]] std::vector<std::string> words(const std::string& socket) const;

  const Surroundings& surroundings_;
  const Place place_;
  std::optional<MariadbTarget> target_;
  std::optional<MariadbSession> locker_;   // holds the server's writers
  std::optional<MariadbSession> session_;  // from open() on within the transaction that is the moment
  std::string programs_;                   // before the moment: digest_of_programs()
  std::vector<MariadbTable> tables_;       // at the moment
  bool is_transactional_ = true;
  std::uint64_t bytes_ = 0;
};

// Without one of these the server says that there is nothing, and not that it may not be seen.
Result<void> MariadbBackup::require_rights(MariadbSession& server) {
  const std::string& live = target_->live();
  const MariadbRights rights = TRY(MariadbRights::of(server));
  std::string missing = rights.missing({"SELECT", "SHOW VIEW", "TRIGGER", "EVENT"}, live);
  const bool sees_routines = rights.has_on_table("SELECT", "mysql", "proc") || rights.has("EXECUTE", live) ||
                             rights.has("CREATE ROUTINE", live) || rights.has("ALTER ROUTINE", live);
  if (!sees_routines) missing += std::string(missing.empty() ? "" : ", ") + "SELECT on mysql.proc";
  if (missing.empty()) return {};
  return fail(
      ErrorCode::kRefused,
      base::escaped(TRY(own_account(server)), 140) + " may not see all of the database " + base::escaped(live, 70) +
          ": it lacks " + missing,
      "give it to the user on the whole database (GRANT ... ON database.*), or give the surface an admin_url of "
      "one who has it");
}

// What is defined by others, and what will be where the database is not, should it get another name.
Result<void> MariadbBackup::describe_programs(MariadbSession& server, BackupPlan& plan) {
  const std::string account = mariadb_name(target_->url().user());
  std::size_t others = 0;
  std::vector<std::string> bound;
  TRY(read_programs(server, target_->live(), [&](const MariadbProgram& program) -> Result<void> {
    if (program.definer.find("=" + account + "@") == std::string::npos) ++others;
    const std::string text = without_owner(program.head + program.tail);
    const auto named = named_databases(text);
    if (program.kind != ProgramKind::kView && std::ranges::find(named, target_->live()) != named.end())
      bound.push_back(base::escaped(program.name, 70));
    return {};
  }));
  if (others > 0)
    plan.warnings.push_back(place_.subject + ": " + base::counted(others, "view, trigger, routine or event") +
                            " of other users, which a restore makes the url's user's");
  if (!bound.empty())
    plan.warnings.push_back(place_.subject + ": the texts of " + shown(bound) + " name the database " +
                            base::escaped(target_->live(), 70) +
                            ": restored under another name (--as) they still mean this one");
  return {};
}

// Numbers from elsewhere, and files outside of the server's directory.
Result<void> MariadbBackup::describe_tables(MariadbSession& server, BackupPlan& plan) {
  const MariadbRows defaults =
      TRY(server.query("SELECT TABLE_NAME, COLUMN_DEFAULT FROM information_schema.COLUMNS WHERE " +
                       mariadb_is("TABLE_SCHEMA", target_->live()) + " AND COLUMN_DEFAULT LIKE '%val(`%'"));
  for (std::size_t i = 0; i < defaults.size(); ++i) {
    for (const std::string& name : named_databases(defaults.text(i, 1))) {
      if (name != target_->live())
        return fail(ErrorCode::kRefused,
                    "the table " + base::escaped(defaults.text(i, 0), 70) +
                        " takes numbers from a sequence of the database " + base::escaped(name, 70) +
                        ", which is not in a backup of this one",
                    "give the column a sequence of its own database");
    }
  }
  std::vector<std::string> outside;
  for (const std::string& table : TRY(list_stored(server, target_->live()))) {
    if (names_directory(TRY(server.query("SHOW CREATE TABLE " + mariadb_name(target_->live(), table))).text(0, 1)))
      outside.push_back(base::escaped(table, 70));
  }
  if (!outside.empty())
    plan.warnings.push_back(place_.subject + ": " + shown(outside) +
                            ": files outside of the server's data directory (DATA DIRECTORY), which a restore puts "
                            "inside it");
  return {};
}

// What a restore will not bring, and what is not of the moment.
Result<void> MariadbBackup::describe(MariadbSession& server, BackupPlan& plan) {
  const MariadbRows untransacted =
      TRY(server.query("SELECT t.TABLE_NAME FROM information_schema.TABLES t LEFT JOIN information_schema.ENGINES e ON "
                       "e.ENGINE = t.ENGINE WHERE " +
                       mariadb_is("t.TABLE_SCHEMA", target_->live()) +
                       " AND t.TABLE_TYPE NOT LIKE '%VIEW' AND coalesce(e.TRANSACTIONS, 'NO') <> 'YES' ORDER BY 1"));
  is_transactional_ = untransacted.size() == 0;
  if (!is_transactional_)
    plan.warnings.push_back(place_.subject + ": " + base::counted(untransacted.size(), "table") +
                            " without transactions (such as MyISAM and Aria) are read while they are written: " +
                            shown_names(untransacted) + "; ALTER TABLE ... ENGINE = InnoDB");
  TRY(describe_programs(server, plan));
  TRY(describe_tables(server, plan));
  const MariadbRows grants =
      TRY(server.query("SELECT DISTINCT concat(PRIVILEGE_TYPE, ' on ', TABLE_NAME, ' to ', GRANTEE) FROM "
                       "information_schema.TABLE_PRIVILEGES WHERE " +
                       mariadb_is("TABLE_SCHEMA", target_->live()) + " ORDER BY 1"));
  if (grants.size() > 0)
    plan.warnings.push_back(place_.subject + ": " + base::counted(grants.size(), "grant") +
                            " on tables, which a restore does not give: " + shown_names(grants));
  return {};
}

Result<BackupPlan> MariadbBackup::make_plan(base::Progress& progress) {
  target_.emplace(TRY(MariadbTarget::of(surroundings_.env.clock, place_, kNoRestore)));
  MariadbSession server = TRY(target_->open_admin(&progress));
  const auto defaults = TRY(find_database(server, target_->live()));
  if (!defaults)
    return fail(ErrorCode::kUnavailable, Cause::kNotFound,
                "there is no database " + base::escaped(target_->live(), 70) + " on " + target_->admin().shown(),
                "start the service once, so that it makes its database");
  TRY(require_rights(server));
  TRY(refuse_broken_tables(server, target_->live()));
  const std::string program = TRY(version_of_program(progress));
  BackupPlan plan;
  plan.engine = MariadbEngine{server.version(), *defaults}.text();
  plan.method = "a snapshot in a transaction, read by mariadb-dump " + program;
  plan.bytes = bytes_ = TRY(server.query("SELECT coalesce(sum(DATA_LENGTH), 0) FROM information_schema.TABLES WHERE " +
                                         mariadb_is("TABLE_SCHEMA", target_->live())))
                            .number(0, 0);
  TRY(describe(server, plan));
  return plan;
}

// False where the user may not, or where somebody's statement did not end in time: neither is needed for a snapshot,
// only for its being no older than the last statement that was sent before the pause.
Result<bool> MariadbBackup::lock_all(nanoseconds deadline) {
  env::Clock& clock = surroundings_.env.clock;
  while (clock.since_boot() < deadline) {
    const auto left = std::chrono::duration_cast<milliseconds>(deadline - clock.since_boot());
    TRY(locker_->limit_statements(std::clamp(left, milliseconds(1), kLockWaitMax)));
    auto locked = locker_->run("FLUSH TABLES WITH READ LOCK");
    const unsigned error = locker_->last_error();
    TRY(locker_->limit_statements(milliseconds(0)));
    if (locked) return true;
    if (error == mariadb_error::kNeedsRight) return false;
    if (locked.error().cause != Cause::kTimeout) return std::unexpected(std::move(locked).error());
    clock.sleep_for(kBetweenTries);
  }
  return false;
}

// One row of each is looked at, so that nobody may change it before the transaction ends, and what was changed since
// the snapshot is seen.
Result<bool> MariadbBackup::hold_tables(const std::vector<MariadbTable>& tables) {
  std::string sql;
  std::size_t count = 0;
  for (std::size_t i = 0; i <= tables.size(); ++i) {
    if (i < tables.size() && tables[i].kind != MariadbTableKind::kView)
      sql += (count++ == 0 ? "(" : " UNION ALL (") +
             ("SELECT 1 FROM " + mariadb_name(target_->live(), tables[i].name)) + " LIMIT 1)";
    if (count == 0 || (count < kTablesPerQuery && i < tables.size())) continue;
    TRY(session_->limit_statements(kLockWaitMax));
    auto looked = session_->run(sql);
    const unsigned error = session_->last_error();
    TRY(session_->limit_statements(milliseconds(0)));
    if (!looked && looked.error().cause != Cause::kTimeout && error != mariadb_error::kTableChanged &&
        error != mariadb_error::kNoSuchTable)
      return std::unexpected(std::move(looked).error());
    if (!looked) return false;
    sql.clear();
    count = 0;
  }
  return true;
}

// False where another try may go well: somebody has just changed what there is.
Result<bool> MariadbBackup::try_to_open() {
  const auto tables = TRY(list_tables(*session_, target_->live()));
  TRY(session_->run("START TRANSACTION WITH CONSISTENT SNAPSHOT, READ ONLY"));
  if (TRY(hold_tables(tables)) && TRY(list_tables(*session_, target_->live())) == tables) {
    tables_ = tables;
    return true;
  }
  TRY(session_->run("ROLLBACK"));
  return false;
}

Result<void> MariadbBackup::open_view(nanoseconds deadline) {
  env::Clock& clock = surroundings_.env.clock;
  locker_->limit_waits(nullptr, deadline);
  session_->limit_waits(nullptr, deadline);
  const bool is_locked = TRY(lock_all(clock.since_boot() + (deadline - clock.since_boot()) / 2));
  while (!TRY(try_to_open())) {
    if (clock.since_boot() + kBetweenTries > deadline)
      return fail(Cause::kTimeout, "its tables were not held within the pause: somebody changes them",
                  "see SHOW FULL PROCESSLIST for who does; or give the service a longer [quiesce] timeout_ms");
    clock.sleep_for(kBetweenTries);
  }
  if (is_locked) TRY(locker_->run("UNLOCK TABLES"));
  return {};
}

Result<Consistency> MariadbBackup::open(Writers writers, nanoseconds deadline) {
  auto opened = open_view(deadline);
  // With its session the lock ends, whatever has happened.
  locker_.reset();
  if (!opened) return std::unexpected(std::move(opened).error().in(place_.subject));
  session_->limit_waits(nullptr);
  if (!is_transactional_) return Consistency::kCrash;
  return writers == Writers::kPaused ? Consistency::kQuiesced : Consistency::kFilesystem;
}

std::vector<std::string> MariadbBackup::words(const std::string& socket) const {
  // It begins no transaction of its own (--single-transaction): it is within ours.
  std::vector<std::string> words{kProgram,
                                 "--no-defaults",
                                 "--protocol=socket",
                                 "--socket=" + socket,
                                 "--user=spl",
                                 "--default-character-set=utf8mb4",
                                 "--skip-lock-tables",
                                 "--skip-add-locks",
                                 "--skip-comments",
                                 "--no-tablespaces",
                                 "--hex-blob",
                                 "--routines",
                                 "--triggers",
                                 "--events",
                                 "--order-by-primary",
                                 "--max-allowed-packet=1G"};
  // One that was made after the moment is none of it.
  std::size_t bytes = 0;
  for (const MariadbTable& table : tables_) bytes += table.name.size() + 1;
  if (tables_.empty()) words.insert(words.end(), {"--no-create-info", "--no-data", "--skip-triggers"});
  words.insert(words.end(), {"--", target_->live()});
  for (const MariadbTable& table : tables_) {
    if (bytes <= kArgumentBytesMax) words.push_back(table.name);
  }
  return words;
}

Result<void> MariadbBackup::dump(Sink& out, base::Progress& progress) {
  std::array<int, 2> ends{};
  if (::pipe2(ends.data(), O_CLOEXEC) != 0) return base::fail_errno("cannot make a pipe", errno);
  const env::Descriptor reading(ends[0]);
  env::Descriptor writing(ends[1]);
  LentSession lent = TRY(LentSession::make(*session_, surroundings_.scratch_directory));
  env::ChildOptions options{.arguments = words(lent.socket_path()), .environment = kEnvironment};
  options.output = writing.number();
  const auto child = TRY(env::ChildProcess::start(options));
  writing.close();
  child->limit_waits(kDumpTimeMax, &progress);
  child->close_input();
  Patience patience(surroundings_.env.clock, progress, kProgram, kDumpTimeMax, kDumpSilenceMax);
  TRY(lent.serve(reading.number(), out, patience));
  const env::ChildExit exit = TRY(child->wait());
  if (exit.ok()) return {};
  return fail("mariadb-dump " + exit.text() + ": " + base::escaped(child->said(), 600),
              "an object that was changed or dropped during the backup fails it, too: back up again");
}

Result<void> MariadbBackup::make_file(PartSink& out, base::Progress& progress) {
  session_->limit_waits(&progress);
  // An entry's size is said before its content.
  spool::Spool waiting = TRY(spool::Spool::make(surroundings_.env, surroundings_.spool));
  DumpSink sink(waiting, progress, bytes_);
  TRY(dump(sink, progress));
  // The session has lived until here, and so has what it held.
  if (TRY(session_->query("SELECT @@in_transaction")).text(0, 0) != "1")
    return fail("mariadb-dump has ended the transaction whose moment the backup shows",
                "this version of it is not known to spl: use that of the server");
  TRY(session_->run("COMMIT"));
  MariadbSession after = TRY(target_->open_admin(&progress));
  if (TRY(digest_of_programs(after, target_->live())) != programs_)
    return fail("a view, trigger, routine or event was changed during the backup", "back up again");
  codec::TarEntry entry;
  entry.path = kMariadbDump;
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

std::unique_ptr<BackupPart> mariadb_backup(const Surroundings& surroundings, Place place) {
  return std::make_unique<MariadbBackup>(surroundings, std::move(place));
}

}  // namespace spl::surface
