// What of file-system snapshots there is, or is about to be: run/snapshots.json. An entry is durable before the thing
// that it names is made, and goes when that has gone; a start of spl removes what a run left that was cut off. Nothing
// that is not listed is ever removed, and what is listed only where it bears the mark of its entry: a list of another
// machine, or a forged one, harms nobody. Any thread.
#pragma once

#include <array>
#include <cstdint>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "base/result.h"
#include "codec/shape.h"
#include "env/env.h"

namespace spl::surface {

enum class SnapshotKind : std::uint8_t { kBtrfs, kZfs, kLvm };
constexpr auto names_of(SnapshotKind /*type*/) {
  using enum SnapshotKind;
  return std::to_array<std::pair<SnapshotKind, std::string_view>>({{kBtrfs, "btrfs"}, {kZfs, "zfs"}, {kLvm, "lvm"}});
}

struct ListedSnapshot {
  SnapshotKind kind = SnapshotKind::kBtrfs;
  std::string id;           // 16 hexadecimal digits: in its name, and its mark
  std::string where;        // btrfs: the directory that holds it; zfs: pool/data; lvm: group/volume
  std::string of;           // what tells the volume from all others: UUIDs, a GUID
  std::uint64_t inode = 0;  // btrfs: of the directory; 0 while it is about to be made
  int pid = 0;              // who makes it
  std::string mark;         // env::process_mark of that

  static constexpr auto shape() {
    using S = ListedSnapshot;
    return codec::shape(codec::member("kind", &S::kind, "btrfs, zfs or lvm"),
                        codec::member("id", &S::id, "16 hexadecimal digits, in its name and its mark"),
                        codec::member("where", &S::where, "the directory that holds it, or the volume"),
                        codec::member("of", &S::of, "the identity of the volume"),
                        codec::member("inode", &S::inode, "of the directory; 0: it is about to be made"),
                        codec::member("pid", &S::pid, "the process that made it"),
                        codec::member("mark", &S::mark, "what tells that process from others"));
  }
};

class SnapshotList {
 public:
  // `path` is that of the list; its directory is there.
  SnapshotList(env::Env env, std::string path) : env_(env), path_(std::move(path)) {}
  // An error where the list is there and cannot be read: it stays as it is.
  [[nodiscard]] Result<std::vector<ListedSnapshot>> all() const;
  // Puts it in the place of the one with this id, or at the end, with this process as who makes it. Durable.
  Result<void> put(ListedSnapshot snapshot);
  // No error where it is not there. The file goes with the last one.
  Result<void> remove(std::string_view id);

 private:
  Result<void> write(const std::vector<ListedSnapshot>& snapshots) const;
  env::Env env_;
  std::string path_;
};

// The last component of the directory of a btrfs snapshot, and the name of other kinds.
std::string snapshot_name(std::string_view id);

// For who holds the home's lock. All of it is tried; what could not be removed stays listed and is an error. What a
// process that is alive works on stays, and so does what lies on a file system that is not mounted.
Result<void> remove_leftover_snapshots(env::Env env, const std::string& list_path, const std::string& tool_path);

}  // namespace spl::surface
