// What PosixFileSystem does with links, owners, times and attributes. Sources: renameat2(2), symlink(2), xattr(7).
#include <fcntl.h>
#include <sys/stat.h>
#include <sys/xattr.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <climits>
#include <cstdio>

#include "base/encoding.h"
#include "env/descriptor.h"
#include "env/posix_file.h"
#include "env/posix_file_system.h"

namespace spl::env {
namespace {

Result<void> rename_with(const std::string& from, const std::string& to, unsigned flags, std::string_view doing) {
  if (::renameat2(AT_FDCWD, from.c_str(), AT_FDCWD, to.c_str(), flags) == 0) return {};
  const int reason = errno;
  return failed(std::string(doing) + " " + base::escaped(from) + " and", to, reason);
}

}  // namespace

Result<void> PosixFileSystem::rename_to_new(const std::string& from, const std::string& to) {
  if (::renameat2(AT_FDCWD, from.c_str(), AT_FDCWD, to.c_str(), RENAME_NOREPLACE) == 0) return {};
  const int reason = errno;
  return failed("rename " + base::escaped(from) + " to", to, reason);
}

Result<void> PosixFileSystem::exchange(const std::string& one, const std::string& other) {
  return rename_with(one, other, RENAME_EXCHANGE, "exchange");
}

Result<void> PosixFileSystem::make_symbolic_link(const std::string& target, const std::string& path) {
  if (::symlink(target.c_str(), path.c_str()) != 0) return failed("make the link", path, errno);
  return {};
}

Result<std::string> PosixFileSystem::read_symbolic_link(const std::string& path) {
  std::string target(PATH_MAX, '\0');
  const ssize_t n = ::readlink(path.c_str(), target.data(), target.size());
  if (n < 0) return failed("read the link", path, errno);
  target.resize(static_cast<std::size_t>(n));
  return target;
}

Result<void> PosixFileSystem::make_hard_link(const std::string& existing, const std::string& path) {
  if (::linkat(AT_FDCWD, existing.c_str(), AT_FDCWD, path.c_str(), 0) != 0) return failed("make", path, errno);
  return {};
}

Result<void> PosixFileSystem::set_mode(const std::string& path, std::uint32_t mode) {
  // There is no chmod(2) of a name that does not follow a link: it is opened, and changed by its descriptor.
  const Descriptor descriptor(::open(path.c_str(), O_PATH | O_NOFOLLOW | O_CLOEXEC));
  if (!descriptor.is_open()) return failed("open", path, errno);
  struct stat status{};
  if (::fstat(descriptor.number(), &status) != 0) return failed("look at", path, errno);
  if (S_ISLNK(status.st_mode)) return failed("set the mode of", path, ELOOP);
  const std::string shown = "/proc/self/fd/" + std::to_string(descriptor.number());
  if (::chmod(shown.c_str(), static_cast<mode_t>(mode)) != 0) return failed("set the mode of", path, errno);
  return {};
}

Result<void> PosixFileSystem::set_owner(const std::string& path, std::uint32_t uid, std::uint32_t gid) {
  if (::lchown(path.c_str(), uid, gid) != 0) return failed("set the owner of", path, errno);
  return {};
}

Result<void> PosixFileSystem::set_modified(const std::string& path, FileTime time) {
  const std::array<timespec, 2> times{timespec{.tv_sec = 0, .tv_nsec = UTIME_OMIT},
                                      timespec{.tv_sec = time.seconds, .tv_nsec = static_cast<long>(time.nanoseconds)}};
  if (::utimensat(AT_FDCWD, path.c_str(), times.data(), AT_SYMLINK_NOFOLLOW) != 0)
    return failed("set the time of", path, errno);
  return {};
}

Result<std::vector<ExtendedAttribute>> PosixFileSystem::attributes(const std::string& path) {
  return attributes_at(path, path);
}

Result<void> PosixFileSystem::set_attribute(const std::string& path, const ExtendedAttribute& attribute) {
  if (::lsetxattr(path.c_str(), attribute.name.c_str(), attribute.value.data(), attribute.value.size(), 0) != 0)
    return failed("set the attribute " + base::escaped(attribute.name) + " of", path, errno);
  return {};
}

}  // namespace spl::env
