#include "surface/tree_snapshot.h"

#include <algorithm>

#include "base/encoding.h"
#include "env/btrfs.h"

namespace spl::surface {
namespace {

constexpr std::size_t kPiecesMax = 64;  // each has a snapshot of its own

bool leaves_out(const TreeFilter& filter, const std::string& path) {
  for (std::size_t end = path.find('/');; end = path.find('/', end + 1)) {
    if (filter.leaves_out(path.substr(0, end))) return true;
    if (end == std::string::npos) return false;
  }
}

// What is mounted below a directory and belongs to its tree, from there, ascending.
std::vector<std::string> mounted_below(const std::vector<env::Mount>& mounts, const std::string& root,
                                       const TreeFilter& filter) {
  std::vector<std::string> found;
  for (const env::Mount& mount : mounts) {
    if (mount.point.size() <= root.size() || !is_at_or_below(mount.point, root)) continue;
    std::string path = mount.point.substr(root == "/" ? 1 : root.size() + 1);
    if (!leaves_out(filter, path)) found.push_back(std::move(path));
  }
  std::ranges::sort(found);
  found.erase(std::ranges::unique(found).begin(), found.end());
  return found;
}

}  // namespace

// Gives why there is none; empty where there is.
Result<std::string> TreeSnapshot::add(TreeSnapshot& to, const VolumeRoom& room, SharedViews* views,
                                      const std::vector<env::Mount>& mounts, const std::string& path) {
  const std::string full = to.full(path);
  Piece piece{.path = path, .below = {}, .volume = {}, .live = env::directory_id(full).value_or(env::DirectoryId{})};
  const auto directory = env::open_directory_straight(full);
  if (!directory) return directory.error().message;
  const auto mount = env::mount_of(mounts, *directory);
  if (!mount) return std::string("its mount cannot be told");
  auto looked = find_volume(room, to.root_, full, *mount);
  if (!looked) return looked.error().message;
  FoundVolume found = std::move(*looked);
  if (!found.why_not.empty())
    return found.why_not + (path.empty() ? "" : ", on which " + base::escaped(path) + " lies");
  if (to.method_.find(found.method) == std::string::npos)
    to.method_ += (to.method_.empty() ? "" : " and ") + found.method;
  to.is_btrfs_ = to.is_btrfs_ || mount->type == "btrfs";
  piece.below = std::move(found.below);
  piece.volume =
      views == nullptr ? found.make() : views->get<VolumeSnapshot>(found.key, [&found] { return found.make(); });
  to.pieces_.push_back(std::move(piece));
  return std::string();
}

Result<TreeSnapshot::Found> TreeSnapshot::find(const Surroundings& surroundings, const Root& root,
                                               const TreeFilter& filter, const std::vector<std::string>& boundaries) {
  std::unique_ptr<TreeSnapshot> made(new TreeSnapshot());
  if (surroundings.snapshot_list.empty()) return Found{nullptr, ""};
  made->root_ = env::real_path(root.path);
  if (env::directory_id(made->root_) != root.id) return Found{nullptr, "a link on the way to it has been changed"};
  made->filter_ = &filter;
  const auto mounts = TRY(env::mounts());
  made->mounted_ = mounted_below(mounts, made->root_, filter);
  std::vector<std::string> paths{""};
  paths.insert(paths.end(), boundaries.begin(), boundaries.end());
  paths.insert(paths.end(), made->mounted_.begin(), made->mounted_.end());
  std::ranges::sort(paths);
  paths.erase(std::ranges::unique(paths).begin(), paths.end());
  if (paths.size() > kPiecesMax) return Found{nullptr, "it has more than 63 subvolumes and mounts"};
  const VolumeRoom room{surroundings.env, surroundings.snapshot_list, surroundings.tool_path};
  for (const std::string& path : paths) {
    std::string why_not = TRY(add(*made, room, surroundings.views, mounts, path));
    if (!why_not.empty()) return Found{nullptr, std::move(why_not)};
  }
  return Found{std::move(made)};
}

Result<void> TreeSnapshot::prepare() {
  for (const Piece& piece : pieces_) TRY(piece.volume->prepare());
  return {};
}

Result<void> TreeSnapshot::make() {
  for (const std::string& path : mounted_below(TRY(env::mounts()), root_, *filter_)) {
    if (!std::ranges::binary_search(mounted_, path))
      return fail(base::escaped(full(path)) + " was mounted while the backup began", "back up again");
  }
  for (const Piece& piece : pieces_) {
    if (env::directory_id(full(piece.path)) != piece.live)
      return fail(base::escaped(full(piece.path)) + " became another directory while the backup began",
                  "back up again");
    TRY_IN(base::escaped(full(piece.path)), piece.volume->make());
  }
  return {};
}

Result<TreeView> TreeSnapshot::view() {
  TreeView view;
  for (Piece& piece : pieces_) {
    const env::Descriptor* root = TRY(piece.volume->root());
    piece.seen = TRY(env::open_directory_below(*root, piece.below));
    if (piece.path.empty()) {
      view.root = env::path_of(piece.seen);
    } else {
      view.elsewhere.emplace_back(piece.path, env::path_of(piece.seen));
    }
  }
  return view;
}

bool TreeSnapshot::is_left_out(const TreeView& view, const WalkedEntry& entry) const {
  return is_btrfs_ && entry.info.type == env::FileType::kDirectory &&
         entry.info.inode == env::kInodeOfLeftOutSubvolume && !view.is_root(entry.path);
}

}  // namespace spl::surface
