// One volume of files (a subvolume of btrfs, a data set of ZFS, a logical volume) at one moment: a snapshot that is
// made in the pause, read after it, and removed with the object. docs/decisions/D-19 says how each kind does it. Parts
// whose trees lie on one volume share it. Any thread.
#pragma once

#include <functional>
#include <memory>
#include <mutex>
#include <optional>
#include <string>

#include "base/result.h"
#include "env/descriptor.h"
#include "env/env.h"
#include "env/mounts.h"
#include "surface/snapshot_list.h"

namespace spl::surface {

class VolumeSnapshot {
 public:
  VolumeSnapshot() = default;
  VolumeSnapshot(const VolumeSnapshot&) = delete;
  VolumeSnapshot& operator=(const VolumeSnapshot&) = delete;
  // Removes what there is of it; what cannot be removed stays listed.
  virtual ~VolumeSnapshot() = default;

  // Everything runs: lists it, and makes and removes one for a trial, so that the pause does nothing that cannot be
  // done here. An error: its trees are to be read without one.
  Result<void> prepare() { return once(prepared_, &VolumeSnapshot::do_prepare); }
  // Within the pause.
  Result<void> make() { return once(made_, &VolumeSnapshot::do_make); }
  // After the pause: the volume's root, as it was. Open for as long as this lives.
  Result<const env::Descriptor*> root() {
    TRY(once(opened_, &VolumeSnapshot::do_open));
    return &root_;
  }

 protected:
  virtual Result<void> do_prepare() = 0;
  virtual Result<void> do_make() = 0;
  virtual Result<void> do_open() = 0;
  env::Descriptor root_ = {};

 private:
  using Step = Result<void> (VolumeSnapshot::*)();
  // Whoever comes first does it, the others wait and have what came of it.
  Result<void> once(std::optional<Result<void>>& done, Step step) {
    const std::scoped_lock lock(mutex_);
    if (!done) done = (this->*step)();
    return *done;
  }

  std::mutex mutex_;
  std::optional<Result<void>> prepared_;
  std::optional<Result<void>> made_;
  std::optional<Result<void>> opened_;
};

// What a volume needs from its caller; copied.
struct VolumeRoom {
  env::Env env;
  std::string list_path;  // run/snapshots.json
  std::string tool_path;  // where programs are looked for: "/usr/sbin:/usr/bin"
  [[nodiscard]] SnapshotList list() const { return {env, list_path}; }
};

// Where a directory lies.
struct FoundVolume {
  std::string key = {};     // the same of all directories of one volume
  std::string method = {};  // for people: "a btrfs snapshot"
  std::string below = {};   // the directory, from the volume's root
  std::function<std::shared_ptr<VolumeSnapshot>()> make = {};
  std::string why_not = {};  // where there is no snapshot: "ext4 has none"
};

// Changes nothing. `path` is a directory of the tree whose root is `tree`, both absolute and without a symbolic link;
// `mount` is the one that it lies on.
Result<FoundVolume> find_volume(const VolumeRoom& room, const std::string& tree, const std::string& path,
                                const env::Mount& mount);
Result<FoundVolume> find_btrfs_volume(const VolumeRoom& room, const std::string& tree, const std::string& path,
                                      const env::Mount& mount);

Result<FoundVolume> find_zfs_volume(const VolumeRoom& room, const std::string& path, const env::Mount& mount);
Result<FoundVolume> find_lvm_volume(const VolumeRoom& room, const std::string& path, const env::Mount& mount);

enum class Removal : std::uint8_t {
  kDone,
  kNothingThere,  // or nothing that bears the mark
  kNotMounted,    // the volume is not to be seen: it may come back
};
// Removes what an entry names, if it is there and bears its mark.
Result<Removal> remove_listed(const ListedSnapshot& snapshot, const std::string& tool_path);
Result<Removal> remove_listed_btrfs(const ListedSnapshot& snapshot);
Result<Removal> remove_listed_zfs(const ListedSnapshot& snapshot, const std::string& tool_path);
Result<Removal> remove_listed_lvm(const ListedSnapshot& snapshot, const std::string& tool_path);

// Digits that nobody can guess.
std::string new_snapshot_id(env::Random& random);

}  // namespace spl::surface
