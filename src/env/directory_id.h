// A directory whatever path leads to it. Any thread. Sources: stat(2), openat(2).
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

namespace spl::env {

struct DirectoryId {
  std::uint64_t device = 0;
  std::uint64_t inode = 0;
  bool operator==(const DirectoryId&) const = default;
};

// Of what `path` leads to; nothing where that is no directory.
std::optional<DirectoryId> directory_id(const std::string& path);
// The directory and all that it lies in, the nearest first, as far as they can be asked for.
std::vector<DirectoryId> directories_above(const std::string& directory);
// The path without symbolic links; as it is where it leads nowhere.
std::string real_path(const std::string& path);

}  // namespace spl::env
