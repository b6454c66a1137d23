#include "surface/postgres/staging.h"

#include <algorithm>
#include <array>

#include "base/encoding.h"
#include "base/words.h"
#include "surface/postgres/archive_list.h"
#include "surface/postgres/archive_program.h"
#include "surface/postgres/database_settings.h"
#include "surface/postgres/grants.h"
#include "surface/postgres/postgres.h"

namespace spl::surface {
namespace {

constexpr std::size_t kPieceBytes = 256u << 10;
constexpr std::size_t kPasswordBytes = 32;
constexpr std::size_t kSaidBytesShown = 600;
constexpr std::chrono::hours kLoadTimeMax{24};

std::unexpected<Error> no_part(std::string why) {
  return fail(ErrorCode::kVerification, Cause::kMalformed, std::move(why));
}

// Gives the program what comes: false of one that wants no more of it, and has a reason, which its end tells.
Result<bool> feed(env::ChildProcess& child, Source& from, std::uint64_t bytes, base::Progress& progress) {
  std::string piece(kPieceBytes, '\0');
  for (std::uint64_t done = 0;;) {
    progress.update("loading the database", done, bytes, "bytes");
    const std::size_t n = TRY(from.read(piece));
    if (n == 0) break;
    if (const auto taken = child.input().write(std::string_view(piece.data(), n)); !taken) {
      if (taken.error().cause == Cause::kCancelled || taken.error().cause == Cause::kTimeout)
        return std::unexpected(taken.error());
      return false;
    }
    done += n;
  }
  child.close_input();
  return true;
}

std::vector<std::string> load_words(const ServerAddress& address) {
  std::vector<std::string> words{"--format=custom", "--exit-on-error", "--no-password",
                                 "--dbname=" + address.argument()};
  words.insert(words.end(), words_for_what_stays().begin(), words_for_what_stays().end());
  return words;
}

bool has_superuser_rights(ServerConnection& server, const std::string& role) {
  const auto rows = server.query("SELECT rolsuper FROM pg_roles WHERE rolname = $1", {role});
  return !rows || rows->size() == 0 || rows->flag(0, 0);
}

}  // namespace

Result<void> Staging::remove(const RestoreTarget& target) {
  ServerConnection admin = TRY(target.open_admin());
  const std::string& name = target.other();
  const bool has_role = TRY(admin.query("SELECT FROM pg_roles WHERE rolname = $1", {name})).size() > 0;
  if (has_role) {
    TRY(admin.run("ALTER ROLE " + sql_name(name) + " NOLOGIN"));
    TRY(admin.query("SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE usename = $1", {name}));
  }
  if (target.schema() && TRY(database_oid(admin, target.database()))) {
    ServerConnection live = TRY(target.open_admin_in(target.database()));
    TRY(live.run("DROP SCHEMA IF EXISTS " + sql_name(name) + " CASCADE"));
    if (has_role) TRY(live.run("DROP OWNED BY " + sql_name(name) + " CASCADE"));
  }
  TRY(admin.run("DROP DATABASE IF EXISTS " + sql_name(name) + " WITH (FORCE)"));
  return admin.run("DROP ROLE IF EXISTS " + sql_name(name));
}

Result<void> Staging::read_list(Source& content, spool::Spool& head, base::Progress& progress) {
  list_ = TRY(list_archive(*program_, content, head, progress));
  if (!target_.schema()) return {};
  const std::size_t schemas = listed(list_, "SCHEMA").size();
  if (schemas == 1) return {};
  return no_part("the dump has " + base::counted(schemas, "schema") + ", and the surface is split by schema");
}

// A dump does not say where it was, but for those who are to make it.
ExtensionFacts Staging::extension_called(const std::string& name, const std::vector<ExtensionFacts>& live) const {
  const auto schemas = listed(list_, "SCHEMA");
  const auto is_in_dump = [&schemas](const std::string& schema) {
    return schema == "public" || schema == "pg_catalog" ||
           std::ranges::any_of(schemas, [&](const std::string& line) { return is_listed_as(line, schema); });
  };
  for (const auto* facts : {&engine_.extensions, &live}) {
    for (const ExtensionFacts& extension : *facts) {
      if (extension.name == name && is_in_dump(extension.schema)) return extension;
    }
  }
  return {name, {}, "public"};
}

// Those of a whole database are wanted for certain. Of what a schema needs of its database's nobody knows but the
// server, when it is loaded.
Result<void> Staging::check_extensions(ServerConnection& admin) {
  std::vector<ExtensionFacts> live;
  if (has_live_) {
    ServerConnection server = TRY(target_.open_admin_in(target_.database()));
    live = TRY(list_extensions(server));
  }
  if (target_.schema()) {
    // No dump of a schema lists them: those that the bundle names, and those of where it goes.
    extensions_ = engine_.extensions;
    for (const ExtensionFacts& extension : live) {
      if (std::ranges::find(extensions_, extension.name, &ExtensionFacts::name) == extensions_.end())
        extensions_.push_back(extension);
    }
  } else {
    for (std::string name : listed(list_, "EXTENSION")) {
      // "hstore ": it has no owner there.
      if (name.ends_with(' ')) name.pop_back();
      extensions_.push_back(extension_called(name, live));
    }
  }
  const bool is_superuser = has_superuser_rights(admin, target_.admin().user());
  for (const ExtensionFacts& extension : extensions_) {
    const Rows rows = TRY(admin.query(
        "SELECT bool_or(trusted OR NOT superuser) FROM pg_available_extension_versions WHERE name = $1 HAVING count(*) "
        "> 0",
        {extension.name}));
    const std::string shown = base::escaped(extension.name, 70);
    if (rows.size() > 0 && rows.flag(0, 0)) continue;
    // Who put it there, or made the dump, has trusted it.
    const bool is_wanted =
        signer_ == Trust::kOwn || std::ranges::find(live, extension.name, &ExtensionFacts::name) != live.end();
    if (rows.size() > 0 && is_superuser && is_wanted) {
      by_admin_.push_back(extension);
      continue;
    }
    missing_.push_back(shown);
    if (target_.schema()) continue;
    if (rows.size() == 0)
      return fail(
          ErrorCode::kStop, "the server does not have the extension " + shown,
          "install the package that has it, such as postgresql-" + std::to_string(admin.major_version()) + "-" + shown);
    return fail(ErrorCode::kStop,
                "only a superuser may make the extension " + shown + ", and nobody here has asked for it",
                "make it in the live database as a superuser (CREATE EXTENSION), with one in admin_url, and try again");
  }
  return {};
}

// An extension within the schema of a split: it would be in the way of the schema, and no dump of a schema has it.
bool Staging::comes_with_dump(const ExtensionFacts& extension) const {
  if (!target_.schema()) return false;
  const auto lines = listed(list_, "SCHEMA");
  return std::ranges::any_of(lines, [&](const std::string& line) {
    if (!is_listed_as(line, extension.schema)) return false;
    // What follows is the owner.
    return line.find(' ', std::min(extension.schema.size() + 1, line.size())) == std::string::npos;
  });
}

// Before anything of the dump is there.
Result<void> Staging::make_extensions_by_admin() {
  if (by_admin_.empty()) return {};
  ServerConnection server = TRY(target_.open_admin_in(target_.other()));
  for (const ExtensionFacts& extension : by_admin_) {
    const std::string schema = sql_name(extension.schema);
    if (comes_with_dump(extension)) {
      missing_.push_back(base::escaped(extension.name, 70));
      continue;
    }
    if (!TRY(schema_oid(server, extension.schema))) {
      TRY(server.run("CREATE SCHEMA " + schema + " AUTHORIZATION " + sql_name(target_.other())));
      schemas_by_admin_.push_back(extension.schema);
    }
    TRY(server.run("CREATE EXTENSION IF NOT EXISTS " + sql_name(extension.name) + " WITH SCHEMA " + schema));
  }
  return {};
}

Result<void> Staging::make_role(ServerConnection& admin) {
  std::array<char, kPasswordBytes> octets{};
  surroundings_.env.random.fill(octets);
  std::string text = base::to_hex({octets.data(), octets.size()});
  password_ = SecretBytes(text);
  explicit_bzero(text.data(), text.size());
  explicit_bzero(octets.data(), octets.size());
  const std::string& role = target_.other();
  const std::string verifier = TRY(admin.password_verifier(role, password_));
  const bool by_superuser = TRY(admin.query("SELECT rolsuper FROM pg_roles WHERE rolname = current_user")).flag(0, 0);
  // Policies that bind a table's owner, too, would not let its rows in. It owns every table that it can read.
  std::string sql = "CREATE ROLE " + sql_name(role) + " LOGIN NOSUPERUSER NOCREATEDB NOCREATEROLE NOREPLICATION " +
                    (by_superuser ? "BYPASSRLS" : "NOBYPASSRLS") + " PASSWORD " + sql_text(verifier);
  // Who is no superuser may give away, and remove, only what is in a role that he is in: from the first moment.
  if (!by_superuser) sql = "BEGIN; " + sql + "; GRANT " + sql_name(role) + " TO CURRENT_USER; COMMIT";
  auto made = admin.run(sql);
  if (!made) admin.roll_back();
  return made;
}

Result<void> Staging::make_database(ServerConnection& admin) {
  const DatabaseSettings settings = TRY(settings_of_restored(admin, target_.database(), engine_));
  const std::string name = sql_name(target_.other());
  auto made = admin.run("CREATE DATABASE " + name + " OWNER " + name + " TEMPLATE template0" + settings.sql(admin));
  if (made) return made;
  return fail(ErrorCode::kStop, made.error().cause, made.error().message,
              "make the database as it is to be (createdb), and restore into it");
}

ServerAddress Staging::role_address(const std::string& database) const {
  ServerAddress address = way_in_.copy();
  address.set("dbname", database);
  return address;
}

// By the socket, as we came; where that wants a Unix user of the role's name, by the machine's own address.
Result<void> Staging::find_way_in(ServerConnection& admin) {
  ServerAddress address = target_.admin().copy();
  address.set_user(target_.other(), password_.copy());
  address.set("dbname", target_.other());
  auto session = ServerConnection::open(address, surroundings_.env.clock, nullptr);
  if (!session && address.is_local()) {
    const std::string listens = TRY(admin.query("SHOW listen_addresses")).text(0, 0);
    if (listens.find('*') != std::string::npos || listens.find("localhost") != std::string::npos ||
        listens.find("127.0.0.1") != std::string::npos || listens.find("0.0.0.0") != std::string::npos) {
      ServerAddress by_network = address.copy();
      by_network.set("host", "127.0.0.1");
      if (auto other = ServerConnection::open(by_network, surroundings_.env.clock, nullptr)) {
        session = std::move(other);
        address = std::move(by_network);
      }
    }
  }
  if (!session)
    return fail(ErrorCode::kStop,
                "the server does not let in the role that a restore makes for itself: " + session.error().message,
                "allow it with a line in pg_hba.conf before the others, and reload the server: local all "
                "/^spl_[0-9a-f_]+$ scram-sha-256 (before PostgreSQL 16: local all all scram-sha-256)");
  way_in_ = std::move(address);
  return {};
}

// Into the loading database, by the loading role: what it may not make is missing.
Result<void> Staging::make_extensions(base::Progress& progress) {
  ServerConnection server =
      TRY(ServerConnection::open(role_address(target_.other()), surroundings_.env.clock, &progress));
  for (const ExtensionFacts& extension : extensions_) {
    const std::string shown = base::escaped(extension.name, 70);
    if (std::ranges::find(missing_, shown) != missing_.end()) continue;
    if (std::ranges::find(by_admin_, extension.name, &ExtensionFacts::name) != by_admin_.end()) continue;
    if (comes_with_dump(extension)) {
      // The schema comes with the dump, and the extension does not.
      missing_.push_back(shown);
      continue;
    }
    if (!server.run("CREATE SCHEMA IF NOT EXISTS " + sql_name(extension.schema)) ||
        !server.run("CREATE EXTENSION IF NOT EXISTS " + sql_name(extension.name) + " WITH SCHEMA " +
                    sql_name(extension.schema) + " CASCADE"))
      missing_.push_back(shown);
  }
  return {};
}

std::unexpected<Error> Staging::failed_load(const env::ChildExit& exit, const std::string& said) const {
  const std::string shown = "pg_restore " + exit.text() + ": " + base::escaped(said, kSaidBytesShown);
  const auto says = [&said](std::string_view what) { return said.find(what) != std::string::npos; };
  if (says("server closed the connection") || says("connection to server"))
    return fail(ErrorCode::kUnavailable, shown, "see the server's log, and try again");
  // What the server did not let the role do, or could not, in whatever language it says so; anything else is what
  // pg_restore thinks of the archive.
  const bool of_server = says("could not execute query") || says("COPY failed for table") || says("PQputCopy") ||
                         says("ERROR:  ") || says("FATAL:  ");
  if (!of_server) return no_part(shown);
  std::string hint = "the dump wants what a role that owns nothing but its database may not do";
  if (!missing_.empty()) hint += "; or it needs extensions that are missing here: " + base::join(missing_, ", ");
  return fail(ErrorCode::kStop, shown, hint);
}

// What the admin has made is passed over: the role could not even comment on it.
Result<std::string> Staging::list_word() {
  std::vector<std::string> names;
  for (const ExtensionFacts& extension : by_admin_) names.push_back(extension.name);
  TRY(env::write_file_atomically(surroundings_.env.fs, list_path(), list_without(list_, names, schemas_by_admin_)));
  return "--use-list=" + list_path();
}

Result<void> Staging::load(Source& archive, std::uint64_t bytes, base::Progress& progress) {
  std::vector<std::string> words = load_words(role_address(target_.other()));
  if (!by_admin_.empty() && !target_.schema()) words.push_back(TRY(list_word()));
  const PasswordFile password = TRY(PasswordFile::make(surroundings_, password_));
  const auto child = TRY(env::ChildProcess::start(dump_program_options(*program_, std::move(words), &password)));
  child->limit_waits(kLoadTimeMax, &progress);
  TRY(feed(*child, archive, bytes, progress));
  const env::ChildExit exit = TRY(child->wait());
  if (!exit.ok()) return failed_load(exit, child->said());
  return {};
}

Result<void> Staging::note_schemas() {
  ServerConnection server = TRY(target_.open_admin_in(target_.other()));
  const Rows rows = TRY(server.query("SELECT nspname FROM pg_namespace"));
  for (std::size_t i = 0; i < rows.size(); ++i) schemas_before_.push_back(rows.text(i, 0));
  return {};
}

// The one that the dump has made, by the name that it had where it was taken. Nothing may lie beside it: it would be
// lost.
Result<std::string> Staging::find_loaded_schema(ServerConnection& loaded) {
  const Rows rows = TRY(
      loaded.query("SELECT n.nspname FROM pg_namespace n JOIN pg_roles r ON r.oid = n.nspowner WHERE r.rolname = $1",
                   {target_.other()}));
  const std::vector<std::string> lines = listed(list_, "SCHEMA");
  std::vector<std::string> made;
  std::vector<std::string> found;
  for (std::size_t i = 0; i < rows.size(); ++i) {
    std::string name = rows.text(i, 0);
    if (std::ranges::find(schemas_before_, name) != schemas_before_.end()) continue;
    if (!lines.empty() && is_listed_as(lines.front(), name)) found.push_back(name);
    made.push_back(std::move(name));
  }
  // The list is in the dump's encoding.
  if (found.empty() && made.size() == 1) found = std::move(made);
  if (found.size() != 1) return no_part("the dump has not made the one schema that it lists");
  if (const auto object = TRY(find_any_object_beside(loaded, found.front())))
    return no_part("the dump is of more than one schema: it has made " + base::escaped(*object, 140) + ", too");
  if (TRY(count_large_objects(loaded)) > 0) return no_part("the dump of a schema has large objects");
  return std::move(found.front());
}

// The loading is over: neither the role nor what the dump may have begun goes on.
Result<void> Staging::lock_role_out(ServerConnection& admin) {
  const std::string& role = target_.other();
  TRY(admin.run("ALTER ROLE " + sql_name(role) + " NOLOGIN"));
  TRY(admin.query("SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE usename = $1", {role}));
  return {};
}

// The role loses all that it has, and nobody else has got anything of it.
Result<void> Staging::give_to_owners(ServerConnection& server) {
  const std::string role = sql_name(target_.other());
  const std::string place = (target_.schema() ? "SCHEMA " : "DATABASE ") + role;
  const std::string objects = sql_name(owners_.objects);
  TRY(revoke_grants(server, target_.schema() ? Scope(target_.other()) : Scope(), target_.other()));
  TRY(server.run("ALTER " + place + " OWNER TO " + objects + "; REASSIGN OWNED BY " + role + " TO " + objects +
                 "; DROP OWNED BY " + role));
  if (owners_.place == owners_.objects) return {};
  // A right of the owner's would go over to the next one: so it is given after that.
  TRY(server.run("ALTER " + place + " OWNER TO " + sql_name(owners_.place)));
  if (target_.schema()) return server.run("GRANT USAGE, CREATE ON " + place + " TO " + objects);
  if (!owners_.may_create_in_public || !TRY(schema_oid(server, "public"))) return {};
  return server.run("GRANT CREATE ON SCHEMA public TO " + objects);
}

Result<std::string> Staging::finish_database(ServerConnection& admin, base::Progress& progress) {
  TRY(lock_role_out(admin));
  {
    ServerConnection staged = TRY(target_.open_admin_in(target_.other(), &progress));
    TRY(give_to_owners(staged));
  }
  TRY(copy_properties(admin, target_.database(), target_.other()));
  TRY(admin.run("DROP ROLE " + sql_name(target_.other())));
  return TRY(database_oid(admin, target_.other())).value_or("");
}

// What a stranger's functions could make where others look for theirs.
Result<void> Staging::refuse_open_doors(ServerConnection& live) {
  if (signer_ == Trust::kOwn) return {};
  if (const auto open = TRY(find_open_schema(live, target_.other(), target_.other()))) return open_schema(*open);
  return {};
}

// The role owns one schema in the live database, and may use the extensions' that are there.
Result<void> Staging::let_into_live(ServerConnection& live) {
  const std::string name = sql_name(target_.other());
  TRY(live.run("CREATE SCHEMA " + name + " AUTHORIZATION " + name));
  if (!TRY(live.query("SELECT has_database_privilege($1, current_database(), 'CONNECT')", {target_.other()}))
           .flag(0, 0))
    TRY(live.run("GRANT CONNECT ON DATABASE " + sql_name(target_.database()) + " TO " + name));
  TRY(refuse_open_doors(live));
  const Rows schemas = TRY(live.query(
      "SELECT DISTINCT n.nspname FROM pg_extension e JOIN pg_namespace n ON n.oid = e.extnamespace WHERE n.nspname <> "
      "'pg_catalog' AND NOT has_schema_privilege($1, n.oid, 'USAGE')",
      {target_.other()}));
  for (std::size_t i = 0; i < schemas.size(); ++i)
    TRY(live.run("GRANT USAGE ON SCHEMA " + sql_name(schemas.text(i, 0)) + " TO " + name));
  return {};
}

// pg_dump | pg_restore, both as the role. Of what it dumps itself nothing but what lies in the schema is taken.
Result<void> Staging::carry_schema_over(base::Progress& progress) {
  const DumpProgram dumper = TRY(find_dump_program(surroundings_.env.fs, "pg_dump", program_->major, progress));
  const PasswordFile password = TRY(PasswordFile::make(surroundings_, password_));
  const auto dump = TRY(env::ChildProcess::start(
      dump_program_options(dumper,
                           {"--format=custom", "--compress=0", "--no-password", "--no-owner", "--no-acl",
                            schema_word(target_.other()), "--dbname=" + role_address(target_.other()).argument()},
                           &password)));
  std::vector<std::string> words = load_words(role_address(target_.database()));
  words.push_back("--schema=" + target_.other());
  const auto restore = TRY(env::ChildProcess::start(dump_program_options(*program_, std::move(words), &password)));
  dump->limit_waits(kLoadTimeMax, &progress);
  restore->limit_waits(kLoadTimeMax, &progress);
  dump->close_input();
  const bool took_all = TRY(feed(*restore, dump->output(), 0, progress));
  const env::ChildExit restored = TRY(restore->wait());
  const env::ChildExit dumped = TRY(dump->wait());
  // Where one ends with an error the other does so, too: the reason is the first one's.
  if (!restored.ok() && (!took_all || dumped.ok())) return failed_load(restored, restore->said());
  if (!dumped.ok())
    return fail(ErrorCode::kStop,
                "pg_dump of what was loaded " + dumped.text() + ": " + base::escaped(dump->said(), kSaidBytesShown));
  return {};
}

// What a function of the dump may have done while its indexes were made.
Result<void> Staging::refuse_what_lies_elsewhere(ServerConnection& live) {
  const Rows rows = TRY(
      live.query("SELECT i.type || ' ' || i.identity FROM pg_shdepend d, LATERAL pg_identify_object(d.classid, "
                 "d.objid, d.objsubid) "
                 "i WHERE d.dbid = (SELECT oid FROM pg_database WHERE datname = current_database()) AND d.refclassid = "
                 "'pg_authid'::regclass AND d.deptype = 'o' AND d.refobjid = (SELECT oid FROM pg_roles WHERE rolname = "
                 "$1) AND NOT "
                 "(coalesce(i.schema, '') = $1 OR (i.type = 'schema' AND i.name = $1)) LIMIT 1",
                 {target_.other()}));
  if (rows.size() == 0) return {};
  return fail(ErrorCode::kStop,
              "loading the dump has made something outside its schema: " + base::escaped(rows.text(0, 0), 140));
}

Result<std::string> Staging::finish_schema(ServerConnection& admin, base::Progress& progress) {
  const std::string name = sql_name(target_.other());
  std::vector<TableFacts> counted;
  {
    ServerConnection loaded = TRY(target_.open_admin_in(target_.other(), &progress));
    const std::string made = TRY(find_loaded_schema(loaded));
    // Only now: nothing but this renames a schema to that name.
    TRY(loaded.run("ALTER SCHEMA " + sql_name(made) + " RENAME TO " + name));
    counted = TRY(count_tables(loaded, target_.other(), progress));
  }
  ServerConnection live = TRY(target_.open_admin_in(target_.database(), &progress));
  const std::string comment = "SELECT obj_description(oid, 'pg_namespace') FROM pg_namespace WHERE nspname = $1";
  TRY(let_into_live(live));
  // There are tables there that are others'.
  if (signer_ == Trust::kStranger) TRY(admin.run("ALTER ROLE " + name + " NOBYPASSRLS"));
  TRY(carry_schema_over(progress));
  TRY(lock_role_out(admin));
  {
    ServerConnection loaded = TRY(target_.open_admin_in(target_.other(), &progress));
    const Rows said = TRY(loaded.query(comment, {target_.other()}));
    if (said.size() > 0 && !said.is_null(0, 0))
      TRY(live.run("COMMENT ON SCHEMA " + name + " IS " + sql_text(said.text(0, 0))));
  }
  TRY(refuse_what_lies_elsewhere(live));
  if (TRY(count_tables(live, target_.other(), progress)) != counted)
    return no_part("the schema was not carried over whole: other tables or rows are in it than were loaded");
  TRY(admin.run("DROP DATABASE " + name + " WITH (FORCE)"));
  TRY(give_to_owners(live));
  TRY(live.run("DROP ROLE " + name));
  return TRY(schema_oid(live, target_.other())).value_or("");
}

Result<std::string> Staging::run_steps(PartSource& files, base::Progress& progress) {
  const auto entry = TRY(files.next());
  if (!entry || entry->path != kDumpArchive || entry->type != codec::TarType::kFile)
    return no_part("the part has no " + std::string(kDumpArchive));
  PartContent content(files);
  spool::Spool head = TRY(spool::Spool::make(surroundings_.env, surroundings_.spool));
  ServerConnection admin = TRY(target_.open_admin(&progress));
  const int major = std::max({major_of(engine_.server), major_of(engine_.program), admin.major_version()});
  program_ = TRY(find_dump_program(surroundings_.env.fs, "pg_restore", major, progress));
  TRY(read_list(content, head, progress));
  has_live_ = TRY(database_oid(admin, target_.database())).has_value();
  if (target_.schema() && !has_live_)
    return fail(ErrorCode::kStop, "there is no " + target_.url().shown(), "make the database: createdb");
  owners_ = TRY(owners_of_restored(target_, signer_));
  TRY(check_extensions(admin));
  TRY(make_role(admin));
  TRY(make_database(admin));
  TRY(find_way_in(admin));
  TRY(make_extensions_by_admin());
  if (target_.schema()) {
    TRY(make_extensions(progress));
    TRY(note_schemas());
  }
  SpoolThen archive(head, content);
  TRY(load(archive, entry->size_bytes, progress));
  if (const auto more = TRY(files.next())) return no_part(base::escaped(more->path, 100) + ": a part has no such file");
  return target_.schema() ? finish_schema(admin, progress) : finish_database(admin, progress);
}

Result<std::string> Staging::run(PartSource& files, base::Progress& progress) {
  auto mark = run_steps(files, progress);
  (void)surroundings_.env.fs.remove(list_path());
  return mark;
}

}  // namespace spl::surface
