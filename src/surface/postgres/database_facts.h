// What a database, or a schema of it, is and holds: read in a session. One thread.
#pragma once

#include <compare>
#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "base/result.h"
#include "surface/part.h"
#include "surface/postgres/connection.h"
#include "surface/postgres/engine_text.h"

namespace spl::surface {

struct TableFacts {
  std::string schema;
  std::string name;
  std::uint64_t rows = 0;
  auto operator<=>(const TableFacts&) const = default;
};

struct TableName {
  std::string schema;
  std::string name;
  bool is_partitioned = false;  // has no rows of its own
  bool operator==(const TableName&) const = default;
};

// All of these: of one schema, or of the whole database that the session is in.
using Scope = std::optional<std::string>;
Result<std::vector<TableName>> list_tables(ServerConnection& server, const Scope& schema);
struct Unreadable {
  enum class Why : std::uint8_t { kNoRight, kHiddenRows };  // policies stand before the rows
  std::string what;                                         // "table public.notes", "schema crm", "large object 4711"
  Why why = Why::kNoRight;
};
// What a backup reads and the session's role may not: some of it, for a message.
Result<std::vector<Unreadable>> list_unreadable(ServerConnection& server, const Scope& schema);
// Tables and their rows: every row is read.
Result<std::vector<TableFacts>> count_tables(ServerConnection& server, const Scope& schema, base::Progress& progress);
Result<std::uint64_t> count_large_objects(ServerConnection& server);
Result<std::vector<ExtensionFacts>> list_extensions(ServerConnection& server);
// Without those that a schema does not need and that lie where somebody else's tables are.
Result<std::vector<ExtensionFacts>> list_extensions_for(ServerConnection& server, const Scope& schema);
// One of what somebody has made there, for a message; nothing where there is none.
Result<std::optional<std::string>> find_any_object(ServerConnection& server, const Scope& schema);
// The same of what lies outside the schema.
Result<std::optional<std::string>> find_any_object_beside(ServerConnection& server, const std::string& schema);
// A schema besides `own` in which this role may create things. The role "public" is anybody.
Result<std::optional<std::string>> find_open_schema(ServerConnection& server, const std::string& role,
                                                    const std::string& own);
// The stop that it is for a stranger's dump.
std::unexpected<Error> open_schema(const std::string& schema);
// All but `program`.
Result<EngineFacts> read_engine_facts(ServerConnection& server, const Scope& schema);

std::vector<Count> counts_of(const std::vector<TableFacts>& tables, std::uint64_t large_objects, const Scope& schema);

}  // namespace spl::surface
