#include "surface/mariadb/mariadb_staging.h"

#include <algorithm>
#include <array>
#include <optional>

#include "base/encoding.h"
#include "base/words.h"
#include "surface/mariadb/dump_statements.h"
#include "surface/mariadb/mariadb.h"
#include "surface/mariadb/restore_book.h"

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

// Every host that a user of this name has.
Result<void> drop_user(MariadbSession& admin, const std::string& user) {
  const MariadbRows hosts =
      TRY(admin.query("SELECT DISTINCT GRANTEE FROM information_schema.USER_PRIVILEGES WHERE "
                      "GRANTEE LIKE " +
                      mariadb_text("'" + user + "'@%")));
  for (std::size_t i = 0; i < hosts.size(); ++i) {
    // "'user'@'host'", as a statement has it.
    TRY(admin.run("ALTER USER IF EXISTS " + hosts.text(i, 0) + " ACCOUNT LOCK"));
    TRY(end_sessions_of(admin, user));
    TRY(admin.run("DROP USER IF EXISTS " + hosts.text(i, 0)));
  }
  return {};
}

}  // namespace

Result<void> MariadbStaging::remove(const MariadbTarget& target) {
  MariadbSession admin = TRY(target.open_admin());
  TRY(drop_user(admin, target.loader()));
  // Who refers to what goes, from outside, keeps a reference to nothing.
  TRY(admin.run("SET SESSION foreign_key_checks = 0"));
  // The book first: without it nothing is brought back.
  for (const std::string& name : {target.book(), target.old(), target.fresh()})
    TRY(admin.run("DROP DATABASE IF EXISTS " + mariadb_name(name)));
  return {};
}

Result<MariadbDefaults> MariadbStaging::make_database(MariadbSession& admin) {
  MariadbDefaults defaults = TRY(known_defaults(admin, engine_.defaults));
  if (defaults.collation.empty()) defaults = TRY(find_database(admin, target_.live())).value_or(MariadbDefaults());
  TRY(admin.run("CREATE DATABASE " + mariadb_name(target_.fresh()) + defaults.sql()));
  return defaults;
}

Result<void> MariadbStaging::make_loader(MariadbSession& admin) {
  const std::string user = TRY(admin.query("SELECT USER()")).text(0, 0);
  host_ = user.substr(user.rfind('@') + 1);
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
  DumpStatements statements(dump);
  std::string statement;
  std::uint64_t done = 0;
  while (TRY(statements.next(statement, loader.has_plain_backslashes()))) {
    done += statement.size();
    progress.update("loading the database", std::min(done, bytes), bytes, "bytes");
    if (const std::string word = word_of_no_dump(statement); !word.empty())
      return no_part("line " + std::to_string(statements.line()) + " of the dump begins with \"" +
                     base::escaped(word, 40) + "\", as none of mariadb-dump does");
    auto run = loader.run(without_owner(std::move(statement)));
    if (!run) return failed_statement(loader, std::move(run).error(), statements.line());
  }
  if (done == 0) return no_part(std::string(kMariadbDump) + " has no statement");
  return {};
}

Result<void> MariadbStaging::lock_loader_out(MariadbSession& admin) {
  TRY(admin.run("ALTER USER " + account(target_.loader(), host_) + " ACCOUNT LOCK"));
  return end_sessions_of(admin, target_.loader());
}

// What a stranger's dump may have made with the rights that it had, and that is not to be live.
Result<void> MariadbStaging::refuse_what_is_not_for_here(MariadbSession& admin,
                                                         const std::vector<MariadbProgram>& programs) {
  if (!TRY(find_database(admin, target_.fresh())))
    return fail(ErrorCode::kStop, "the dump has dropped the database that it was loaded into");
  if (signer_ == Trust::kOwn) return {};
  const MariadbRows engines = TRY(admin.query(
      "SELECT TABLE_NAME, ENGINE FROM information_schema.TABLES WHERE TABLE_SCHEMA = " + mariadb_text(target_.fresh()) +
      " AND TABLE_TYPE NOT LIKE '%VIEW' AND ENGINE NOT IN (" + std::string(kPlainEngines) + ") LIMIT 1"));
  if (engines.size() > 0)
    return fail(ErrorCode::kStop, "a stranger's table leads elsewhere: " + base::escaped(engines.text(0, 0), 70) +
                                      " is of the engine " + base::escaped(engines.text(0, 1), 40));
  // Files of tables at a place of the stranger's choice: the server asks for no right for that.
  for (const std::string& name : TRY(list_stored(admin, target_.fresh()))) {
    const MariadbRows made = TRY(admin.query("SHOW CREATE TABLE " + mariadb_name(target_.fresh(), name)));
    if (made.text(0, 1).find(" DIRECTORY=") != std::string::npos)
      return fail(ErrorCode::kStop, "a stranger's table names a directory for its files: " + base::escaped(name, 70));
  }
  if (programs.empty()) return {};
  MariadbSession session = TRY(target_.open_url());
  const std::string own = TRY(own_account(session));
  const MariadbRows rights = TRY(session.query(
      "SELECT PRIVILEGE_TYPE FROM information_schema.USER_PRIVILEGES WHERE PRIVILEGE_TYPE <> 'USAGE' LIMIT 1"));
  if (rights.size() == 0) return {};
  return fail(ErrorCode::kStop,
              "a stranger has signed " + base::counted(programs.size(), "view, trigger, routine or event") +
                  ", and the url's user " + base::escaped(own, 140) + ", with whose rights they would run, has " +
                  base::escaped(rights.text(0, 0), 40) + " on all databases",
              "put a user into the url that has rights on its database alone");
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
  const auto programs = TRY(read_programs(admin, target_.fresh()));
  TRY(refuse_what_is_not_for_here(admin, programs));
  TRY(drop_programs(admin, target_.fresh()));
  TRY(drop_user(admin, target_.loader()));
  TRY(RestoreBook(admin, target_).make(programs, defaults, own));
  make_durable(admin);
  return {};
}

Result<void> MariadbStaging::run(PartSource& files, base::Progress& progress) {
  auto done = run_steps(files, progress);
  // The reason is told; what cannot be removed now is by who comes next.
  if (!done) (void)remove(target_);
  return done;
}

}  // namespace spl::surface
