// SQLite on an env::FileSystem: a VFS (https://sqlite.org/vfs.html) through which databases, journals and WAL files go
// to a SimFileSystem, or to any other. Locks and shared memory are between the connections of this VFS only, so all of
// them must be in one process. Any thread.
//
// It promises SQLite nothing that POSIX does not, unless it is told otherwise (Overwrite). A name that was
// made is made durable with the first sync of its journal or WAL file, as SQLite's own unix VFS does. Errors of the
// file system become SQLITE_IOERR_*, also when a disk is full.
#pragma once

#include <memory>
#include <string>

#include "env/file_system.h"

namespace spl::testing {

// Whether a write that a power cut tears may change octets beside those that it writes: https://sqlite.org/psow.html.
// SQLite's own unix VFS says that it does not, and the log is then written without padding.
enum class Overwrite : bool { kUnsafe, kPowersafe };

class SqliteVfs {
 public:
  // Registered under `name`, not as the default. Temporary files go to `temp_directory`, without a name. `fs` outlives
  // this.
  SqliteVfs(env::FileSystem& fs, std::string name, std::string temp_directory = "/",
            Overwrite overwrite = Overwrite::kUnsafe);
  SqliteVfs(const SqliteVfs&) = delete;
  SqliteVfs& operator=(const SqliteVfs&) = delete;
  // All connections are closed before.
  ~SqliteVfs();

  // For sqlite3_open_v2.
  [[nodiscard]] const char* name() const;
  // The machine was rebooted: locks and shared memory are gone. Connections from before should be closed while the
  // power is still off: SQLite removes a WAL file by its name when it closes.
  void drop_shared_memory();

 private:
  class Registration;
  std::unique_ptr<Registration> registration_;
};

}  // namespace spl::testing
