#include "surface/mariadb/restore_book.h"

#include <algorithm>

#include "base/encoding.h"

namespace spl::surface {
namespace {

constexpr std::string_view kStaged = "staged";
constexpr std::string_view kLive = "live";
constexpr const char* kYes = "1";

std::string octets(std::string_view text) {
  return "X'" + base::to_hex(text) + "'";
}

std::string number_of(ProgramsOf whose) {
  return whose == ProgramsOf::kFresh ? "0" : "1";
}

}  // namespace

Result<void> RestoreBook::make(const std::vector<MariadbProgram>& fresh, const MariadbDefaults& defaults,
                               const std::string& account) {
  TRY(admin_.run("CREATE DATABASE " + mariadb_name(target_.book()) + " CHARACTER SET utf8mb4"));
  TRY(admin_.run("CREATE TABLE " + table("facts") +
                 " (name VARCHAR(60) PRIMARY KEY, value LONGBLOB NOT NULL) ENGINE = InnoDB"));
  TRY(admin_.run("CREATE TABLE " + table("programs") +
                 " (whose TINYINT, number INT, kind TINYINT, type BLOB, name BLOB, head LONGBLOB, definer BLOB, tail "
                 "LONGBLOB, sql_mode BLOB, charset BLOB, collation BLOB, database_collation BLOB, time_zone BLOB, "
                 "PRIMARY KEY (whose, number)) ENGINE = InnoDB"));
  TRY(admin_.run("START TRANSACTION"));
  TRY(add_programs(ProgramsOf::kFresh, fresh));
  TRY(set_fact("charset_0", defaults.charset));
  TRY(set_fact("collation_0", defaults.collation));
  TRY(set_fact("account", account));
  TRY(admin_.run("COMMIT"));
  // Last: with it the book is whole.
  return admin_.run("CREATE TABLE " + table(kStaged) + " (nothing INT) ENGINE = InnoDB");
}

Result<BookSide> RestoreBook::side() {
  const auto names = TRY(list_stored(admin_, target_.book()));
  if (std::ranges::find(names, kStaged) != names.end()) return BookSide::kStaged;
  if (std::ranges::find(names, kLive) != names.end()) return BookSide::kLive;
  return BookSide::kNone;
}

std::string RestoreBook::rename_to_live() const {
  return table(kStaged) + " TO " + table(kLive);
}

std::string RestoreBook::rename_to_staged() const {
  return table(kLive) + " TO " + table(kStaged);
}

Result<std::string> RestoreBook::fact(const std::string& name) {
  return TRY(admin_.query("SELECT value FROM " + table("facts") + " WHERE name = " + mariadb_text(name))).text(0, 0);
}

Result<void> RestoreBook::set_fact(const std::string& name, const std::string& value) {
  return admin_.run("REPLACE INTO " + table("facts") + " VALUES (" + mariadb_text(name) + ", " + octets(value) + ")");
}

Result<void> RestoreBook::add_programs(ProgramsOf whose, const std::vector<MariadbProgram>& programs) {
  std::size_t number = 0;
  for (const MariadbProgram& program : programs) {
    std::string sql = "INSERT INTO " + table("programs") + " VALUES (" + number_of(whose) + ", " +
                      std::to_string(number++) + ", " + std::to_string(static_cast<int>(program.kind));
    for (const std::string* text :
         {&program.type, &program.name, &program.head, &program.definer, &program.tail, &program.sql_mode,
          &program.charset, &program.collation, &program.database_collation, &program.time_zone})
      sql += ", " + octets(*text);
    TRY(admin_.run(sql + ")"));
  }
  return {};
}

Result<std::vector<MariadbProgram>> RestoreBook::programs(ProgramsOf whose) {
  const MariadbRows rows =
      TRY(admin_.query("SELECT kind, type, name, head, definer, tail, sql_mode, charset, collation, "
                       "database_collation, time_zone FROM " +
                       table("programs") + " WHERE whose = " + number_of(whose) + " ORDER BY number"));
  std::vector<MariadbProgram> programs;
  for (std::size_t i = 0; i < rows.size(); ++i)
    programs.push_back({static_cast<ProgramKind>(rows.number(i, 0)), rows.text(i, 1), rows.text(i, 2), rows.text(i, 3),
                        rows.text(i, 4), rows.text(i, 5), rows.text(i, 6), rows.text(i, 7), rows.text(i, 8),
                        rows.text(i, 9), rows.text(i, 10)});
  return programs;
}

Result<MariadbDefaults> RestoreBook::defaults(ProgramsOf whose) {
  MariadbDefaults defaults;
  defaults.charset = TRY(fact("charset_" + number_of(whose)));
  defaults.collation = TRY(fact("collation_" + number_of(whose)));
  return defaults;
}

Result<void> RestoreBook::note_old() {
  if (TRY(has_old())) return {};
  const auto live = TRY(find_database(admin_, target_.live()));
  const auto programs = TRY(read_programs(admin_, target_.live()));
  TRY(admin_.run("START TRANSACTION"));
  TRY(add_programs(ProgramsOf::kOld, programs));
  TRY(set_fact("charset_1", live ? live->charset : ""));
  TRY(set_fact("collation_1", live ? live->collation : ""));
  TRY(set_fact("had_live", live ? kYes : ""));
  TRY(set_fact("has_old", kYes));
  return admin_.run("COMMIT");
}

Result<bool> RestoreBook::has_old() {
  return TRY(fact("has_old")) == kYes;
}

Result<bool> RestoreBook::had_live() {
  return TRY(fact("had_live")) == kYes;
}

Result<void> RestoreBook::forget_old() {
  TRY(admin_.run("START TRANSACTION"));
  TRY(admin_.run("DELETE FROM " + table("programs") + " WHERE whose = " + number_of(ProgramsOf::kOld)));
  TRY(admin_.run("DELETE FROM " + table("facts") +
                 " WHERE name IN ('has_old', 'had_live', 'charset_1', 'collation_1', 'arranged', 'granted')"));
  return admin_.run("COMMIT");
}

Result<bool> RestoreBook::is_arranged() {
  return TRY(fact("arranged")) == kYes;
}

Result<void> RestoreBook::set_arranged(bool arranged) {
  return set_fact("arranged", arranged ? kYes : "");
}

Result<bool> RestoreBook::has_granted() {
  return TRY(fact("granted")) == kYes;
}

Result<void> RestoreBook::note_granted() {
  return set_fact("granted", kYes);
}

}  // namespace spl::surface
