// The driver of SQLite databases (docs/formats/sqlite.md): one file, or those that a pattern with * matches.
//
// The moment of a database in WAL mode is a read transaction; any other is copied in the pause, with its -journal or
// -wal, and opened as a copy. Either way what goes out is a whole database, by the backup API, that has passed
// integrity_check.
#pragma once

#include <memory>
#include <string>
#include <string_view>

#include "surface/part.h"

namespace spl::surface {

std::unique_ptr<BackupPart> sqlite_backup(const Surroundings& surroundings, Place place);
// What is staged stands beside the live file, as ".spl-<id>-<name>". A mark has the inode of each staged file and its
// name. `surroundings` outlives both.
std::unique_ptr<RestorePart> sqlite_restore(const Surroundings& surroundings, Place place, RestoreRequest request);

// Of a database file: what stands beside it and is part of it.
inline constexpr std::string_view kSqliteLog = "-wal";
inline constexpr std::string_view kSqliteIndex = "-shm";
inline constexpr std::string_view kSqliteJournal = "-journal";

}  // namespace spl::surface
