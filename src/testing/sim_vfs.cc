#include "testing/sim_vfs.h"

#include <sqlite3.h>

#include <algorithm>
#include <cstring>
#include <map>
#include <mutex>
#include <span>
#include <utility>

#include "base/check.h"
#include "testing/sim_vfs_locks.h"

namespace spl::testing {
namespace {

constexpr int kPathBytesMax = 1024;
constexpr int kSectorBytes = 4096;  // what SQLite's unix VFS says where it knows nothing

// One open file of SQLite.
struct OpenFile {
  env::FileSystem& fs;
  std::unique_ptr<env::File> file;
  std::string path;  // empty for a temporary file
  bool sync_name = false;
  bool remove_at_close = false;
  Overwrite overwrite = Overwrite::kUnsafe;
  std::shared_ptr<VfsDatabase> database;  // of a main database file only
  VfsHolder holder;
};

// What SQLite makes room for.
struct Handle {
  sqlite3_file base;
  OpenFile* open;
};

OpenFile& file_of(sqlite3_file* base) {
  return *reinterpret_cast<Handle*>(base)->open;
}

int close_file(sqlite3_file* base) {
  const std::unique_ptr<OpenFile> open(std::exchange(reinterpret_cast<Handle*>(base)->open, nullptr));
  if (open->database) {
    open->database->unmap(open->holder);
    open->database->unlock(open->holder, SQLITE_LOCK_NONE);
  }
  if (open->remove_at_close && !open->fs.remove(open->path)) return SQLITE_IOERR_DELETE;
  return SQLITE_OK;
}

int read_file_at(sqlite3_file* base, void* out, int length, sqlite3_int64 offset) {
  const std::span<char> span(static_cast<char*>(out), static_cast<std::size_t>(length));
  const auto n = file_of(base).file->read_at(static_cast<std::uint64_t>(offset), span);
  if (!n) return SQLITE_IOERR_READ;
  if (*n == span.size()) return SQLITE_OK;
  // SQLite counts on the rest being zeros.
  std::ranges::fill(span.subspan(*n), '\0');
  return SQLITE_IOERR_SHORT_READ;
}

int write_file_at(sqlite3_file* base, const void* octets, int length, sqlite3_int64 offset) {
  const std::string_view view(static_cast<const char*>(octets), static_cast<std::size_t>(length));
  return file_of(base).file->write_at(static_cast<std::uint64_t>(offset), view) ? SQLITE_OK : SQLITE_IOERR_WRITE;
}

int truncate_file(sqlite3_file* base, sqlite3_int64 size) {
  return file_of(base).file->truncate(static_cast<std::uint64_t>(size)) ? SQLITE_OK : SQLITE_IOERR_TRUNCATE;
}

int sync_file(sqlite3_file* base, int) {
  OpenFile& open = file_of(base);
  if (!open.file->sync()) return SQLITE_IOERR_FSYNC;
  if (open.sync_name) {
    if (!open.fs.sync_directory(env::parent_of(open.path))) return SQLITE_IOERR_DIR_FSYNC;
    open.sync_name = false;
  }
  return SQLITE_OK;
}

int file_size(sqlite3_file* base, sqlite3_int64* size) {
  const auto size_bytes = file_of(base).file->size();
  if (!size_bytes) return SQLITE_IOERR_FSTAT;
  *size = static_cast<sqlite3_int64>(*size_bytes);
  return SQLITE_OK;
}

// Journals and temporary files are not locked: their one user has locked the database.
int lock_file(sqlite3_file* base, int level) {
  OpenFile& open = file_of(base);
  return open.database ? open.database->lock(open.holder, level) : SQLITE_OK;
}

int unlock_file(sqlite3_file* base, int level) {
  OpenFile& open = file_of(base);
  return open.database ? open.database->unlock(open.holder, level) : SQLITE_OK;
}

int check_reserved_lock(sqlite3_file* base, int* result) {
  OpenFile& open = file_of(base);
  bool reserved = false;
  const int code = open.database ? open.database->check_reserved(reserved) : SQLITE_OK;
  *result = reserved ? 1 : 0;
  return code;
}

int file_control(sqlite3_file*, int, void*) {
  return SQLITE_NOTFOUND;
}
int sector_size(sqlite3_file*) {
  return kSectorBytes;
}
int device_characteristics(sqlite3_file* base) {
  return file_of(base).overwrite == Overwrite::kPowersafe ? SQLITE_IOCAP_POWERSAFE_OVERWRITE : 0;
}

int map_memory(sqlite3_file* base, int region, int region_bytes, int extend, volatile void** memory) {
  OpenFile& open = file_of(base);
  if (!open.database) return SQLITE_IOERR_SHMMAP;
  return open.database->map(open.holder, region, region_bytes, extend != 0, memory);
}

int lock_memory(sqlite3_file* base, int first, int count, int flags) {
  OpenFile& open = file_of(base);
  if (!open.database) return SQLITE_IOERR_SHMLOCK;
  return open.database->lock_memory(open.holder, first, count, flags);
}

void memory_barrier(sqlite3_file* base) {
  OpenFile& open = file_of(base);
  if (open.database) open.database->barrier();
}

int unmap_memory(sqlite3_file* base, int) {
  OpenFile& open = file_of(base);
  if (open.database) open.database->unmap(open.holder);
  return SQLITE_OK;
}

constexpr sqlite3_io_methods kMethods = {
    .iVersion = 2,
    .xClose = close_file,
    .xRead = read_file_at,
    .xWrite = write_file_at,
    .xTruncate = truncate_file,
    .xSync = sync_file,
    .xFileSize = file_size,
    .xLock = lock_file,
    .xUnlock = unlock_file,
    .xCheckReservedLock = check_reserved_lock,
    .xFileControl = file_control,
    .xSectorSize = sector_size,
    .xDeviceCharacteristics = device_characteristics,
    .xShmMap = map_memory,
    .xShmLock = lock_memory,
    .xShmBarrier = memory_barrier,
    .xShmUnmap = unmap_memory,
    .xFetch = nullptr,
    .xUnfetch = nullptr,
};

env::OpenMode open_mode(int flags) {
  if ((flags & SQLITE_OPEN_READONLY) != 0) return env::OpenMode::kRead;
  if ((flags & SQLITE_OPEN_CREATE) == 0) return env::OpenMode::kReadWrite;
  if ((flags & SQLITE_OPEN_EXCLUSIVE) != 0) return env::OpenMode::kCreateNew;
  return env::OpenMode::kCreate;
}

}  // namespace

class SqliteVfs::Registration {
 public:
  Registration(env::FileSystem& fs, std::string name, std::string temp_directory, Overwrite overwrite);
  ~Registration() { sqlite3_vfs_unregister(&vfs_); }
  Registration(const Registration&) = delete;
  Registration& operator=(const Registration&) = delete;

