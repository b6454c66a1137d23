// The record store in one SQLite file: the default. Several processes may have the file open;
// SQLite's locks order their writers.
#pragma once

#include <memory>
#include <string>

#include "store/record_store.h"

namespace spl::store {

struct SqliteStoreOptions {
  std::string path;
  std::string vfs;  // a registered SQLite VFS; empty for the default
  // For kReading: nothing lies in the write-ahead log that the file does not have, as its size says.
  bool log_is_empty = false;
};

enum class StoreOpen : std::uint8_t {
  kExisting,  // an error where there is no file
  kReading,   // the same, for readers only; also where nothing can be written, as long as nothing lies in the log
  kCreate,
};

Result<std::unique_ptr<RecordStore>> open_sqlite_store(const SqliteStoreOptions& options, StoreOpen how);

}  // namespace spl::store
