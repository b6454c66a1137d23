#include "surface/postgres/database_settings.h"

#include <array>
#include <optional>

#include "base/encoding.h"

namespace spl::surface {
namespace {

constexpr std::size_t kNameShown = 70;
constexpr int kKnowsProviders = 15;  // the first versions that say so
constexpr int kRenamesLocale = 17;

std::string shown(const std::string& text) {
  return base::escaped(text, kNameShown);
}

Result<bool> knows_encoding(ServerConnection& server, const std::string& name) {
  // Beyond these are those that no database is in.
  constexpr const char* kSql =
      "SELECT pg_char_to_encoding($1) BETWEEN 0 AND 34 AND pg_encoding_to_char(pg_char_to_encoding($1)) <> ''";
  return TRY(server.query(kSql, {name})).flag(0, 0);
}

// By a setting that anybody may try, for one statement.
Result<bool> knows_locale(ServerConnection& server, const std::string& name) {
  const auto set = server.query("SELECT set_config('lc_monetary', $1, true)", {name});
  if (set) return true;
  if (server.last_state() == sql_state::kBadParameter) return false;
  return std::unexpected(set.error());
}

Result<bool> knows_provider(ServerConnection& server, const std::string& provider) {
  if (provider == LocaleFacts::kLibc) return true;
  if (server.major_version() < kKnowsProviders) return false;
  if (provider == LocaleFacts::kIcu)
    return TRY(server.query("SELECT FROM pg_collation WHERE collprovider = 'i' LIMIT 1")).size() > 0;
  return provider == LocaleFacts::kBuiltin && server.major_version() >= kRenamesLocale;
}

// Settings stand with a database's object id: those of the live one would stay with it.
Result<void> copy_settings(ServerConnection& admin, const std::string& from, const std::string& to) {
  const Rows rows = TRY(admin.query(
      "SELECT s.setrole = 0, pg_get_userbyid(s.setrole), split_part(c, '=', 1), substr(c, strpos(c, '=') + 1) FROM "
      "pg_db_role_setting s JOIN pg_database d ON d.oid = s.setdatabase, LATERAL unnest(s.setconfig) c WHERE d.datname "
      "= "
      "$1 ORDER BY 1, 2, 3",
      {from}));
  const std::string database = "DATABASE " + sql_name(to);
  for (std::size_t i = 0; i < rows.size(); ++i) {
    const std::string name = rows.text(i, 2);
    const std::string whose = rows.flag(i, 0) ? database : "ROLE " + sql_name(rows.text(i, 1)) + " IN " + database;
    // The server writes lists as they must be quoted.
    auto set = admin.run("BEGIN; SELECT set_config(" + sql_text(name) + ", " + sql_text(rows.text(i, 3)) +
                         ", true); ALTER " + whose + " SET " + sql_name(name) + " FROM CURRENT; COMMIT");
    if (set) continue;
    admin.roll_back();
    return fail(
        ErrorCode::kStop,
        "the setting " + base::escaped(name, 70) + " of the live database cannot be kept: " + set.error().message,
        "let a superuser be in admin_url");
  }
  return {};
}

}  // namespace

std::string DatabaseSettings::sql(const ServerConnection& server) const {
  if (encoding.empty()) return "";
  std::string text = " ENCODING " + sql_text(encoding);
  if (locale.collation.empty() || locale.character_type.empty()) return text;
  text += " LC_COLLATE " + sql_text(locale.collation) + " LC_CTYPE " + sql_text(locale.character_type);
  if (server.major_version() < kKnowsProviders) return text;
  if (locale.provider == LocaleFacts::kIcu) return text + " LOCALE_PROVIDER icu ICU_LOCALE " + sql_text(locale.name);
  if (locale.provider == LocaleFacts::kBuiltin)
    return text + " LOCALE_PROVIDER builtin BUILTIN_LOCALE " + sql_text(locale.name);
  return text + " LOCALE_PROVIDER libc";
}

Result<std::optional<DatabaseSettings>> read_settings(ServerConnection& server, const std::string& database) {
  std::string sql = "SELECT pg_encoding_to_char(encoding), datcollate, datctype, ";
  if (server.major_version() < kKnowsProviders) {
    sql += "'c', ''";
  } else {
    sql += std::string("datlocprovider, ") + (server.major_version() < kRenamesLocale ? "daticulocale" : "datlocale");
  }
  const Rows rows = TRY(server.query(sql + " FROM pg_database WHERE datname = $1", {database}));
  if (rows.size() == 0) return std::optional<DatabaseSettings>();
  DatabaseSettings settings{.encoding = rows.text(0, 0)};
  settings.locale.collation = rows.text(0, 1);
  settings.locale.character_type = rows.text(0, 2);
  const std::string provider = rows.text(0, 3);
  if (provider == "i") settings.locale.provider = LocaleFacts::kIcu;
  if (provider == "b") settings.locale.provider = LocaleFacts::kBuiltin;
  if (provider != "c") settings.locale.name = rows.text(0, 4);
  return std::optional(std::move(settings));
}

Result<DatabaseSettings> settings_of_restored(ServerConnection& server, const std::string& live,
                                              const EngineFacts& engine) {
  if (auto settings = TRY(read_settings(server, live))) {
    if (!engine.encoding.empty() && engine.encoding != settings->encoding)
      settings->warnings.push_back("its text was " + shown(engine.encoding) + ", the live database's is " +
                                   shown(settings->encoding) + ": what that cannot say stops the restore");
    if (!engine.locale.collation.empty() && engine.locale != settings->locale)
      settings->warnings.push_back("its text was ordered as in " + engine.locale.shown() +
                                   ", and will be as in the live database: " + settings->locale.shown());
    return std::move(*settings);
  }
  DatabaseSettings settings{.encoding = engine.encoding, .locale = engine.locale};
  if (settings.encoding.empty()) return DatabaseSettings{};
  if (!TRY(knows_encoding(server, settings.encoding))) {
    DatabaseSettings none;
    none.warnings.push_back("the server does not know its encoding, " + shown(settings.encoding) +
                            ": the database will have the server's own encoding and order");
    return none;
  }
  LocaleFacts& locale = settings.locale;
  if (locale.collation.empty()) return settings;
  if (!TRY(knows_provider(server, locale.provider))) {
    settings.warnings.push_back("the server has no " + shown(locale.provider) + ", which ordered its text (" +
                                locale.shown() + "): it will be ordered as in " + shown(locale.collation));
    locale.provider = LocaleFacts::kLibc;
    locale.name.clear();
  }
  for (std::string* name : {&locale.collation, &locale.character_type}) {
    if (TRY(knows_locale(server, *name))) continue;
    settings.warnings.push_back("the server has no locale " + shown(*name) + ": C will take its place");
    *name = "C";
  }
  return settings;
}

Result<void> copy_properties(ServerConnection& admin, const std::string& from, const std::string& to) {
  const std::string database = sql_name(to);
  TRY(admin.run("ALTER DATABASE " + database + " RESET ALL; COMMENT ON DATABASE " + database + " IS NULL"));
  const Rows live = TRY(admin.query(
      "SELECT datconnlimit, shobj_description(oid, 'pg_database') FROM pg_database WHERE datname = $1", {from}));
  if (live.size() == 0) return {};
  TRY(admin.run("ALTER DATABASE " + database + " CONNECTION LIMIT " + live.text(0, 0)));
  if (!live.is_null(0, 1)) TRY(admin.run("COMMENT ON DATABASE " + database + " IS " + sql_text(live.text(0, 1))));
  const Rows rights = TRY(admin.query(
      "SELECT x.grantee = 0, pg_get_userbyid(x.grantee), x.privilege_type, x.is_grantable FROM pg_database d, LATERAL "
      "aclexplode(coalesce(d.datacl, acldefault('d', d.datdba))) x WHERE d.datname = $1 AND x.grantee <> d.datdba",
      {from}));
  TRY(admin.run("REVOKE ALL ON DATABASE " + database + " FROM PUBLIC"));
  for (std::size_t i = 0; i < rights.size(); ++i)
    TRY(admin.run("GRANT " + rights.text(i, 2) + " ON DATABASE " + database + " TO " +
                  (rights.flag(i, 0) ? "PUBLIC" : sql_name(rights.text(i, 1))) +
                  (rights.flag(i, 3) ? " WITH GRANT OPTION" : "")));
  return copy_settings(admin, from, to);
}

}  // namespace spl::surface
