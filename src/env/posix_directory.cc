// Open directories of the real file system, and the way to one. Sources: openat2(2), path_resolution(7), proc_sys_fs(5)
// (protected_symlinks has the same rule for sticky directories).
#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <climits>
#include <deque>
#include <utility>

#include "base/encoding.h"
#include "env/acting_user.h"
#include "env/mounts.h"
#include "env/posix_file.h"
#include "env/posix_file_system.h"

namespace spl::env {
namespace {

constexpr int kLinksMax = 40;  // the kernel's own limit
constexpr int kReadFlags = O_RDONLY | O_CLOEXEC | O_NOFOLLOW | O_NONBLOCK | O_NOCTTY;

class PosixDirectory final : public Directory {
 public:
  PosixDirectory(Descriptor descriptor, std::string path)
      : descriptor_(std::move(descriptor)), path_(std::move(path)) {}

  Result<std::vector<std::string>> list() override {
    // A descriptor of its own: that of the directory would be read to the end after the first time.
    const Descriptor listed(::openat(descriptor_.number(), ".", O_RDONLY | O_DIRECTORY | O_CLOEXEC));
    if (!listed.is_open()) return failed("list", path_, errno);
    return names_in(listed, path_);
  }

  Result<std::optional<FileInfo>> info(const std::string& name) override {
    struct stat status{};
    if (::fstatat(descriptor_.number(), name.c_str(), &status, AT_SYMLINK_NOFOLLOW | AT_EMPTY_PATH) == 0)
      return info_of(status);
    if (is_absent(errno)) return std::nullopt;
    return failed("look at", shown(name), errno);
  }

  Result<std::unique_ptr<File>> open(const std::string& name) override {
    Descriptor file(retry_interrupted([&] { return ::openat(descriptor_.number(), name.c_str(), kReadFlags); }));
    // ELOOP: a symbolic link; ENXIO: a socket.
    if (!file.is_open() && (is_absent(errno) || errno == ELOOP || errno == ENXIO)) return std::unique_ptr<File>();
    if (!file.is_open()) return failed("open", shown(name), errno);
    struct stat status{};
    if (::fstat(file.number(), &status) != 0) return failed("look at", shown(name), errno);
    if (!S_ISREG(status.st_mode)) return std::unique_ptr<File>();
    return std::make_unique<PosixFile>(std::move(file), shown(name));
  }

  Result<std::optional<std::string>> link_target(const std::string& name) override {
    std::string target(PATH_MAX, '\0');
    const ssize_t n = ::readlinkat(descriptor_.number(), name.c_str(), target.data(), target.size());
    if (n < 0 && (is_absent(errno) || errno == EINVAL)) return std::nullopt;
    if (n < 0) return failed("read the link", shown(name), errno);
    target.resize(static_cast<std::size_t>(n));
    return target;
  }

  Result<std::optional<std::vector<ExtendedAttribute>>> attributes(const std::string& name) override {
    // There is no call that takes a directory and a name.
    auto found = attributes_at(proc_path(descriptor_.number()) + "/" + (name.empty() ? "." : name), shown(name));
    if (!found && found.error().cause == Cause::kNoSuchFile) return std::optional<std::vector<ExtendedAttribute>>();
    return TRY(std::move(found));
  }

  Result<std::unique_ptr<Directory>> below(const std::string& path) override {
    auto found = TRY(find_directory_below(descriptor_, path));
    if (!found) return std::unique_ptr<Directory>();
    return std::make_unique<PosixDirectory>(std::move(*found), shown(path));
  }

 private:
  [[nodiscard]] std::string shown(const std::string& name) const { return name.empty() ? path_ : join(path_, name); }

  const Descriptor descriptor_;
  const std::string path_;
};

// In front of `names`: the components of a path.
void prepend(std::deque<std::string>& names, const std::string& path) {
  std::vector<std::string> components;
  for (std::size_t at = 0; at < path.size();) {
    const std::size_t end = std::min(path.find('/', at), path.size());
    if (end > at) components.push_back(path.substr(at, end - at));
    at = end + 1;
  }
  names.insert(names.begin(), components.begin(), components.end());
}

Descriptor beginning_of(const std::string& path) {
  return Descriptor(::open(path.starts_with('/') ? "/" : ".", O_PATH | O_DIRECTORY | O_CLOEXEC));
}

// Component by component, through root's own links alone.
Result<Descriptor> open_through_roots_links(const std::string& path) {
  std::deque<std::string> names;
  prepend(names, path);
  Descriptor at = beginning_of(path);
  int links = 0;
  while (at.is_open() && !names.empty()) {
    const std::string name = std::move(names.front());
    names.pop_front();
    Descriptor next(::openat(at.number(), name.c_str(), O_PATH | O_NOFOLLOW | O_CLOEXEC));
    struct stat status{};
    if (!next.is_open() || ::fstat(next.number(), &status) != 0) return failed("open", path, errno);
    if (!S_ISLNK(status.st_mode)) {
      at = std::move(next);
      continue;
    }
    if (status.st_uid != 0)
      return fail(Cause::kDenied,
                  "cannot open " + base::escaped(path) + " as root: " + base::escaped(name) +
                      " on the way is a symbolic link of another user's, who may lead it anywhere",
                  "declare the path that it leads to, or make the link root's: chown -h root");
    if (++links > kLinksMax) return failed("open", path, ELOOP);
    std::string target(PATH_MAX, '\0');
    const ssize_t n = ::readlinkat(next.number(), "", target.data(), target.size());
    if (n < 0) return failed("open", path, errno);
    target.resize(static_cast<std::size_t>(n));
    if (target.starts_with('/')) at = beginning_of(target);
    prepend(names, target);
  }
  if (!at.is_open()) return failed("open", path, errno);
  Descriptor opened(::openat(at.number(), ".", O_RDONLY | O_DIRECTORY | O_CLOEXEC));
  if (!opened.is_open()) return failed("open", path, errno);
  return opened;
}

Result<Descriptor> open_as_anyone(const std::string& path) {
  Descriptor opened(::open(path.c_str(), O_RDONLY | O_DIRECTORY | O_CLOEXEC));
  if (!opened.is_open()) return failed("open", path, errno);
  return opened;
}

}  // namespace

Result<std::unique_ptr<Directory>> PosixFileSystem::open_directory(const std::string& path) {
  if (file_access_user() != 0) return std::make_unique<PosixDirectory>(TRY(open_as_anyone(path)), path);
  auto straight = open_directory_straight(path);
  if (!straight) straight = open_through_roots_links(path);
  return std::make_unique<PosixDirectory>(TRY(std::move(straight)), path);
}

}  // namespace spl::env
