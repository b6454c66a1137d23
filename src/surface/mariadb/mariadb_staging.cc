#include "surface/mariadb/mariadb_staging.h"

#include <algorithm>
#include <array>
#include <optional>

#include "base/encoding.h"
#include "base/words.h"
#include "surface/mariadb/dump_statements.h"
#include "surface/mariadb/mariadb.h"
#include "surface/mariadb/mariadb_rights.h"
#include "surface/mariadb/statement_text.h"

namespace spl::surface {
namespace {

constexpr std::size_t kPasswordBytes = 32;
constexpr std::string_view kLoaderRights =
    "SELECT, INSERT, UPDATE, DELETE, CREATE, DROP, REFERENCES, INDEX, ALTER, CREATE TEMPORARY TABLES, LOCK TABLES, "
    "EXECUTE, CREATE VIEW, SHOW VIEW, CREATE ROUTINE, ALTER ROUTINE, EVENT, TRIGGER, DELETE HISTORY";
// Engines whose tables are what they hold, and lead nowhere.
constexpr std::string_view kPlainEngines = "'InnoDB', 'Aria', 'MyISAM', 'MEMORY', 'ARCHIVE', 'CSV', 'ROCKSDB'";
constexpr unsigned kParseError = 1064;

std::unexpected<Error> no_part(std::string why) {
  return fail(ErrorCode::kVerification, Cause::kMalformed, std::move(why));
}

std::string account(const std::string& user, const std::string& host) {
  return mariadb_name(user) + "@" + mariadb_name(host);
}

// From which the server sees who is `admin`, and so whoever comes the same way.
Result<std::string> host_of(MariadbSession& admin) {
  const std::string user = TRY(admin.query("SELECT USER()")).text(0, 0);
  return user.substr(user.rfind('@') + 1);
}

// Every host that a user of this name has, as far as it is seen, and the one that it would have now.
Result<void> drop_user(MariadbSession& admin, env::Clock& clock, const std::string& user) {
  std::set<std::string> accounts{account(user, TRY(host_of(admin)))};
  const MariadbRows rows =
      TRY(admin.query("SELECT DISTINCT GRANTEE FROM information_schema.USER_PRIVILEGES WHERE "
                      "GRANTEE LIKE " +
                      mariadb_text("'" + user + "'@%")));
  // "'user'@'host'"
  for (std::size_t i = 0; i < rows.size(); ++i) {
    const std::string& grantee = rows.text(i, 0);
    const std::size_t at = grantee.rfind("'@'");
    accounts.insert(account(user, grantee.substr(at + 3, grantee.size() - at - 4)));
  }
  for (const std::string& one : accounts) {
    TRY(admin.run("ALTER USER IF EXISTS " + one + " ACCOUNT LOCK"));
    TRY(end_sessions_of(admin, clock, user));
    TRY(admin.run("DROP USER IF EXISTS " + one));
  }
  return {};
}

}  // namespace

Result<void> MariadbStaging::remove(env::Env machine, const MariadbTarget& target) {
  MariadbSession admin = TRY(target.open_admin());
  TRY(drop_user(admin, machine.clock, target.loader()));
  // Who refers to what goes, from outside, keeps a reference to nothing.
  TRY(admin.run("SET SESSION foreign_key_checks = 0, lock_wait_timeout = 2"));
  // The book first: without it nothing is brought back.
  for (const std::string& name : {target.book(), target.old(), target.fresh()})
    TRY(run_when_free(admin, machine.clock, name, "DROP DATABASE IF EXISTS " + mariadb_name(name)));
  const MariadbRows kept = TRY(admin.query(
      "SELECT TABLE_NAME FROM information_schema.VIEWS WHERE " + mariadb_is("TABLE_SCHEMA", target.live()) +
      " AND left(TABLE_NAME, " + std::to_string(target.loader().size()) + ") = " + mariadb_text(target.loader())));
  for (std::size_t i = 0; i < kept.size(); ++i) {
    if (!is_kept_view(kept.text(i, 0))) continue;
    TRY(run_when_free(admin, machine.clock, target.live(),
                      "DROP VIEW IF EXISTS " + mariadb_name(target.live(), kept.text(i, 0))));
  }
  return {};
}

Result<MariadbDefaults> MariadbStaging::make_database(MariadbSession& admin) {
  MariadbDefaults defaults = TRY(known_defaults(admin, engine_.defaults));
  if (defaults.collation.empty()) defaults = TRY(find_database(admin, target_.live())).value_or(MariadbDefaults());
  TRY(admin.run("CREATE DATABASE " + mariadb_name(target_.fresh()) + defaults.sql()));
  return defaults;
}

Result<void> MariadbStaging::make_loader(MariadbSession& admin) {
  host_ = TRY(host_of(admin));
  std::array<char, kPasswordBytes> octets{};
  surroundings_.env.random.fill(octets);
  // Of every sort of character that a server may want a password to have.
  std::string text = "Aa1-" + base::to_hex({octets.data(), octets.size()});
  password_ = SecretBytes(text);
  std::string sql = "CREATE USER " + account(target_.loader(), host_) + " IDENTIFIED BY " + mariadb_text(text) +
                    " WITH MAX_USER_CONNECTIONS 1";
  auto made = admin.run(sql);
  explicit_bzero(sql.data(), sql.size());
  explicit_bzero(text.data(), text.size());
  explicit_bzero(octets.data(), octets.size());
  TRY(std::move(made));
  return admin.run("GRANT " + std::string(kLoaderRights) + " ON " + mariadb_grant_name(target_.fresh()) + ".* TO " +
                   account(target_.loader(), host_));
}

std::unexpected<Error> MariadbStaging::failed_statement(const MariadbSession& loader, Error error,
                                                        std::uint64_t line) const {
  if (error.cause == Cause::kCancelled || error.code == ErrorCode::kUnavailable || loader.last_error() == 0)
    return std::unexpected(std::move(error));
  const std::string shown = "line " + std::to_string(line) + " of " + std::string(kMariadbDump) + ": " +
                            base::escaped(loader.last_message(), 600);
  if (loader.last_error() == kParseError) return no_part(shown);
  std::string hint = "the dump wants what a user with rights on one database alone may not do";
  if (loader.last_error() == mariadb_error::kPacketTooLarge)
    hint = "raise the server's max_allowed_packet (up to 1G), and try again";
  if (loader.last_error() == mariadb_error::kDenyBinaryLog)
    hint = "the server writes a binary log: SET GLOBAL log_bin_trust_function_creators = 1 for the time of the restore";
  return fail(ErrorCode::kStop, shown, hint);
}

Result<void> MariadbStaging::load(Source& dump, std::uint64_t bytes, base::Progress& progress) {
  MariadbAddress address = target_.admin().copy();
  address.set_user(target_.loader(), password_.copy());
  address.set_database(target_.fresh());
  auto opened = MariadbSession::open(address, surroundings_.env.clock, &progress);
  if (!opened)
    return fail(ErrorCode::kStop,
                "the server does not let in the user that a restore makes for itself: " + opened.error().message,
                "see that it takes users with a password (mysql_native_password)");
  MariadbSession loader = std::move(*opened);
  if (signer_ == Trust::kStranger) TRY(refuse_reach(loader));
  DumpStatements statements(dump);
  std::string statement;
  std::uint64_t done = 0;
  while (TRY(statements.next(statement, loader.has_plain_backslashes(), loader.charset()))) {
    done += statement.size();
    progress.update("loading the database", std::min(done, bytes), bytes, "bytes");
    if (const std::string word = word_of_no_dump(statement); !word.empty())
      return no_part("line " + std::to_string(statements.line()) + " of the dump begins with \"" +
                     base::escaped(word, 40) + "\", as none of mariadb-dump does");
    TRY(run_one(loader, without_owner(std::move(statement)), statements.line()));
  }
  if (done == 0) return no_part(std::string(kMariadbDump) + " has no statement");
  return {};
}

// What everybody has, the loading user has as well.
Result<void> MariadbStaging::refuse_reach(MariadbSession& loader) {
  std::string beyond = TRY(MariadbRights::of(loader)).beyond(target_.fresh());
  if (beyond.empty()) {
    const MariadbRows others = TRY(loader.query(
        "SELECT SCHEMA_NAME FROM information_schema.SCHEMATA WHERE SCHEMA_NAME NOT IN ('information_schema', " +
        mariadb_text(target_.fresh()) + ") LIMIT 1"));
    if (others.size() > 0) beyond = "rights on " + base::escaped(others.text(0, 0), 70);
  }
  if (beyond.empty()) return {};
  return fail(ErrorCode::kStop,
              "everybody has " + beyond + " on this server, and so a stranger's dump would have it while it is loaded",
              "take it from PUBLIC and from the user without a name (REVOKE), or restore into another server");
}

// The server leaves directories out of what it makes then.
Result<void> MariadbStaging::run_without_directories(MariadbSession& loader, const std::string& statement) {
  constexpr unsigned kOptionIgnored = 1618;
  TRY(
      loader.run("SET @spl_mode = @@sql_mode, SESSION sql_mode = concat_ws(',', nullif(@@sql_mode, ''), "
                 "'NO_DIR_IN_CREATE')"));
  TRY(loader.run(statement));
  bool is_ignored = false;
  if (signer_ == Trust::kStranger && loader.warnings() > 0) {
    const MariadbRows warnings = TRY(loader.query("SHOW WARNINGS"));
    for (std::size_t i = 0; i < warnings.size(); ++i)
      is_ignored = is_ignored || warnings.number(i, 1) == kOptionIgnored;
  }
  if (is_ignored) return fail(ErrorCode::kStop, "a stranger's table names a directory for its files");
  return loader.run("SET SESSION sql_mode = @spl_mode");
}

Result<void> MariadbStaging::run_one(MariadbSession& loader, std::string statement, std::uint64_t line) {
  const std::string place = "line " + std::to_string(line) + " of the dump";
  const StatementKind kind = kind_of(statement);
  if (kind == StatementKind::kCompound || kind == StatementKind::kAlterEvent)
    return no_part(place + " has a statement that none of mariadb-dump has");
  Result<void> done;
  if (kind == StatementKind::kCreateEvent) {
    // No event runs before all is live, and least of all in the middle of the loading.
    const auto event = EventStatement::read(statement);
    if (!event) return no_part(place + " has an event that is not written as mariadb-dump writes them");
    if (event->is_enabled) {
      enabled_events_.insert(event->name);
      statement = event->with(statement, "DISABLE");
    } else {
      enabled_events_.erase(event->name);
    }
    (void)loader.run(kLongAgo);
    done = loader.run(statement);
    if (!done) return failed_statement(loader, std::move(done).error(), line);
    (void)loader.run("SET SESSION timestamp = DEFAULT");
    return {};
  }
  if (kind == StatementKind::kCreateTable) statement = with_own_sequences(std::move(statement));
  const bool is_of_table = kind == StatementKind::kCreateTable || kind == StatementKind::kAlterTable;
  done = is_of_table && names_directory(statement) ? run_without_directories(loader, statement) : loader.run(statement);
  if (!done) return failed_statement(loader, std::move(done).error(), line);
  return {};
}

Result<void> MariadbStaging::lock_loader_out(MariadbSession& admin) {
  TRY(admin.run("ALTER USER " + account(target_.loader(), host_) + " ACCOUNT LOCK"));
  return end_sessions_of(admin, surroundings_.env.clock, target_.loader());
}

// What a dump may have made with the rights that it had, and that is not to be live.
Result<void> MariadbStaging::refuse_what_is_not_for_here(MariadbSession& admin) {
  if (!TRY(find_database(admin, target_.fresh())))
    return fail(ErrorCode::kStop, "the dump has dropped the database that it was loaded into");
  TRY(refuse_directories(admin));
  const MariadbRows events = TRY(admin.query("SELECT EVENT_NAME FROM information_schema.EVENTS WHERE " +
                                             mariadb_is("EVENT_SCHEMA", target_.fresh()) + " AND STATUS = 'ENABLED'"));
  if (events.size() > 0)
    return fail(ErrorCode::kStop, "the dump has made an event run: " + base::escaped(events.text(0, 0), 70));
  if (signer_ == Trust::kOwn) return {};
  const MariadbRows engines = TRY(admin.query(
      "SELECT TABLE_NAME, coalesce(ENGINE, 'that cannot be opened') FROM information_schema.TABLES WHERE " +
      mariadb_is("TABLE_SCHEMA", target_.fresh()) +
      " AND TABLE_TYPE NOT LIKE '%VIEW' AND coalesce(ENGINE, '') NOT IN (" + std::string(kPlainEngines) + ") LIMIT 1"));
  if (engines.size() > 0)
    return fail(ErrorCode::kStop, "a stranger's table leads elsewhere: " + base::escaped(engines.text(0, 0), 70) +
                                      " is of the engine " + base::escaped(engines.text(0, 1), 40));
  return refuse_strangers_programs(admin);
}

// Files of tables at a place of the dump's choice, or a partition's: the server asks for no right for that.
Result<void> MariadbStaging::refuse_directories(MariadbSession& admin) {
  for (const std::string& name : TRY(list_stored(admin, target_.fresh()))) {
    const MariadbRows made = TRY(admin.query("SHOW CREATE TABLE " + mariadb_name(target_.fresh(), name)));
    if (names_directory(made.text(0, 1)))
      return fail(ErrorCode::kStop, "a table of the dump names a directory for its files, outside of the server's: " +
                                        base::escaped(name, 70));
  }
  return {};
}

// They run with the rights of the url's user, whoever has written them.
Result<void> MariadbStaging::refuse_strangers_programs(MariadbSession& admin) {
  const auto programs = TRY(list_programs(admin, target_.fresh()));
  if (programs.empty()) return {};
  MariadbSession session = TRY(target_.open_url());
  const MariadbRights rights = TRY(MariadbRights::of(session));
  const std::string beyond = rights.beyond(target_.live());
  // A view reads what it names, which the loading user could read; only a right on everything gives it files.
  const bool are_views = std::ranges::all_of(programs, [](const auto& one) { return one.kind == ProgramKind::kView; });
  if (beyond.empty() || (are_views && !rights.has_any_everywhere())) return {};
  return fail(ErrorCode::kStop,
              "a stranger has signed " + base::counted(programs.size(), "view, trigger, routine or event") +
                  ", and the url's user " + base::escaped(TRY(own_account(session)), 140) +
                  ", with whose rights they would run, has " + beyond,
              "put a user into the url that has rights on its database alone (in GRANT a _ or % of its name stands "
              "behind a backslash)");
}

Result<void> MariadbStaging::note_programs(MariadbSession& admin, RestoreBook& book) {
  TRY(read_programs(admin, target_.fresh(), [&](const MariadbProgram& program) -> Result<void> {
    const auto enabled =
        program.kind == ProgramKind::kEvent ? enabled_events_.find(program.name) : enabled_events_.end();
    if (enabled == enabled_events_.end()) return book.add_program(ProgramsOf::kFresh, program);
    enabled_events_.erase(enabled);
    // As it was in the dump.
    const std::string text = program.head + program.tail;
    const auto event = EventStatement::read(text);
    if (!event) return fail("the server's text of the event " + base::escaped(program.name, 70) + " is not understood");
    MariadbProgram running = program;
    running.tail = event->with(text, "ENABLE").substr(program.head.size());
    return book.add_program(ProgramsOf::kFresh, running);
  }));
  if (enabled_events_.empty()) return {};
  return no_part("the event " + base::escaped(*enabled_events_.begin(), 70) + " of the dump is not there");
}

Result<void> MariadbStaging::run_steps(PartSource& files, base::Progress& progress) {
  const auto entry = TRY(files.next());
  if (!entry || entry->path != kMariadbDump)
    return no_part(entry ? base::escaped(entry->path, 200) + " is no file of a mariadb part"
                         : std::string(kMariadbDump) + " is missing");
  MariadbSession admin = TRY(target_.open_admin(&progress));
  std::string own;
  {
    MariadbSession session = TRY(target_.open_url(&progress));
    own = TRY(own_account(session));
  }
  const MariadbDefaults defaults = TRY(make_database(admin));
  TRY(make_loader(admin));
  {
    PartContent content(files);
    TRY(load(content, entry->size_bytes, progress));
  }
  if (const auto more = TRY(files.next()))
    return no_part(base::escaped(more->path, 200) + " is no file of a mariadb part");
  TRY(lock_loader_out(admin));
  TRY(refuse_what_is_not_for_here(admin));
  env::Clock& clock = surroundings_.env.clock;
  RestoreBook book(admin, target_);
  TRY(book.begin());
  TRY(note_programs(admin, book));
  TRY(drop_programs(admin, clock, target_.fresh()));
  TRY(book.add_defaults_of(target_.fresh()));
  TRY(book.drop_defaults(target_.fresh()));
  TRY(drop_user(admin, clock, target_.loader()));
  const std::string left =
      TRY(make_files_durable(admin, surroundings_.env, target_, {target_.fresh()}, target_.fresh()));
  if (!left.empty())
    return fail(ErrorCode::kStop, "the table " + left + ": its files cannot be made durable from here",
                "restore where the server runs, as a user who may read its data directory; or make it an InnoDB table "
                "where the bundle comes from (ALTER TABLE ... ENGINE = InnoDB)");
  return book.finish(defaults, own);
}

Result<void> MariadbStaging::run(PartSource& files, base::Progress& progress) {
  auto done = run_steps(files, progress);
  // The reason is told; what cannot be removed now is by who comes next.
  if (!done) (void)remove(surroundings_.env, target_);
  return done;
}

}  // namespace spl::surface
