// The tables of hub.db. docs/formats/store.md describes them for people with sqlite3. One thread a connection.
#pragma once

#include "base/result.h"
#include "db/sqlite.h"
#include "store/sqlite/sqlite_store.h"

namespace spl::store {

// Makes the tables where there are none, brings those of older versions up to date, and refuses a file that a newer
// program or another program made. The connection is in WAL mode with synchronous=FULL when this returns.
Result<void> prepare_schema(db::Connection& connection, const StoreSizes& sizes);
// Refuses the same files, those without tables, and those of older versions; changes nothing.
Result<void> check_schema(db::Connection& connection);

inline constexpr int kSchemaVersion = 4;
inline constexpr int kApplicationId = 0x53504C31;  // "SPL1"

inline constexpr char kCreateIdIndex[] = "CREATE UNIQUE INDEX record_log_id ON record_log(id)";
inline constexpr char kDropIdIndex[] = "DROP INDEX record_log_id";

}  // namespace spl::store
