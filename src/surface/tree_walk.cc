#include "surface/tree_walk.h"

#include <algorithm>
#include <functional>

#include "base/encoding.h"
#include "env/acting_user.h"
#include "surface/glob.h"

namespace spl::surface {
namespace {

bool is_roots(const env::FileInfo& info) {
  constexpr std::uint32_t kOthersWrite = 022;
  constexpr std::uint32_t kSticky = 01000;
  return info.uid == 0 && info.type != env::FileType::kSymlink &&
         ((info.mode & kOthersWrite) == 0 || (info.mode & kSticky) != 0);
}

// What of the path is below the part of it: "" is that part.
std::string path_from(const std::string& path, const std::string& part) {
  return part.empty() ? path : path.substr(std::min(path.size(), part.size() + 1));
}

}  // namespace

std::string path_below(const std::string& directory, std::string_view name) {
  return directory.empty() ? std::string(name) : directory + "/" + std::string(name);
}

bool is_at_or_below(std::string_view path, std::string_view directory) {
  if (directory == "/") return true;
  return path.starts_with(directory) && (path.size() == directory.size() || path[directory.size()] == '/');
}

TreeFilter TreeFilter::of(const std::string& root, std::vector<std::string> exclude,
                          const std::vector<std::string>& inner) {
  TreeFilter filter{std::move(exclude), {}};
  for (const std::string& path : inner) {
    if (path.starts_with(root + "/")) filter.inner.push_back(path.substr(root.size() + 1));
  }
  return filter;
}

bool TreeFilter::leaves_out(const std::string& path) const {
  const std::string_view name = std::string_view(path).substr(path.rfind('/') + 1);
  const auto is_inner = [&path](const std::string& other) {
    return other == path || (other.find('*') != std::string::npos && matches_glob(other, path));
  };
  return name.starts_with(kOwnNamePrefix) || std::ranges::any_of(inner, is_inner) ||
         std::ranges::any_of(exclude, [&path](const std::string& glob) { return matches_glob(glob, path); });
}

std::string TreeView::part_of(const std::string& path) const {
  std::string nearest;
  for (const auto& [part, place] : elsewhere) {
    if (is_at_or_below(path, part) && part.size() > nearest.size()) nearest = part;
  }
  return nearest;
}

std::string TreeView::path_of(const std::string& path) const {
  const std::string part = part_of(path);
  const auto at = std::ranges::find(elsewhere, part, &std::pair<std::string, std::string>::first);
  const std::string& place = at == elsewhere.end() ? root : at->second;
  const std::string below = path_from(path, part);
  return below.empty() ? place : env::join(place, below);
}

bool TreeView::is_root(const std::string& path) const {
  return path.empty() || std::ranges::any_of(elsewhere, [&path](const auto& one) { return one.first == path; });
}

// False where there is no such directory any more.
Result<bool> TreeWalk::go_to(const std::string& path) {
  if (directory_ != nullptr && at_ == path) return true;
  const std::string part = view_.part_of(path);
  auto& root = roots_[part];
  if (!root) root = TRY(fs_.open_directory(view_.path_of(part)));
  if (path == part) {
    directory_ = root.get();
  } else {
    auto below = TRY(root->below(path_from(path, part)));
    if (!below) return false;
    opened_ = std::move(below);
    directory_ = opened_.get();
  }
  at_ = path;
  return true;
}

// What a directory holds; which of it are directories shows when each comes.
Result<void> TreeWalk::enter(std::string path, std::vector<std::string>* left_out) {
  if (!TRY(go_to(path))) return {};
  auto names = directory_->list();
  if (!names && names.error().cause == Cause::kNoSuchFile && !path.empty()) return {};
  Frame frame;
  frame.path = std::move(path);
  for (std::string& name : TRY(std::move(names))) {
    std::string below = path_below(frame.path, name);
    if (filter_.leaves_out(below)) {
      if (left_out != nullptr) left_out->push_back(std::move(below));
      continue;
    }
    frame.names.push_back(std::move(name));
  }
  frames_.push_back(std::move(frame));
  return {};
}

// A name in a directory of the tree; nothing where it has gone.
Result<std::optional<env::FileInfo>> TreeWalk::look_at(const std::string& path, const std::string& name) {
  const std::string below = path_below(path, name);
  const bool is_root = view_.is_root(below);
  if (!TRY(go_to(is_root ? below : path))) return std::nullopt;
  name_ = is_root ? "" : name;
  return directory_->info(name_);
}

Result<std::optional<WalkedEntry>> TreeWalk::next(std::vector<std::string>* left_out) {
  if (!began_) {
    began_ = true;
    const auto info = TRY(fs_.info(view_.root));
    if (!info) return fail(Cause::kNoSuchFile, base::escaped(view_.root) + " is not there");
    if (info->type == env::FileType::kSymlink)
      return fail(base::escaped(view_.root) + " is a symbolic link", "declare what it leads to");
    if (info->type != env::FileType::kDirectory) return fail(base::escaped(view_.root) + " is no directory");
    TRY(enter({}, left_out));
    return WalkedEntry{{}, TRY(directory_->info(name_)).value_or(*info)};
  }
  while (!frames_.empty()) {
    Frame& frame = frames_.back();
    const bool has_name = frame.at < frame.names.size();
    if (!frame.below.empty() && (!has_name || frame.below.front() < frame.names[frame.at])) {
      std::ranges::pop_heap(frame.below, std::greater<>());
      std::string path = path_below(frame.path, frame.below.back());
      frame.below.pop_back();
      path.pop_back();
      TRY(enter(std::move(path), left_out));
      continue;
    }
    if (!has_name) {
      frames_.pop_back();
      continue;
    }
    const std::string name = std::move(frame.names[frame.at++]);
    std::string path = path_below(frame.path, name);
    const auto info = TRY(look_at(frame.path, name));
    if (!info) continue;
    if (info->type == env::FileType::kDirectory) {
      frame.below.push_back(name + "/");
      std::ranges::push_heap(frame.below, std::greater<>());
    }
    return WalkedEntry{std::move(path), *info};
  }
  return std::nullopt;
}

Result<void> remove_whole_tree(env::FileSystem& fs, const std::string& path) {
  constexpr std::uint32_t kOpen = 0700;
  const auto info = TRY(fs.info(path));
  if (!info) return {};
  if (info->type == env::FileType::kDirectory) {
    if ((info->mode & kOpen) != kOpen) TRY(fs.set_mode(path, kOpen));
    for (const std::string& name : TRY(fs.list(path))) TRY(remove_whole_tree(fs, env::join(path, name)));
  }
  return fs.remove(path);
}

Result<void> make_directories_for(env::FileSystem& fs, const std::string& path, std::uint32_t mode,
                                  const std::optional<env::UserIds>& owner) {
  const std::string parent = env::parent_of(path);
  if (TRY(fs.info(path)) || parent == path) return env::make_directories(fs, path, mode);
  TRY(make_directories_for(fs, parent, mode, owner));
  const auto who = TRY(who_names_in(fs, parent, owner));
  const env::AsFileUser as(who);
  // Another may have made it meanwhile.
  if (auto made = fs.make_directory(path, mode); !made && !TRY(fs.info(path))) return made;
  TRY(fs.sync_directory(parent));
  return owner && !who ? fs.set_owner(path, owner->uid, owner->gid) : Result<void>();
}

Result<bool> is_roots_alone(env::FileSystem& fs, const std::string& path) {
  for (std::size_t end = path.find('/', 1);; end = path.find('/', end + 1)) {
    const auto info = TRY(fs.info(path.substr(0, end)));
    if (info && !is_roots(*info)) return false;
    if (end == std::string::npos) return true;
  }
}

Result<std::optional<env::UserIds>> who_names_in(env::FileSystem& fs, const std::string& directory,
                                                 const std::optional<env::UserIds>& owner) {
  if (!owner || TRY(is_roots_alone(fs, directory))) return std::optional<env::UserIds>();
  return owner;
}

Result<void> remove_tree_of(env::FileSystem& fs, const std::string& path, const std::optional<env::UserIds>& owner) {
  const env::AsFileUser as(TRY(who_names_in(fs, env::parent_of(path), owner)));
  const auto info = TRY(fs.info(path));
  if (!owner || !info || info->type != env::FileType::kDirectory) return remove_whole_tree(fs, path);
  if (is_roots(*info)) {
    for (const std::string& name : TRY(fs.list(path))) TRY(remove_tree_of(fs, env::join(path, name), owner));
    return fs.remove(path);
  }
  {
    const env::AsFileUser within(owner);
    for (const std::string& name : TRY(fs.list(path))) TRY(remove_whole_tree(fs, env::join(path, name)));
  }
  return fs.remove(path);
}

}  // namespace spl::surface
