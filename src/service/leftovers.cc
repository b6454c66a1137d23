#include "service/leftovers.h"

#include "base/both.h"
#include "service/pause.h"
#include "surface/part.h"
#include "surface/snapshot_list.h"

namespace spl::service {
namespace {

Result<void> remove_snapshots(env::Env env, const home::HomePaths& paths) {
  return surface::remove_leftover_snapshots(env, snapshot_list_of(paths), std::string(surface::kToolPath));
}

}  // namespace

std::string snapshot_list_of(const home::HomePaths& paths) {
  return env::join(paths.run(), "snapshots.json");
}

Result<void> settle_leftovers(env::Env env, const home::HomePaths& paths) {
  return base::both(resume_leftovers(env, paths), remove_snapshots(env, paths));
}

Result<void> settle_leftovers_unless_locked(env::Env env, const home::HomePaths& paths) {
  auto resumed = resume_leftovers_unless_locked(env, paths);
  if (!TRY(env.fs.info(snapshot_list_of(paths)))) return resumed;
  const auto lock = TRY(env.fs.try_lock_directory(paths.root));
  return lock == nullptr ? std::move(resumed) : base::both(std::move(resumed), remove_snapshots(env, paths));
}

}  // namespace spl::service
