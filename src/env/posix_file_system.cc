#include "env/posix_file_system.h"

#include <dirent.h>
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

namespace spl::env {
namespace {

constexpr std::uint32_t kPermissionBits = 0777;
constexpr std::uint32_t kModeBits = 07777;  // with setuid, setgid, sticky
// How often a name is tried anew that others make and remove at the same time.
constexpr int kRaceTriesMax = 100;

// Calls until it was not interrupted by a signal.
template <class Call>
auto retry_interrupted(Call call) {
  for (;;) {
    const auto result = call();
    if (result != -1 || errno != EINTR) return result;
  }
}

std::unexpected<Error> failed(std::string_view doing, const std::string& path, int errno_value) {
  return base::fail_errno("cannot " + std::string(doing) + " " + base::escaped(path), errno_value);
}

// Where the kernel shows an open file of this process, for linkat(2).
std::string proc_path(int descriptor) {
  return "/proc/self/fd/" + std::to_string(descriptor);
}

class PosixFile final : public UnnamedFile {
 public:
  enum class Nameable : bool { kNo, kYes };
  PosixFile(Descriptor descriptor, std::string path, Nameable nameable = Nameable::kNo)
      : descriptor_(std::move(descriptor)), path_(std::move(path)), nameable_(nameable) {}

