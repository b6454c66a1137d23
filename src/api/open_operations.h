// The operations of a home, for a command: over the socket of the daemon that serves it, or on the home itself. One
// thread.
#pragma once

#include <memory>

#include "base/result.h"
#include "env/env.h"
#include "home/home.h"
#include "operation/operations.h"

namespace spl::api {

// The store is read whether a daemon runs or not. Cause kNoInstance where there is none. `progress` hears of what is
// done and is asked whether to go on; it outlives the operations.
Result<std::unique_ptr<operation::Operations>> open_for_reading(env::Env env, const home::HomePaths& paths,
                                                                base::Progress& progress);
// What a running daemon must see goes through it; without one the home is opened under its lock. While another process
// has the lock and no daemon answers, both are tried again for up to 30 s; then the cause is kLocked. `how` is kWriting
// or kCreating.
Result<std::unique_ptr<operation::Operations>> open_for_changing(env::Env env, const home::HomePaths& paths,
                                                                 instance::OpenFor how, base::Progress& progress);
// For an export: the same as for changing, but where the home cannot be written it is read, without its lock.
Result<std::unique_ptr<operation::Operations>> open_for_export(env::Env env, const home::HomePaths& paths,
                                                               base::Progress& progress);
// No error where an operation could open the home: cause kNoInstance where there is none.
Result<void> require_instance(env::Env env, const home::HomePaths& paths);

}  // namespace spl::api
