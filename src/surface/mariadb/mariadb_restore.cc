#include <algorithm>
#include <optional>

#include "base/encoding.h"
#include "surface/mariadb/mariadb.h"
#include "surface/mariadb/mariadb_exchange.h"
#include "surface/mariadb/mariadb_facts.h"
#include "surface/mariadb/mariadb_rights.h"
#include "surface/mariadb/mariadb_staging.h"
#include "surface/mariadb/mariadb_target.h"
#include "surface/mariadb/restore_book.h"

namespace spl::surface {
namespace {

constexpr std::size_t kNameShown = 70;
constexpr unsigned kOldestSeries = 1006;  // since 10.6 a RENAME TABLE of many is done whole or not at all
constexpr std::string_view kMark = "tables of mariadb";

class MariadbRestore final : public RestorePart {
 public:
  MariadbRestore(const Surroundings& surroundings, Place place, RestoreRequest request)
      : surroundings_(surroundings), place_(std::move(place)), request_(std::move(request)) {}

  Result<void> inspect(std::vector<Finding>& findings) override { return named(look(findings)); }
  Result<std::string> stage(PartSource& files, base::Progress& progress) override {
    return named(make_staged(files, progress));
  }
  Result<std::vector<Count>> check(std::string_view /*mark*/, base::Progress& progress) override {
    return named(look_through_staged(progress));
  }
  Result<void> swap(std::string_view /*mark*/) override { return named(bring_live()); }
  Result<void> swap_back(std::string_view /*mark*/) override { return named(take_back()); }
  Result<void> retire(std::string_view /*mark*/) override { return named(let_events_run()); }
  Result<std::vector<Count>> count_live() override { return named(count_what_is_live()); }
  Result<bool> has_other(std::string_view /*mark*/) override { return named(is_other_there()); }
  Result<void> discard(std::string_view /*mark*/) override { return named(remove_other()); }

 private:
  template <class T>
  Result<T> named(Result<T> result) const {
    if (!result) return std::unexpected(std::move(result).error().in(place_.subject));
    return result;
  }
  Result<const MariadbTarget*> target();
  void note(std::vector<Finding>& findings, std::string check, FindingStatus status, std::string message,
            std::string hint = {}) const {
    findings.push_back({std::move(check), status, place_.subject, std::move(message), std::move(hint)});
  }
  Result<void> look(std::vector<Finding>& findings);
  void look_at_versions(const MariadbSession& admin, std::vector<Finding>& findings) const;
  Result<void> look_at_rights(MariadbSession& admin, std::vector<Finding>& findings);
  Result<void> look_at_data(MariadbSession& admin, std::vector<Finding>& findings);
  Result<void> look_at_settings(MariadbSession& admin, std::vector<Finding>& findings);
  Result<void> look_at_references(MariadbSession& admin, std::vector<Finding>& findings);
  Result<void> look_at_room(MariadbSession& admin, std::vector<Finding>& findings);

  Result<std::string> make_staged(PartSource& files, base::Progress& progress);
  Result<std::vector<Count>> look_through_staged(base::Progress& progress);
  Result<void> check_table(MariadbSession& admin, const std::string& name) const;
  Result<void> bring_live();
  Result<void> take_back();
  Result<void> let_events_run();
  Result<std::vector<Count>> count_what_is_live();
  Result<bool> is_other_there();
  Result<void> remove_other();

