// Subvolumes of btrfs and their snapshots, by the kernel's own calls. Any thread. Sources: ioctl_btrfs
// (linux/btrfs.h), https://btrfs.readthedocs.io/en/latest/btrfs-ioctl.html
#pragma once

#include <optional>
#include <string>

#include "base/result.h"
#include "env/descriptor.h"

namespace spl::env {

struct Subvolume {
  std::string uuid;         // in hexadecimal digits
  std::string parent_uuid;  // of what it is a snapshot of; zeros: of nothing
  bool is_read_only = false;
  std::uint32_t uid = 0;  // whose its root is
};

// Nothing where the directory is not the root of a subvolume, or no directory of btrfs.
Result<std::optional<Subvolume>> subvolume_at(const Descriptor& directory);
// Of the file system that the directory lies on, in hexadecimal digits; nothing where that is not btrfs.
std::optional<std::string> btrfs_id(const Descriptor& directory);
// What stands in a snapshot where the subvolume had another one: an empty directory with this inode.
inline constexpr std::uint64_t kInodeOfLeftOutSubvolume = 2;

// A read-only snapshot of the subvolume whose root is `source`, named `name` in `directory`, of the same file system.
// It has what was written before the call. Durable when it returns.
Result<void> make_btrfs_snapshot(const Descriptor& source, const Descriptor& directory, const std::string& name);
// Whatever is in it goes; who is not root needs the mount option user_subvol_rm_allowed. Not durable: a crash may bring
// it back, until the file system is synced.
Result<void> remove_btrfs_snapshot(const Descriptor& directory, const std::string& name);

}  // namespace spl::env
