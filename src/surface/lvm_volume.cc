// Snapshots of logical volumes, by LVM's programs: made with a tag that is spl's mark, and mounted where no path leads
// to: the mount goes with its descriptor. Sources: lvcreate(8), lvs(8), fsopen(2), fsmount(2).
#include <fcntl.h>
#include <sys/mount.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>

#include "base/encoding.h"
#include "surface/tool_volume.h"
#include "surface/tree_walk.h"

namespace spl::surface {
namespace {

constexpr std::size_t kUuidLength = 32;
constexpr std::string_view kUuidBegin = "LVM-";  // then that of the group, and that of the volume

// What the kernel says of a device-mapper device; empty where it is none.
std::string device_fact(env::FileSystem& fs, const std::string& device, const std::string& fact) {
  auto text = env::read_file(fs, "/sys/dev/block/" + device + "/dm/" + fact, 4096);
  return text ? text->substr(0, text->find('\n')) : std::string();
}

std::string without_dashes(std::string text) {
  std::erase(text, '-');
  return text;
}

class LvmVolume final : public ToolVolume {
 public:
  LvmVolume(const VolumeRoom& room, ListedSnapshot entry, std::string type, bool is_thin)
      : ToolVolume(room, std::move(entry)), type_(std::move(type)), is_thin_(is_thin) {}

 private:
  Result<void> create() override {
    std::vector<std::string> words{"lvcreate", "-s", "-n", tool_name(entry().id), "--addtag", tool_name(entry().id)};
    // What is written meanwhile goes into the snapshot's own room; where that is full it becomes unreadable.
    const std::vector<std::string> more =
        is_thin_ ? std::vector<std::string>{"--setactivationskip", "n"} : std::vector<std::string>{"-l", "10%ORIGIN"};
    words.insert(words.end(), more.begin(), more.end());
    words.push_back(entry().where);
    TRY(said_by_tool(room().tool_path, std::move(words)));
    return {};
  }

  Result<env::Descriptor> open() override {
    const std::string group = entry().where.substr(0, entry().where.find('/'));
    const auto rows = rows_of(TRY(said_by_tool(room().tool_path, {"lvs", "--noheadings", "-o", "lv_path",
                                                                  group + "/" + tool_name(entry().id)})),
                              '|');
    if (rows.empty()) return fail("lvs does not say where a snapshot is");
    const env::Descriptor context(::fsopen(type_.c_str(), FSOPEN_CLOEXEC));
    const auto set = [&context](const char* name, const char* value) {
      return ::fsconfig(context.number(), value == nullptr ? FSCONFIG_SET_FLAG : FSCONFIG_SET_STRING, name, value, 0) ==
             0;
    };
    // A journal may be replayed into the snapshot: it is written there alone.
    const bool is_set = context.is_open() && set("source", rows[0][0].c_str()) && set("ro", nullptr) &&
                        (type_ != "xfs" || set("nouuid", nullptr)) &&
                        ::fsconfig(context.number(), FSCONFIG_CMD_CREATE, nullptr, nullptr, 0) == 0;
    env::Descriptor mounted(
        is_set ? ::fsmount(context.number(), FSMOUNT_CLOEXEC, MOUNT_ATTR_RDONLY | MOUNT_ATTR_NODEV | MOUNT_ATTR_NOSUID)
               : -1);
    if (!mounted.is_open()) return base::fail_errno("cannot mount the snapshot of " + entry().where, errno);
    return env::open_directory_below(mounted, "");
  }

  const std::string type_;
  const bool is_thin_;
};

}  // namespace

Result<FoundVolume> find_lvm_volume(const VolumeRoom& room, const std::string& path, const env::Mount& mount) {
  FoundVolume found;
  found.method = "an LVM snapshot";
  const std::string uuid = device_fact(room.env.fs, mount.device, "uuid");
  const std::string name = device_fact(room.env.fs, mount.device, "name");
  if (!uuid.starts_with(kUuidBegin) || uuid.size() != kUuidBegin.size() + 2 * kUuidLength) {
    found.why_not = mount.type + " has no snapshots";
    return found;
  }
  if (mount.type != "ext4" && mount.type != "xfs") found.why_not = mount.type + " on LVM is not taken by snapshots";
  if (::geteuid() != 0) found.why_not = "only root makes snapshots of LVM";
  if (!found.why_not.empty()) return found;
  const auto rows = rows_of(TRY(said_by_tool(room.tool_path, {"lvs", "--noheadings", "--separator", "|", "-o",
                                                              "vg_name,lv_name,pool_lv", "/dev/mapper/" + name})),
                            '|');
  if (rows.size() != 1 || rows[0].size() != 3) return fail("lvs does not say which volume " + name + " is");
  const std::string beyond =
      path.size() > mount.point.size() ? path.substr(mount.point == "/" ? 0 : mount.point.size()) : "";
  found.below = (mount.root == "/" ? "" : mount.root) + beyond;
  if (found.below.starts_with('/')) found.below.erase(0, 1);
  ListedSnapshot entry{.kind = SnapshotKind::kLvm,
                       .id = new_snapshot_id(room.env.random),
                       .where = rows[0][0] + "/" + rows[0][1],
                       .of = uuid,
                       .mark = {}};
  found.key = uuid;
  found.make = [room, entry, type = mount.type, is_thin = !rows[0][2].empty()] {
    return std::make_shared<LvmVolume>(room, entry, type, is_thin);
  };
  return found;
}

Result<Removal> remove_listed_lvm(const ListedSnapshot& snapshot, const std::string& tool_path) {
  const std::size_t slash = snapshot.where.find('/');
  const bool is_well_formed = slash != std::string::npos && !snapshot.where.starts_with('-') &&
                              snapshot.of.size() == kUuidBegin.size() + 2 * kUuidLength;
  if (!is_well_formed) return Removal::kNothingThere;
  const std::string group = snapshot.where.substr(0, slash);
  const std::string text = TRY(said_by_tool(
      tool_path, {"lvs", "--noheadings", "--separator", "|", "-o", "lv_name,lv_tags,origin_uuid,vg_uuid", group}));
  for (const auto& row : rows_of(text, '|')) {
    if (row.size() != 4 || row[0] != tool_name(snapshot.id) || row[1] != tool_name(snapshot.id)) continue;
    if (std::string(kUuidBegin) + without_dashes(row[3]) + without_dashes(row[2]) != snapshot.of) continue;
    TRY(said_by_tool(tool_path, {"lvremove", "-y", group + "/" + row[0]}));
    return Removal::kDone;
  }
  return Removal::kNothingThere;
}

}  // namespace spl::surface
