#include <algorithm>
#include <optional>
#include <utility>

#include "base/encoding.h"
#include "surface/mariadb/mariadb.h"
#include "surface/mariadb/mariadb_facts.h"
#include "surface/mariadb/mariadb_move.h"
#include "surface/mariadb/mariadb_target.h"

namespace spl::surface {
namespace {

constexpr const char* kNoRestore = "0";  // nothing is staged here

class MariadbData final : public LiveData {
 public:
  MariadbData(env::Env machine, std::string subject, MariadbTarget target)
      : machine_(machine), subject_(std::move(subject)), target_(std::move(target)) {}

  Result<bool> is_there() override {
    MariadbSession admin = TRY_IN(subject_, target_.open_admin());
    return TRY_IN(subject_, find_database(admin, target_.live())).has_value();
  }
  Result<void> remove() override {
    MariadbSession admin = TRY_IN(subject_, target_.open_admin());
    TRY_IN(subject_, admin.run("SET SESSION foreign_key_checks = 0, lock_wait_timeout = 2"));
    TRY_IN(subject_, run_when_free(admin, machine_.clock, target_.live(),
                                   "DROP DATABASE IF EXISTS " + mariadb_name(target_.live())));
    TRY_IN(subject_, make_durable(admin));
    return {};
  }
  Result<std::uint64_t> move_to(const Place& to, TakenName taken, base::Progress& progress) override {
    return TRY_IN(subject_, move(to, taken, progress));
  }

 private:
  Result<std::uint64_t> move(const Place& to, TakenName taken, base::Progress& progress);

  const env::Env machine_;
  const std::string subject_;
  const MariadbTarget target_;
};

Result<std::uint64_t> MariadbData::move(const Place& to, TakenName taken, base::Progress& progress) {
  const MariadbTarget there = TRY(MariadbTarget::of(machine_.clock, to, kNoRestore));
  MariadbSession admin = TRY(target_.open_admin());
  MariadbMove move(admin, machine_, target_, there);
  if (!TRY(move.is_under_way())) {
    // Done already, or there was nothing.
    if (!TRY(find_database(admin, target_.live()))) return std::uint64_t{0};
    if (progress.cancelled()) return base::fail_cancelled("nothing was renamed");
    if (TRY(find_database(admin, there.live()))) {
      if (taken == TakenName::kStaysBehind) return std::uint64_t{1};
      return fail(ErrorCode::kRefused, Cause::kFileExists, base::escaped(there.live(), 70) + " is in the way");
    }
  }
  TRY(move.run());
  return std::uint64_t{0};
}

}  // namespace

Result<std::unique_ptr<LiveData>> mariadb_data(env::Env machine, const Place& place) {
  if (!place.database)
    return fail(ErrorCode::kRefused, Cause::kNotImplemented, place.subject + ": it is a whole database");
  MariadbTarget target = TRY_IN(place.subject, MariadbTarget::of(machine.clock, place, kNoRestore));
  return std::make_unique<MariadbData>(machine, place.subject, std::move(target));
}

Result<SplitNames> mariadb_split_names(env::Env machine, const SplitLook& look, base::Progress& progress) {
  const MariadbTarget target = TRY_IN(look.place.subject, MariadbTarget::of(machine.clock, look.place, kNoRestore));
  std::vector<std::string> taken;
  for (const Place& other : look.others) {
    const MariadbTarget theirs = TRY_IN(other.subject, MariadbTarget::of(machine.clock, other, kNoRestore));
    if (theirs.admin().is_same_server(target.admin())) taken.push_back(theirs.live());
  }
  MariadbSession admin = TRY_IN(look.place.subject, target.open_admin(&progress));
  const MariadbRows rows =
      TRY_IN(look.place.subject, admin.query("SELECT SCHEMA_NAME FROM information_schema.SCHEMATA WHERE SCHEMA_NAME "
                                             "NOT IN ('mysql', 'sys', 'information_schema', 'performance_schema') "
                                             "ORDER BY CAST(SCHEMA_NAME AS BINARY)"));
  SplitNames found;
  for (std::size_t i = 0; i < rows.size() && found.is_all; ++i) {
    const std::string& name = rows.text(i, 0);
    if (!context_in(look.pattern, name) || name.starts_with(kMariadbOwn) ||
        std::ranges::find(taken, name) != taken.end())
      continue;
    found.is_all = found.names.size() < kSplitNamesMax;
    if (found.is_all) found.names.push_back(name);
  }
  return found;
}

}  // namespace spl::surface
