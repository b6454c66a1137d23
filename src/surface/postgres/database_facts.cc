#include "surface/postgres/database_facts.h"

#include <utility>

#include "base/encoding.h"
#include "surface/postgres/database_settings.h"

namespace spl::surface {
namespace {

// $1 is a schema, or empty where it is about all of them. What belongs to an extension is the extension's, but for the
// tables whose rows it has pg_dump take.
const std::string kIn =
    "FROM pg_class c JOIN pg_namespace n ON n.oid = c.relnamespace WHERE c.relpersistence <> 't' AND n.nspname <> "
    "'information_schema' AND n.nspname !~ '^pg_' AND ($1::text = '' OR n.nspname = $1::text) AND "
    "(NOT EXISTS (SELECT FROM pg_depend d WHERE d.classid = 'pg_class'::regclass AND d.objid = c.oid AND d.deptype = "
    "'e') OR EXISTS (SELECT FROM pg_extension e WHERE c.oid = ANY (e.extconfig))) ";
const std::string kTables =
    kIn + "AND c.relkind IN ('r', 'p') ORDER BY n.nspname COLLATE \"C\", c.relname COLLATE \"C\"";

// What pg_dump reads, as far as the role may not, or not all of it. Large objects belong to no schema.
const std::string kUnreadable =
    "SELECT what, NOT readable FROM (SELECT CASE WHEN NOT has_schema_privilege(n.oid, 'USAGE') THEN 'schema ' || "
    "quote_ident(n.nspname) ELSE CASE c.relkind WHEN 'S' THEN 'sequence ' ELSE 'table ' END || quote_ident(n.nspname) "
    "|| '.' || quote_ident(c.relname) END AS what, has_schema_privilege(n.oid, 'USAGE') AND has_table_privilege(c.oid, "
    "'SELECT') AS readable, row_security_active(c.oid) AS hidden " +
    kIn +
    "AND c.relkind IN ('r', 'p', 'S') UNION SELECT 'large object ' || m.oid, "
    "current_setting('lo_compat_privileges')::boolean OR pg_has_role(m.lomowner, 'USAGE') OR EXISTS (SELECT FROM "
    "aclexplode(m.lomacl) x WHERE x.privilege_type = 'SELECT' AND (x.grantee = 0 OR pg_has_role(x.grantee, 'USAGE'))), "
    "false FROM pg_largeobject_metadata m WHERE $1::text = '') found WHERE NOT readable OR hidden ORDER BY 2 DESC, 1 "
    "LIMIT 20";

constexpr const char* kExtensions =
    "SELECT e.extname, e.extversion, n.nspname FROM pg_extension e JOIN pg_namespace n ON n.oid = e.extnamespace "
    "WHERE e.extname <> 'plpgsql' ORDER BY e.extname COLLATE \"C\"";

// Whatever somebody can make in a schema and that stands by itself there; of a whole database what lies in none, too. A
// schema, an extension, and what comes with a table or an extension are none of it.
constexpr const char* kAnyObject =
    "WITH o(classid, objid, space) AS ("
    "SELECT 'pg_class'::regclass, oid, relnamespace FROM pg_class WHERE relkind IN ('r','p','v','m','S','f','c') "
    "UNION ALL SELECT 'pg_proc'::regclass, oid, pronamespace FROM pg_proc "
    "UNION ALL SELECT 'pg_type'::regclass, oid, typnamespace FROM pg_type WHERE typtype IN ('d','e','r') "
    "UNION ALL SELECT 'pg_type'::regclass, t.oid, typnamespace FROM pg_type t WHERE typtype = 'b' AND NOT EXISTS "
    "(SELECT FROM pg_type e WHERE e.typarray = t.oid) "
    "UNION ALL SELECT 'pg_operator'::regclass, oid, oprnamespace FROM pg_operator "
    "UNION ALL SELECT 'pg_opclass'::regclass, oid, opcnamespace FROM pg_opclass "
    "UNION ALL SELECT 'pg_opfamily'::regclass, oid, opfnamespace FROM pg_opfamily "
    "UNION ALL SELECT 'pg_collation'::regclass, oid, collnamespace FROM pg_collation "
    "UNION ALL SELECT 'pg_conversion'::regclass, oid, connamespace FROM pg_conversion "
    "UNION ALL SELECT 'pg_statistic_ext'::regclass, oid, stxnamespace FROM pg_statistic_ext "
    "UNION ALL SELECT 'pg_ts_config'::regclass, oid, cfgnamespace FROM pg_ts_config "
    "UNION ALL SELECT 'pg_ts_dict'::regclass, oid, dictnamespace FROM pg_ts_dict "
    "UNION ALL SELECT 'pg_ts_parser'::regclass, oid, prsnamespace FROM pg_ts_parser "
    "UNION ALL SELECT 'pg_ts_template'::regclass, oid, tmplnamespace FROM pg_ts_template "
    // The first object id that is not the server's own is 16384.
    "UNION ALL SELECT 'pg_foreign_server'::regclass, oid, NULL FROM pg_foreign_server "
    "UNION ALL SELECT 'pg_foreign_data_wrapper'::regclass, oid, NULL FROM pg_foreign_data_wrapper "
    "UNION ALL SELECT 'pg_cast'::regclass, oid, NULL FROM pg_cast WHERE oid >= 16384 "
    "UNION ALL SELECT 'pg_language'::regclass, oid, NULL FROM pg_language WHERE oid >= 16384 "
    "UNION ALL SELECT 'pg_event_trigger'::regclass, oid, NULL FROM pg_event_trigger "
    "UNION ALL SELECT 'pg_publication'::regclass, oid, NULL FROM pg_publication "
    "UNION ALL SELECT 'pg_largeobject'::regclass, oid, NULL FROM pg_largeobject_metadata) "
    "SELECT i.type || ' ' || i.identity FROM o LEFT JOIN pg_namespace n ON n.oid = o.space, "
    "LATERAL pg_identify_object(o.classid, o.objid, 0) i "
    "WHERE CASE WHEN o.space IS NULL THEN $1::text = '' ELSE n.nspname <> 'information_schema' AND n.nspname !~ '^pg_' "
    "AND ($1::text = '' OR n.nspname = $1::text) AND n.nspname <> $2::text END "
    "AND NOT EXISTS (SELECT FROM pg_depend d WHERE d.classid = o.classid AND d.objid = o.objid AND d.deptype = 'e') "
    "LIMIT 1";

// Those that a schema's objects depend on, and those that lie where nobody has tables: what a function's body calls
// nobody knows.
constexpr const char* kExtensionsFor =
    "WITH space AS (SELECT oid FROM pg_namespace WHERE nspname = $1), mine(classid, objid) AS ("
    "SELECT 'pg_class'::regclass, c.oid FROM pg_class c JOIN space s ON s.oid = c.relnamespace UNION ALL "
    "SELECT 'pg_proc'::regclass, p.oid FROM pg_proc p JOIN space s ON s.oid = p.pronamespace UNION ALL "
    "SELECT 'pg_type'::regclass, t.oid FROM pg_type t JOIN space s ON s.oid = t.typnamespace UNION ALL "
    "SELECT 'pg_operator'::regclass, o.oid FROM pg_operator o JOIN space s ON s.oid = o.oprnamespace UNION ALL "
    "SELECT 'pg_constraint'::regclass, k.oid FROM pg_constraint k JOIN space s ON s.oid = k.connamespace UNION ALL "
    "SELECT 'pg_attrdef'::regclass, a.oid FROM pg_attrdef a JOIN pg_class c ON c.oid = a.adrelid JOIN space s ON s.oid "
    "= c.relnamespace UNION ALL "
    "SELECT 'pg_rewrite'::regclass, w.oid FROM pg_rewrite w JOIN pg_class c ON c.oid = w.ev_class JOIN space s ON "
    "s.oid = c.relnamespace UNION ALL "
    "SELECT 'pg_policy'::regclass, y.oid FROM pg_policy y JOIN pg_class c ON c.oid = y.polrelid JOIN space s ON s.oid "
    "= c.relnamespace UNION ALL "
    "SELECT 'pg_trigger'::regclass, g.oid FROM pg_trigger g JOIN pg_class c ON c.oid = g.tgrelid JOIN space s ON s.oid "
    "= c.relnamespace) "
    "SELECT e.extname, e.extversion, n.nspname FROM pg_extension e JOIN pg_namespace n ON n.oid = e.extnamespace "
    "WHERE e.extname <> 'plpgsql' AND (n.nspname IN ('public', 'pg_catalog') OR NOT EXISTS (SELECT FROM pg_class c "
    "WHERE c.relnamespace = n.oid AND c.relkind IN ('r', 'p') AND NOT EXISTS (SELECT FROM pg_depend x WHERE x.classid "
    "= 'pg_class'::regclass AND x.objid = c.oid AND x.deptype = 'e')) OR EXISTS (SELECT FROM mine m JOIN pg_depend d "
    "ON d.classid = m.classid AND d.objid = m.objid JOIN pg_depend x ON x.classid = d.refclassid AND x.objid = "
    "d.refobjid WHERE x.deptype = 'e' AND x.refclassid = 'pg_extension'::regclass AND x.refobjid = e.oid)) "
    "ORDER BY e.extname COLLATE \"C\"";

std::string text_of(const Scope& schema) {
  return schema.value_or("");
}

std::vector<ExtensionFacts> extensions_of(const Rows& rows) {
  std::vector<ExtensionFacts> extensions;
  for (std::size_t i = 0; i < rows.size(); ++i)
    extensions.push_back({rows.text(i, 0), rows.text(i, 1), rows.text(i, 2)});
  return extensions;
}

// In `schema`, or anywhere where that is empty; not in `without`.
Result<std::optional<std::string>> first_object(ServerConnection& server, const std::string& schema,
                                                const std::string& without) {
  const Rows rows = TRY(server.query(kAnyObject, {schema, without}));
  if (rows.size() == 0) return std::optional<std::string>();
  return std::optional(rows.text(0, 0));
}

}  // namespace

Result<std::vector<TableName>> list_tables(ServerConnection& server, const Scope& schema) {
  const Rows rows = TRY(server.query("SELECT n.nspname, c.relname, c.relkind = 'p' " + kTables, {text_of(schema)}));
  std::vector<TableName> tables;
  for (std::size_t i = 0; i < rows.size(); ++i) tables.push_back({rows.text(i, 0), rows.text(i, 1), rows.flag(i, 2)});
  return tables;
}

Result<std::vector<Unreadable>> list_unreadable(ServerConnection& server, const Scope& schema) {
  const Rows rows = TRY(server.query(kUnreadable, {text_of(schema)}));
  std::vector<Unreadable> found;
  for (std::size_t i = 0; i < rows.size(); ++i)
    found.push_back({rows.text(i, 0), rows.flag(i, 1) ? Unreadable::Why::kNoRight : Unreadable::Why::kHiddenRows});
  return found;
}

Result<std::vector<TableFacts>> count_tables(ServerConnection& server, const Scope& schema, base::Progress& progress) {
  const std::vector<TableName> tables = TRY(list_tables(server, schema));
  std::vector<TableFacts> counted;
  for (const TableName& table : tables) {
    progress.update("counting rows", counted.size(), tables.size(), "tables");
    if (progress.cancelled()) return base::fail_cancelled("rows were not counted");
    TableFacts facts{table.schema, table.name};
    if (!table.is_partitioned) {
      const std::string from = "SELECT count(*) FROM ONLY " + sql_name(table.schema) + "." + sql_name(table.name);
      facts.rows = TRY(server.query(from)).number(0, 0);
    }
    counted.push_back(std::move(facts));
  }
  return counted;
}

Result<std::uint64_t> count_large_objects(ServerConnection& server) {
  return TRY(server.query("SELECT count(*) FROM pg_largeobject_metadata")).number(0, 0);
}

Result<std::vector<ExtensionFacts>> list_extensions(ServerConnection& server) {
  return extensions_of(TRY(server.query(kExtensions)));
}

Result<std::vector<ExtensionFacts>> list_extensions_for(ServerConnection& server, const Scope& schema) {
  if (!schema) return list_extensions(server);
  return extensions_of(TRY(server.query(kExtensionsFor, {*schema})));
}

Result<std::optional<std::string>> find_any_object(ServerConnection& server, const Scope& schema) {
  return first_object(server, text_of(schema), "");
}

Result<std::optional<std::string>> find_any_object_beside(ServerConnection& server, const std::string& schema) {
  return first_object(server, "", schema);
}

Result<EngineFacts> read_engine_facts(ServerConnection& server, const Scope& schema) {
  EngineFacts facts{.server = server.version()};
  const std::string database = TRY(server.query("SELECT current_database()")).text(0, 0);
  if (auto settings = TRY(read_settings(server, database))) {
    facts.encoding = std::move(settings->encoding);
    facts.locale = std::move(settings->locale);
  }
  facts.extensions = TRY(list_extensions_for(server, schema));
  return facts;
}

Result<std::optional<std::string>> find_open_schema(ServerConnection& server, const std::string& role,
                                                    const std::string& own) {
  constexpr const char* kSql =
      "SELECT nspname FROM pg_namespace WHERE has_schema_privilege($1, oid, 'CREATE') AND nspname <> $2 AND nspname !~ "
      "'^pg_temp_' ORDER BY nspname <> 'public', 1 LIMIT 1";
  const Rows rows = TRY(server.query(kSql, {role, own}));
  if (rows.size() == 0) return std::optional<std::string>();
  return std::optional(rows.text(0, 0));
}

std::unexpected<Error> open_schema(const std::string& schema) {
  constexpr std::size_t kNameShown = 70;
  const std::string shown = base::escaped(schema, kNameShown);
  return fail(ErrorCode::kStop,
              "anybody may create things in the schema " + shown +
                  " of the live database: so could the functions of "
                  "somebody else's dump while it is loaded, for others to call them",
              "REVOKE CREATE ON SCHEMA " + shown + " FROM PUBLIC");
}

std::vector<Count> counts_of(const std::vector<TableFacts>& tables, std::uint64_t large_objects, const Scope& schema) {
  std::uint64_t rows = 0;
  for (const TableFacts& table : tables) rows += table.rows;
  std::vector<Count> counts{{"tables", tables.size()}, {"rows", rows}};
  if (!schema) counts.push_back({"large_objects", large_objects});
  return counts;
}

}  // namespace spl::surface
