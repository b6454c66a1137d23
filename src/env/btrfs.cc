#include "env/btrfs.h"

#include <fcntl.h>
#include <linux/btrfs.h>
#include <linux/magic.h>
#include <sys/ioctl.h>
#include <sys/stat.h>
#include <sys/vfs.h>

#include <algorithm>
#include <cerrno>
#include <cstring>
#include <span>

#include "base/encoding.h"

namespace spl::env {
namespace {

constexpr std::uint64_t kInodeOfRoot = 256;  // BTRFS_FIRST_FREE_OBJECTID: of the root of every subvolume

bool is_btrfs(const Descriptor& directory) {
  struct statfs status{};
  return ::fstatfs(directory.number(), &status) == 0 && status.f_type == BTRFS_SUPER_MAGIC;
}

std::string hex_of(const __u8* octets, std::size_t count) {
  return base::to_hex({reinterpret_cast<const char*>(octets), count});
}

Result<Descriptor> open_in(const Descriptor& directory, const std::string& name) {
  Descriptor found(::openat(directory.number(), name.c_str(), O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC));
  if (!found.is_open()) return base::fail_errno("cannot open " + base::escaped(name), errno);
  return found;
}

int destroy(const Descriptor& directory, const std::string& name) {
  struct btrfs_ioctl_vol_args arguments{};
  name.copy(arguments.name, BTRFS_VOL_NAME_MAX);
  return ::ioctl(directory.number(), BTRFS_IOC_SNAP_DESTROY, &arguments);
}

}  // namespace

Result<std::optional<Subvolume>> subvolume_at(const Descriptor& directory) {
  struct stat status{};
  if (::fstat(directory.number(), &status) != 0) return base::fail_errno("cannot look at a directory", errno);
  if (status.st_ino != kInodeOfRoot || !is_btrfs(directory)) return std::nullopt;
  struct btrfs_ioctl_get_subvol_info_args info{};
  // Linux 6.18 answers 1 where all went well.
  if (::ioctl(directory.number(), BTRFS_IOC_GET_SUBVOL_INFO, &info) < 0)
    return base::fail_errno("cannot look at a subvolume", errno);
  if (info.treeid == 0) return fail("cannot look at a subvolume: the kernel says nothing of it");
  Subvolume found;
  found.uuid = hex_of(info.uuid, sizeof info.uuid);
  found.parent_uuid = hex_of(info.parent_uuid, sizeof info.parent_uuid);
  found.is_read_only = (info.flags & 1) != 0;  // BTRFS_ROOT_SUBVOL_RDONLY
  found.uid = status.st_uid;
  return found;
}

std::optional<std::string> btrfs_id(const Descriptor& directory) {
  if (!is_btrfs(directory)) return std::nullopt;
  struct btrfs_ioctl_fs_info_args info{};
  if (::ioctl(directory.number(), BTRFS_IOC_FS_INFO, &info) != 0) return std::nullopt;
  return hex_of(info.fsid, sizeof info.fsid);
}

Result<void> make_btrfs_snapshot(const Descriptor& source, const Descriptor& directory, const std::string& name) {
  struct btrfs_ioctl_vol_args_v2 arguments{};
  arguments.fd = source.number();
  arguments.flags = BTRFS_SUBVOL_RDONLY;
  name.copy(arguments.name, BTRFS_SUBVOL_NAME_MAX);
  if (::ioctl(directory.number(), BTRFS_IOC_SNAP_CREATE_V2, &arguments) != 0)
    return base::fail_errno("cannot make a btrfs snapshot", errno);
  return {};
}

Result<void> remove_btrfs_snapshot(const Descriptor& directory, const std::string& name) {
  if (destroy(directory, name) == 0) return {};
  // Who is not root may not remove what is read-only, or what they may not write.
  const int reason = errno;
  const Descriptor snapshot = TRY(open_in(directory, name));
  __u64 flags = 0;
  if (!TRY(subvolume_at(snapshot)) || ::ioctl(snapshot.number(), BTRFS_IOC_SUBVOL_GETFLAGS, &flags) != 0)
    return base::fail_errno("cannot remove a btrfs snapshot", reason);
  flags &= ~__u64{BTRFS_SUBVOL_RDONLY};
  if (::ioctl(snapshot.number(), BTRFS_IOC_SUBVOL_SETFLAGS, &flags) == 0) (void)::fchmod(snapshot.number(), 0700);
  if (destroy(directory, name) == 0) return {};
  return base::fail_errno("cannot remove a btrfs snapshot", errno);
}

}  // namespace spl::env
