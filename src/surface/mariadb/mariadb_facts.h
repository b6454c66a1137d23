// What is in a database, and what a bundle's manifest says of the server that a part came from. One thread.
#pragma once

#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "base/progress.h"
#include "surface/mariadb/mariadb_session.h"
#include "surface/part.h"

namespace spl::surface {

// How a database's text is encoded and ordered where a table does not say. Empty: not known.
struct MariadbDefaults {
  std::string charset;
  std::string collation;
  // " CHARACTER SET ... COLLATE ...", for CREATE DATABASE and ALTER DATABASE; empty where not known.
  [[nodiscard]] std::string sql() const;
  bool operator==(const MariadbDefaults&) const = default;
};

// "mariadb 10.11.19 charset utf8mb4 collate utf8mb4_general_ci", and the other way round: what is missing or not
// written so is empty.
struct MariadbEngine {
  std::string version;
  MariadbDefaults defaults;
  [[nodiscard]] std::string text() const;
  static MariadbEngine parse(std::string_view text);
  // 1011 of 10.11.19; 0 where it is not known.
  [[nodiscard]] unsigned series() const;
};

// Nothing where there is no such database.
Result<std::optional<MariadbDefaults>> find_database(MariadbSession& server, const std::string& name);
// As the server has them, of those that it knows; else nothing.
Result<MariadbDefaults> known_defaults(MariadbSession& server, const MariadbDefaults& wanted);

enum class MariadbTableKind : std::uint8_t { kTable, kSequence, kView };
struct MariadbTable {
  std::string name;
  MariadbTableKind kind = MariadbTableKind::kTable;
  bool operator==(const MariadbTable&) const = default;
};
// A view that a restore has found broken cannot be made again: until it comes back or goes, it bears such a name, which
// nobody sees here. "spl_0123456789abcdef_89abcdef_view_1"
bool is_kept_view(std::string_view name);
// Ascending by name. Of a database that is not there: none.
Result<std::vector<MariadbTable>> list_tables(MariadbSession& server, const std::string& database);
// Tables and sequences alone.
Result<std::vector<std::string>> list_stored(MariadbSession& server, const std::string& database);

// "tables", "rows", "sequences", "views", "triggers", "routines", "events".
struct MariadbCounts {
  std::uint64_t tables = 0;
  std::uint64_t rows = 0;
  std::uint64_t sequences = 0;
  std::uint64_t views = 0;
  std::uint64_t triggers = 0;
  std::uint64_t routines = 0;
  std::uint64_t events = 0;
  [[nodiscard]] std::vector<Count> list() const;
  [[nodiscard]] bool has_any() const { return tables + sequences + views + triggers + routines + events > 0; }
};
// All but rows.
Result<MariadbCounts> count_objects(MariadbSession& server, const std::string& database);
Result<std::uint64_t> count_rows(MariadbSession& server, const std::string& database, base::Progress& progress);

// A table that the server cannot open, or a partition of one, is an error: nothing is known of what it holds.
Result<void> refuse_broken_tables(MariadbSession& server, const std::string& database);

// The account that a session has, as DEFINER = and GRANT have it: "`notes`@`localhost`".
Result<std::string> own_account(MariadbSession& session);

}  // namespace spl::surface
