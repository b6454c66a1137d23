#include "db/log_index.h"

#include <sqlite3.h>
#include <sys/mman.h>

#include <cerrno>
#include <map>
#include <memory>
#include <mutex>

namespace spl::db {
namespace {

// SQLite's own methods of files, and the same with another xShmMap.
struct Methods {
  explicit Methods(const sqlite3_io_methods& of_sqlite) : own(of_sqlite), before(&of_sqlite) {}
  sqlite3_io_methods own;
  const sqlite3_io_methods* const before;
};

int map_and_reserve(sqlite3_file* file, int region, int bytes, int extend, void volatile** mapped) {
  // `own` is the first member, and what the file's methods are.
  const auto* methods = reinterpret_cast<const Methods*>(file->pMethods);
  const int code = methods->before->xShmMap(file, region, bytes, extend, mapped);
  if (code != SQLITE_OK || *mapped == nullptr) return code;
  if (::madvise(const_cast<void*>(*mapped), static_cast<std::size_t>(bytes), MADV_POPULATE_WRITE) == 0)
    return SQLITE_OK;
  // The write that it tried for us has failed. Other errors are of a kernel or a mapping for which this is not meant.
  if (errno != EFAULT && errno != ENOMEM) return SQLITE_OK;
  *mapped = nullptr;
  return SQLITE_IOERR_SHMSIZE;
}

const sqlite3_io_methods* reserving(const sqlite3_io_methods* methods) {
  static std::mutex mutex;
  static std::map<const sqlite3_io_methods*, std::unique_ptr<Methods>> all;
  const std::scoped_lock lock(mutex);
  auto& made = all[methods];
  if (!made) {
    made = std::make_unique<Methods>(*methods);
    made->own.xShmMap = map_and_reserve;
  }
  return &made->own;
}

}  // namespace

void reserve_log_index(sqlite3* connection) {
  sqlite3_file* file = nullptr;
  if (sqlite3_file_control(connection, "main", SQLITE_FCNTL_FILE_POINTER, static_cast<void*>(&file)) != SQLITE_OK ||
      file == nullptr || file->pMethods == nullptr || file->pMethods->iVersion < 2 ||
      file->pMethods->xShmMap == nullptr)
    return;
  file->pMethods = reserving(file->pMethods);
}

}  // namespace spl::db
