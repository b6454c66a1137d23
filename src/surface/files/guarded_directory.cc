#include "surface/files/guarded_directory.h"

#include <dirent.h>
#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cerrno>
#include <memory>
#include <string_view>
#include <vector>

#include "base/encoding.h"
#include "env/acting_user.h"
#include "env/mounts.h"
#include "surface/tree_walk.h"

namespace spl::surface {
namespace {

constexpr mode_t kForUsAlone = 0700;

// A name in a directory that is open.
struct Place {
  env::Descriptor directory;
  std::string name;
};

std::unexpected<Error> failed(std::string_view doing, const std::string& path, int errno_value) {
  return base::fail_errno("cannot " + std::string(doing) + " " + base::escaped(path), errno_value);
}

Result<Place> place_of(const std::string& path) {
  const std::string parent = env::parent_of(path);
  Place place{env::Descriptor(::open(parent.c_str(), O_RDONLY | O_DIRECTORY | O_CLOEXEC)),
              path.substr(path.rfind('/') + 1)};
  if (!place.directory.is_open()) return failed("open", parent, errno);
  return place;
}

Result<std::vector<std::string>> names_in(const env::Descriptor& directory) {
  const std::unique_ptr<DIR, int (*)(DIR*)> entries(::opendir(env::path_of(directory).c_str()), &::closedir);
  if (!entries) return base::fail_errno("cannot list a directory", errno);
  std::vector<std::string> names;
  for (errno = 0; const dirent* entry = ::readdir(entries.get()); errno = 0) {
    const std::string_view name = entry->d_name;
    if (name != "." && name != "..") names.emplace_back(name);
  }
  if (errno != 0) return base::fail_errno("cannot list a directory", errno);
  return names;
}

Result<void> empty_out(const env::Descriptor& directory) {
  for (const std::string& name : TRY(names_in(directory))) {
    if (::unlinkat(directory.number(), name.c_str(), 0) == 0 || errno == ENOENT) continue;
    if (errno != EISDIR && errno != EPERM) return failed("remove", name, errno);
    TRY(empty_out(TRY(env::open_directory_below(directory, name))));
    if (::unlinkat(directory.number(), name.c_str(), AT_REMOVEDIR) != 0) return failed("remove", name, errno);
  }
  return {};
}

// Before anything is removed.
Result<void> refuse_mounts(const std::string& path) {
  for (const env::Mount& mount : TRY(env::mounts())) {
    if (is_at_or_below(mount.point, path))
      return fail("another file system is mounted on " + base::escaped(mount.point), "unmount it first");
  }
  return {};
}

}  // namespace

Result<env::Descriptor> make_guarded_directory(env::FileSystem& fs, const std::string& path,
                                               const env::UserIds& owner) {
  const auto who = TRY(who_names_in(fs, env::parent_of(path), owner));
  Place place;
  {
    const env::AsFileUser as(who);
    place = TRY(place_of(path));
    if (::mkdirat(place.directory.number(), place.name.c_str(), kForUsAlone) != 0) return failed("make", path, errno);
  }
  auto made = TRY(env::open_directory_below(place.directory, place.name));
  const uid_t maker = who ? who->uid : ::geteuid();
  struct stat status{};
  if (::fstat(made.number(), &status) != 0) return failed("look at", path, errno);
  if (status.st_uid != maker) return failed("make", path, EEXIST);
  if (::fchown(made.number(), ::geteuid(), ::getegid()) != 0) return failed("set the owner of", path, errno);
  if (::fchmod(made.number(), kForUsAlone) != 0) return failed("set the mode of", path, errno);
  // From here on nobody else makes anything in it: whoever had opened it has no right to go through it any more.
  if (!TRY(names_in(made)).empty()) return failed("make", path, ENOTEMPTY);
  return made;
}

Result<void> remove_guarded_tree(env::FileSystem& fs, const std::string& path, const env::UserIds& owner) {
  TRY(refuse_mounts(path));
  const auto who = TRY(who_names_in(fs, env::parent_of(path), owner));
  Place place;
  {
    const env::AsFileUser as(who);
    place = TRY(place_of(path));
  }
  if (::unlinkat(place.directory.number(), place.name.c_str(), 0) == 0 || errno == ENOENT) return {};
  if (errno != EISDIR && errno != EPERM) return failed("remove", path, errno);
  TRY_IN(path, empty_out(TRY(env::open_directory_below(place.directory, place.name))));
  const env::AsFileUser as(who);
  if (::unlinkat(place.directory.number(), place.name.c_str(), AT_REMOVEDIR) != 0) return failed("remove", path, errno);
  return {};
}

}  // namespace spl::surface