  [[nodiscard]] const char* name() const { return name_.c_str(); }
  void drop_databases() {
    const std::scoped_lock lock(mutex_);
    databases_.clear();
  }

 private:
  static Registration& of(sqlite3_vfs* vfs) { return *static_cast<Registration*>(vfs->pAppData); }
  static sqlite3_vfs& base_of(sqlite3_vfs* vfs) { return *of(vfs).base_; }

  static int open(sqlite3_vfs* vfs, const char* path, sqlite3_file* base, int flags, int* out_flags);
  static int remove(sqlite3_vfs* vfs, const char* path, int sync_directory);
  static int access(sqlite3_vfs* vfs, const char* path, int flags, int* result);
  static int full_pathname(sqlite3_vfs* vfs, const char* path, int out_bytes, char* out);
  static int last_error(sqlite3_vfs*, int, char*) { return 0; }

  static int randomness(sqlite3_vfs* vfs, int length, char* out) {
    return base_of(vfs).xRandomness(&base_of(vfs), length, out);
  }
  static int sleep(sqlite3_vfs* vfs, int microseconds) { return base_of(vfs).xSleep(&base_of(vfs), microseconds); }
  static int current_time(sqlite3_vfs* vfs, double* out) { return base_of(vfs).xCurrentTime(&base_of(vfs), out); }
  static int current_time_ms(sqlite3_vfs* vfs, sqlite3_int64* out) {
    return base_of(vfs).xCurrentTimeInt64(&base_of(vfs), out);
  }

  std::shared_ptr<VfsDatabase> database_at(const std::string& path);

  env::FileSystem& fs_;
  const std::string name_;
  const std::string temp_directory_;
  const Overwrite overwrite_;
  sqlite3_vfs* const base_ = sqlite3_vfs_find(nullptr);
  sqlite3_vfs vfs_{};

