// The driver of PostgreSQL (docs/formats/postgres.md): a whole database, one database of a split, or one schema.
//
// The moment is a transaction that holds ACCESS SHARE on every table and took its snapshot after that; pg_dump reads
// within it. A restore is loaded by a role of its own, which can do nothing but fill a database of its own, and changes
// places with what is live by renames in one transaction.
#pragma once

#include <memory>

#include "surface/live_data.h"
#include "surface/part.h"
#include "surface/split_names.h"

namespace spl::surface {

std::unique_ptr<BackupPart> postgres_backup(const Surroundings& surroundings, Place place);
// What is staged is a database, or a schema in the live database, called "spl_<id>_<hash of the place>". A mark has its
// object id. `surroundings` outlives both.
std::unique_ptr<RestorePart> postgres_restore(const Surroundings& surroundings, Place place, RestoreRequest request);

// Databases, or the schemas of one.
Result<SplitNames> postgres_split_names(env::Env machine, const SplitLook& look, base::Progress& progress);
// A database or a schema of a split.
Result<std::unique_ptr<LiveData>> postgres_data(env::Env machine, const Place& place);

// The one file of a part.
inline constexpr std::string_view kDumpArchive = "dump.pgc";

}  // namespace spl::surface
