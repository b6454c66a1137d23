// The file system as the program sees it: files, directories, locks, and what must be synced for a promise to hold.
//
// Every path is absolute or relative to the process; nothing here follows the user's configuration. POSIX semantics:
// data is durable after File::sync; a name (created, renamed, removed) is durable after sync_directory of its parent.
// Implementations: posix_file_system.h (the real one), testing/sim_file_system.h (memory, with faults and power cuts).
// A FileSystem may be used by any thread; a File by one thread at a time, but for read_at and write_at, which may be
// called at the same time for ranges that do not overlap.
#pragma once

#include <chrono>
#include <cstdint>
#include <memory>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "base/result.h"

namespace spl::env {

enum class FileType : std::uint8_t { kFile, kDirectory, kSymlink, kOther };

// A moment since 1970. Where the seconds are negative the nanoseconds count forward from them.
struct FileTime {
  std::int64_t seconds = 0;
  std::uint32_t nanoseconds = 0;  // below 10^9
  auto operator<=>(const FileTime&) const = default;
};

struct FileInfo {
  FileType type = FileType::kFile;
  std::uint64_t size_bytes = 0;
  std::uint32_t mode = 0;  // permission bits, setuid, setgid, sticky
  // Of the owner.
  std::uint32_t uid = 0;
  std::uint32_t gid = 0;
  // Which file it is: names that agree in both are one file.
  std::uint64_t device = 0;
  std::uint64_t inode = 0;
  std::uint64_t links = 1;  // how many names it has
  FileTime modified;        // its content
  FileTime changed;         // whatever of it
};

// "user.note", and what it holds.
struct ExtendedAttribute {
  std::string name;
  std::string value;
  bool operator==(const ExtendedAttribute&) const = default;
};

enum class OpenMode : std::uint8_t {
  kRead,              // must exist
  kReadWrite,         // must exist
  kCreate,            // read and write, made if absent, content kept
  kCreateNew,         // read and write; an error (code kFailed) where the name exists
  kCreateNewAnyMode,  // the same, also where the file system gives it another mode and knows no other (FAT, SMB)
};

class File {
 public:
  virtual ~File() = default;  // closes
  // Fewer than out.size() octets only at the end of the file.
  virtual Result<std::size_t> read_at(std::uint64_t offset, std::span<char> out) = 0;
  // All of it or an error; a file grows as needed.
  virtual Result<void> write_at(std::uint64_t offset, std::string_view octets) = 0;
  virtual Result<void> truncate(std::uint64_t size_bytes) = 0;
  virtual Result<std::uint64_t> size() = 0;
  // A hint: the system may begin to bring what was written to the disk, so that a later sync has less to wait for.
  virtual void begin_writing_out() {}
  // Content and size are durable when this returns. An error is final: the file is to be thought lost (never retried).
  virtual Result<void> sync() = 0;
  // By what the kernel knows the open file; nothing where it is not the kernel's.
  [[nodiscard]] virtual std::optional<int> descriptor() const { return std::nullopt; }
};

// A directory that is open: what is reached through it lies in it, whatever becomes of its path and of what is around
// it. No symbolic link is followed. A name "" is the directory itself. One thread at a time.
class Directory {
 public:
  virtual ~Directory() = default;
  // Ascending, without "." and "..".
  virtual Result<std::vector<std::string>> list() = 0;
  // Nothing where there is no such name.
  virtual Result<std::optional<FileInfo>> info(const std::string& name) = 0;
  // For reading. Null where no regular file is there, or not any more.
  virtual Result<std::unique_ptr<File>> open(const std::string& name) = 0;
  // Nothing where no symbolic link is there, or not any more.
  virtual Result<std::optional<std::string>> link_target(const std::string& name) = 0;
  // As FileSystem::attributes(); nothing where there is no such name any more.
  virtual Result<std::optional<std::vector<ExtendedAttribute>>> attributes(const std::string& name) = 0;
  // One below this one, by a path of any number of names. Null where no directory is there, or not any more.
  virtual Result<std::unique_ptr<Directory>> below(const std::string& path) = 0;
};

// A file that has no name yet: gone when it is closed before it was given one.
class UnnamedFile : public File {
 public:
  // It stands under `path` from now on, on the file system on which it was made; an error where the name exists. Once.
  virtual Result<void> give_name(const std::string& path) = 0;
};

// An exclusive advisory lock, given back when it goes.
class Lock {
 public:
  virtual ~Lock() = default;
};

class FileSystem {
 public:
  virtual ~FileSystem() = default;

