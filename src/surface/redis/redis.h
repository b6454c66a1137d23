// The driver of Redis (docs/formats/redis.md): a whole server, or of a split one database or the keys with one prefix.
//
// The moment is the fork that a server makes for a replica. What is restored is tried in a scratch server first, then
// staged in a spare database, or under names of its own.
#pragma once

#include <memory>

#include "surface/live_data.h"
#include "surface/part.h"
#include "surface/split_names.h"

namespace spl::surface {

// `surroundings` outlives both.
std::unique_ptr<BackupPart> redis_backup(const Surroundings& surroundings, Place place);
std::unique_ptr<RestorePart> redis_restore(const Surroundings& surroundings, Place place, RestoreRequest request);
// Databases with keys in them, or the beginnings that keys have.
Result<SplitNames> redis_split_names(const SplitLook& look, base::Progress& progress);
// Keys with one prefix, or of one database.
Result<std::unique_ptr<LiveData>> redis_data(env::Env machine, const Place& place, const std::vector<Place>& others);

}  // namespace spl::surface
