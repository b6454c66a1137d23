#include "surface/volume_snapshot.h"

#include <array>

#include "base/encoding.h"

namespace spl::surface {

Result<FoundVolume> find_volume(const VolumeRoom& room, const std::string& tree, const std::string& path,
                                const env::Mount& mount) {
  if (mount.type == "btrfs") return find_btrfs_volume(room, tree, path, mount);
  return FoundVolume{.why_not = mount.type + " has no snapshots"};
}

Result<Removal> remove_listed(env::Env env, const ListedSnapshot& snapshot, const std::string& tool_path) {
  (void)tool_path;
  (void)env;
  if (snapshot.kind == SnapshotKind::kBtrfs) return remove_listed_btrfs(snapshot);
  return Removal::kNothingThere;
}

std::string new_snapshot_id(env::Random& random) {
  std::array<char, 8> octets{};
  random.fill(octets);
  return base::to_hex({octets.data(), octets.size()});
}

}  // namespace spl::surface
