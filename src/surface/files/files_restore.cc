#include <algorithm>
#include <charconv>

#include "base/encoding.h"
#include "env/acting_user.h"
#include "env/mounts.h"
#include "surface/files/files.h"
#include "surface/files/guarded_directory.h"
#include "surface/files/tree_builder.h"
#include "surface/tree_walk.h"

namespace spl::surface {
namespace {

constexpr std::uint32_t kParentMode = 0750;
constexpr std::uint64_t kLookEvery = 256;

// The last component of a path.
std::string name_of(const std::string& path) {
  return path.substr(path.rfind('/') + 1);
}

std::string beside(const std::string& path, const std::string& id) {
  return env::join(env::parent_of(path), std::string(kOwnNamePrefix) + id + "-" + name_of(path));
}

class FilesRestore final : public RestorePart {
 public:
  FilesRestore(const Surroundings& surroundings, Place place, RestoreRequest request)
      : surroundings_(surroundings),
        fs_(surroundings.env.fs),
        place_(std::move(place)),
        request_(std::move(request)),
        other_(beside(place_.path, request_.id)),
        filter_(TreeFilter::of(place_.path, place_.exclude, place_.inner)) {}

  Result<void> inspect(std::vector<Finding>& findings) override;
  Result<std::string> stage(PartSource& files, base::Progress& progress) override;
  Result<std::vector<StagedThing>> staged_at(std::string_view mark) override;
  Result<std::vector<Count>> check(std::string_view mark, base::Progress& progress) override;
  Result<void> swap(std::string_view mark) override;
  Result<void> swap_back(std::string_view mark) override;
  Result<std::vector<Count>> count_live() override;
  Result<bool> has_other(std::string_view mark) override;
  Result<void> discard(std::string_view mark) override;

 private:
  // Whether the directory at `path` is the one that was staged.
  Result<bool> is_staged(const std::string& path, std::string_view mark);
  Result<void> carry_over(const std::string& from, const std::string& to);
  Result<std::vector<Count>> count(const std::string& root, base::Progress* progress);
  // Whether we have rights that the owner of the files has not.
  [[nodiscard]] bool is_guarded() const { return place_.owner && env::file_access_user() == 0; }
  Result<void> sync_parent() { return fs_.sync_directory(env::parent_of(place_.path)); }

