// What a database, or a schema of it, holds: read in a session, written beside the dump as dump.json, so that a restore
// can compare (docs/formats/postgres.md). One thread.
#pragma once

#include <compare>
#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "base/result.h"
#include "codec/shape.h"
#include "surface/part.h"
#include "surface/postgres/connection.h"

namespace spl::surface {

struct TableFacts {
  std::string schema;
  std::string name;
  std::uint64_t rows = 0;
  auto operator<=>(const TableFacts&) const = default;

  static constexpr auto shape() {
    using F = TableFacts;
    return codec::shape(codec::path_member("schema", &F::schema, "the table's schema"),
                        codec::path_member("name", &F::name, "its name"),
                        codec::member("rows", &F::rows, "its own, without those of what inherits from it"));
  }
};

struct ExtensionFacts {
  std::string name;
  std::string version;
  std::string schema;

  static constexpr auto shape() {
    using F = ExtensionFacts;
    return codec::shape(codec::path_member("name", &F::name, "the extension"),
                        codec::path_member("version", &F::version, "as it is installed"),
                        codec::path_member("schema", &F::schema, "where its objects are"));
  }
};

// dump.json
struct DumpFacts {
  std::string server;                 // "15.18"
  std::string program;                // pg_dump's
  std::optional<std::string> schema;  // of a split by schema: its name when it was taken
  std::string encoding;
  std::string collation;
  std::string character_type;
  std::vector<TableFacts> tables;
  std::uint64_t large_objects = 0;
  std::vector<ExtensionFacts> extensions;
  std::vector<std::string> grants;

  static constexpr auto shape() {
    using F = DumpFacts;
    using enum codec::Presence;
    return codec::shape(codec::member("server", &F::server, "the server's version"),
                        codec::member("program", &F::program, "pg_dump's version"),
                        codec::member("schema", &F::schema, "the schema's name, of a split by schema", kOmitted),
                        codec::member("encoding", &F::encoding, "of the database"),
                        codec::path_member("collation", &F::collation, "of the database"),
                        codec::path_member("character_type", &F::character_type, "of the database"),
                        codec::member("tables", &F::tables, "every table, in the order of schema and name"),
                        codec::member("large_objects", &F::large_objects, "how many"),
                        codec::member("extensions", &F::extensions, "what the database has, but for plpgsql"),
                        codec::member("grants", &F::grants, "rights of other roles, which a restore does not give"));
  }
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
struct TableRights {
  std::string name;  // as SQL has it
  bool is_readable = false;
  bool has_hidden_rows = false;  // policies stand before them
};
Result<std::vector<TableRights>> list_table_rights(ServerConnection& server, const Scope& schema);
// Tables and their rows: every row is read.
Result<std::vector<TableFacts>> count_tables(ServerConnection& server, const Scope& schema, base::Progress& progress);
Result<std::uint64_t> count_large_objects(ServerConnection& server);
Result<std::vector<ExtensionFacts>> list_extensions(ServerConnection& server);
Result<std::vector<std::string>> list_grants(ServerConnection& server, const Scope& schema);
// One of what somebody has made there, for a message; nothing where there is none.
Result<std::optional<std::string>> find_any_object(ServerConnection& server, const Scope& schema);
// All but `server` and `program`.
Result<DumpFacts> read_facts(ServerConnection& server, const Scope& schema, base::Progress& progress);

std::vector<Count> counts_of(const std::vector<TableFacts>& tables, std::uint64_t large_objects, const Scope& schema);

}  // namespace spl::surface