  std::mutex mutex_;
  std::map<std::string, std::weak_ptr<VfsDatabase>> databases_;  // by path
};

SqliteVfs::Registration::Registration(env::FileSystem& fs, std::string name, std::string temp_directory,
                                      Overwrite overwrite)
    : fs_(fs), name_(std::move(name)), temp_directory_(std::move(temp_directory)), overwrite_(overwrite) {
  SPL_CHECK(base_ != nullptr);
  vfs_.iVersion = 2;
  vfs_.szOsFile = sizeof(Handle);
  vfs_.mxPathname = kPathBytesMax;
  vfs_.zName = name_.c_str();
  vfs_.pAppData = this;
  vfs_.xOpen = open;
  vfs_.xDelete = remove;
  vfs_.xAccess = access;
  vfs_.xFullPathname = full_pathname;
  vfs_.xRandomness = randomness;
  vfs_.xSleep = sleep;
  vfs_.xCurrentTime = current_time;
  vfs_.xGetLastError = last_error;
  vfs_.xCurrentTimeInt64 = current_time_ms;
  SPL_CHECK(sqlite3_vfs_register(&vfs_, 0) == SQLITE_OK);
}

int SqliteVfs::Registration::open(sqlite3_vfs* vfs, const char* path, sqlite3_file* base, int flags, int* out_flags) {
  constexpr int kJournals = SQLITE_OPEN_MAIN_JOURNAL | SQLITE_OPEN_SUPER_JOURNAL | SQLITE_OPEN_WAL;
  Registration& self = of(vfs);
  // Until there are methods, SQLite does not close it.
  base->pMethods = nullptr;
  auto file = path == nullptr ? self.fs_.open_unnamed(self.temp_directory_) : self.fs_.open(path, open_mode(flags));
  if (!file) return SQLITE_CANTOPEN;
  const bool makes = (flags & SQLITE_OPEN_CREATE) != 0;
  auto open = std::make_unique<OpenFile>(OpenFile{
      .fs = self.fs_,
      .file = std::move(*file),
      .path = path == nullptr ? "" : path,
      .sync_name = path != nullptr && makes && (flags & kJournals) != 0,
      .remove_at_close = path != nullptr && (flags & SQLITE_OPEN_DELETEONCLOSE) != 0,
      .overwrite = self.overwrite_,
      .database = nullptr,
      .holder = {},
  });
  if (path != nullptr && (flags & SQLITE_OPEN_MAIN_DB) != 0) open->database = self.database_at(path);
  reinterpret_cast<Handle*>(base)->open = open.release();
  base->pMethods = &kMethods;
  if (out_flags != nullptr) *out_flags = flags;
  return SQLITE_OK;
}

std::shared_ptr<VfsDatabase> SqliteVfs::Registration::database_at(const std::string& path) {
  const std::scoped_lock lock(mutex_);
  std::weak_ptr<VfsDatabase>& entry = databases_[path];
  std::shared_ptr<VfsDatabase> database = entry.lock();
  if (!database) {
    database = std::make_shared<VfsDatabase>();
    entry = database;
  }
  return database;
}

int SqliteVfs::Registration::remove(sqlite3_vfs* vfs, const char* path, int sync_directory) {
  env::FileSystem& fs = of(vfs).fs_;
  if (!fs.remove(path)) return SQLITE_IOERR_DELETE;
  if (sync_directory != 0 && !fs.sync_directory(env::parent_of(path))) {
    return SQLITE_IOERR_DIR_FSYNC;
  }
  return SQLITE_OK;
}

// An empty file does not count as one: as in SQLite's unix VFS, for journals that were made and not written.
int SqliteVfs::Registration::access(sqlite3_vfs* vfs, const char* path, int flags, int* result) {
  const auto info = of(vfs).fs_.info(path);
  *result = 0;
  if (!info) return SQLITE_IOERR_ACCESS;
  const bool counts = info->has_value() && (flags != SQLITE_ACCESS_EXISTS || (*info)->size_bytes > 0);
  *result = counts ? 1 : 0;
  return SQLITE_OK;
}

int SqliteVfs::Registration::full_pathname(sqlite3_vfs*, const char* path, int out_bytes, char* out) {
  const std::size_t length = std::strlen(path);
  if (length >= static_cast<std::size_t>(out_bytes)) return SQLITE_CANTOPEN;
  std::memcpy(out, path, length + 1);
  return SQLITE_OK;
}

SqliteVfs::SqliteVfs(env::FileSystem& fs, std::string name, std::string temp_directory, Overwrite overwrite)
    : registration_(std::make_unique<Registration>(fs, std::move(name), std::move(temp_directory), overwrite)) {}

SqliteVfs::~SqliteVfs() = default;

const char* SqliteVfs::name() const {
  return registration_->name();
}

void SqliteVfs::drop_shared_memory() {
  registration_->drop_databases();
}

}  // namespace spl::testing
