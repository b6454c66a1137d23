// Walks a tree of files in the order in which a bundle has its entries: ascending by the octets of whole paths. That is
// not the order of a plain walk: between "a" and "a/b" stands "a-b", and all that is in it. One directory's names, and
// those of the directories above it, are in memory. It goes through open directories: whoever puts a link in the place
// of one meanwhile leads it nowhere else. One thread.
#pragma once

#include <map>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "base/result.h"
#include "env/file_system.h"
#include "env/users.h"

namespace spl::surface {

// What stands in a directory where a restore has staged something, or keeps what was before, begins so: it is no part
// of any tree.
inline constexpr std::string_view kOwnNamePrefix = ".spl-";

struct WalkedEntry {
  std::string path;  // from the root, whose own is empty
  env::FileInfo info;
};

// What of a tree is passed over.
struct TreeFilter {
  std::vector<std::string> exclude;  // globs (glob.h); what matches is left out with all that is below it
  // Paths from the root, each with all that is below it; a * in one stands for any octets within a component.
  std::vector<std::string> inner;
  // `inner` as a place has them: absolute; those that are not below `root` are ignored.
  static TreeFilter of(const std::string& root, std::vector<std::string> exclude,
                       const std::vector<std::string>& inner);
  [[nodiscard]] bool leaves_out(const std::string& path) const;
};

// Where a tree is read: in its own place, or some parts of it in others.
struct TreeView {
  std::string root;
  std::vector<std::pair<std::string, std::string>> elsewhere = {};  // a path from the root, and where that directory is
  [[nodiscard]] std::string path_of(const std::string& path) const;
  // The path, from the root, of the part that it lies in.
  [[nodiscard]] std::string part_of(const std::string& path) const;
  // Whether a part begins there.
  [[nodiscard]] bool is_root(const std::string& path) const;
};

class TreeWalk {
 public:
  // `root` is a directory; cause kNoSuchFile from next() where it is not there. `filter` outlives the walk.
  TreeWalk(env::FileSystem& fs, std::string root, const TreeFilter& filter)
      : TreeWalk(fs, TreeView{std::move(root)}, filter) {}
  TreeWalk(env::FileSystem& fs, TreeView view, const TreeFilter& filter)
      : fs_(fs), view_(std::move(view)), filter_(filter) {}
  // The root first; nothing at the end. What goes meanwhile is passed over. The path of what is left out at this level
  // is appended to `left_out`, if it is not null.
  Result<std::optional<WalkedEntry>> next(std::vector<std::string>* left_out = nullptr);
  // Where the entry that came last is, and its name there: "" is the directory itself. Until the next one.
  [[nodiscard]] env::Directory& directory() const { return *directory_; }
  [[nodiscard]] const std::string& name() const { return name_; }

 private:
  struct Frame {
    std::string path;
    std::vector<std::string> names;  // ascending
    std::size_t at = 0;
    // Of the directories that were given, those whose contents are still to come: "name/", a heap with the first on
    // top.
    std::vector<std::string> below;
  };
  Result<void> enter(std::string path, std::vector<std::string>* left_out);
  Result<bool> go_to(const std::string& path);
  Result<std::optional<env::FileInfo>> look_at(const std::string& path, const std::string& name);

  env::FileSystem& fs_;
  const TreeView view_;
  const TreeFilter& filter_;
  bool began_ = false;
  std::vector<Frame> frames_;
  std::map<std::string, std::unique_ptr<env::Directory>> roots_;  // of the view, by their paths from its own
  std::unique_ptr<env::Directory> opened_;                        // not a root
  std::string at_;                                                // the path of directory_
  env::Directory* directory_ = nullptr;
  std::string name_;
};

// Below a directory: "a" in "" is "a", in "d" it is "d/a".
std::string path_below(const std::string& directory, std::string_view name);

// "a/b" is below "a", "ab" is not.
bool is_at_or_below(std::string_view path, std::string_view directory);

// Nothing of a tree is left, whatever the modes in it are; no error where it is not there.
Result<void> remove_whole_tree(env::FileSystem& fs, const std::string& path);

// Whether nobody but root can lead a process elsewhere on the way to `path`: no directory of it is another's or may be
// written by others, and none is a link.
Result<bool> is_roots_alone(env::FileSystem& fs, const std::string& path);
// With whose rights names in a directory are made and taken away: root's own where it is root's alone, else `owner`'s.
Result<std::optional<env::UserIds>> who_names_in(env::FileSystem& fs, const std::string& directory,
                                                 const std::optional<env::UserIds>& owner);
// As remove_whole_tree(), with `owner`'s rights wherever others than root may put links. Not durable by itself.
Result<void> remove_tree_of(env::FileSystem& fs, const std::string& path, const std::optional<env::UserIds>& owner);

// The directory and those above it that are missing; what is made is `owner`'s, if one is given, and durable. Where
// others than root may put links on the way it is made with the owner's rights.
Result<void> make_directories_for(env::FileSystem& fs, const std::string& path, std::uint32_t mode,
                                  const std::optional<env::UserIds>& owner);

}  // namespace spl::surface
