// What a run of spl leaves that was cut off in the middle of a backup, and the next start puts right: services that are
// frozen, and file-system snapshots that nobody reads any more. Any thread.
#pragma once

#include <string>

#include "base/result.h"
#include "env/env.h"
#include "home/home.h"

namespace spl::service {

// run/snapshots.json (surface/snapshot_list.h).
std::string snapshot_list_of(const home::HomePaths& paths);

// For who holds the home's lock. Both are tried; what could not be put right stays listed, and is an error.
Result<void> settle_leftovers(env::Env env, const home::HomePaths& paths);
// The same for who does not hold the lock. Nothing where somebody does: who has it has looked after that.
Result<void> settle_leftovers_unless_locked(env::Env env, const home::HomePaths& paths);

}  // namespace spl::service
