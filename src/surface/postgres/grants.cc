#include "surface/postgres/grants.h"

#include "base/encoding.h"

namespace spl::surface {
namespace {

// $1 is a schema, or empty where it is about all of them; $2 is the role whose extensions are not believed, or empty.
constexpr const char* kGrants =
    "WITH spaces AS (SELECT oid, nspname, nspowner, nspacl FROM pg_namespace WHERE nspname <> 'information_schema' "
    "AND nspname !~ '^pg_' AND ($1::text = '' OR nspname = $1::text)), "
    "given(class, object, part, kind, what, owner, acl) AS ("
    "SELECT 'pg_namespace'::regclass, oid, 0, 'n', 'SCHEMA ' || quote_ident(nspname), nspowner, nspacl FROM spaces "
    "UNION ALL SELECT 'pg_class'::regclass, c.oid, 0, CASE c.relkind WHEN 'S' THEN 's' ELSE 'r' END, CASE c.relkind "
    "WHEN 'S' THEN 'SEQUENCE ' ELSE 'TABLE ' END || quote_ident(s.nspname) || '.' || quote_ident(c.relname), "
    "c.relowner, c.relacl FROM pg_class c JOIN spaces s ON s.oid = c.relnamespace "
    "UNION ALL SELECT 'pg_class'::regclass, c.oid, a.attnum, 'c', '(' || quote_ident(a.attname) || ') ON TABLE ' || "
    "quote_ident(s.nspname) || '.' || quote_ident(c.relname), c.relowner, a.attacl FROM pg_attribute a JOIN pg_class c "
    "ON c.oid = a.attrelid JOIN spaces s ON s.oid = c.relnamespace "
    "UNION ALL SELECT 'pg_proc'::regclass, p.oid, 0, 'f', 'ROUTINE ' || p.oid::regprocedure::text, p.proowner, "
    "p.proacl FROM pg_proc p JOIN spaces s ON s.oid = p.pronamespace "
    "UNION ALL SELECT 'pg_type'::regclass, t.oid, 0, 'T', 'TYPE ' || quote_ident(s.nspname) || '.' || "
    "quote_ident(t.typname), t.typowner, t.typacl FROM pg_type t JOIN spaces s ON s.oid = t.typnamespace "
    "UNION ALL SELECT 'pg_language'::regclass, oid, 0, 'l', 'LANGUAGE ' || quote_ident(lanname), lanowner, lanacl FROM "
    "pg_language WHERE lanpltrusted AND $1::text = '' "
    "UNION ALL SELECT 'pg_foreign_data_wrapper'::regclass, oid, 0, 'F', 'FOREIGN DATA WRAPPER ' || "
    "quote_ident(fdwname), fdwowner, fdwacl FROM pg_foreign_data_wrapper WHERE $1::text = '' "
    "UNION ALL SELECT 'pg_foreign_server'::regclass, oid, 0, 'S', 'FOREIGN SERVER ' || quote_ident(srvname), srvowner, "
    "srvacl FROM pg_foreign_server WHERE $1::text = '' "
    "UNION ALL SELECT 'pg_largeobject'::regclass, oid, 0, 'L', 'LARGE OBJECT ' || oid, lomowner, lomacl FROM "
    "pg_largeobject_metadata WHERE $1::text = '' "
    "UNION ALL SELECT 'pg_database'::regclass, oid, 0, 'd', 'DATABASE ' || quote_ident(datname), datdba, datacl FROM "
    "pg_database WHERE datname = current_database() AND $1::text = ''), "
    "others AS (SELECT x.privilege_type || CASE WHEN g.kind = 'c' THEN ' ' ELSE ' ON ' END || g.what AS right_on, "
    "CASE x.grantee WHEN 0 THEN 'PUBLIC' ELSE quote_ident(pg_get_userbyid(x.grantee)) END AS whom, x.is_grantable "
    "FROM given g, LATERAL aclexplode(g.acl) x WHERE g.acl IS NOT NULL AND x.grantee <> g.owner "
    // What is so where nobody has given anything.
    "AND NOT (g.what = 'SCHEMA public' AND x.grantee = 0 AND x.privilege_type = 'USAGE') "
    "AND NOT EXISTS (SELECT FROM aclexplode(acldefault(g.kind::\"char\", g.owner)) d WHERE d.grantee = x.grantee AND "
    "d.privilege_type = x.privilege_type) "
    "AND NOT EXISTS (SELECT FROM pg_init_privs i, LATERAL aclexplode(i.initprivs) d WHERE i.classoid = g.class AND "
    "i.objoid = g.object AND i.objsubid = g.part AND d.grantee = x.grantee AND d.privilege_type = x.privilege_type AND "
    "($2::text = '' OR pg_get_userbyid(g.owner) NOT IN ($2::text, 'pg_database_owner')))) "
    "SELECT right_on, whom, is_grantable FROM others ORDER BY right_on COLLATE \"C\", whom COLLATE \"C\"";

}  // namespace

Result<std::vector<std::string>> list_grants(ServerConnection& server, const Scope& schema) {
  const Rows rows = TRY(server.query(kGrants, {schema.value_or(""), ""}));
  std::vector<std::string> grants;
  for (std::size_t i = 0; i < rows.size(); ++i)
    grants.push_back("GRANT " + rows.text(i, 0) + " TO " + rows.text(i, 1) +
                     (rows.flag(i, 2) ? " WITH GRANT OPTION" : ""));
  return grants;
}

Result<void> revoke_grants(ServerConnection& server, const Scope& schema, const std::string& role) {
  const Rows rows = TRY(server.query(kGrants, {schema.value_or(""), role}));
  for (std::size_t i = 0; i < rows.size(); ++i)
    TRY(server.run("REVOKE " + rows.text(i, 0) + " FROM " + rows.text(i, 1) + " CASCADE"));
  const Rows left = TRY(server.query(kGrants, {schema.value_or(""), role}));
  if (left.size() == 0) return {};
  return fail(ErrorCode::kStop, "a right that the dump gives cannot be taken back: GRANT " +
                                    base::escaped(left.text(0, 0), 140) + " TO " + base::escaped(left.text(0, 1), 70));
}

}  // namespace spl::surface
