// The record store in one SQLite file: the default. Several processes may have the file open;
// SQLite's locks order their writers.
#pragma once

#include <memory>
#include <string>

#include "env/env.h"
#include "store/record_store.h"
#include "store/tuning.h"

namespace spl::store {

struct SqliteStoreOptions {
  std::string path;
  std::string vfs;  // a registered SQLite VFS; empty for the default
  StoreSizes sizes = {};
  // For kReading: nothing lies in the write-ahead log that the file does not have, as its size says.
  bool log_is_empty = false;
  env::Clock* clock = nullptr;  // that tells when records come; without one that is not kept
};

// The database and what SQLite puts beside it.
std::vector<std::string> sqlite_files(const std::string& path);

Result<std::unique_ptr<RecordStore>> open_sqlite_store(const SqliteStoreOptions& options, StoreOpen how);

}  // namespace spl::store
