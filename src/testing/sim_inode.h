// The disk below SimFileSystem: files and directories that each have a state as it is seen and a state that is durable,
// and between the two the operations that were not synced, in order. The owner's lock guards all of it.
//
// Strict POSIX: fsync of a file makes its content durable and not its name, fsync of a directory makes its names
// durable and not what they lead to. What journalling file systems all promise is taken as given: a rename and an
// exchange are one step, also between two directories (syncing either of them makes it durable); what is renamed never
// has its old and its new name. Mode, owner, time and attributes are durable with the content of a file, and with the
// names of a directory.
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
// A name of an inode: its number stays with it when it is moved.
struct SimName {
  SimInodePtr inode;
  std::uint64_t number = 0;
};
using SimEntries = std::map<std::string, SimName>;

// What is said of an inode, besides its content.
struct SimTraits {
  std::uint32_t mode = 0;
  std::uint32_t uid = 0;
  std::uint32_t gid = 0;
  env::FileTime modified;
  std::map<std::string, std::string> attributes;
};

struct SimInode {
  enum class Kind : std::uint8_t { kLink, kUnlink, kExchange, kMovedAway };
  struct Operation {
    std::uint64_t id;  // in the order of all operations of the disk; the two halves of a move have one id
    Kind kind;
    std::string name;                   // not of kMovedAway
    SimName what = {};                  // of kLink; of kExchange: what has the name from then on
    std::weak_ptr<SimInode> into = {};  // of kMovedAway: the directory that has the other half
    // Of kExchange: the other name.
    SimInodePtr other_directory = {};
    std::string other_name = {};
    SimName other_what = {};
  };

  env::FileType type = env::FileType::kFile;
  std::uint64_t number = 0;  // as stat(2) has it
  std::uint64_t names = 0;   // how many it has
  SimTraits traits;
  SimTraits durable_traits;
  SimContent content;  // of a file
  std::string target;  // of a symbolic link

  // Of a directory.
  SimEntries entries;
  SimEntries durable_entries;
  std::vector<Operation> pending;

  // The durable names of this inode, by their numbers.
  struct Where {
    std::weak_ptr<SimInode> directory;
    std::string name;
  };
  std::map<std::uint64_t, Where> durable_names;
};

// True where `inode` is `below` or a directory that it is in.
bool holds(const SimInode& inode, const SimInode& below);

class SimDisk {
 public:
  SimDisk();
  SimDisk(const SimDisk&) = delete;
  SimDisk& operator=(const SimDisk&) = delete;
  ~SimDisk();

  [[nodiscard]] const SimInodePtr& root() const { return root_; }
  SimInodePtr make(env::FileType type, std::uint32_t mode);

  // One more name.
  void link(SimInode& directory, const std::string& name, const SimInodePtr& inode);
  void unlink(SimInode& directory, const std::string& name);
  // Replaces what has the name `to`.
  void move(const SimInodePtr& from_directory, const std::string& from, const SimInodePtr& to_directory,
            const std::string& to);
  void exchange(const SimInodePtr& directory, const std::string& name, const SimInodePtr& other_directory,
                const std::string& other_name);
  void sync_directory(const SimInodePtr& directory) {
    directory->durable_traits = directory->traits;
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

  static void put_durable_name(const SimInodePtr& directory, const std::string& name, const SimName& what);
  static void take_durable_name(const SimInodePtr& directory, const std::string& name);

  std::uint64_t operation_id_ = 0;
  std::uint64_t last_number_ = 0;                // of inodes and names
  std::vector<std::weak_ptr<SimInode>> inodes_;  // in the order in which they were made
  SimInodePtr root_;
};

}  // namespace spl::testing
