// What became of restores: a crash is finished or taken back, what was replaced is swapped back or removed
// (docs/formats/restore-journal.md). One thread; who calls holds the home's lock.
#pragma once

#include <cstdint>
#include <optional>
#include <string>

#include "base/progress.h"
#include "base/result.h"
#include "operation/service_restore.h"
#include "store/record_store.h"

namespace spl::operation {

// What a crash left: frozen processes, restores, scratch directories. To be called by every start that holds the home's
// lock, before anything else.
Result<void> recover_services(env::Env env, const home::HomePaths& paths, const home::Config& config,
                              store::RecordStore& store, base::Progress& progress);

// Of that the restores and the renaming alone: what one in this process could not finish or take back. To be called
// before anything else changes contexts or what a restore has replaced: there is one commit line for all restores. An
// error where something cannot be settled; what does not start again is told to the log and to `progress`.
Result<void> settle_restores(env::Env env, const home::HomePaths& paths, const home::Config& config,
                             store::RecordStore& store, base::Progress& progress);

// What a restore has replaced takes its place again, records among it, and what was restored goes. `service`: only
// where it was restored by itself; none: the last restore. Code kRefused where there is nothing to go back to;
// kUnavailable where all is back and a service does not start with it.
Result<void> restore_previous(ServiceRooms& rooms, store::RecordStore& store, const std::optional<std::string>& service,
                              base::Progress& progress);
// What was replaced goes, of a service or of all, of a context or of all. Gives how many parts went.
Result<std::uint64_t> discard_previous(ServiceRooms& rooms, const std::optional<std::string>& service,
                                       const std::optional<std::string>& context);

}  // namespace spl::operation