  const Surroundings& surroundings_;
  env::FileSystem& fs_;
  const Place place_;
  const RestoreRequest request_;
  const std::string other_;  // the staged directory, or what was live before
  const TreeFilter filter_;
};

Result<void> FilesRestore::inspect(std::vector<Finding>& findings) {
  const auto live = TRY(fs_.info(place_.path));
  if (live && live->type != env::FileType::kDirectory) {
    findings.push_back(
        {"data", FindingStatus::kStop, place_.subject, place_.path + " is there and no directory", "move it away"});
    return {};
  }
  for (const env::Mount& mount : TRY(env::mounts())) {
    if (is_at_or_below(mount.point, place_.path))
      findings.push_back({"data", FindingStatus::kStop, place_.subject,
                          "a file system is mounted on " + base::escaped(mount.point) + ", and cannot be exchanged",
                          "unmount it for the restore, or declare a directory below it"});
  }
  if (live && request_.data == InTheWay::kStops) {
    TreeWalk walk(fs_, place_.path, filter_);
    TRY(walk.next());
    if (const auto entry = TRY(walk.next()))
      findings.push_back({"data", FindingStatus::kStop, place_.subject,
                          "data is in the way: " + env::join(place_.path, entry->path),
                          "--replace puts the bundle's in its place, and keeps it as previous"});
  }
  return {};
}

Result<std::string> FilesRestore::stage(PartSource& files, base::Progress& progress) {
  TRY(discard({}));
  TRY(make_directories_for(fs_, env::parent_of(place_.path), kParentMode, place_.owner));
  env::Descriptor guarded;
  if (is_guarded()) {
    guarded = TRY(make_guarded_directory(fs_, other_, *place_.owner));
  } else {
    TRY(fs_.make_directory(other_));
  }
  const std::string root = guarded.is_open() ? env::path_of(guarded) : other_;
  const auto live = TRY(fs_.info(place_.path));
  TreeBuilder builder(surroundings_, root, {request_.signer, request_.of_context, place_.owner});
  // Where the bundle does not say the root's.
  if (live && !guarded.is_open()) TRY(fs_.set_mode(root, live->mode | 0700));
  TRY_IN(place_.subject, builder.build(files, progress));
  TRY(sync_parent());
  return std::to_string(TRY(fs_.info(root))->inode);
}

Result<bool> FilesRestore::is_staged(const std::string& path, std::string_view mark) {
  std::uint64_t inode = 0;
  const auto [end, error] = std::from_chars(mark.data(), mark.data() + mark.size(), inode);
  if (error != std::errc() || end != mark.data() + mark.size())
    return fail(place_.subject + ": \"" + base::escaped(mark, 40) + "\" is no mark of a staged directory");
  const auto info = TRY(fs_.info(path));
  return info && info->inode == inode;
}

Result<std::vector<Count>> FilesRestore::count(const std::string& root, base::Progress* progress) {
  std::uint64_t files = 0;
  std::uint64_t directories = 0;
  std::uint64_t links = 0;
  std::uint64_t bytes = 0;
  if (TRY(fs_.info(root))) {
    TreeWalk walk(fs_, root, filter_);
    TRY(walk.next());
    while (const auto entry = TRY(walk.next())) {
      switch (entry->info.type) {
        case env::FileType::kFile:
          ++files;
          bytes += entry->info.size_bytes;
          break;
        case env::FileType::kDirectory:
          ++directories;
          break;
        case env::FileType::kSymlink:
          ++links;
          break;
        case env::FileType::kOther:
          break;
      }
      if (progress != nullptr && (files + directories + links) % kLookEvery == 0 && progress->cancelled())
        return base::fail_cancelled("nothing was restored");
    }
  }
  return std::vector<Count>{{"files", files}, {"directories", directories}, {"links", links}, {"bytes", bytes}};
}

Result<std::vector<StagedThing>> FilesRestore::staged_at(std::string_view mark) {
  if (mark.empty()) return std::vector<StagedThing>();
  return std::vector<StagedThing>{{"", other_}};
}

Result<std::vector<Count>> FilesRestore::check(std::string_view mark, base::Progress& progress) {
  if (!TRY(is_staged(other_, mark))) return fail(place_.subject + ": what was staged is not there any more: " + other_);
  return count(other_, &progress);
}

// What the declaration excludes, and what is another surface's, goes to the same place in the other tree, with what
// that surface has staged or keeps beside it: so it does not matter which of the two is swapped first. What is not
// there any more was carried before.
Result<void> FilesRestore::carry_over(const std::string& from, const std::string& to) {
  if (filter_.exclude.empty() && filter_.inner.empty()) return {};
  std::vector<std::string> left_out;
  TreeWalk walk(fs_, from, filter_);
  while (TRY(walk.next(&left_out))) {
  }
  for (const std::string& path : left_out) {
    const std::string target = env::join(to, path);
    TRY(make_directories_for(fs_, env::parent_of(target), kParentMode, place_.owner));
    TRY(fs_.rename_to_new(env::join(from, path), target));
    TRY(fs_.sync_directory(env::parent_of(target)));
  }
  return {};
}

Result<void> FilesRestore::swap(std::string_view mark) {
  const env::AsFileUser as(TRY(who_names_in(fs_, env::parent_of(place_.path), place_.owner)));
  if (TRY(is_staged(place_.path, mark))) return {};
  if (!TRY(is_staged(other_, mark))) return fail(place_.subject + ": what was staged is not there any more: " + other_);
  if (TRY(fs_.info(place_.path))) {
    TRY(carry_over(place_.path, other_));
    TRY(fs_.exchange(place_.path, other_));
  } else {
    TRY(fs_.rename_to_new(other_, place_.path));
  }
  return sync_parent();
}

Result<void> FilesRestore::swap_back(std::string_view mark) {
  const env::AsFileUser as(TRY(who_names_in(fs_, env::parent_of(place_.path), place_.owner)));
  if (TRY(is_staged(place_.path, mark))) {
    if (TRY(fs_.info(other_))) {
      TRY(fs_.exchange(place_.path, other_));
    } else {
      TRY(fs_.rename_to_new(place_.path, other_));
    }
    TRY(sync_parent());
  }
  // Some of it may have been carried before a swap that did not come.
  if (!TRY(is_staged(other_, mark)) || !TRY(fs_.info(place_.path))) return {};
  return carry_over(other_, place_.path);
}

Result<std::vector<Count>> FilesRestore::count_live() {
  return count(place_.path, nullptr);
}

// A directory in which nothing was is nothing to go back to: a surface within it may have made it when it was staged.
Result<bool> FilesRestore::has_other(std::string_view /*mark*/) {
  const auto info = TRY(fs_.info(other_));
  if (!info) return false;
  return info->type != env::FileType::kDirectory || !TRY(fs_.list(other_)).empty();
}

Result<void> FilesRestore::discard(std::string_view /*mark*/) {
  if (!TRY(fs_.info(other_))) return {};
  TRY(is_guarded() ? remove_guarded_tree(fs_, other_, *place_.owner) : remove_whole_tree(fs_, other_));
  return sync_parent();
}

}  // namespace

std::unique_ptr<RestorePart> files_restore(const Surroundings& surroundings, Place place, RestoreRequest request) {
  return std::make_unique<FilesRestore>(surroundings, std::move(place), std::move(request));
}

}  // namespace spl::surface
