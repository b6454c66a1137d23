#include "surface/mariadb/mariadb_facts.h"

#include <algorithm>
#include <charconv>

#include "base/encoding.h"
#include "base/words.h"

namespace spl::surface {
namespace {

bool is_word(std::string_view text) {
  return !text.empty() && std::ranges::all_of(text, [](char c) {
    return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') || c == '_' || c == '.' ||
           c == '-' || c == '+';
  });
}

Result<std::uint64_t> count_in(MariadbSession& server, const std::string& table, const std::string& column,
                               const std::string& database) {
  return TRY(server.query("SELECT count(*) FROM information_schema." + table + " WHERE " +
                          mariadb_is(column, database)))
      .number(0, 0);
}

}  // namespace

std::string MariadbDefaults::sql() const {
  return (charset.empty() ? "" : " CHARACTER SET " + charset) + (collation.empty() ? "" : " COLLATE " + collation);
}

std::string MariadbEngine::text() const {
  return "mariadb " + version + (defaults.charset.empty() ? "" : " charset " + defaults.charset) +
         (defaults.collation.empty() ? "" : " collate " + defaults.collation);
}

MariadbEngine MariadbEngine::parse(std::string_view text) {
  MariadbEngine engine;
  // Parts that differ stand behind each other: the first one's is as good as another's.
  text = text.substr(0, text.find(';'));
  const auto words = base::split(text, ' ');
  for (std::size_t i = 0; i + 1 < words.size(); i += 2) {
    if (!is_word(words[i + 1])) continue;
    if (words[i] == "mariadb") engine.version = words[i + 1];
    if (words[i] == "charset") engine.defaults.charset = words[i + 1];
    if (words[i] == "collate") engine.defaults.collation = words[i + 1];
  }
  return engine;
}

unsigned MariadbEngine::series() const {
  constexpr unsigned kMajor = 100;
  constexpr unsigned kMost = 99;
  unsigned major = 0;
  unsigned minor = 0;
  const char* const end = version.data() + version.size();
  const auto [point, error] = std::from_chars(version.data(), end, major);
  if (error != std::errc{} || point == end || *point != '.') return 0;
  if (std::from_chars(point + 1, end, minor).ec != std::errc{}) return 0;
  return major > kMost * kMajor || minor > kMost ? kMost * kMajor : major * kMajor + minor;
}

Result<std::optional<MariadbDefaults>> find_database(MariadbSession& server, const std::string& name) {
  const MariadbRows rows = TRY(
      server.query("SELECT DEFAULT_CHARACTER_SET_NAME, DEFAULT_COLLATION_NAME FROM information_schema.SCHEMATA WHERE " +
                   mariadb_is("SCHEMA_NAME", name)));
  if (rows.size() == 0) return std::optional<MariadbDefaults>();
  return std::optional(MariadbDefaults{rows.text(0, 0), rows.text(0, 1)});
}

Result<MariadbDefaults> known_defaults(MariadbSession& server, const MariadbDefaults& wanted) {
  if (!is_word(wanted.collation)) return MariadbDefaults();
  // From 10.10 on a collation may be of several encodings.
  constexpr unsigned kFullNames = 1010;
  const std::string column = server.series() < kFullNames ? "COLLATION_NAME" : "FULL_COLLATION_NAME";
  const MariadbRows rows = TRY(server.query("SELECT CHARACTER_SET_NAME, " + column +
                                            " FROM information_schema.COLLATION_CHARACTER_SET_APPLICABILITY WHERE " +
                                            column + " = " + mariadb_text(wanted.collation)));
  if (rows.size() == 0) return MariadbDefaults();
  return MariadbDefaults{rows.text(0, 0), rows.text(0, 1)};
}

bool is_kept_view(std::string_view name) {
  constexpr std::size_t kIdDigits = 16;
  constexpr std::size_t kHashDigits = 8;
  constexpr std::string_view kView = "_view_";
  const auto is_hexadecimal = [](std::string_view text) {
    return std::ranges::all_of(text, [](char c) { return (c >= '0' && c <= '9') || (c >= 'a' && c <= 'f'); });
  };
  if (!name.starts_with(kMariadbOwn)) return false;
  name.remove_prefix(kMariadbOwn.size());
  if (name.size() <= kIdDigits + 1 + kHashDigits + kView.size()) return false;
  const std::string_view hash = name.substr(kIdDigits + 1);
  return is_hexadecimal(name.substr(0, kIdDigits)) && name[kIdDigits] == '_' &&
         is_hexadecimal(hash.substr(0, kHashDigits)) && hash.substr(kHashDigits).starts_with(kView);
}

Result<std::vector<MariadbTable>> list_tables(MariadbSession& server, const std::string& database) {
  const MariadbRows rows = TRY(server.query("SELECT TABLE_NAME, TABLE_TYPE FROM information_schema.TABLES WHERE " +
                                            mariadb_is("TABLE_SCHEMA", database) +
                                            " AND TABLE_TYPE <> 'TEMPORARY' ORDER BY CAST(TABLE_NAME AS BINARY)"));
  std::vector<MariadbTable> tables;
  for (std::size_t i = 0; i < rows.size(); ++i) {
    const std::string& type = rows.text(i, 1);
    if (type.ends_with("VIEW") && is_kept_view(rows.text(i, 0))) continue;
    tables.push_back({rows.text(i, 0), type.ends_with("VIEW") ? MariadbTableKind::kView
                                       : type == "SEQUENCE"   ? MariadbTableKind::kSequence
                                                              : MariadbTableKind::kTable});
  }
  return tables;
}

Result<std::vector<std::string>> list_stored(MariadbSession& server, const std::string& database) {
  std::vector<std::string> names;
  for (MariadbTable& table : TRY(list_tables(server, database))) {
    if (table.kind != MariadbTableKind::kView) names.push_back(std::move(table.name));
  }
  return names;
}

std::vector<Count> MariadbCounts::list() const {
  return {{"tables", tables},     {"rows", rows},         {"sequences", sequences}, {"views", views},
          {"triggers", triggers}, {"routines", routines}, {"events", events}};
}

Result<MariadbCounts> count_objects(MariadbSession& server, const std::string& database) {
  MariadbCounts counts;
  for (const MariadbTable& table : TRY(list_tables(server, database))) {
    if (table.kind == MariadbTableKind::kTable) ++counts.tables;
    if (table.kind == MariadbTableKind::kSequence) ++counts.sequences;
    if (table.kind == MariadbTableKind::kView) ++counts.views;
  }
  counts.triggers = TRY(count_in(server, "TRIGGERS", "TRIGGER_SCHEMA", database));
  counts.routines = TRY(count_in(server, "ROUTINES", "ROUTINE_SCHEMA", database));
  counts.events = TRY(count_in(server, "EVENTS", "EVENT_SCHEMA", database));
  return counts;
}

Result<std::uint64_t> count_rows(MariadbSession& server, const std::string& database, base::Progress& progress) {
  std::uint64_t rows = 0;
  const auto tables = TRY(list_tables(server, database));
  std::uint64_t done = 0;
  for (const MariadbTable& table : tables) {
    progress.update("counting rows", done++, tables.size(), "tables");
    if (progress.cancelled()) return base::fail_cancelled("the rows were not counted");
    if (table.kind != MariadbTableKind::kTable) continue;
    rows += TRY(server.query("SELECT count(*) FROM " + mariadb_name(database, table.name))).number(0, 0);
  }
  return rows;
}

Result<void> refuse_broken_tables(MariadbSession& server, const std::string& database) {
  const MariadbRows rows = TRY(server.query("SELECT TABLE_NAME, TABLE_COMMENT FROM information_schema.TABLES WHERE " +
                                            mariadb_is("TABLE_SCHEMA", database) +
                                            " AND TABLE_TYPE NOT LIKE '%VIEW' AND ENGINE IS NULL LIMIT 1"));
  if (rows.size() == 0) return {};
  return fail(ErrorCode::kRefused,
              "the server cannot open the table " + base::escaped(rows.text(0, 0), 70) + ": " +
                  base::escaped(rows.text(0, 1), 300),
              "mend it, or drop it (CHECK TABLE, REPAIR TABLE)");
}

Result<std::string> own_account(MariadbSession& session) {
  const std::string account = TRY(session.query("SELECT CURRENT_USER()")).text(0, 0);
  const std::size_t at = account.rfind('@');
  if (at == std::string::npos) return fail("the server does not say which account a session has");
  return mariadb_name(account.substr(0, at)) + "@" + mariadb_name(account.substr(at + 1));
}

}  // namespace spl::surface
