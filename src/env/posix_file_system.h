// The real file system, through POSIX and Linux calls. Any thread.
//
// Every descriptor is close-on-exec. Interrupted calls and short reads and writes are carried on. Only regular files
// are opened: a FIFO or a device is refused and cannot make the caller wait. list, sync_directory, open_unnamed,
// open_nameable and free_bytes follow a symbolic link to a directory, so that a home may be one; nothing else does.
// Sources: open(2), flock(2), fsync(2); https://lwn.net/Articles/752063 (why an error of fsync is final).
#pragma once

#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "env/file_system.h"

namespace spl::env {

class PosixFileSystem : public FileSystem {
 public:
  // How open_unnamed works. O_TMPFILE falls back to the other where the file system does not have it.
  enum class Unnamed : bool { kTmpfile, kCreateAndUnlink };

  explicit PosixFileSystem(Unnamed unnamed = Unnamed::kTmpfile) : unnamed_(unnamed) {}

  Result<std::unique_ptr<File>> open(const std::string& path, OpenMode how, std::uint32_t mode = 0600) override;
  Result<std::unique_ptr<File>> open_unnamed(const std::string& directory) override;
  // O_TMPFILE and linkat(2) through /proc. Null with kCreateAndUnlink.
  Result<std::unique_ptr<UnnamedFile>> open_nameable(const std::string& directory, std::uint32_t mode = 0600) override;
  Result<std::optional<FileInfo>> info(const std::string& path) override;
  Result<void> make_directory(const std::string& path, std::uint32_t mode = 0700) override;
  Result<void> rename(const std::string& from, const std::string& to) override;
  Result<void> rename_to_new(const std::string& from, const std::string& to) override;
  Result<void> exchange(const std::string& one, const std::string& other) override;
  Result<void> make_symbolic_link(const std::string& target, const std::string& path) override;
  Result<std::string> read_symbolic_link(const std::string& path) override;
  Result<void> make_hard_link(const std::string& existing, const std::string& path) override;
  Result<void> set_mode(const std::string& path, std::uint32_t mode) override;
  Result<void> set_owner(const std::string& path, std::uint32_t uid, std::uint32_t gid) override;
  Result<void> set_modified(const std::string& path, FileTime time) override;
  Result<std::vector<ExtendedAttribute>> attributes(const std::string& path) override;
  Result<void> set_attribute(const std::string& path, const ExtendedAttribute& attribute) override;
  Result<void> remove(const std::string& path) override;
  Result<std::vector<std::string>> list(const std::string& directory) override;
  Result<std::unique_ptr<Directory>> open_directory(const std::string& path) override;
  // A file system that cannot sync directories at all (EINVAL) is taken to make names durable by itself.
  Result<void> sync_directory(const std::string& directory) override;
  Result<void> sync_all(const std::string& directory) override;
  // flock(2). The lock file stays when the lock goes; one that was replaced meanwhile is not a lock and is tried anew.
  Result<std::unique_ptr<Lock>> try_lock(const std::string& path) override;
  Result<std::unique_ptr<Lock>> try_lock_directory(const std::string& path) override;
  Result<std::uint64_t> free_bytes(const std::string& directory) override;

 private:
  const Unnamed unnamed_;
};

}  // namespace spl::env
