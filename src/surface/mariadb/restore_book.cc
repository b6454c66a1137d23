#include "surface/mariadb/restore_book.h"

#include <algorithm>

#include "base/encoding.h"
#include "base/words.h"
#include "surface/mariadb/statement_text.h"

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

Result<void> RestoreBook::begin() {
  TRY(admin_.run("CREATE DATABASE " + mariadb_name(target_.book()) + " CHARACTER SET utf8mb4"));
  TRY(admin_.run("CREATE TABLE " + table("facts") +
                 " (name VARCHAR(60) PRIMARY KEY, value LONGBLOB NOT NULL) ENGINE = InnoDB"));
  TRY(admin_.run("CREATE TABLE " + table("kept_views") + " (name BLOB, kept_as BLOB) ENGINE = InnoDB"));
  TRY(admin_.run("CREATE TABLE " + table("defaults") +
                 " (of_table BLOB, of_column BLOB, text LONGBLOB) ENGINE = InnoDB"));
  return admin_.run(
      "CREATE TABLE " + table("programs") +
      " (whose TINYINT, number INT, kind TINYINT, type BLOB, name BLOB, head LONGBLOB, definer BLOB, tail "
      "LONGBLOB, sql_mode BLOB, charset BLOB, collation BLOB, database_collation BLOB, time_zone BLOB, "
      "PRIMARY KEY (whose, number)) ENGINE = InnoDB");
}

Result<void> RestoreBook::finish(const MariadbDefaults& defaults, const std::string& account) {
  TRY(admin_.run("START TRANSACTION"));
  TRY(set_fact("charset_0", defaults.charset));
  TRY(set_fact("collation_0", defaults.collation));
  TRY(set_fact("account", account));
  TRY(commit());
  // Last: with it the book is whole.
  TRY(admin_.run("CREATE TABLE " + table(kStaged) + " (nothing INT) ENGINE = InnoDB"));
  return make_durable(admin_);
}

