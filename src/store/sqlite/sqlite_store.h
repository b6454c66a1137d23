// The record store in one SQLite file: the default. Several processes may have the file open;
// SQLite's locks order their writers.
#pragma once

#include <memory>
#include <string>

#include "store/record_store.h"

namespace spl::store {

// How much is done in memory. Tests make it small, so that few records do what else only very many do.
struct SqliteSizes {
  int page_bytes = 4096;  // of a file that is made
  int writer_cache_kib = 48 << 10;
  int reader_cache_kib = 8 << 10;
  // SQLite sorts in as much memory as its cache may have, but at least 250 pages: for the one index that a large import
  // makes, less than the writer's is as quick.
  int sorting_cache_kib = 8 << 10;
  // A large log writes pages that change often only once to the database; it is cut back after a large import.
  int checkpoint_pages = 16 << 10;
  int log_kept_bytes = 64 << 20;
};

struct SqliteStoreOptions {
  std::string path;
  std::string vfs;  // a registered SQLite VFS; empty for the default
  SqliteSizes sizes = {};
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