  const Surroundings& surroundings_;
  const Place place_;
  const RestoreRequest request_;
  std::optional<MariadbTarget> target_;
};

Result<const MariadbTarget*> MariadbRestore::target() {
  if (!target_) target_.emplace(TRY(MariadbTarget::of(surroundings_.env.clock, place_, request_.id)));
  return &*target_;
}

void MariadbRestore::look_at_versions(const MariadbSession& admin, std::vector<Finding>& findings) const {
  const MariadbEngine bundled = MariadbEngine::parse(request_.engine);
  if (admin.series() < kOldestSeries) {
    note(findings, "engine", FindingStatus::kStop,
         "the server is MariaDB " + admin.version() + ", and a restore wants 10.6 or newer",
         "restore into a newer MariaDB");
  } else if (bundled.series() > admin.series()) {
    note(findings, "engine", FindingStatus::kStop,
         "the server is MariaDB " + admin.version() + ", the bundle's was " + base::escaped(bundled.version, 40),
         "restore into a MariaDB that is not older than the bundle's");
  } else {
    note(findings, "engine", FindingStatus::kOk, "MariaDB " + admin.version());
  }
}

Result<void> MariadbRestore::look_at_rights(MariadbSession& admin, std::vector<Finding>& findings) {
  // What the loading user is given, and what makes and removes it, others' definers, and the exchange.
  static const std::vector<std::string_view> kRights{
      "SELECT",      "INSERT",  "UPDATE",      "DELETE",    "CREATE",         "DROP",
      "RELOAD",      "PROCESS", "REFERENCES",  "INDEX",     "ALTER",          "CREATE TEMPORARY TABLES",
      "LOCK TABLES", "EXECUTE", "CREATE VIEW", "SHOW VIEW", "CREATE ROUTINE", "ALTER ROUTINE",
      "EVENT",       "TRIGGER", "CREATE USER", "SET USER",  "DELETE HISTORY", "CONNECTION ADMIN"};
  if (const std::string missing = TRY(MariadbRights::of(admin)).missing_everywhere(kRights); !missing.empty())
    note(
        findings, "rights", FindingStatus::kStop,
        base::escaped(TRY(own_account(admin)), 140) + " does not have on all databases what a restore does: " + missing,
        "give the surface an admin_url of a user who has it (GRANT ALL ON *.* ... WITH GRANT OPTION)");
  auto session = TRY(target())->open_url();
  if (!session) note(findings, "user", FindingStatus::kStop, session.error().message, session.error().hint);
  return {};
}

Result<void> MariadbRestore::look_at_settings(MariadbSession& admin, std::vector<Finding>& findings) {
  const MariadbEngine bundled = MariadbEngine::parse(request_.engine);
  if (!bundled.defaults.collation.empty() && TRY(known_defaults(admin, bundled.defaults)).collation.empty())
    note(findings, "locale", FindingStatus::kWarn,
         "the server does not have the collation " + base::escaped(bundled.defaults.collation, 60) +
             ", which new tables had where the bundle was made");
  const MariadbRows rows = TRY(admin.query("SELECT @@log_bin, @@log_bin_trust_function_creators"));
  if (rows.number(0, 0) != 0 && rows.number(0, 1) == 0)
    note(findings, "binary_log", FindingStatus::kWarn,
         "the server writes a binary log, and lets nobody without SUPER make triggers and functions: a part that has "
         "some is a stop",
         "SET GLOBAL log_bin_trust_function_creators = 1 for the time of the restore");
  const std::string& live = TRY(target())->live();
  if (TRY(admin.query("SELECT @@lower_case_table_names")).number(0, 0) != 0 &&
      std::ranges::any_of(live, [](char c) { return c >= 'A' && c <= 'Z'; }))
    note(findings, "name", FindingStatus::kStop,
         "the server makes no difference between great and small letters in the names of databases, and " +
             base::escaped(live, kNameShown) + " could be another's",
         "name the database in small letters");
  return {};
}

// Foreign keys and views elsewhere.
Result<void> MariadbRestore::look_at_references(MariadbSession& admin, std::vector<Finding>& findings) {
  const std::string& live = TRY(target())->live();
  const MariadbRows rows = TRY(admin.query(
      "SELECT concat(TABLE_SCHEMA, '.', TABLE_NAME) FROM information_schema.KEY_COLUMN_USAGE WHERE " +
      mariadb_is("REFERENCED_TABLE_SCHEMA", live) + " AND NOT " + mariadb_is("TABLE_SCHEMA", live) + " LIMIT 1"));
  if (rows.size() > 0)
    note(findings, "references", FindingStatus::kWarn,
         base::escaped(rows.text(0, 0), 140) +
             " lies in another database and refers to this one: its foreign key stays with what is there now",
         "make the key anew after the restore");
  return {};
}

Result<void> MariadbRestore::look_at_data(MariadbSession& admin, std::vector<Finding>& findings) {
  const MariadbTarget& to = *TRY(target());
  if (request_.data == InTheWay::kStops && TRY(count_objects(admin, to.live())).has_any())
    note(findings, "data", FindingStatus::kStop,
         "data is in the way: in the database " + base::escaped(to.live(), kNameShown),
         "--replace puts the bundle's in its place, and keeps it as previous");
  return {};
}

// Where the server's data lies on this machine, and where we may know.
Result<void> MariadbRestore::look_at_room(MariadbSession& admin, std::vector<Finding>& findings) {
  if (!TRY(target())->admin().is_local()) return {};
  const auto directory = admin.query("SELECT @@datadir");
  if (!directory) return {};
  const auto free = surroundings_.env.fs.free_bytes(directory->text(0, 0));
  if (!free) return {};
  const bool fits = request_.bytes <= *free;
  note(findings, "space", fits ? FindingStatus::kOk : FindingStatus::kStop,
       std::to_string(request_.bytes >> 20) + " MiB are wanted by the server, " + std::to_string(*free >> 20) +
           " MiB are free",
       fits ? "" : "free some disk space");
  return {};
}

Result<void> MariadbRestore::look(std::vector<Finding>& findings) {
  MariadbSession admin = TRY(TRY(target())->open_admin());
  look_at_versions(admin, findings);
  TRY(look_at_rights(admin, findings));
  TRY(look_at_data(admin, findings));
  TRY(look_at_settings(admin, findings));
  TRY(look_at_references(admin, findings));
  return look_at_room(admin, findings);
}

Result<std::string> MariadbRestore::make_staged(PartSource& files, base::Progress& progress) {
  const MariadbTarget& to = *TRY(target());
  TRY(remove_other());
  MariadbStaging staging(surroundings_, to, request_.signer, MariadbEngine::parse(request_.engine));
  TRY(staging.run(files, progress));
  return std::string(kMark);
}

Result<void> MariadbRestore::check_table(MariadbSession& admin, const std::string& name) const {
  const MariadbRows rows = TRY(admin.query("CHECK TABLE " + mariadb_name(target_->fresh(), name)));
  for (std::size_t i = 0; i < rows.size(); ++i) {
    const std::string& type = rows.named(i, "Msg_type");
    const std::string& text = rows.named(i, "Msg_text");
    if (type != "error" && type != "Error" && (type != "status" || text == "OK")) continue;
    return fail(ErrorCode::kVerification,
                "the table " + base::escaped(name, kNameShown) + " is broken: " + base::escaped(text, 300));
  }
  return {};
}

Result<std::vector<Count>> MariadbRestore::look_through_staged(base::Progress& progress) {
  const MariadbTarget& to = *TRY(target());
  MariadbSession admin = TRY(to.open_admin(&progress));
  RestoreBook book(admin, to);
  if (TRY(book.side()) != BookSide::kStaged)
    return fail(ErrorCode::kFailed, Cause::kNotFound,
                "what was staged is not there any more: " + base::escaped(to.fresh(), kNameShown));
  for (const std::string& name : TRY(list_stored(admin, to.fresh()))) TRY(check_table(admin, name));
  MariadbCounts counts = TRY(count_objects(admin, to.fresh()));
  counts.rows = TRY(count_rows(admin, to.fresh(), progress));
  for (const ProgramName& program : TRY(book.program_names(ProgramsOf::kFresh))) {
    if (program.kind == ProgramKind::kRoutine) ++counts.routines;
    if (program.kind == ProgramKind::kView) ++counts.views;
    if (program.kind == ProgramKind::kTrigger) ++counts.triggers;
    if (program.kind == ProgramKind::kEvent) ++counts.events;
  }
  return counts.list();
}

Result<void> MariadbRestore::bring_live() {
  const MariadbTarget& to = *TRY(target());
  MariadbSession admin = TRY(to.open_admin());
  if (TRY(RestoreBook(admin, to).side()) == BookSide::kNone)
    return fail(ErrorCode::kFailed, Cause::kNotFound,
                "what was staged is not there any more: " + base::escaped(to.fresh(), kNameShown));
  return MariadbExchange(admin, surroundings_.env, to).bring_live();
}

Result<void> MariadbRestore::take_back() {
  const MariadbTarget& to = *TRY(target());
  MariadbSession admin = TRY(to.open_admin());
  // Taken back and discarded: the crash came after that.
  if (TRY(RestoreBook(admin, to).side()) == BookSide::kNone) return {};
  return MariadbExchange(admin, surroundings_.env, to).take_back();
}

Result<void> MariadbRestore::let_events_run() {
  const MariadbTarget& to = *TRY(target());
  MariadbSession admin = TRY(to.open_admin());
  return MariadbExchange(admin, surroundings_.env, to).let_events_run();
}

// What an exchange has left half done is done first: what goes then is of one state alone.
Result<void> MariadbRestore::remove_other() {
  const MariadbTarget& to = *TRY(target());
  {
    MariadbSession admin = TRY(to.open_admin());
    TRY(MariadbExchange(admin, surroundings_.env, to).settle());
  }
  return MariadbStaging::remove(surroundings_.env, to);
}

Result<std::vector<Count>> MariadbRestore::count_what_is_live() {
  const MariadbTarget& to = *TRY(target());
  MariadbSession admin = TRY(to.open_admin());
  base::NoProgress progress;
  MariadbCounts counts = TRY(count_objects(admin, to.live()));
  counts.rows = TRY(count_rows(admin, to.live(), progress));
  return counts.list();
}

Result<bool> MariadbRestore::is_other_there() {
  const MariadbTarget& to = *TRY(target());
  MariadbSession admin = TRY(to.open_admin());
  RestoreBook book(admin, to);
  const BookSide side = TRY(book.side());
  if (side == BookSide::kNone) return false;
  if (side == BookSide::kStaged) return true;
  return !TRY(list_stored(admin, to.old())).empty() || TRY(book.count_programs(ProgramsOf::kOld)) > 0 ||
         !TRY(book.kept_views()).empty();
}

}  // namespace

std::unique_ptr<RestorePart> mariadb_restore(const Surroundings& surroundings, Place place, RestoreRequest request) {
  return std::make_unique<MariadbRestore>(surroundings, std::move(place), std::move(request));
}

}  // namespace spl::surface
