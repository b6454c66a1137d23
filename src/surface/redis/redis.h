// The driver of Redis (docs/formats/redis.md): a whole server, or of a split one database or the keys with one prefix.
//
// The moment is the fork that a server makes for a replica. What is restored is tried in a scratch server first, then
// staged in a spare database, or under names of its own.
#pragma once

#include <memory>

#include "surface/part.h"

namespace spl::surface {

// `surroundings` outlives both.
std::unique_ptr<BackupPart> redis_backup(const Surroundings& surroundings, Place place);
std::unique_ptr<RestorePart> redis_restore(const Surroundings& surroundings, Place place, RestoreRequest request);

}  // namespace spl::surface
