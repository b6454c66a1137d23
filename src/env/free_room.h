// How much a disk still takes. Any thread. Source: statvfs(3).
#pragma once

#include <cstdint>
#include <optional>
#include <string>

namespace spl::env {

struct FreeRoom {
  std::uint64_t device = 0;            // which disk
  std::uint64_t bytes = 0;             // for this user
  std::uint64_t total_bytes = 0;       // of the disk
  std::optional<std::uint64_t> files;  // where the file system has a limit
};

// Where `path` is, or would be: the nearest directory above it that is there. Nothing where it cannot be asked.
std::optional<FreeRoom> free_room(const std::string& path);

}  // namespace spl::env
