// A file system in memory that fails when told to, and forgets what was not synced when its power is cut. Any thread.
//
// Every call of a method of the FileSystem or of one of its Files is counted, from 1, also after a reboot; closing and
// unlocking are not calls. A crash sweep runs an operation once, reads calls(), and then runs it anew on a fresh
// SimFileSystem for each number n up to that with cut_at(n), fail_at(n, ...) or fail_from(n, ...), reboots, and looks
// at what is left.
//
//   SimFileSystem fs;
//   fs.cut_at(17);
//   ...                                  // the 17th call and all after it fail and change nothing
//   fs.reboot(Survivors::synced_only());
//
// Absolute and relative paths mean the same; "." and ".." go by name; no path leads through a symbolic link. The disk
// is without limit: kEnospc comes from fail_at and fail_from only. What is durable when: sim_inode.h.
#pragma once

#include <cstdint>
#include <map>
#include <memory>
#include <mutex>
#include <optional>
#include <set>
#include <string>
#include <string_view>
#include <vector>

#include "env/file_system.h"
#include "testing/sim_inode.h"

namespace spl::testing {

enum class SimError : std::uint8_t { kEio, kEnospc };

// What is left after a reboot of what was not synced.
struct Survivors {
  enum class Kind : std::uint8_t { kSyncedOnly, kEverything, kSeeded };
  Kind kind;
  std::uint64_t seed = 0;

  static Survivors synced_only() { return {Kind::kSyncedOnly}; }
  // Only the process was killed. What it did not sync may still go at a later power cut.
  static Survivors everything() { return {Kind::kEverything}; }
  // A part, chosen by the seed: per file, the first writes or any of them, some torn into sectors; per directory, the
  // first names or any of them, in order.
  static Survivors seeded(std::uint64_t seed) { return {Kind::kSeeded, seed}; }
};

class SimFileSystem final : public env::FileSystem {
 public:
  SimFileSystem() = default;

  [[nodiscard]] std::uint64_t calls() const;
  // Call number `call` fails, once. A write that fails leaves its first half; a sync that fails leaves what was dirty
  // lost but readable, and the next sync says that all is well ("fsyncgate"); any other changes nothing.
  void fail_at(std::uint64_t call, SimError error);
  // Call number `call` and later ones fail in the same way, until mend() or reboot(): with kEio all of them; with
  // kEnospc those that want room, which are writes and whatever makes a file or a name.
  void fail_from(std::uint64_t call, SimError error);
  // Faults that did not come yet never come, and what fail_from() began is over.
  void mend();
  // While fail_from() with kEnospc lasts.
  [[nodiscard]] bool is_full() const;
  // Call number `call` and all later ones fail and change nothing, until reboot().
  void cut_at(std::uint64_t call);
  // True after a cut_at() that was reached, until reboot().
  [[nodiscard]] bool is_off() const;
  // Files and locks from before are dead; faults and cuts that did not come yet are forgotten.
  void reboot(Survivors how);

  // The tree as it is seen: "/a/file" to its content, "/a/directory/" to nothing. Not a call.
  [[nodiscard]] std::map<std::string, std::string> contents() const;
  // Whether there are files that are named when they are whole; else open_nameable gives none.
  void set_nameable(bool nameable);
  // What free_bytes answers.
  void set_free_bytes(std::uint64_t free_bytes);

  Result<std::unique_ptr<env::File>> open(const std::string& path, env::OpenMode how,
                                          std::uint32_t mode = 0600) override;
  Result<std::unique_ptr<env::File>> open_unnamed(const std::string& directory) override;
  Result<std::unique_ptr<env::UnnamedFile>> open_nameable(const std::string& directory,
                                                          std::uint32_t mode = 0600) override;
  Result<std::optional<env::FileInfo>> info(const std::string& path) override;
  Result<void> make_directory(const std::string& path, std::uint32_t mode = 0700) override;
  Result<void> rename(const std::string& from, const std::string& to) override;
  Result<void> rename_to_new(const std::string& from, const std::string& to) override;
  Result<void> exchange(const std::string& one, const std::string& other) override;
  Result<void> make_symbolic_link(const std::string& target, const std::string& path) override;
  Result<std::string> read_symbolic_link(const std::string& path) override;
  Result<void> make_hard_link(const std::string& existing, const std::string& path) override;
  Result<void> set_mode(const std::string& path, std::uint32_t mode) override;
  Result<void> set_owner(const std::string& path, std::uint32_t uid, std::uint32_t gid) override;
  Result<void> set_modified(const std::string& path, env::FileTime time) override;
  Result<std::vector<env::ExtendedAttribute>> attributes(const std::string& path) override;
  Result<void> set_attribute(const std::string& path, const env::ExtendedAttribute& attribute) override;
  Result<void> remove(const std::string& path) override;
  Result<std::vector<std::string>> list(const std::string& directory) override;
  Result<void> sync_directory(const std::string& directory) override;
  Result<void> sync_all(const std::string& directory) override;
  Result<std::unique_ptr<env::Lock>> try_lock(const std::string& path) override;
  Result<std::unique_ptr<env::Lock>> try_lock_directory(const std::string& path) override;
  Result<std::uint64_t> free_bytes(const std::string& directory) override;

 private:
  class SimFile;
  class SimLock;
  enum class Fault : std::uint8_t { kNone, kEio, kEnospc, kPowerOff };
  // Where a path leads: the directory it is in (none for the root), and what is there now (nothing or an inode).
  struct Place {
    SimInodePtr directory;
    std::string name;
    SimInodePtr inode;
  };

  // All of these want mutex_ held.
  enum class Wants : bool { kNothing, kRoom };
  Fault next_fault(Wants wants = Wants::kNothing);
  Result<void> begin(std::string_view doing, const std::string& path, Wants wants = Wants::kNothing);
  // The same for something that must be there.
  Result<SimInodePtr> begin_at(std::string_view doing, const std::string& path);
  // What a call that turned out to make a file or a name wants besides.
  Result<void> want_room(std::string_view doing, const std::string& path) const;
  static std::unexpected<Error> error_of(Fault fault, std::string_view doing, const std::string& path);
  Result<Place> locate(std::string_view doing, const std::string& path) const;
  Result<SimInodePtr> find_directory(std::string_view doing, const std::string& path) const;
  Result<SimInodePtr> open_inode(const std::string& path, env::OpenMode how, std::uint32_t mode);

  mutable std::mutex mutex_;  // guards all below, and all inodes
  SimDisk disk_;
  std::uint64_t calls_ = 0;
  std::map<std::uint64_t, Fault> faults_;
  std::optional<std::uint64_t> lasting_from_;
  Fault lasting_ = Fault::kNone;
  std::optional<std::uint64_t> cut_call_;
  bool off_ = false;
  std::uint64_t boot_ = 0;  // files and locks of another boot are dead
  std::set<const SimInode*> locked_;
  bool nameable_ = true;
  std::uint64_t free_bytes_ = std::uint64_t{1} << 40;
};

}  // namespace spl::testing
