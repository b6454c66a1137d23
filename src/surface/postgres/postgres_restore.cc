#include <algorithm>
#include <optional>
#include <set>

#include "base/encoding.h"
#include "surface/postgres/database_facts.h"
#include "surface/postgres/database_settings.h"
#include "surface/postgres/dump_program.h"
#include "surface/postgres/owners.h"
#include "surface/postgres/postgres.h"
#include "surface/postgres/restore_target.h"
#include "surface/postgres/staging.h"

namespace spl::surface {
namespace {

constexpr std::size_t kNameShown = 70;
constexpr std::string_view kDatabaseMark = "database ";
constexpr std::string_view kSchemaMark = "schema ";

class PostgresRestore final : public RestorePart {
 public:
  PostgresRestore(const Surroundings& surroundings, Place place, RestoreRequest request)
      : surroundings_(surroundings), place_(std::move(place)), request_(std::move(request)) {}

  Result<void> inspect(std::vector<Finding>& findings) override { return named(look(findings)); }
  Result<std::string> stage(PartSource& files, base::Progress& progress) override {
    return named(make_staged(files, progress));
  }
  Result<std::optional<SecretBytes>> staged_url(std::string_view mark) override { return named(url_of_other(mark)); }
  Result<std::vector<Count>> check(std::string_view mark, base::Progress& progress) override {
    return named(count_staged(mark, progress));
  }
  Result<void> swap(std::string_view mark) override { return named(exchange(mark, Way::kThere)); }
  Result<void> swap_back(std::string_view mark) override { return named(exchange(mark, Way::kBack)); }
  Result<std::vector<Count>> count_live() override { return named(count_what_is_live()); }
  Result<bool> has_other(std::string_view /*mark*/) override { return named(is_other_there()); }
  Result<void> discard(std::string_view /*mark*/) override { return named(remove_other()); }

 private:
  enum class Way : std::uint8_t { kThere, kBack };

  template <class T>
  Result<T> named(Result<T> result) const {
    if (!result) return std::unexpected(std::move(result).error().in(place_.subject));
    return result;
  }
  // The target, from the first need of it on.
  Result<const RestoreTarget*> target();
  Result<std::string> oid_of_mark(std::string_view mark) const;
  Result<ServerConnection> open_other(base::Progress& progress);
  Result<std::vector<Count>> count(ServerConnection& server, const std::string& schema, base::Progress& progress);

  Result<void> look(std::vector<Finding>& findings);
  void look_at_versions(ServerConnection& admin, std::vector<Finding>& findings);
  Result<void> look_at_rights(ServerConnection& admin, std::vector<Finding>& findings);
  Result<void> look_at_data(ServerConnection& admin, std::vector<Finding>& findings);
  Result<void> look_at_owners(ServerConnection& server, std::vector<Finding>& findings);
  Result<void> look_at_settings(ServerConnection& admin, std::vector<Finding>& findings);
  Result<void> look_at_open_schemas(ServerConnection& live, std::vector<Finding>& findings);
  Result<void> look_at_references(ServerConnection& live, std::vector<Finding>& findings);
  Result<void> look_at_room(ServerConnection& admin, std::vector<Finding>& findings);
  void note(std::vector<Finding>& findings, std::string check, FindingStatus status, std::string message,
            std::string hint = {}) const {
    findings.push_back({std::move(check), status, place_.subject, std::move(message), std::move(hint)});
  }

  Result<std::string> make_staged(PartSource& files, base::Progress& progress);
  Result<std::vector<Count>> count_staged(std::string_view mark, base::Progress& progress);
  Result<void> exchange(std::string_view mark, Way way);
  Result<std::vector<Count>> count_what_is_live();
  Result<bool> is_other_there();
  Result<std::optional<SecretBytes>> url_of_other(std::string_view mark);
  Result<void> remove_other() { return Staging::remove(*TRY(target())); }

