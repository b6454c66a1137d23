#include "env/directory_id.h"

#include <fcntl.h>
#include <sys/stat.h>

#include <filesystem>

#include "env/descriptor.h"

namespace spl::env {

std::optional<DirectoryId> directory_id(const std::string& path) {
  struct stat status{};
  if (::stat(path.c_str(), &status) != 0 || !S_ISDIR(status.st_mode)) return std::nullopt;
  return DirectoryId{status.st_dev, status.st_ino};
}

std::vector<DirectoryId> directories_above(const std::string& directory) {
  constexpr int kFlags = O_PATH | O_DIRECTORY | O_CLOEXEC;
  std::vector<DirectoryId> way;
  for (Descriptor at(::open(directory.c_str(), kFlags)); at.is_open();) {
    struct stat status{};
    if (::fstat(at.number(), &status) != 0) break;
    const DirectoryId id{status.st_dev, status.st_ino};
    if (!way.empty() && way.back() == id) break;  // the root's parent is the root
    way.push_back(id);
    at = Descriptor(::openat(at.number(), "..", kFlags));
  }
  return way;
}

std::string real_path(const std::string& path) {
  std::error_code error;
  const auto real = std::filesystem::canonical(path, error);
  return error ? path : real.string();
}

}  // namespace spl::env
