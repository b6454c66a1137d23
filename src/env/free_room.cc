#include "env/free_room.h"

#include <sys/statvfs.h>

#include "env/directory_id.h"
#include "env/file_system.h"

namespace spl::env {

std::optional<FreeRoom> free_room(const std::string& path) {
  std::string directory = path;
  auto id = directory_id(directory);
  while (!id && directory != parent_of(directory)) {
    directory = parent_of(directory);
    id = directory_id(directory);
  }
  struct statvfs info{};
  if (!id || ::statvfs(directory.c_str(), &info) != 0) return std::nullopt;
  FreeRoom room{id->device,
                static_cast<std::uint64_t>(info.f_bavail) * info.f_frsize,
                static_cast<std::uint64_t>(info.f_blocks) * info.f_frsize,
                {}};
  if (info.f_files > 0) room.files = info.f_favail;
  return room;
}

}  // namespace spl::env
