#include "surface/mariadb/programs.h"

#include <algorithm>
#include <utility>

#include "base/encoding.h"
#include "surface/mariadb/dump_statements.h"
#include "surface/mariadb/mariadb_facts.h"

namespace spl::surface {
namespace {

constexpr std::size_t kNameShown = 70;

struct Named {
  ProgramKind kind;
  std::string type;
  std::string name;
};

Result<void> add_names(MariadbSession& session, ProgramKind kind, const std::string& sql, std::vector<Named>& names) {
  const MariadbRows rows = TRY(session.query(sql));
  for (std::size_t i = 0; i < rows.size(); ++i) names.push_back({kind, rows.text(i, 0), rows.text(i, 1)});
  return {};
}

// What others need first: a view may call a function, a trigger's table may be read through a view.
Result<std::vector<Named>> list_programs(MariadbSession& session, const std::string& database) {
  const std::string of = mariadb_text(database);
  std::vector<Named> names;
  TRY(add_names(session, ProgramKind::kRoutine,
                "SELECT ROUTINE_TYPE, ROUTINE_NAME FROM information_schema.ROUTINES WHERE ROUTINE_SCHEMA = " + of +
                    " ORDER BY ROUTINE_TYPE = 'PACKAGE BODY', ROUTINE_TYPE <> 'PACKAGE', ROUTINE_TYPE, "
                    "CAST(ROUTINE_NAME AS BINARY)",
                names));
  TRY(add_names(session, ProgramKind::kView,
                "SELECT 'VIEW', TABLE_NAME FROM information_schema.TABLES WHERE TABLE_SCHEMA = " + of +
                    " AND TABLE_TYPE LIKE '%VIEW' ORDER BY CAST(TABLE_NAME AS BINARY)",
                names));
  TRY(add_names(session, ProgramKind::kTrigger,
                "SELECT 'TRIGGER', TRIGGER_NAME FROM information_schema.TRIGGERS WHERE TRIGGER_SCHEMA = " + of +
                    " ORDER BY CAST(EVENT_OBJECT_TABLE AS BINARY), ACTION_TIMING, EVENT_MANIPULATION, ACTION_ORDER",
                names));
  TRY(add_names(session, ProgramKind::kEvent,
                "SELECT 'EVENT', EVENT_NAME FROM information_schema.EVENTS WHERE EVENT_SCHEMA = " + of +
                    " ORDER BY CAST(EVENT_NAME AS BINARY)",
                names));
  return names;
}

std::string text_column(const std::string& type) {
  if (type == "TRIGGER") return "SQL Original Statement";
  // "Create Package Body"
  std::string column = "Create ";
  for (std::size_t i = 0; i < type.size(); ++i) {
    const bool is_first = i == 0 || type[i - 1] == ' ';
    column += is_first ? type[i] : static_cast<char>(type[i] - 'A' + 'a');
    if (type[i] == ' ') column.back() = ' ';
  }
  return column;
}

Result<MariadbProgram> read_program(MariadbSession& session, const std::string& database, const Named& named) {
  const std::string shown = base::escaped(named.name, kNameShown);
  const MariadbRows row =
      TRY_IN(shown, session.query("SHOW CREATE " + named.type + " " + mariadb_name(database, named.name)));
  const std::string& text = row.named(0, text_column(named.type));
  if (text.empty())
    return fail(ErrorCode::kRefused, "the server does not show the text of " + shown,
                "give the surface an admin_url of a user who may see it (SELECT on mysql.proc)");
  const DefinerClause clause = find_definer(text);
  if (clause.size == 0) return fail("the text of " + shown + " has no DEFINER: " + base::escaped(text, 200));
  MariadbProgram program;
  program.kind = named.kind;
  program.type = named.type;
  program.name = named.name;
  program.head = text.substr(0, clause.at);
  program.definer = text.substr(clause.at, clause.size);
  program.tail = text.substr(clause.at + clause.size);
  program.sql_mode = row.named(0, "sql_mode");
  program.charset = row.named(0, "character_set_client");
  program.collation = row.named(0, "collation_connection");
  program.database_collation = row.named(0, "Database Collation");
  program.time_zone = row.named(0, "time_zone");
  return program;
}

// As a session is before and after.
Result<void> settle_session(MariadbSession& session) {
  return session.run("SET NAMES utf8mb4, SESSION sql_mode = '', time_zone = DEFAULT");
}

Result<void> make_program(MariadbSession& session, const MariadbProgram& program, const std::string& definer,
                          std::string& collation_now) {
  if (!program.database_collation.empty() && program.database_collation != collation_now) {
    TRY(session.run("ALTER DATABASE COLLATE " + program.database_collation));
    collation_now = program.database_collation;
  }
  std::string settings = "SET SESSION sql_mode = " + mariadb_text(program.sql_mode) +
                         ", collation_connection = " + mariadb_text(program.collation);
  if (!program.time_zone.empty()) settings += ", time_zone = " + mariadb_text(program.time_zone);
  TRY(session.run(settings));
  // Last: what follows is written in it.
  TRY(session.run("SET SESSION character_set_client = " + program.charset));
  auto made = session.run(program.head + definer + program.tail);
  TRY(settle_session(session));
  return made;
}

}  // namespace

Result<std::vector<MariadbProgram>> read_programs(MariadbSession& session, const std::string& database) {
  std::vector<MariadbProgram> programs;
  if (!TRY(find_database(session, database))) return programs;
  const auto names = TRY(list_programs(session, database));
  if (names.empty()) return programs;
  // A view's tables stand in its text without their database where that is the current one.
  TRY(session.run("USE " + mariadb_name(database)));
  // Each text as it was written, whatever it was written in.
  TRY(session.run("SET SESSION character_set_results = binary"));
  for (const Named& named : names) {
    auto program = read_program(session, database, named);
    if (!program) {
      (void)settle_session(session);
      return std::unexpected(std::move(program).error());
    }
    programs.push_back(std::move(*program));
  }
  TRY(settle_session(session));
  return programs;
}

Result<void> drop_programs(MariadbSession& session, const std::string& database) {
  auto names = TRY(list_programs(session, database));
  std::ranges::reverse(names);
  for (const Named& named : names) {
    // Only there are packages known.
    const bool is_package = named.type.starts_with("PACKAGE");
    if (is_package) TRY(session.run("SET SESSION sql_mode = 'ORACLE'"));
    TRY(session.run("DROP " + named.type + " IF EXISTS " + mariadb_name(database, named.name)));
    if (is_package) TRY(session.run("SET SESSION sql_mode = ''"));
  }
  return {};
}

Result<void> make_programs(MariadbSession& session, const std::string& database,
                           const std::vector<MariadbProgram>& programs, Definers definers, const std::string& definer) {
  if (programs.empty()) return {};
  TRY(session.run("USE " + mariadb_name(database)));
  const auto defaults = TRY(find_database(session, database));
  const std::string collation = defaults ? defaults->collation : "";
  std::string collation_now = collation;
  std::vector<const MariadbProgram*> waiting;
  for (const MariadbProgram& program : programs) waiting.push_back(&program);
  // A view of a view comes after it, and only the server knows which one that is.
  while (!waiting.empty()) {
    std::vector<const MariadbProgram*> left;
    for (const MariadbProgram* program : waiting) {
      auto made = make_program(session, *program, definers == Definers::kThis ? "DEFINER=" + definer : program->definer,
                               collation_now);
      if (made) continue;
      left.push_back(program);
      if (program->kind == ProgramKind::kView && left.size() < waiting.size()) continue;
      return std::unexpected(std::move(made).error().in(base::escaped(program->name, kNameShown)));
    }
    waiting = std::move(left);
  }
  if (collation_now != collation) TRY(session.run("ALTER DATABASE COLLATE " + collation));
  return {};
}

}  // namespace spl::surface
