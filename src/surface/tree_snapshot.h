// A tree of files at one moment, by snapshots of the volumes that it lies on: that of its root, and those of subvolumes
// and mounts below. One thread; the volumes are shared with other parts.
#pragma once

#include <memory>
#include <string>
#include <vector>

#include "base/result.h"
#include "env/descriptor.h"
#include "env/directory_id.h"
#include "surface/part.h"
#include "surface/tree_walk.h"
#include "surface/volume_snapshot.h"

namespace spl::surface {

class TreeSnapshot {
 public:
  struct Found {
    std::unique_ptr<TreeSnapshot> snapshot;  // null: there is none
    std::string why_not = {};
  };
  // A path to a directory, and which one a walk has found there.
  struct Root {
    std::string path;
    env::DirectoryId id;
  };
  // Changes nothing. `boundaries` are the paths from the root of directories that lie on another device than the
  // directory above them, as a walk has found them.
  static Result<Found> find(const Surroundings& surroundings, const Root& root, const TreeFilter& filter,
                            const std::vector<std::string>& boundaries);

  [[nodiscard]] const std::string& method() const { return method_; }
  // Whether one moment is all of it: a writer that nothing pauses may have written between two.
  [[nodiscard]] bool is_one_volume() const { return pieces_.size() == 1; }
  // Everything runs. An error: it is to be read without a snapshot.
  Result<void> prepare();
  // Within the pause. An error where the tree now lies on others than find() has seen.
  Result<void> make();
  // After it. Valid for as long as this lives.
  Result<TreeView> view();
  // What stands for a subvolume in the snapshot of another one, and nothing of its content.
  [[nodiscard]] bool is_left_out(const TreeView& view, const WalkedEntry& entry) const;

 private:
  struct Piece {
    std::string path;   // from the tree's root; "": the root itself
    std::string below;  // in the volume
    std::shared_ptr<VolumeSnapshot> volume;
    env::DirectoryId live = {};  // as find() has seen it
    env::Descriptor seen = {};   // in the snapshot
  };
  TreeSnapshot() = default;
  static Result<std::string> add(TreeSnapshot& to, const VolumeRoom& room, SharedViews* views,
                                 const std::vector<env::Mount>& mounts, const std::string& path);
  [[nodiscard]] std::string full(const std::string& path) const { return path.empty() ? root_ : root_ + "/" + path; }

  std::string root_;
  const TreeFilter* filter_ = nullptr;
  std::string method_;
  bool is_btrfs_ = false;
  std::vector<std::string> mounted_;  // below the root, as find() has seen it
  std::vector<Piece> pieces_;
};

}  // namespace spl::surface
