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

std::string TreeView::path_of(const std::string& path) const {
  const std::pair<std::string, std::string>* nearest = nullptr;
  for (const auto& one : elsewhere) {
    if (is_at_or_below(path, one.first) && (nearest == nullptr || one.first.size() > nearest->first.size()))
      nearest = &one;
  }
  const std::string& from = nearest == nullptr ? root : nearest->second;
  if (nearest == nullptr) return path.empty() ? from : env::join(from, path);
  return path.size() == nearest->first.size() ? from : from + path.substr(nearest->first.size());
}

bool TreeView::is_root(const std::string& path) const {
  return path.empty() || std::ranges::any_of(elsewhere, [&path](const auto& one) { return one.first == path; });
}

// What a directory holds; which of it are directories shows when each comes.
Result<void> TreeWalk::enter(std::string path, std::vector<std::string>* left_out) {
  auto names = fs_.list(view_.path_of(path));
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

Result<std::optional<WalkedEntry>> TreeWalk::next(std::vector<std::string>* left_out) {
  if (!began_) {
    began_ = true;
    const auto info = TRY(fs_.info(view_.root));
    if (!info) return fail(Cause::kNoSuchFile, base::escaped(view_.root) + " is not there");
    if (info->type != env::FileType::kDirectory) return fail(base::escaped(view_.root) + " is no directory");
    TRY(enter({}, left_out));
    return WalkedEntry{{}, *info};
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
    const auto info = TRY(fs_.info(view_.path_of(path)));
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