// What it says must be there whenever what was done after it is: the server itself may not wait for the disk.
Result<void> RestoreBook::commit() {
  TRY(admin_.run("COMMIT"));
  return make_durable(admin_);
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

Result<void> RestoreBook::add_program(ProgramsOf whose, const MariadbProgram& program) {
  std::string sql = "INSERT INTO " + table("programs") + " VALUES (" + number_of(whose) + ", " +
                    std::to_string(added_++) + ", " + std::to_string(static_cast<int>(program.kind));
  for (const std::string* text :
       {&program.type, &program.name, &program.head, &program.definer, &program.tail, &program.sql_mode,
        &program.charset, &program.collation, &program.database_collation, &program.time_zone})
    sql += ", " + octets(*text);
  return admin_.run(sql + ")");
}

Result<void> RestoreBook::add_defaults_of(const std::string& database) {
  const MariadbRows rows =
      TRY(admin_.query("SELECT TABLE_NAME, COLUMN_NAME, COLUMN_DEFAULT FROM "
                       "information_schema.COLUMNS WHERE " +
                       mariadb_is("TABLE_SCHEMA", database) + " AND locate(" +
                       mariadb_text(mariadb_name(database) + ".") + ", COLUMN_DEFAULT) > 0"));
  for (std::size_t i = 0; i < rows.size(); ++i)
    TRY(admin_.run("INSERT INTO " + table("defaults") + " VALUES (" + octets(rows.text(i, 0)) + ", " +
                   octets(rows.text(i, 1)) + ", " +
                   octets(with_database(rows.text(i, 2), database, mariadb_name(target_.live()))) + ")"));
  return {};
}

Result<void> RestoreBook::alter_columns(const std::string& database,
                                        const std::function<std::string(const ColumnDefault&)>& how) {
  const auto columns = TRY(column_defaults());
  for (std::size_t i = 0; i < columns.size();) {
    const std::string& of = columns[i].table;
    std::vector<std::string> changes;
    for (; i < columns.size() && columns[i].table == of; ++i)
      changes.push_back("ALTER COLUMN " + mariadb_name(columns[i].column) + how(columns[i]));
    TRY(run_when_free(admin_, target_.clock(), database,
                      "ALTER TABLE " + mariadb_name(database, of) + " " + base::join(changes, ", ")));
  }
  return {};
}

Result<void> RestoreBook::drop_defaults(const std::string& database) {
  return alter_columns(database, [](const ColumnDefault&) { return " DROP DEFAULT"; });
}

Result<void> RestoreBook::set_defaults(const std::string& database) {
  return alter_columns(database, [&](const ColumnDefault& column) {
    return " SET DEFAULT (" + with_database(column.text, target_.live(), mariadb_name(database)) + ")";
  });
}

Result<std::size_t> RestoreBook::count_programs(ProgramsOf whose) {
  return TRY(admin_.query("SELECT count(*) FROM " + table("programs") + " WHERE whose = " + number_of(whose)))
      .number(0, 0);
}

Result<std::vector<ProgramName>> RestoreBook::program_names(ProgramsOf whose) {
  const MariadbRows rows = TRY(admin_.query("SELECT kind, type, name FROM " + table("programs") +
                                            " WHERE whose = " + number_of(whose) + " ORDER BY number"));
  std::vector<ProgramName> names;
  for (std::size_t i = 0; i < rows.size(); ++i)
    names.push_back({static_cast<ProgramKind>(rows.number(i, 0)), rows.text(i, 1), rows.text(i, 2)});
  return names;
}

Result<MariadbProgram> RestoreBook::program(ProgramsOf whose, std::size_t number) {
  const MariadbRows rows =
      TRY(admin_.query("SELECT kind, type, name, head, definer, tail, sql_mode, charset, collation, "
                       "database_collation, time_zone FROM " +
                       table("programs") + " WHERE whose = " + number_of(whose) + " ORDER BY number LIMIT 1 OFFSET " +
                       std::to_string(number)));
  if (rows.size() == 0) return fail("what a restore has written down is not there any more");
  MariadbProgram program{{static_cast<ProgramKind>(rows.number(0, 0)), rows.text(0, 1), rows.text(0, 2)}};
  program.head = rows.text(0, 3);
  program.definer = rows.text(0, 4);
  program.tail = rows.text(0, 5);
  program.sql_mode = rows.text(0, 6);
  program.charset = rows.text(0, 7);
  program.collation = rows.text(0, 8);
  program.database_collation = rows.text(0, 9);
  program.time_zone = rows.text(0, 10);
  return program;
}

Result<std::vector<KeptView>> RestoreBook::kept_views() {
  const MariadbRows rows = TRY(admin_.query("SELECT name, kept_as FROM " + table("kept_views") + " ORDER BY kept_as"));
  std::vector<KeptView> views;
  for (std::size_t i = 0; i < rows.size(); ++i) views.push_back({rows.text(i, 0), rows.text(i, 1)});
  return views;
}

Result<std::vector<ColumnDefault>> RestoreBook::column_defaults() {
  const MariadbRows rows =
      TRY(admin_.query("SELECT of_table, of_column, text FROM " + table("defaults") + " ORDER BY of_table, of_column"));
  std::vector<ColumnDefault> columns;
  for (std::size_t i = 0; i < rows.size(); ++i) columns.push_back({rows.text(i, 0), rows.text(i, 1), rows.text(i, 2)});
  return columns;
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
  added_ = 0;
  std::vector<KeptView> kept;
  TRY(admin_.run("START TRANSACTION"));
  auto noted = read_programs(admin_, target_.live(), [&](const MariadbProgram& program) -> Result<void> {
    const std::string why = TRY(why_not_made_again(admin_, target_.live(), program));
    if (why.empty()) return add_program(ProgramsOf::kOld, program);
    if (program.kind == ProgramKind::kView) {
      kept.push_back({program.name, target_.kept_view(kept.size())});
      return admin_.run("INSERT INTO " + table("kept_views") + " VALUES (" + octets(kept.back().name) + ", " +
                        octets(kept.back().kept_as) + ")");
    }
    return fail(ErrorCode::kRefused,
                "what is live cannot be kept: the server would not make " + base::escaped(program.type, 20) + " " +
                    base::escaped(program.name, 70) + " again: " + base::escaped(why, 300),
                "mend it or drop it, and try again");
  });
  if (!noted) {
    (void)admin_.run("ROLLBACK");
    return noted;
  }
  TRY(set_fact("charset_1", live ? live->charset : ""));
  TRY(set_fact("collation_1", live ? live->collation : ""));
  TRY(set_fact("had_live", live ? kYes : ""));
  TRY(set_fact("has_old", kYes));
  return commit();
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
  TRY(admin_.run("DELETE FROM " + table("kept_views")));
  TRY(admin_.run(
      "DELETE FROM " + table("facts") +
      " WHERE name IN ('has_old', 'had_live', 'charset_1', 'collation_1', 'arranged', 'events', 'granted')"));
  return commit();
}

Result<bool> RestoreBook::is_arranged() {
  return TRY(fact("arranged")) == kYes;
}

Result<void> RestoreBook::set_arranged(bool arranged) {
  TRY(admin_.run("START TRANSACTION"));
  if (!arranged) TRY(set_fact("events", ""));
  TRY(set_fact("arranged", arranged ? kYes : ""));
  return commit();
}

Result<bool> RestoreBook::has_events() {
  return TRY(fact("events")) == kYes;
}

Result<void> RestoreBook::note_events() {
  TRY(set_fact("events", kYes));
  return make_durable(admin_);
}

Result<bool> RestoreBook::has_granted() {
  return TRY(fact("granted")) == kYes;
}

Result<void> RestoreBook::note_granted() {
  TRY(set_fact("granted", kYes));
  return make_durable(admin_);
}

}  // namespace spl::surface
