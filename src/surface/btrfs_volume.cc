// Snapshots of btrfs subvolumes. A directory of spl's own, 0700, beside the data: the list has its inode before the
// pause begins, so that nothing is written but the snapshot while writers wait, and so that what stands in it was put
// there by spl.
#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>

#include "base/both.h"
#include "base/encoding.h"
#include "base/utf8.h"
#include "env/acting_user.h"
#include "env/btrfs.h"
#include "surface/tree_walk.h"
#include "surface/volume_snapshot.h"

namespace spl::surface {
namespace {

constexpr const char* kName = "snapshot";  // in the directory
constexpr mode_t kDirectoryMode = 0700;

std::string last_of(const std::string& path) {
  return path.substr(path.rfind('/') + 1);
}

Result<struct stat> look_at(const env::Descriptor& directory) {
  struct stat status{};
  if (::fstat(directory.number(), &status) != 0) return base::fail_errno("cannot look at a directory", errno);
  return status;
}

Result<env::Descriptor> open_in(const env::Descriptor& parent, const std::string& name) {
  env::Descriptor found(::openat(parent.number(), name.c_str(), O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC));
  if (!found.is_open()) return base::fail_errno("cannot open " + base::escaped(name), errno);
  return found;
}

// Durable also in that a crash does not bring it back. No error where there is none.
Result<void> remove_from(const env::Descriptor& directory) {
  auto removed = env::remove_btrfs_snapshot(directory, kName);
  if (!removed && removed.error().cause != Cause::kNoSuchFile) return removed;
  if (removed && ::syncfs(directory.number()) != 0) return base::fail_errno("cannot sync btrfs", errno);
  return {};
}

// What find_btrfs_volume() has seen of it.
struct Seen {
  std::string source;  // the path of the subvolume's root
  std::string beside;  // the directory in which spl makes its own
  std::string uuid;
  std::string file_system;
};

// What ListedSnapshot::of has.
std::string identity_of(const std::string& file_system, const std::string& uuid) {
  return file_system + " " + uuid;
}

class BtrfsVolume final : public VolumeSnapshot {
 public:
  BtrfsVolume(VolumeRoom room, Seen seen) : room_(std::move(room)), seen_(std::move(seen)) {
    entry_.kind = SnapshotKind::kBtrfs;
    entry_.id = new_snapshot_id(room_.env.random);
    entry_.where = env::join(seen_.beside, snapshot_name(entry_.id));
    entry_.of = identity_of(seen_.file_system, seen_.uuid);
  }
  ~BtrfsVolume() override {
    root_.close();
    const auto removed = is_listed_ ? remove_all() : Result<void>();
    if (!removed)
      room_.env.log.write(env::LogLevel::kError, "snapshot not removed",
                          {{"where", entry_.where}, {"error", removed.error().message}});
  }

 private:
  Result<void> do_prepare() override {
    source_ = TRY(env::open_directory_straight(seen_.source));
    const auto subvolume = TRY(env::subvolume_at(source_));
    if (!subvolume || subvolume->uuid != seen_.uuid) return fail(base::escaped(seen_.source) + " is another one now");
    is_listed_ = true;
    TRY(room_.list().put(entry_));
    parent_ = TRY(env::open_directory_straight(seen_.beside));
    const std::string name = last_of(entry_.where);
    if (::mkdirat(parent_.number(), name.c_str(), kDirectoryMode) != 0)
      return base::fail_errno("cannot make " + base::escaped(entry_.where), errno);
    directory_ = TRY(open_in(parent_, name));
    entry_.inode = TRY(look_at(directory_)).st_ino;
    TRY(room_.list().put(entry_));
    TRY(env::make_btrfs_snapshot(source_, directory_, kName));
    return remove_from(directory_);
  }

  Result<void> do_make() override {
    const env::Descriptor source = std::move(source_);
    return env::make_btrfs_snapshot(source, directory_, kName);
  }

  Result<void> do_open() override {
    root_ = TRY(open_in(directory_, kName));
    return {};
  }

  Result<void> remove_all() {
    if (directory_.is_open()) {
      TRY(remove_from(directory_));
      if (::unlinkat(parent_.number(), last_of(entry_.where).c_str(), AT_REMOVEDIR) != 0 && errno != ENOENT)
        return base::fail_errno("cannot remove " + base::escaped(entry_.where), errno);
    }
    return room_.list().remove(entry_.id);
  }

