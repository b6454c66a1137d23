// What is mounted where, as this process sees it. Any thread. Sources: proc_pid_mountinfo(5), statx(2), openat2(2).
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "base/result.h"
#include "env/descriptor.h"

namespace spl::env {

struct Mount {
  std::uint64_t id = 0;
  std::string device;                // "254:3"
  std::string root;                  // what of the file system is seen, from its own root: "/", "/@home"
  std::string point;                 // where
  std::string type;                  // "btrfs"
  std::string source;                // "/dev/mapper/vg-data", "pool/data"
  std::vector<std::string> options;  // of the file system: "rw", "user_subvol_rm_allowed"
  bool operator==(const Mount&) const = default;
};

// In the order in which they were mounted.
Result<std::vector<Mount>> mounts();
// Lines that are none are passed over.
std::vector<Mount> parse_mounts(std::string_view text);
// The mount that a directory lies on; nothing where it cannot be told.
std::optional<Mount> mount_of(const std::vector<Mount>& mounts, const Descriptor& directory);

// A directory, where no component of the path is a symbolic link.
Result<Descriptor> open_directory_straight(const std::string& path);
// The same from a directory, which the path does not leave; "" is that itself.
Result<Descriptor> open_directory_below(const Descriptor& directory, const std::string& path);
// The same; nothing where no directory is there, or a link is on the way.
Result<std::optional<Descriptor>> find_directory_below(const Descriptor& directory, const std::string& path);
// A path that leads to an open directory, whatever its name has become; for as long as it is open, in this process.
std::string path_of(const Descriptor& directory);

}  // namespace spl::env
