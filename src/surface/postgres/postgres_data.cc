#include <algorithm>
#include <optional>
#include <utility>

#include "base/encoding.h"
#include "env/posix_env.h"
#include "surface/postgres/postgres.h"
#include "surface/postgres/restore_target.h"

namespace spl::surface {
namespace {

constexpr std::size_t kNameShown = 70;
constexpr std::string_view kOwn = "spl_";  // what a restore has staged
constexpr const char* kNoRestore = "0";    // nothing is staged here

class PostgresData final : public LiveData {
 public:
  static Result<std::unique_ptr<LiveData>> make(const Place& place) {
    auto data = std::unique_ptr<PostgresData>(new PostgresData(place.subject));
    data->target_.emplace(TRY_IN(place.subject, RestoreTarget::of(data->clock_, place, kNoRestore)));
    return std::unique_ptr<LiveData>(std::move(data));
  }

  Result<bool> is_there() override {
    auto server = open();
    if (!server) return std::unexpected(std::move(server).error().in(subject_));
    return *server && TRY_IN(subject_, has(**server, target_->live()));
  }
  Result<void> remove() override {
    auto server = TRY_IN(subject_, open());
    if (!server || !TRY_IN(subject_, has(*server, target_->live()))) return {};
    TRY_IN(subject_, drop(*server, target_->live()));
    return {};
  }
  Result<void> move_to(const Place& to, InTheWay at_target, base::Progress& progress) override {
    TRY_IN(subject_, move(to, at_target, progress));
    return {};
  }

 private:
  explicit PostgresData(std::string subject) : subject_(std::move(subject)) {}
  [[nodiscard]] std::string kind() const { return target_->schema() ? "SCHEMA " : "DATABASE "; }
  // Where the change is made; nothing where the schema's database is not there.
  Result<std::optional<ServerConnection>> open() {
    if (target_->schema()) return target_->open_beside_live();
    return std::optional(TRY(target_->open_admin()));
  }
  Result<bool> has(ServerConnection& server, const std::string& name) {
    return TRY(target_->schema() ? schema_oid(server, name) : database_oid(server, name)).has_value();
  }
  Result<void> drop(ServerConnection& server, const std::string& name) {
    return server.run("DROP " + kind() + sql_name(name) + (target_->schema() ? " CASCADE" : " WITH (FORCE)"));
  }
  Result<void> move(const Place& to, InTheWay at_target, base::Progress& progress);

  const std::string subject_;
  env::SystemClock clock_;
  std::optional<RestoreTarget> target_;  // of the clock
};

Result<void> PostgresData::move(const Place& to, InTheWay at_target, base::Progress& progress) {
  const RestoreTarget there = TRY(RestoreTarget::of(clock_, to, kNoRestore));
  const std::string& from_name = target_->live();
  const std::string& to_name = there.live();
  auto server = TRY(open());
  // Done already, or there was nothing.
  if (!server || !TRY(has(*server, from_name))) return {};
  if (progress.cancelled()) return base::fail_cancelled("nothing was renamed");
  const bool is_in_the_way = TRY(has(*server, to_name));
  if (is_in_the_way && at_target == InTheWay::kStops)
    return fail(ErrorCode::kRefused, Cause::kFileExists, base::escaped(to_name, kNameShown) + " is in the way");
  std::string sql = "ALTER " + kind() + sql_name(from_name) + " RENAME TO " + sql_name(to_name);
  if (is_in_the_way && target_->schema()) sql = "DROP SCHEMA " + sql_name(to_name) + " CASCADE; " + sql;
  // No transaction has a DROP DATABASE in it.
  if (is_in_the_way && !target_->schema()) TRY(drop(*server, to_name));
  return run_when_free(*server, clock_, sql, [&]() -> Result<void> {
    if (target_->schema()) return {};
    return end_sessions(*server, from_name, to_name);
  });
}

bool is_same_server(const RestoreTarget& one, const RestoreTarget& other) {
  return one.url().host() == other.url().host() && one.url().port() == other.url().port();
}

}  // namespace

Result<std::unique_ptr<LiveData>> postgres_data(const Place& place) {
  if (place.schema || place.database) return PostgresData::make(place);
  return fail(ErrorCode::kRefused, Cause::kNotImplemented, place.subject + ": it is a whole database");
}

Result<SplitNames> postgres_split_names(const SplitLook& look, base::Progress& progress) {
  env::SystemClock clock;
  const RestoreTarget target = TRY_IN(look.place.subject, RestoreTarget::of(clock, look.place, kNoRestore));
  std::vector<std::string> taken;
  for (const Place& other : look.others) {
    const RestoreTarget theirs = TRY_IN(other.subject, RestoreTarget::of(clock, other, kNoRestore));
    if (!is_same_server(target, theirs)) continue;
    if (!target.schema()) taken.push_back(theirs.database());
    if (target.schema() && theirs.schema() && theirs.database() == target.database()) taken.push_back(theirs.live());
  }
  auto server = target.schema() ? TRY_IN(look.place.subject, target.open_beside_live(&progress))
                                : std::optional(TRY_IN(look.place.subject, target.open_admin(&progress)));
  SplitNames found;
  if (!server) return found;
  const Rows rows = TRY_IN(
      look.place.subject,
      server->query(target.schema()
                        ? "SELECT nspname FROM pg_namespace WHERE nspname !~ '^pg_' ORDER BY nspname COLLATE \"C\""
                        : "SELECT datname FROM pg_database WHERE NOT datistemplate ORDER BY datname COLLATE \"C\""));
  for (std::size_t i = 0; i < rows.size() && found.is_all; ++i) {
    std::string name = rows.text(i, 0);
    if (!context_in(look.pattern, name) || name.starts_with(kOwn) || std::ranges::find(taken, name) != taken.end())
      continue;
    found.is_all = found.names.size() < kSplitNamesMax;
    if (found.is_all) found.names.push_back(std::move(name));
  }
  return found;
}

}  // namespace spl::surface