  const VolumeRoom room_;
  const Seen seen_;
  ListedSnapshot entry_;
  bool is_listed_ = false;
  env::Descriptor source_;
  env::Descriptor parent_;
  env::Descriptor directory_;
};

// Whether this process may both make and remove a snapshot of it; else why not.
std::string why_not(const env::Subvolume& subvolume, const env::Mount& mount) {
  const bool is_owner = env::file_access_user() == 0 || env::file_access_user() == subvolume.uid;
  if (!is_owner) return "its btrfs subvolume is another user's";
  const bool may_remove =
      ::geteuid() == 0 || std::ranges::find(mount.options, "user_subvol_rm_allowed") != mount.options.end();
  return may_remove ? "" : "btrfs is mounted without user_subvol_rm_allowed";
}

// The nearest directory to the tree that lies on this file system: what is made in it changes no time within the tree,
// but for that of the root of a mount.
std::string directory_beside(const std::string& tree, const std::string& path, const std::string& file_system) {
  for (const std::string& candidate : {env::parent_of(tree), tree, env::parent_of(path)}) {
    const auto directory = env::open_directory_straight(candidate);
    if (directory && env::btrfs_id(*directory) == file_system) return candidate;
  }
  return path;
}

}  // namespace

Result<FoundVolume> find_btrfs_volume(const VolumeRoom& room, const std::string& tree, const std::string& path,
                                      const env::Mount& mount) {
  FoundVolume found;
  found.method = "a btrfs snapshot";
  std::string at = path;
  for (;;) {
    const env::Descriptor directory = TRY(env::open_directory_straight(at));
    if (const auto subvolume = TRY(env::subvolume_at(directory))) {
      const auto file_system = env::btrfs_id(directory);
      found.why_not = file_system ? why_not(*subvolume, mount) : "its btrfs does not say which it is";
      found.key = "btrfs " + identity_of(file_system.value_or(""), subvolume->uuid);
      found.below = path.size() > at.size() ? path.substr(at.size() + (at == "/" ? 0 : 1)) : "";
      Seen seen{.source = at,
                .beside = directory_beside(tree, path, file_system.value_or("")),
                .uuid = subvolume->uuid,
                .file_system = file_system.value_or("")};
      if (seen.uuid.find_first_not_of('0') == std::string::npos) found.why_not = "its btrfs subvolume has no UUID";
      if (!base::is_utf8(seen.beside)) found.why_not = "its path is not UTF-8";
      found.make = [room, seen] { return std::make_shared<BtrfsVolume>(room, seen); };
      return found;
    }
    if (at == mount.point || at == "/") break;
    at = env::parent_of(at);
  }
  found.why_not = "the root of its btrfs subvolume is not mounted";
  return found;
}

Result<Removal> remove_listed_btrfs(const ListedSnapshot& snapshot) {
  const std::string name = last_of(snapshot.where);
  if (!snapshot.where.starts_with('/') || name != snapshot_name(snapshot.id)) return Removal::kNothingThere;
  auto outer = env::open_directory_straight(env::parent_of(snapshot.where));
  if (!outer && outer.error().cause != Cause::kNoSuchFile) return std::unexpected(outer.error());
  const auto file_system = outer ? env::btrfs_id(*outer) : std::nullopt;
  if (!file_system || !snapshot.of.starts_with(identity_of(*file_system, ""))) return Removal::kNotMounted;
  const auto directory = open_in(*outer, name);
  if (!directory && directory.error().cause == Cause::kNoSuchFile) return Removal::kNothingThere;
  if (!directory) return std::unexpected(directory.error());
  const struct stat status = TRY(look_at(*directory));
  if (snapshot.inode != 0 && status.st_ino != snapshot.inode) return Removal::kNothingThere;
  const auto there = open_in(*directory, kName);
  if (there && snapshot.inode != 0) {
    const auto subvolume = TRY(env::subvolume_at(*there));
    if (!subvolume || snapshot.of != identity_of(*file_system, subvolume->parent_uuid)) return Removal::kNothingThere;
    TRY(remove_from(*directory));
  }
  // What else stands in it is not spl's, and stays.
  if (::unlinkat(outer->number(), name.c_str(), AT_REMOVEDIR) != 0 && errno != ENOENT && errno != ENOTEMPTY)
    return base::fail_errno("cannot remove " + base::escaped(snapshot.where), errno);
  return Removal::kDone;
}

}  // namespace spl::surface
