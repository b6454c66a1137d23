// Snapshots of ZFS data sets, by zfs(8): made with a property that is spl's mark, read below .zfs/snapshot. Sources:
// zfs-snapshot(8), zfsprops(7).
#include "surface/tool_volume.h"
#include "surface/tree_walk.h"

namespace spl::surface {
namespace {

constexpr const char* kMark = "spl:snapshot";  // a property of users has a colon

Result<std::string> guid_of(const std::string& tool_path, const std::string& data_set) {
  const auto rows =
      rows_of(TRY(said_by_tool(tool_path, {"zfs", "get", "-H", "-p", "-o", "value", "guid", data_set})), '\t');
  if (rows.empty() || rows[0][0].empty()) return fail("zfs does not say the guid of " + data_set);
  return rows[0][0];
}

std::string full_name(const ListedSnapshot& snapshot) {
  return snapshot.where + "@" + tool_name(snapshot.id);
}

class ZfsVolume final : public ToolVolume {
 public:
  ZfsVolume(const VolumeRoom& room, ListedSnapshot entry, std::string point)
      : ToolVolume(room, std::move(entry)), point_(std::move(point)) {}

 private:
  Result<void> create() override {
    TRY(said_by_tool(room().tool_path,
                     {"zfs", "snapshot", "-o", std::string(kMark) + "=" + entry().id, full_name(entry())}));
    return {};
  }
  Result<env::Descriptor> open() override {
    return env::open_directory_straight(env::join(point_, ".zfs/snapshot/" + tool_name(entry().id)));
  }
  const std::string point_;
};

}  // namespace

Result<FoundVolume> find_zfs_volume(const VolumeRoom& room, const std::string& path, const env::Mount& mount) {
  FoundVolume found;
  found.method = "a ZFS snapshot";
  found.below = path.size() > mount.point.size() ? path.substr(mount.point.size() + (mount.point == "/" ? 0 : 1)) : "";
  if (mount.root != "/") found.why_not = "the root of its ZFS data set is not mounted";
  if (mount.source.find('@') != std::string::npos) found.why_not = "it is a ZFS snapshot itself";
  if (!found.why_not.empty()) return found;
  ListedSnapshot entry{.kind = SnapshotKind::kZfs,
                       .id = new_snapshot_id(room.env.random),
                       .where = mount.source,
                       .of = TRY(guid_of(room.tool_path, mount.source)),
                       .mark = {}};
  found.key = "zfs " + entry.of;
  found.make = [room, entry, point = mount.point] { return std::make_shared<ZfsVolume>(room, entry, point); };
  return found;
}

Result<Removal> remove_listed_zfs(const ListedSnapshot& snapshot, const std::string& tool_path) {
  if (snapshot.where.empty() || snapshot.where.starts_with('-') || snapshot.where.find('@') != std::string::npos)
    return Removal::kNothingThere;
  if (TRY(guid_of(tool_path, snapshot.where)) != snapshot.of) return Removal::kNothingThere;
  const std::string mark_and_name = std::string("name,") + kMark;
  const std::string text = TRY(said_by_tool(
      tool_path, {"zfs", "list", "-H", "-p", "-t", "snapshot", "-d", "1", "-o", mark_and_name, snapshot.where}));
  for (const auto& row : rows_of(text, '\t')) {
    if (row.size() != 2 || row[0] != full_name(snapshot) || row[1] != snapshot.id) continue;
    TRY(said_by_tool(tool_path, {"zfs", "destroy", full_name(snapshot)}));
    return Removal::kDone;
  }
  return Removal::kNothingThere;
}

}  // namespace spl::surface
