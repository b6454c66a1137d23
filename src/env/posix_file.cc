#include "env/posix_file.h"

#include <dirent.h>
#include <fcntl.h>
#include <sys/xattr.h>
#include <unistd.h>

#include <algorithm>
#include <limits>
#include <memory>

#include "base/encoding.h"

namespace spl::env {
namespace {

constexpr std::uint32_t kModeBits = 07777;             // with setuid, setgid, sticky
constexpr std::size_t kAttributeBytesMax = 64u << 10;  // the kernel's, of a value and of all names

bool in_range(std::uint64_t offset, std::size_t length) {
  constexpr auto kEnd = static_cast<std::uint64_t>(std::numeric_limits<off_t>::max());
  return offset <= kEnd && length <= kEnd - offset;
}

FileType type_of(mode_t mode) {
  if (S_ISREG(mode)) return FileType::kFile;
  if (S_ISDIR(mode)) return FileType::kDirectory;
  if (S_ISLNK(mode)) return FileType::kSymlink;
  return FileType::kOther;
}

FileTime time_of(const timespec& time) {
  return {time.tv_sec, static_cast<std::uint32_t>(time.tv_nsec)};
}

bool has_no_attributes(int errno_value) {
  return errno_value == ENOTSUP || errno_value == EOPNOTSUPP || errno_value == ENODATA;
}

}  // namespace

std::unexpected<Error> failed(std::string_view doing, const std::string& path, int errno_value) {
  return base::fail_errno("cannot " + std::string(doing) + " " + base::escaped(path), errno_value);
}

std::string proc_path(int descriptor) {
  return "/proc/self/fd/" + std::to_string(descriptor);
}

FileInfo info_of(const struct stat& status) {
  return {.type = type_of(status.st_mode),
          .size_bytes = static_cast<std::uint64_t>(status.st_size),
          .mode = status.st_mode & kModeBits,
          .uid = status.st_uid,
          .gid = status.st_gid,
          .device = status.st_dev,
          .inode = status.st_ino,
          .links = status.st_nlink,
          .modified = time_of(status.st_mtim),
          .changed = time_of(status.st_ctim)};
}

Result<std::vector<std::string>> names_in(const Descriptor& directory, const std::string& shown) {
  // closedir() closes what it was given.
  const int number = ::fcntl(directory.number(), F_DUPFD_CLOEXEC, 0);
  if (number < 0) return failed("list", shown, errno);
  const std::unique_ptr<DIR, int (*)(DIR*)> stream(::fdopendir(number), [](DIR* d) { return ::closedir(d); });
  if (!stream) {
    const int reason = errno;
    ::close(number);
    return failed("list", shown, reason);
  }
  std::vector<std::string> names;
  for (;;) {
    errno = 0;
    const dirent* entry = ::readdir(stream.get());
    if (entry == nullptr) break;
    std::string name = entry->d_name;
    if (name != "." && name != "..") names.push_back(std::move(name));
  }
  if (errno != 0) return failed("list", shown, errno);
  std::ranges::sort(names);
  return names;
}

Result<std::vector<ExtendedAttribute>> attributes_at(const std::string& path, const std::string& shown) {
  std::vector<ExtendedAttribute> attributes;
  // Most files have none: then it is all that is asked.
  ssize_t size = ::llistxattr(path.c_str(), nullptr, 0);
  if (size == 0 || (size < 0 && has_no_attributes(errno))) return attributes;
  std::string names(kAttributeBytesMax, '\0');
  if (size > 0) size = ::llistxattr(path.c_str(), names.data(), names.size());
  if (size < 0) return failed("list the attributes of", shown, errno);
  std::string value;
  for (std::string_view rest(names.data(), static_cast<std::size_t>(size)); !rest.empty();) {
    const std::string name(rest.substr(0, rest.find('\0')));
    rest.remove_prefix(std::min(rest.size(), name.size() + 1));
    value.resize(kAttributeBytesMax);
    const ssize_t n = ::lgetxattr(path.c_str(), name.c_str(), value.data(), value.size());
    if (n < 0 && has_no_attributes(errno)) continue;  // it went meanwhile
    if (n < 0) return failed("read the attribute " + base::escaped(name) + " of", shown, errno);
    attributes.push_back({name, value.substr(0, static_cast<std::size_t>(n))});
  }
  std::ranges::sort(attributes, {}, &ExtendedAttribute::name);
  return attributes;
}

Result<std::size_t> PosixFile::read_at(std::uint64_t offset, std::span<char> out) {
  if (!in_range(offset, out.size())) return failed("read", path_, EINVAL);
  std::size_t done = 0;
  while (done < out.size()) {
    const ssize_t n = retry_interrupted([&] {
      return ::pread(descriptor_.number(), out.data() + done, out.size() - done, static_cast<off_t>(offset + done));
    });
    if (n < 0) return failed("read", path_, errno);
    if (n == 0) break;
    done += static_cast<std::size_t>(n);
  }
  return done;
}

Result<void> PosixFile::write_at(std::uint64_t offset, std::string_view octets) {
  if (!in_range(offset, octets.size())) return failed("write", path_, EFBIG);
  while (!octets.empty()) {
    const ssize_t n = retry_interrupted(
        [&] { return ::pwrite(descriptor_.number(), octets.data(), octets.size(), static_cast<off_t>(offset)); });
    if (n <= 0) return failed("write", path_, n < 0 ? errno : EIO);
    octets.remove_prefix(static_cast<std::size_t>(n));
    offset += static_cast<std::uint64_t>(n);
  }
  return {};
}

Result<void> PosixFile::truncate(std::uint64_t size_bytes) {
  if (!in_range(size_bytes, 0)) return failed("truncate", path_, EFBIG);
  const auto size = static_cast<off_t>(size_bytes);
  if (retry_interrupted([&] { return ::ftruncate(descriptor_.number(), size); }) != 0) {
    return failed("truncate", path_, errno);
  }
  return {};
}

Result<std::uint64_t> PosixFile::size() {
  struct stat status{};
  if (::fstat(descriptor_.number(), &status) != 0) return failed("look at", path_, errno);
  return static_cast<std::uint64_t>(status.st_size);
}

void PosixFile::begin_writing_out() {
  (void)::sync_file_range(descriptor_.number(), 0, 0, SYNC_FILE_RANGE_WRITE);
}

Result<void> PosixFile::sync() {
  // The kernel may call the lost pages clean after an error and then say that all is well: the first answer stays.
  if (sync_errno_ == 0 && retry_interrupted([&] { return ::fsync(descriptor_.number()); }) != 0) {
    sync_errno_ = errno;
  }
  if (sync_errno_ != 0) return failed("make durable", path_, sync_errno_);
  return {};
}

Result<void> PosixFile::give_name(const std::string& path) {
  if (nameable_ == Nameable::kNo) return failed("name", path, EINVAL);
  if (::linkat(AT_FDCWD, proc_path(descriptor_.number()).c_str(), AT_FDCWD, path.c_str(), AT_SYMLINK_FOLLOW) != 0)
    return failed("name", path, errno);
  nameable_ = Nameable::kNo;
  return {};
}

}  // namespace spl::env
