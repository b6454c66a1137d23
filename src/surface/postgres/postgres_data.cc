#include <algorithm>
#include <optional>
#include <utility>

#include "base/encoding.h"
#include "surface/postgres/postgres.h"
#include "surface/postgres/restore_target.h"

namespace spl::surface {
namespace {

constexpr std::size_t kNameShown = 70;
constexpr std::string_view kOwn = "spl_";  // what a restore has staged
constexpr const char* kNoRestore = "0";    // nothing is staged here

class PostgresData final : public LiveData {
 public:
  PostgresData(env::Clock& clock, std::string subject, RestoreTarget target)
      : clock_(clock), subject_(std::move(subject)), target_(std::move(target)) {}

  Result<bool> is_there() override {
    auto server = open();
    if (!server) return std::unexpected(std::move(server).error().in(subject_));
    return *server && TRY_IN(subject_, has(**server, target_.live()));
  }
  Result<void> remove() override {
    auto server = TRY_IN(subject_, open());
    if (!server || !TRY_IN(subject_, has(*server, target_.live()))) return {};
    TRY_IN(subject_, drop(*server, target_.live()));
    return {};
  }
  Result<std::uint64_t> move_to(const Place& to, TakenName taken, base::Progress& progress) override {
    return TRY_IN(subject_, move(to, taken, progress));
  }

 private:
  [[nodiscard]] std::string kind() const { return target_.schema() ? "SCHEMA " : "DATABASE "; }
  // Where the change is made; nothing where the schema's database is not there.
  Result<std::optional<ServerConnection>> open() {
    if (target_.schema()) return target_.open_beside_live();
    return std::optional(TRY(target_.open_admin()));
  }
  Result<bool> has(ServerConnection& server, const std::string& name) {
    return TRY(target_.schema() ? schema_oid(server, name) : database_oid(server, name)).has_value();
  }
  Result<void> drop(ServerConnection& server, const std::string& name) {
    return server.run("DROP " + kind() + sql_name(name) + (target_.schema() ? " CASCADE" : " WITH (FORCE)"));
  }
  Result<std::uint64_t> move(const Place& to, TakenName taken, base::Progress& progress);

  env::Clock& clock_;
  const std::string subject_;
  RestoreTarget target_;
};

Result<std::uint64_t> PostgresData::move(const Place& to, TakenName taken, base::Progress& progress) {
  const RestoreTarget there = TRY(RestoreTarget::of(clock_, to, kNoRestore));
  const std::string& from_name = target_.live();
  const std::string& to_name = there.live();
  auto server = TRY(open());
  // Done already, or there was nothing.
  if (!server || !TRY(has(*server, from_name))) return std::uint64_t{0};
  if (progress.cancelled()) return base::fail_cancelled("nothing was renamed");
  if (TRY(has(*server, to_name))) {
    if (taken == TakenName::kStaysBehind) return std::uint64_t{1};
    return fail(ErrorCode::kRefused, Cause::kFileExists, base::escaped(to_name, kNameShown) + " is in the way");
  }
  const std::string sql = "ALTER " + kind() + sql_name(from_name) + " RENAME TO " + sql_name(to_name);
  TRY(run_when_free(*server, clock_, sql, [&]() -> Result<void> {
    if (target_.schema()) return {};
    return end_sessions(*server, from_name, to_name);
  }));
  return std::uint64_t{0};
}

bool is_same_server(const RestoreTarget& one, const RestoreTarget& other) {
  return one.url().host() == other.url().host() && one.url().port() == other.url().port();
}

}  // namespace

Result<std::unique_ptr<LiveData>> postgres_data(env::Env machine, const Place& place) {
  if (place.schema || place.database) {
    RestoreTarget target = TRY_IN(place.subject, RestoreTarget::of(machine.clock, place, kNoRestore));
    return std::make_unique<PostgresData>(machine.clock, place.subject, std::move(target));
  }
  return fail(ErrorCode::kRefused, Cause::kNotImplemented, place.subject + ": it is a whole database");
}

Result<SplitNames> postgres_split_names(env::Env machine, const SplitLook& look, base::Progress& progress) {
  env::Clock& clock = machine.clock;
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