  Result<std::size_t> read_at(std::uint64_t offset, std::span<char> out) override {
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

  Result<void> write_at(std::uint64_t offset, std::string_view octets) override {
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

  Result<void> truncate(std::uint64_t size_bytes) override {
    if (!in_range(size_bytes, 0)) return failed("truncate", path_, EFBIG);
    const auto size = static_cast<off_t>(size_bytes);
    if (retry_interrupted([&] { return ::ftruncate(descriptor_.number(), size); }) != 0) {
      return failed("truncate", path_, errno);
    }
    return {};
  }

  Result<std::uint64_t> size() override {
    struct stat status{};
    if (::fstat(descriptor_.number(), &status) != 0) return failed("look at", path_, errno);
    return static_cast<std::uint64_t>(status.st_size);
  }

  void begin_writing_out() override { (void)::sync_file_range(descriptor_.number(), 0, 0, SYNC_FILE_RANGE_WRITE); }

  Result<void> sync() override {
    // The kernel may call the lost pages clean after an error and then say that all is well: the first answer stays.
    if (sync_errno_ == 0 && retry_interrupted([&] { return ::fsync(descriptor_.number()); }) != 0) {
      sync_errno_ = errno;
    }
    if (sync_errno_ != 0) return failed("make durable", path_, sync_errno_);
    return {};
  }

  Result<void> give_name(const std::string& path) override {
    if (nameable_ == Nameable::kNo) return failed("name", path, EINVAL);
    if (::linkat(AT_FDCWD, proc_path(descriptor_.number()).c_str(), AT_FDCWD, path.c_str(), AT_SYMLINK_FOLLOW) != 0)
      return failed("name", path, errno);
    nameable_ = Nameable::kNo;
    return {};
  }

 private:
  static bool in_range(std::uint64_t offset, std::size_t length) {
    constexpr auto kEnd = static_cast<std::uint64_t>(std::numeric_limits<off_t>::max());
    return offset <= kEnd && length <= kEnd - offset;
  }

  const Descriptor descriptor_;
  const std::string path_;
  Nameable nameable_;
  int sync_errno_ = 0;
};

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

// -1 with errno EEXIST where there is such a name.
int open_new(const std::string& path, std::uint32_t mode) {
  const auto bits = static_cast<mode_t>(mode & kPermissionBits);
  const int number =
      retry_interrupted([&] { return ::open(path.c_str(), O_RDWR | O_CREAT | O_EXCL | O_CLOEXEC | O_NOFOLLOW, bits); });
  if (number < 0) return number;
  // The umask may have taken bits away.
  if (::fchmod(number, bits) != 0) {
    const int reason = errno;
    ::close(number);
    ::unlink(path.c_str());
    errno = reason;
    return -1;
  }
  return number;
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
  }
  if (number < 0) return failed("open", path, errno);
  Descriptor descriptor(number);
  struct stat status{};
  if (::fstat(number, &status) != 0) return failed("look at", path, errno);
  if (S_ISDIR(status.st_mode)) return failed("open", path, EISDIR);
  if (!S_ISREG(status.st_mode)) {
    return fail("cannot open " + base::escaped(path) + ": not a regular file", "name a regular file");
  }
  return descriptor;
}

Result<Descriptor> open_directory(const std::string& path) {
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

// Makes a file and takes its name away at once.
Result<Descriptor> open_unlinked(const std::string& directory) {
  static std::atomic<std::uint64_t> serial{0};
  for (int i = 0; i < kRaceTriesMax; ++i) {
    const std::string path =
        join(directory, ".unnamed-" + std::to_string(::getpid()) + "-" + std::to_string(serial++) + ".tmp");
    const int number = open_new(path, 0600);
    if (number < 0 && errno == EEXIST) continue;
    if (number < 0) return failed("make", unnamed_in(directory), errno);
    Descriptor descriptor(number);
    if (::unlink(path.c_str()) != 0) return failed("remove", path, errno);
    return descriptor;
  }
  return failed("make", unnamed_in(directory), EEXIST);
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

bool is_absent(int errno_value) {
  return errno_value == ENOENT || errno_value == ENOTDIR;
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
  // Without /proc it could never be named, and that would show when all is written.
  struct stat status{};
  if (!descriptor || ::stat(proc_path(descriptor->number()).c_str(), &status) != 0)
    return std::unique_ptr<UnnamedFile>();
  // The umask may have taken bits away.
  if (::fchmod(descriptor->number(), bits) != 0) return failed("set the mode of", unnamed_in(directory), errno);
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
  const Descriptor descriptor = TRY(open_directory(directory));
  // closedir() closes what it was given.
  const int number = ::fcntl(descriptor.number(), F_DUPFD_CLOEXEC, 0);
  if (number < 0) return failed("list", directory, errno);
  const std::unique_ptr<DIR, int (*)(DIR*)> stream(::fdopendir(number), [](DIR* d) { return ::closedir(d); });
  if (!stream) {
    const int reason = errno;
    ::close(number);
    return failed("list", directory, reason);
  }
  std::vector<std::string> names;
  for (;;) {
    errno = 0;
    const dirent* entry = ::readdir(stream.get());
    if (entry == nullptr) break;
    std::string name = entry->d_name;
    if (name != "." && name != "..") names.push_back(std::move(name));
  }
  if (errno != 0) return failed("list", directory, errno);
  std::ranges::sort(names);
  return names;
}

Result<void> PosixFileSystem::sync_directory(const std::string& directory) {
  const Descriptor descriptor = TRY(open_directory(directory));
  if (retry_interrupted([&] { return ::fsync(descriptor.number()); }) != 0 && errno != EINVAL) {
    return failed("make durable", directory, errno);
  }
  return {};
}

Result<void> PosixFileSystem::sync_all(const std::string& directory) {
  const Descriptor descriptor = TRY(open_directory(directory));
  if (::syncfs(descriptor.number()) != 0) return failed("make durable", directory, errno);
  return {};
}

Result<std::unique_ptr<Lock>> PosixFileSystem::try_lock(const std::string& path) {
  for (int i = 0; i < kRaceTriesMax; ++i) {
    Descriptor descriptor = TRY(open_regular(path, OpenMode::kCreate, 0600));
    if (retry_interrupted([&] { return ::flock(descriptor.number(), LOCK_EX | LOCK_NB); }) != 0) {
      if (errno == EWOULDBLOCK) return std::unique_ptr<Lock>();
      return failed("lock", path, errno);
    }
    struct stat held{};
    struct stat named{};
    if (::fstat(descriptor.number(), &held) != 0) return failed("lock", path, errno);
    if (::lstat(path.c_str(), &named) == 0 && held.st_dev == named.st_dev && held.st_ino == named.st_ino) {
      return std::make_unique<PosixLock>(std::move(descriptor));
    }
  }
  return fail("cannot lock " + base::escaped(path) + ": the file is replaced again and again",
              "find out which program does that, and try again");
}

Result<std::uint64_t> PosixFileSystem::free_bytes(const std::string& directory) {
  struct statvfs status{};
  if (retry_interrupted([&] { return ::statvfs(directory.c_str(), &status); }) != 0) {
    return failed("look at", directory, errno);
  }
  return std::uint64_t{status.f_bavail} * status.f_frsize;
}

}  // namespace spl::env
