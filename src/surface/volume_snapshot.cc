#include "surface/volume_snapshot.h"

#include <array>

#include "base/encoding.h"

namespace spl::surface {

Result<FoundVolume> find_volume(const VolumeRoom& room, const std::string& tree, const std::string& path,
                                const env::Mount& mount) {
  if (mount.type == "btrfs") return find_btrfs_volume(room, tree, path, mount);
  if (mount.type == "zfs") return find_zfs_volume(room, path, mount);
  return find_lvm_volume(room, path, mount);
}

Result<Removal> remove_listed(const ListedSnapshot& snapshot, const std::string& tool_path) {
  switch (snapshot.kind) {
    case SnapshotKind::kBtrfs:
      return remove_listed_btrfs(snapshot);
    case SnapshotKind::kZfs:
      return remove_listed_zfs(snapshot, tool_path);
    case SnapshotKind::kLvm:
      return remove_listed_lvm(snapshot, tool_path);
  }
  return Removal::kNothingThere;
}

std::string new_snapshot_id(env::Random& random) {
  std::array<char, 8> octets{};
  random.fill(octets);
  return base::to_hex({octets.data(), octets.size()});
}

}  // namespace spl::surface
