#include "surface/mariadb/programs.h"

#include <algorithm>
#include <numeric>
#include <utility>

#include "base/encoding.h"
#include "crypto/sha256.h"
#include "surface/mariadb/mariadb_facts.h"
#include "surface/mariadb/mariadb_target.h"
#include "surface/mariadb/statement_text.h"

namespace spl::surface {
namespace {

constexpr std::size_t kNameShown = 70;

Result<void> add_names(MariadbSession& session, ProgramKind kind, const std::string& sql,
                       std::vector<ProgramName>& names) {
  const MariadbRows rows = TRY(session.query(sql));
  for (std::size_t i = 0; i < rows.size(); ++i) names.push_back({kind, rows.text(i, 0), rows.text(i, 1)});
  return {};
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

Result<MariadbProgram> read_program(MariadbSession& session, const std::string& database, const ProgramName& named) {
  const std::string shown = base::escaped(named.name, kNameShown);
  const MariadbRows row =
      TRY_IN(shown, session.query("SHOW CREATE " + named.type + " " + mariadb_name(database, named.name)));
  const std::string& text = row.named(0, text_column(named.type));
  if (text.empty())
    return fail(ErrorCode::kRefused, "the server does not show the text of " + shown,
                "give the surface an admin_url of a user who may see it (SELECT on mysql.proc)");
  const DefinerClause clause = find_definer(text);
  if (clause.size == 0) return fail("the text of " + shown + " has no DEFINER: " + base::escaped(text, 200));
  MariadbProgram program{named};
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
  // A server may not let anybody set its time.
  (void)session.run("SET SESSION timestamp = DEFAULT");
  return session.run("SET NAMES utf8mb4, SESSION sql_mode = '', time_zone = DEFAULT");
}

// As the session was that made it.
Result<void> set_session_for(MariadbSession& session, const MariadbProgram& program) {
  std::string settings = "SET SESSION sql_mode = " + mariadb_text(program.sql_mode) +
                         ", collation_connection = " + mariadb_text(program.collation);
  if (!program.time_zone.empty()) settings += ", time_zone = " + mariadb_text(program.time_zone);
  TRY(session.run(settings));
  if (program.kind == ProgramKind::kEvent) (void)session.run(kLongAgo);
  // Last: what follows is written in it.
  return session.run("SET SESSION character_set_client = " + program.charset);
}

// Where the session is in the program's database.
Result<void> make_program(MariadbSession& session, env::Clock& clock, const std::string& database,
                          const MariadbProgram& program, const std::string& sql, std::string& collation_now) {
  if (!program.database_collation.empty() && program.database_collation != collation_now) {
    TRY(run_when_free(session, clock, database,
                      "ALTER DATABASE " + mariadb_name(database) + " COLLATE " + program.database_collation));
    collation_now = program.database_collation;
  }
  TRY(set_session_for(session, program));
  auto made = run_when_free(session, clock, database, sql);
  TRY(settle_session(session));
  return made;
}

std::string text_of(const MariadbProgram& program, const ProgramsToMake& wanted) {
  const std::string definer = wanted.definers == Definers::kThis ? "DEFINER=" + wanted.definer : program.definer;
  std::string text = program.head + definer + program.tail;
  if (program.kind != ProgramKind::kEvent || wanted.events == Events::kAsTheyWere) return text;
  const auto event = EventStatement::read(text);
  return event && event->is_enabled ? event->with(text, "DISABLE") : text;
}

}  // namespace

// What others need first: a view may call a function, a trigger's table may be read through a view.
Result<std::vector<ProgramName>> list_programs(MariadbSession& session, const std::string& database) {
  std::vector<ProgramName> names;
  TRY(add_names(session, ProgramKind::kRoutine,
                "SELECT ROUTINE_TYPE, ROUTINE_NAME FROM information_schema.ROUTINES WHERE " +
                    mariadb_is("ROUTINE_SCHEMA", database) +
                    " ORDER BY ROUTINE_TYPE = 'PACKAGE BODY', ROUTINE_TYPE <> 'PACKAGE', ROUTINE_TYPE, "
                    "CAST(ROUTINE_NAME AS BINARY)",
                names));
  for (MariadbTable& table : TRY(list_tables(session, database))) {
    if (table.kind == MariadbTableKind::kView) names.push_back({ProgramKind::kView, "VIEW", std::move(table.name)});
  }
  TRY(add_names(session, ProgramKind::kTrigger,
                "SELECT 'TRIGGER', TRIGGER_NAME FROM information_schema.TRIGGERS WHERE " +
                    mariadb_is("TRIGGER_SCHEMA", database) +
                    " ORDER BY CAST(EVENT_OBJECT_TABLE AS BINARY), ACTION_TIMING, EVENT_MANIPULATION, ACTION_ORDER",
                names));
  TRY(add_names(session, ProgramKind::kEvent,
                "SELECT 'EVENT', EVENT_NAME FROM information_schema.EVENTS WHERE " +
                    mariadb_is("EVENT_SCHEMA", database) + " ORDER BY CAST(EVENT_NAME AS BINARY)",
                names));
  return names;
}

Result<void> read_programs(MariadbSession& session, const std::string& database,
                           const std::function<Result<void>(const MariadbProgram&)>& take) {
  if (!TRY(find_database(session, database))) return {};
  const auto names = TRY(list_programs(session, database));
  if (names.empty()) return {};
  // A view's tables stand in its text without their database where that is the current one.
  TRY(session.run("USE " + mariadb_name(database)));
  for (const ProgramName& name : names) {
    // Each text as it was written, whatever it was written in.
    TRY(session.run("SET SESSION character_set_results = binary"));
    auto program = read_program(session, database, name);
    auto settled = settle_session(session);
    if (!program) return std::unexpected(std::move(program).error());
    TRY(std::move(settled));
    TRY(take(*program));
  }
  return {};
}

Result<std::string> digest_of_programs(MariadbSession& session, const std::string& database) {
  std::string digests;
  TRY(read_programs(session, database, [&](const MariadbProgram& program) -> Result<void> {
    std::string all = std::to_string(static_cast<int>(program.kind));
    for (const std::string* text :
         {&program.type, &program.name, &program.head, &program.definer, &program.tail, &program.sql_mode,
          &program.charset, &program.collation, &program.database_collation, &program.time_zone})
      all.append(1, '\0').append(*text);
    const Digest digest = crypto::sha256(digests + all);
    digests = digest.view();
    return {};
  }));
  return digests;
}

Result<std::string> why_not_made_again(MariadbSession& session, const std::string& database,
                                       const MariadbProgram& program) {
  TRY(session.run("USE " + mariadb_name(database)));
  TRY(set_session_for(session, program));
  auto checked = session.check(program.head + program.definer + program.tail);
  const unsigned error = session.last_error();
  const std::string message = session.last_message();
  if (!checked && error == 0) return std::unexpected(std::move(checked).error());
  TRY(settle_session(session));
  // Some statements cannot be looked at ahead.
  return checked || error == mariadb_error::kNotToBePrepared ? "" : message;
}

Result<void> drop_programs(MariadbSession& session, env::Clock& clock, const std::string& database,
                           const std::vector<std::string>& kept_views) {
  auto names = TRY(list_programs(session, database));
  std::ranges::reverse(names);
  for (const ProgramName& named : names) {
    if (named.kind == ProgramKind::kView && std::ranges::find(kept_views, named.name) != kept_views.end()) continue;
    // Only there are packages known.
    const bool is_package = named.type.starts_with("PACKAGE");
    if (is_package) TRY(session.run("SET SESSION sql_mode = 'ORACLE'"));
    TRY(run_when_free(session, clock, database,
                      "DROP " + named.type + " IF EXISTS " + mariadb_name(database, named.name)));
    if (is_package) TRY(session.run("SET SESSION sql_mode = ''"));
  }
  return {};
}

Result<void> make_programs(MariadbSession& session, env::Clock& clock, const std::string& database,
                           const ProgramsToMake& wanted) {
  if (wanted.count == 0) return {};
  TRY(session.run("USE " + mariadb_name(database)));
  const auto defaults = TRY(find_database(session, database));
  const std::string collation = defaults ? defaults->collation : "";
  std::string collation_now = collation;
  std::vector<std::size_t> waiting(wanted.count);
  std::iota(waiting.begin(), waiting.end(), std::size_t{0});
  // A view of a view comes after it, and only the server knows which one that is.
  while (!waiting.empty()) {
    std::vector<std::size_t> left;
    for (const std::size_t i : waiting) {
      const MariadbProgram program = TRY(wanted.get(i));
      auto made = make_program(session, clock, database, program, text_of(program, wanted), collation_now);
      if (made) continue;
      left.push_back(i);
      if (program.kind == ProgramKind::kView && left.size() < waiting.size()) continue;
      return std::unexpected(std::move(made).error().in(base::escaped(program.name, kNameShown)));
    }
    waiting = std::move(left);
  }
  if (collation_now != collation)
    TRY(run_when_free(session, clock, database, "ALTER DATABASE " + mariadb_name(database) + " COLLATE " + collation));
  return {};
}

Result<void> enable_event(MariadbSession& session, env::Clock& clock, const std::string& database,
                          const MariadbProgram& event, const std::string& definer) {
  TRY(session.run("USE " + mariadb_name(database)));
  TRY(set_session_for(session, event));
  // "CREATE DEFINER=..."
  auto made = run_when_free(session, clock, database, "CREATE OR REPLACE DEFINER=" + definer + event.tail);
  TRY(settle_session(session));
  return made;
}

}  // namespace spl::surface