  // Never follows a symbolic link in the last component. `mode` is for a file that is made.
  virtual Result<std::unique_ptr<File>> open(const std::string& path, OpenMode how, std::uint32_t mode = 0600) = 0;
  // A file without a name, gone when closed; in `directory` so that it is on that file system.
  virtual Result<std::unique_ptr<File>> open_unnamed(const std::string& directory) = 0;
  // The same, to be named when it is whole. Null where the file system cannot do so, or nobody may: Android and
  // AppArmor forbid link(2).
  virtual Result<std::unique_ptr<UnnamedFile>> open_nameable(const std::string& directory,
                                                             std::uint32_t mode = 0600) = 0;
  // Nothing where there is no such name. Does not follow a symbolic link.
  virtual Result<std::optional<FileInfo>> info(const std::string& path) = 0;
  virtual Result<void> make_directory(const std::string& path, std::uint32_t mode = 0700) = 0;
  // Replaces a file at `to`; atomic. Both on one file system.
  virtual Result<void> rename(const std::string& from, const std::string& to) = 0;
  // A file, symbolic link or empty directory; no error where it is not there.
  virtual Result<void> remove(const std::string& path) = 0;
  // The same where the name at `to` is free; else cause kFileExists, and nothing is changed.
  virtual Result<void> rename_to_new(const std::string& from, const std::string& to) = 0;
  // Each of the two stands where the other one stood; atomic. Both must be there, of any type, on one file system.
  virtual Result<void> exchange(const std::string& one, const std::string& other) = 0;
  // `target` may be anything, and need not be there; cause kFileExists where `path` is taken.
  virtual Result<void> make_symbolic_link(const std::string& target, const std::string& path) = 0;
  virtual Result<std::string> read_symbolic_link(const std::string& path) = 0;
  // Another name for a file; cause kFileExists where `path` is taken. Does not follow a symbolic link.
  virtual Result<void> make_hard_link(const std::string& existing, const std::string& path) = 0;
  // Of a file or a directory, never through a symbolic link: permission bits, setuid, setgid, sticky. Setting the owner
  // may take setuid and setgid away: set the mode after it.
  virtual Result<void> set_mode(const std::string& path, std::uint32_t mode) = 0;
  // Of the link itself where it is a symbolic link.
  virtual Result<void> set_owner(const std::string& path, std::uint32_t uid, std::uint32_t gid) = 0;
  virtual Result<void> set_modified(const std::string& path, FileTime time) = 0;
  // Ascending by name; ACLs are among them, as "system.posix_acl_access". None where the file system has none, or of a
  // symbolic link.
  virtual Result<std::vector<ExtendedAttribute>> attributes(const std::string& path) = 0;
  virtual Result<void> set_attribute(const std::string& path, const ExtendedAttribute& attribute) = 0;
  // Names in a directory, ascending, without "." and "..".
  virtual Result<std::vector<std::string>> list(const std::string& directory) = 0;
  // Where this process is root's, a symbolic link on the way is followed only if it is root's, too: else its owner
  // could lead it anywhere (cause kDenied).
  virtual Result<std::unique_ptr<Directory>> open_directory(const std::string& path);
  virtual Result<void> sync_directory(const std::string& directory) = 0;
  // Everything on the file system that `directory` is on, names and contents: one wait, where there are many files.
  virtual Result<void> sync_all(const std::string& directory) = 0;
  // Makes the file if absent (0600). Nothing where another holder, in this process or another, has it.
  virtual Result<std::unique_ptr<Lock>> try_lock(const std::string& path) = 0;
  // The same of a directory that must be there: of what cannot go while somebody works in it.
  virtual Result<std::unique_ptr<Lock>> try_lock_directory(const std::string& path) = 0;
  virtual Result<std::uint64_t> free_bytes(const std::string& directory) = 0;
};

// What errors call a file without a name; " DIRECTORY" follows.
inline constexpr std::string_view kUnnamedFile = "a temporary file in";

// Directory part of a path ("." where there is none), and the two joined.
std::string parent_of(const std::string& path);
std::string join(std::string_view directory, std::string_view name);

// Where a name leads that its owner may have made a symbolic link (stow, Nix, a mounted secret): through all links at
// its end, whether or not anything is there then. Not for names that another than the owner may put there.
Result<std::string> follow_links(FileSystem& fs, const std::string& path);
// The same; an error where a link leads to nothing: what is meant to be there is not, which is not the same as nothing.
Result<std::string> follow_to_file(FileSystem& fs, const std::string& path);

// A whole small file; an error where it is longer than max_bytes.
Result<std::string> read_file(FileSystem& fs, const std::string& path, std::size_t max_bytes);
// The same, of the file that the name leads to (follow_to_file).
Result<std::string> read_followed(FileSystem& fs, const std::string& path, std::size_t max_bytes);
// The file appears under its name only when it is whole and durable; what was there before is replaced in one step.
Result<void> write_file_atomically(FileSystem& fs, const std::string& path, std::string_view content,
                                   std::uint32_t mode = 0600);
// A directory and all below it; no error where it is not there. Does not follow symbolic links.
Result<void> remove_tree(FileSystem& fs, const std::string& path);
// The directory and those above it that are missing; each made durable.
Result<void> make_directories(FileSystem& fs, const std::string& path, std::uint32_t mode = 0700);

}  // namespace spl::env
