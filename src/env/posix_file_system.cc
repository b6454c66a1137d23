#include "env/posix_file_system.h"

#include <fcntl.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <sys/statvfs.h>
#include <unistd.h>

#include <algorithm>
#include <atomic>
#include <cerrno>
#include <cstdio>
#include <limits>
#include <utility>

#include "base/encoding.h"
#include "env/descriptor.h"
#include "env/posix_file.h"

namespace spl::env {
namespace {

constexpr std::uint32_t kPermissionBits = 0777;
// How often a name is tried anew that others make and remove at the same time.
constexpr int kRaceTriesMax = 100;

class PosixLock final : public Lock {
 public:
  explicit PosixLock(Descriptor descriptor) : descriptor_(std::move(descriptor)) {}

 private:
  const Descriptor descriptor_;
};

int open_existing(const std::string& path, int access) {
  return retry_interrupted(
      [&] { return ::open(path.c_str(), access | O_CLOEXEC | O_NOFOLLOW | O_NONBLOCK | O_NOCTTY); });
}

// The umask may have taken bits away. Not where it has the mode: SMB and WebDAV refuse every chmod.
bool give_mode(int descriptor, mode_t bits) {
  struct stat status{};
  if (::fstat(descriptor, &status) != 0) return false;
  return (status.st_mode & kPermissionBits) == bits || ::fchmod(descriptor, bits) == 0;
}

// -1 with errno EEXIST where there is such a name.
int open_new(const std::string& path, std::uint32_t mode, bool any_mode = false) {
  const auto bits = static_cast<mode_t>(mode & kPermissionBits);
  const int number =
      retry_interrupted([&] { return ::open(path.c_str(), O_RDWR | O_CREAT | O_EXCL | O_CLOEXEC | O_NOFOLLOW, bits); });
  if (number < 0 || give_mode(number, bits) || any_mode) return number;
  const int reason = errno;
  ::close(number);
  ::unlink(path.c_str());
  errno = reason;
  return -1;
}

int open_or_create(const std::string& path, std::uint32_t mode) {
  for (int i = 0; i < kRaceTriesMax; ++i) {
    int number = open_existing(path, O_RDWR);
    if (number >= 0 || errno != ENOENT) return number;
    number = open_new(path, mode);
    if (number >= 0 || errno != EEXIST) return number;
  }
  return -1;
}

Result<Descriptor> open_regular(const std::string& path, OpenMode how, std::uint32_t mode) {
  int number = -1;
  switch (how) {
    case OpenMode::kRead:
      number = open_existing(path, O_RDONLY);
      break;
    case OpenMode::kReadWrite:
      number = open_existing(path, O_RDWR);
      break;
    case OpenMode::kCreate:
      number = open_or_create(path, mode);
      break;
    case OpenMode::kCreateNew:
      number = open_new(path, mode);
      break;
    case OpenMode::kCreateNewAnyMode:
      number = open_new(path, mode, true);
      break;
  }
  if (number < 0 && errno == ELOOP)
    return fail("cannot open " + base::escaped(path) + ": it is a symbolic link, which is not followed here",
                "put the file itself there");
  if (number < 0) {
    const bool is_refused = errno == EPERM || errno == EOPNOTSUPP;
    auto error = failed("open", path, errno);
    if (is_refused && how != OpenMode::kRead && how != OpenMode::kReadWrite)
      error.error().hint = "check owner and mode of the path; on a file system without modes (FAT, SMB) choose another";
    return error;
  }
  Descriptor descriptor(number);
  struct stat status{};
  if (::fstat(number, &status) != 0) return failed("look at", path, errno);
  if (S_ISDIR(status.st_mode)) return failed("open", path, EISDIR);
  if (!S_ISREG(status.st_mode)) {
    return fail("cannot open " + base::escaped(path) + ": not a regular file", "name a regular file");
  }
  return descriptor;
}

Result<Descriptor> directory_at(const std::string& path) {
  const int number = retry_interrupted([&] { return ::open(path.c_str(), O_RDONLY | O_DIRECTORY | O_CLOEXEC); });
  if (number < 0) return failed("open directory", path, errno);
  return Descriptor(number);
}

std::string unnamed_in(const std::string& directory) {
  return std::string(kUnnamedFile) + " " + directory;
}

// Nothing where the file system has no such files.
Result<std::optional<Descriptor>> open_tmpfile(const std::string& directory, mode_t mode) {
  const int number = retry_interrupted([&] { return ::open(directory.c_str(), O_TMPFILE | O_RDWR | O_CLOEXEC, mode); });
  if (number >= 0) return Descriptor(number);
  if (errno == EOPNOTSUPP || errno == EISDIR || errno == EINVAL) return std::nullopt;
  return failed("make", unnamed_in(directory), errno);
}

std::string temporary_name() {
  static std::atomic<std::uint64_t> serial{0};
  return ".unnamed-" + std::to_string(::getpid()) + "-" + std::to_string(serial++) + ".tmp";
}

// Makes a file and takes its name away at once.
Result<Descriptor> open_unlinked(const std::string& directory) {
  for (int i = 0; i < kRaceTriesMax; ++i) {
    const std::string path = join(directory, temporary_name());
    const int number = open_new(path, 0600);
    if (number < 0 && errno == EEXIST) continue;
    if (number < 0) return failed("make", unnamed_in(directory), errno);
    Descriptor descriptor(number);
    if (::unlink(path.c_str()) != 0) return failed("remove", path, errno);
    return descriptor;
  }
  return failed("make", unnamed_in(directory), EEXIST);
}

// `open` gives a descriptor of what has the name now.
template <class Open>
Result<std::unique_ptr<Lock>> try_lock_opened(const std::string& path, const Open& open) {
  for (int i = 0; i < kRaceTriesMax; ++i) {
    Descriptor descriptor = TRY(open());
    if (retry_interrupted([&] { return ::flock(descriptor.number(), LOCK_EX | LOCK_NB); }) != 0) {
      if (errno == EWOULDBLOCK) return std::unique_ptr<Lock>();
      return failed("lock", path, errno);
    }
    struct stat held{};
    struct stat named{};
    if (::fstat(descriptor.number(), &held) != 0) return failed("lock", path, errno);
    if (::stat(path.c_str(), &named) == 0 && held.st_dev == named.st_dev && held.st_ino == named.st_ino) {
      return std::make_unique<PosixLock>(std::move(descriptor));
    }
  }
  return fail("cannot lock " + base::escaped(path) + ": it is replaced again and again",
              "find out which program does that, and try again");
}

// Whether an unnamed file can be given a name there: without /proc, or where link(2) is forbidden, that would show when
// all is written. One that was linked and unlinked is never linked again, so another one is tried.
bool can_name_in(const std::string& directory) {
  const int number = ::open(directory.c_str(), O_TMPFILE | O_RDWR | O_CLOEXEC, 0600);
  if (number < 0) return false;
  const Descriptor descriptor(number);
  const std::string path = join(directory, temporary_name());
  if (::linkat(AT_FDCWD, proc_path(number).c_str(), AT_FDCWD, path.c_str(), AT_SYMLINK_FOLLOW) != 0) return false;
  return ::unlink(path.c_str()) == 0;
}

}  // namespace

Result<std::unique_ptr<File>> PosixFileSystem::open(const std::string& path, OpenMode how, std::uint32_t mode) {
  return std::make_unique<PosixFile>(TRY(open_regular(path, how, mode)), path);
}

Result<std::unique_ptr<File>> PosixFileSystem::open_unnamed(const std::string& directory) {
  if (unnamed_ == Unnamed::kTmpfile) {
    if (auto descriptor = TRY(open_tmpfile(directory, 0600)))
      return std::make_unique<PosixFile>(std::move(*descriptor), unnamed_in(directory));
  }
  return std::make_unique<PosixFile>(TRY(open_unlinked(directory)), unnamed_in(directory));
}

Result<std::unique_ptr<UnnamedFile>> PosixFileSystem::open_nameable(const std::string& directory, std::uint32_t mode) {
  const auto bits = static_cast<mode_t>(mode & kPermissionBits);
  if (unnamed_ == Unnamed::kCreateAndUnlink) return std::unique_ptr<UnnamedFile>();
  auto descriptor = TRY(open_tmpfile(directory, bits));
  if (!descriptor || !give_mode(descriptor->number(), bits) || !can_name_in(directory))
    return std::unique_ptr<UnnamedFile>();
  return std::make_unique<PosixFile>(std::move(*descriptor), unnamed_in(directory), PosixFile::Nameable::kYes);
}

Result<std::optional<FileInfo>> PosixFileSystem::info(const std::string& path) {
  struct stat status{};
  if (::lstat(path.c_str(), &status) != 0) {
    if (is_absent(errno)) return std::nullopt;
    return failed("look at", path, errno);
  }
  return info_of(status);
}

Result<void> PosixFileSystem::make_directory(const std::string& path, std::uint32_t mode) {
  const auto bits = static_cast<mode_t>(mode & kPermissionBits);
  if (::mkdir(path.c_str(), bits) != 0) return failed("make directory", path, errno);
  struct stat status{};
  if (::lstat(path.c_str(), &status) != 0) return failed("look at", path, errno);
  // The umask may have taken bits away.
  if ((status.st_mode & kPermissionBits) != bits && ::chmod(path.c_str(), bits) != 0) {
    return failed("set the mode of", path, errno);
  }
  return {};
}

Result<void> PosixFileSystem::rename(const std::string& from, const std::string& to) {
  if (::rename(from.c_str(), to.c_str()) != 0) {
    const int reason = errno;
    return failed("rename " + base::escaped(from) + " to", to, reason);
  }
  return {};
}

Result<void> PosixFileSystem::remove(const std::string& path) {
  int result = ::unlink(path.c_str());
  if (result != 0 && errno == EISDIR) result = ::rmdir(path.c_str());
  if (result != 0 && !is_absent(errno)) return failed("remove", path, errno);
  return {};
}

Result<std::vector<std::string>> PosixFileSystem::list(const std::string& directory) {
  const Descriptor descriptor = TRY(directory_at(directory));
  return names_in(descriptor, directory);
}

Result<void> PosixFileSystem::sync_directory(const std::string& directory) {
  const Descriptor descriptor = TRY(directory_at(directory));
  if (retry_interrupted([&] { return ::fsync(descriptor.number()); }) != 0 && errno != EINVAL) {
    return failed("make durable", directory, errno);
  }
  return {};
}

Result<void> PosixFileSystem::sync_all(const std::string& directory) {
  const Descriptor descriptor = TRY(directory_at(directory));
  if (::syncfs(descriptor.number()) != 0) return failed("make durable", directory, errno);
  return {};
}

Result<std::unique_ptr<Lock>> PosixFileSystem::try_lock(const std::string& path) {
  return try_lock_opened(path, [&] { return open_regular(path, OpenMode::kCreate, 0600); });
}

Result<std::unique_ptr<Lock>> PosixFileSystem::try_lock_directory(const std::string& path) {
  // Who holds it is to write there: that nobody can is said before, and not in the midst of it.
  if (::faccessat(AT_FDCWD, path.c_str(), W_OK, AT_EACCESS) != 0) return failed("write to", path, errno);
  return try_lock_opened(path, [&] { return directory_at(path); });
}

Result<std::uint64_t> PosixFileSystem::free_bytes(const std::string& directory) {
  struct statvfs status{};
  if (retry_interrupted([&] { return ::statvfs(directory.c_str(), &status); }) != 0) {
    return failed("look at", directory, errno);
  }
  return std::uint64_t{status.f_bavail} * status.f_frsize;
}

}  // namespace spl::env
