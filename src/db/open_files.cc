#include "db/open_files.h"

#include <sys/stat.h>

#include <algorithm>
#include <filesystem>
#include <system_error>

#include "base/encoding.h"

namespace spl::db {

std::optional<OpenFiles::Identity> OpenFiles::look(const std::string& path) noexcept {
  struct stat info{};
  // By name and without opening it: closing a file that SQLite has open would end SQLite's locks on it (fcntl(2)).
  if (::stat(path.c_str(), &info) != 0) return std::nullopt;
  return Identity{info.st_dev, info.st_ino};
}

Result<OpenFiles> OpenFiles::of(Connection& connection, const std::string& path) {
  std::error_code error;
  const std::string whole_path = std::filesystem::absolute(path, error).string();
  OpenFiles files;
  const auto database = error ? std::nullopt : look(whole_path);
  // SQLite compares the inode of the file that it has open with that at the path: what was looked at is that file.
  if (!database || connection.has_moved())
    return fail("the database file " + base::escaped(path) + " was removed or replaced while it was opened",
                "try again when nothing else works on it");
  files.files_.push_back({whole_path, *database});
  const std::string log_path = whole_path + "-wal";
  if (const auto log = look(log_path)) files.files_.push_back({log_path, *log});
  return files;
}

bool OpenFiles::are_in_place() const noexcept {
  return std::ranges::all_of(files_, [](const File& file) { return look(file.path) == file.identity; });
}

}  // namespace spl::db