  const Surroundings& surroundings_;
  const Place place_;
  const RestoreRequest request_;
  std::optional<RestoreTarget> target_;
};

Result<const RestoreTarget*> PostgresRestore::target() {
  if (!target_) target_.emplace(TRY(RestoreTarget::of(surroundings_.env.clock, place_, request_.id)));
  return &*target_;
}

Result<std::string> PostgresRestore::oid_of_mark(std::string_view mark) const {
  const std::string_view kind = place_.schema ? kSchemaMark : kDatabaseMark;
  if (!mark.starts_with(kind) || mark.size() == kind.size() ||
      mark.find_first_not_of("0123456789", kind.size()) != std::string_view::npos)
    return fail("its mark is none of PostgreSQL: " + base::escaped(mark, 60));
  return std::string(mark.substr(kind.size()));
}

void PostgresRestore::look_at_versions(ServerConnection& admin, std::vector<Finding>& findings) {
  const EngineFacts bundled = parse_engine_text(request_.engine);
  const int wanted = major_of(bundled.server);
  const int here = admin.major_version();
  if (here < wanted) {
    note(findings, "engine", FindingStatus::kStop,
         "the server is PostgreSQL " + admin.version() + ", the bundle's was " + base::escaped(bundled.server, 40),
         "restore into PostgreSQL " + std::to_string(wanted) + " or a newer one");
  } else {
    note(findings, "engine", FindingStatus::kOk, "PostgreSQL " + admin.version());
  }
  base::NoProgress progress;
  const auto program = find_dump_program(surroundings_.env.fs, "pg_restore",
                                         std::max({wanted, major_of(bundled.program), here}), progress);
  if (!program) note(findings, "tools", FindingStatus::kStop, program.error().message, program.error().hint);
}

Result<void> PostgresRestore::look_at_rights(ServerConnection& admin, std::vector<Finding>& findings) {
  const Rows rows = TRY(admin.query(
      "SELECT rolsuper OR (rolcreatedb AND rolcreaterole), current_user FROM pg_roles WHERE rolname = current_user"));
  if (!rows.flag(0, 0))
    note(findings, "rights", FindingStatus::kStop,
         "the role " + base::escaped(rows.text(0, 1), 70) + " may not make databases and roles, which a restore does",
         "give the surface an admin_url of a role that may, or: ALTER ROLE " + base::escaped(rows.text(0, 1), 70) +
             " CREATEDB CREATEROLE");
  return {};
}

Result<void> PostgresRestore::look_at_owners(ServerConnection& server, std::vector<Finding>& findings) {
  const auto owners = owners_of_restored(*TRY(target()), request_.signer);
  if (!owners && owners.error().code != ErrorCode::kStop) return std::unexpected(owners.error());
  if (!owners) {
    note(findings, "owner", FindingStatus::kStop, owners.error().message, owners.error().hint);
    return {};
  }
  for (const std::string& owner : std::set{owners->place, owners->objects}) {
    const std::string shown = base::escaped(owner, kNameShown);
    const Rows rows =
        TRY(server.query("SELECT pg_has_role(current_user, oid, 'MEMBER') FROM pg_roles WHERE rolname = $1", {owner}));
    if (rows.size() == 0) {
      note(findings, "owner", FindingStatus::kStop, "there is no role " + shown + ", which is to own what is restored",
           "make it: CREATE ROLE " + shown + " LOGIN");
    } else if (!rows.flag(0, 0)) {
      note(findings, "owner", FindingStatus::kStop,
           "the role of admin_url may not give anything to the role " + shown + ", which is to own what is restored",
           "GRANT " + shown + " to the role of admin_url, or let a superuser be in admin_url");
    }
  }
  if (owners->live_roles > 1)
    note(findings, "owner", FindingStatus::kWarn,
         "what is live belongs to " + std::to_string(owners->live_roles) + " roles; what is restored will belong to " +
             base::escaped(owners->objects, kNameShown),
         "give the others theirs afterwards: ALTER TABLE ... OWNER TO");
  return {};
}

// How its text was encoded and ordered, where that cannot be so here.
Result<void> PostgresRestore::look_at_settings(ServerConnection& admin, std::vector<Finding>& findings) {
  const DatabaseSettings settings =
      TRY(settings_of_restored(admin, TRY(target())->database(), parse_engine_text(request_.engine)));
  for (const std::string& warning : settings.warnings)
    note(findings, "locale", FindingStatus::kWarn, warning,
         "to have it otherwise install the locale (locale-gen) and start the server anew, or make the database as it "
         "is to be (createdb) and restore into it");
  return {};
}

Result<void> PostgresRestore::look_at_open_schemas(ServerConnection& live, std::vector<Finding>& findings) {
  if (request_.signer == Trust::kOwn) return {};
  const auto open = TRY(find_open_schema(live, "public", ""));
  if (!open) return {};
  const Error error = open_schema(*open).error();
  note(findings, "open_schema", FindingStatus::kStop, error.message, error.hint);
  return {};
}

// Views and foreign keys stay with the schema that they were made for, whatever it is called.
Result<void> PostgresRestore::look_at_references(ServerConnection& live, std::vector<Finding>& findings) {
  const Rows rows = TRY(live.query(
      "SELECT v.oid::regclass FROM pg_depend d JOIN pg_rewrite w ON d.classid = 'pg_rewrite'::regclass AND d.objid = "
      "w.oid JOIN pg_class v ON v.oid = w.ev_class JOIN pg_class t ON d.refclassid = 'pg_class'::regclass AND t.oid = "
      "d.refobjid JOIN pg_namespace n ON n.oid = t.relnamespace WHERE n.nspname = $1 AND v.relnamespace <> n.oid UNION "
      "SELECT c.conrelid::regclass FROM pg_constraint c JOIN pg_class t ON t.oid = c.confrelid JOIN pg_class f ON "
      "f.oid "
      "= c.conrelid JOIN pg_namespace n ON n.oid = t.relnamespace WHERE n.nspname = $1 AND f.relnamespace <> n.oid "
      "LIMIT 1",
      {*place_.schema}));
  if (rows.size() > 0)
    note(findings, "references", FindingStatus::kWarn,
         base::escaped(rows.text(0, 0), 140) +
             " lies outside the schema and refers to it: it stays with what is there now, and is dropped with it",
         "make it anew after the restore");
  return {};
}

Result<void> PostgresRestore::look_at_data(ServerConnection& admin, std::vector<Finding>& findings) {
  const RestoreTarget& to = *TRY(target());
  const bool has_database = TRY(database_oid(admin, to.database())).has_value();
  if (!has_database) {
    if (to.schema())
      note(findings, "database", FindingStatus::kStop,
           "there is no database " + base::escaped(to.database(), 70) + ", in which the schema is to be",
           "make it: CREATE DATABASE " + base::escaped(to.database(), 70));
    TRY(look_at_owners(admin, findings));
    return to.schema() ? Result<void>() : look_at_settings(admin, findings);
  }
  ServerConnection live = TRY(to.open_admin_in(to.database()));
  TRY(look_at_owners(live, findings));
  TRY(look_at_settings(live, findings));
  if (to.schema()) {
    TRY(look_at_references(live, findings));
    TRY(look_at_open_schemas(live, findings));
  }
  const auto object = TRY(find_any_object(live, to.schema()));
  if (object && request_.data == InTheWay::kStops)
    note(findings, "data", FindingStatus::kStop,
         "data is in the way: " + base::escaped(*object, 140) + " in the database " + base::escaped(to.database(), 70),
         "--replace puts the bundle's in its place, and keeps it as previous");
  return {};
}

// Where the server's data lies on this machine, and where we may know.
Result<void> PostgresRestore::look_at_room(ServerConnection& admin, std::vector<Finding>& findings) {
  if (!TRY(target())->admin().is_local()) return {};
  const auto directory = admin.query("SHOW data_directory");
  if (!directory) return {};
  const auto free = surroundings_.env.fs.free_bytes(directory->text(0, 0));
  if (!free) return {};
  // A schema is there twice: where it is loaded, and where it goes.
  const std::uint64_t wanted = request_.bytes * (place_.schema ? 2 : 1);
  const bool fits = wanted <= *free;
  note(findings, "space", fits ? FindingStatus::kOk : FindingStatus::kStop,
       std::to_string(wanted >> 20) + " MiB are wanted by the server, " + std::to_string(*free >> 20) + " MiB are free",
       fits ? "" : "free some disk space");
  return {};
}

Result<void> PostgresRestore::look(std::vector<Finding>& findings) {
  ServerConnection admin = TRY(TRY(target())->open_admin());
  look_at_versions(admin, findings);
  TRY(look_at_rights(admin, findings));
  TRY(look_at_data(admin, findings));
  return look_at_room(admin, findings);
}

Result<std::string> PostgresRestore::make_staged(PartSource& files, base::Progress& progress) {
  const RestoreTarget& to = *TRY(target());
  TRY(Staging::remove(to));
  const std::string oid =
      TRY(Staging(surroundings_, to, request_.signer, parse_engine_text(request_.engine)).run(files, progress));
  return std::string(place_.schema ? kSchemaMark : kDatabaseMark) + oid;
}

Result<ServerConnection> PostgresRestore::open_other(base::Progress& progress) {
  const RestoreTarget& to = *TRY(target());
  return to.open_admin_in(to.schema() ? to.database() : to.other(), &progress);
}

Result<std::vector<Count>> PostgresRestore::count(ServerConnection& server, const std::string& schema,
                                                  base::Progress& progress) {
  const Scope scope = place_.schema ? Scope(schema) : Scope();
  const auto tables = TRY(count_tables(server, scope, progress));
  const std::uint64_t large_objects = scope ? 0 : TRY(count_large_objects(server));
  return counts_of(tables, large_objects, scope);
}

Result<std::vector<Count>> PostgresRestore::count_staged(std::string_view mark, base::Progress& progress) {
  const RestoreTarget& to = *TRY(target());
  TRY(Exchange(to, surroundings_.env.clock).expect_other(TRY(oid_of_mark(mark))));
  ServerConnection server = TRY(open_other(progress));
  return count(server, to.other(), progress);
}

Result<void> PostgresRestore::exchange(std::string_view mark, Way way) {
  Exchange names(*TRY(target()), surroundings_.env.clock);
  const std::string oid = TRY(oid_of_mark(mark));
  return way == Way::kThere ? names.bring_live(oid) : names.take_back(oid);
}

Result<std::vector<Count>> PostgresRestore::count_what_is_live() {
  const RestoreTarget& to = *TRY(target());
  auto live = TRY(to.open_beside_live());
  if (!live) return counts_of({}, 0, place_.schema);
  base::NoProgress progress;
  return count(*live, to.live(), progress);
}

Result<bool> PostgresRestore::is_other_there() {
  const RestoreTarget& to = *TRY(target());
  ServerConnection admin = TRY(to.open_admin());
  // Of a schema, too, until it has been carried over.
  if (TRY(database_oid(admin, to.other()))) return true;
  if (!to.schema()) return false;
  auto live = TRY(to.open_beside_live());
  return live && TRY(schema_oid(*live, to.other())).has_value();
}

// By the role of the surface's url, which is to have it. A schema stands in the live database: it is found by the path.
Result<std::optional<SecretBytes>> PostgresRestore::url_of_other(std::string_view mark) {
  if (mark.empty()) return std::optional(SecretBytes(std::string_view()));
  const RestoreTarget& to = *TRY(target());
  ServerAddress address = to.url().copy();
  if (to.schema()) {
    address.set("options", "-c search_path=" + to.other() + ",public");
  } else {
    address.set("dbname", to.other());
  }
  return std::optional(address.url());
}

}  // namespace

std::unique_ptr<RestorePart> postgres_restore(const Surroundings& surroundings, Place place, RestoreRequest request) {
  return std::make_unique<PostgresRestore>(surroundings, std::move(place), std::move(request));
}

}  // namespace spl::surface
