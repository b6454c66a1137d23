// The locks and the shared memory of one database between the connections of a SqliteVfs, as SQLite's unix VFS has them
// between processes. Any thread.
// Sources: https://sqlite.org/lockingv3.html, https://sqlite.org/walformat.html (WAL-index locks).
#pragma once

#include <sqlite3.h>

#include <array>
#include <cstddef>
#include <memory>
#include <mutex>
#include <vector>

namespace spl::testing {

// What one connection holds of one database. Guarded by the database's mutex.
struct VfsHolder {
  int level = SQLITE_LOCK_NONE;
  bool has_memory = false;
  std::array<bool, SQLITE_SHM_NLOCK> shares{};
  std::array<bool, SQLITE_SHM_NLOCK> excludes{};
};

// All functions return an SQLite result code.
class VfsDatabase {
 public:
  int lock(VfsHolder& holder, int level);
  int unlock(VfsHolder& holder, int level);
  int check_reserved(bool& reserved);

  // Memory that is not there yet is zeroed, or nothing without `extend`. It stays where it is until the last of those
  // that mapped it unmaps.
  int map(VfsHolder& holder, int region, int region_bytes, bool extend, volatile void** memory);
  int lock_memory(VfsHolder& holder, int first, int count, int flags);
  void unmap(VfsHolder& holder);
  // What was written to the memory before is seen by all after.
  void barrier() { const std::scoped_lock lock(mutex_); }

 private:
  int exclude_locked(VfsHolder& holder, int level);
  void release_memory_locked(VfsHolder& holder, std::size_t slot);

  std::mutex mutex_;  // guards all below, and all holders
  int sharers_ = 0;   // holders of SHARED or more
  const VfsHolder* reserved_ = nullptr;
  const VfsHolder* pending_ = nullptr;

  int mappers_ = 0;
  std::vector<std::unique_ptr<std::byte[]>> regions_;
  std::array<int, SQLITE_SHM_NLOCK> slot_shares_{};
  std::array<const VfsHolder*, SQLITE_SHM_NLOCK> slot_excluders_{};
};

}  // namespace spl::testing
