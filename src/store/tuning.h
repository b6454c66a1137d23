// How a store is opened, and what tests change of it.
#pragma once

#include <cstdint>
#include <string>

namespace spl::store {

enum class StoreOpen : std::uint8_t {
  kExisting,  // an error where there is none
  kReading,   // the same, for readers only; also where nothing can be written, as far as that goes
  kCreate,
};

// How much is done in memory. Tests make it small, so that few records do what else only very many do.
struct StoreSizes {
  int page_bytes = 4096;  // of a file that is made
  int writer_cache_kib = 48 << 10;
  int reader_cache_kib = 8 << 10;
  // What is sorted in memory may take as much as the cache, but at least 250 pages: for the one index that a large
  // import makes, less than the writer's is as quick.
  int sorting_cache_kib = 8 << 10;
  // A large log writes pages that change often only once to the database; it is cut back after a large import.
  int checkpoint_pages = 16 << 10;
  int log_kept_bytes = 64 << 20;
};

struct StoreTuning {
  std::string file_layer;  // the name of a registered SQLite VFS; empty for the machine's own
  StoreSizes sizes = {};
};

}  // namespace spl::store
