// The disk below SimFileSystem: files and directories that each have a state as it is seen and a state that is durable,
// and between the two the operations that were not synced, in order. The owner's lock guards all of it.
//
// Strict POSIX: fsync of a file makes its content durable and not its name, fsync of a directory makes its names
// durable and not what they lead to. What journalling file systems all promise is taken as given: a rename is one step,
// also between two directories (syncing either of them makes it durable); an inode never has two names.
#pragma once

#include <cstdint>
#include <limits>
#include <map>
#include <memory>
#include <random>
#include <string>
#include <string_view>
#include <vector>

#include "env/file_system.h"

namespace spl::testing {

// What a disk loses at once when a write is torn.
inline constexpr std::uint64_t kSimSectorBytes = 512;

using Generator = std::mt19937_64;

class SimContent {
 public:
  [[nodiscard]] const std::string& now() const { return now_; }
  void write(std::uint64_t offset, std::string_view octets);
  void truncate(std::uint64_t size_bytes);
  void sync();
  // A sync that failed: what was dirty counts as clean, and never gets to the disk.
  void lose_pending() { pending_.clear(); }
  // The power was cut. Without a generator all that is not synced is gone; with one, a part of it.
  void cut(Generator* generator);

 private:
  enum class Kind : bool { kWrite, kTruncate };
  struct Operation {
    Kind kind;
    std::uint64_t at;  // the offset, or the new size
    std::string octets;
  };
  void apply(const Operation& operation);
  void apply_torn(const Operation& operation, Generator& generator);

  std::string now_;
  std::string durable_;
  std::vector<Operation> pending_;
};

struct SimInode;
using SimInodePtr = std::shared_ptr<SimInode>;
using SimEntries = std::map<std::string, SimInodePtr>;

struct SimInode {
  enum class Kind : std::uint8_t { kLink, kUnlink, kMovedAway };
  struct Operation {
    std::uint64_t id;  // in the order of all operations of the disk; the two halves of a move have one id
    Kind kind;
    std::string name;              // not of kMovedAway
    SimInodePtr inode;             // of kLink
    std::weak_ptr<SimInode> into;  // of kMovedAway: the directory that has the kLink
  };

  env::FileType type = env::FileType::kFile;
  std::uint32_t mode = 0;
  SimContent content;  // of a file

  // Of a directory.
  SimEntries entries;
  SimEntries durable_entries;
  std::vector<Operation> pending;

  // The durable name of this inode, where it has one.
  std::weak_ptr<SimInode> durable_parent;
  std::string durable_name;
};

class SimDisk {
 public:
  SimDisk();
  SimDisk(const SimDisk&) = delete;
  SimDisk& operator=(const SimDisk&) = delete;
  ~SimDisk();

  [[nodiscard]] const SimInodePtr& root() const { return root_; }
  SimInodePtr make(env::FileType type, std::uint32_t mode);

  void link(SimInode& directory, const std::string& name, const SimInodePtr& inode);
  void unlink(SimInode& directory, const std::string& name);
  // Replaces what has the name `to`.
  void move(const SimInodePtr& from_directory, const std::string& from, const SimInodePtr& to_directory,
            const std::string& to);
  void sync_directory(const SimInodePtr& directory) {
    sync_up_to(directory, std::numeric_limits<std::uint64_t>::max());
  }
  void sync_all();
  // As SimContent::lose_pending and SimContent::cut.
  static void lose_pending(SimInode& directory) { directory.pending.clear(); }
  void lose_all_pending();
  void cut(Generator* generator);

 private:
  static void sync_up_to(const SimInodePtr& directory, std::uint64_t id);
  static void apply(const SimInodePtr& directory, const SimInode::Operation& operation);
  static void apply_some(const std::vector<SimInodePtr>& inodes, Generator& generator);
  std::vector<SimInodePtr> living();

  std::uint64_t operation_id_ = 0;
  std::vector<std::weak_ptr<SimInode>> inodes_;  // in the order in which they were made
  SimInodePtr root_;
};

}  // namespace spl::testing
