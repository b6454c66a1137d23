// The driver of MariaDB (docs/formats/mariadb.md): a whole database, named by the url or by the split.
//
// The moment is a transaction with a consistent snapshot, begun under FLUSH TABLES WITH READ LOCK; mariadb-dump reads
// within it. A restore is loaded by a user of its own, which can do nothing but fill a database of its own; the tables
// change places with what is live by one RENAME TABLE, and views, triggers, routines and events are made anew.
#pragma once

#include <memory>

#include "surface/live_data.h"
#include "surface/part.h"
#include "surface/split_names.h"

namespace spl::surface {

std::unique_ptr<BackupPart> mariadb_backup(const Surroundings& surroundings, Place place);
// What is staged is in databases called "spl_<id>_<hash of the place>_...". `surroundings` outlives both.
std::unique_ptr<RestorePart> mariadb_restore(const Surroundings& surroundings, Place place, RestoreRequest request);

// Databases of the server.
Result<SplitNames> mariadb_split_names(env::Env machine, const SplitLook& look, base::Progress& progress);
// A database of a split.
Result<std::unique_ptr<LiveData>> mariadb_data(env::Env machine, const Place& place);

// The one file of a part.
inline constexpr std::string_view kMariadbDump = "dump.sql";

}  // namespace spl::surface
