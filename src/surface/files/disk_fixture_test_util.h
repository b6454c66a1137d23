// Trees on a file system of a kind, which is mounted from a file. For tests only.
#pragma once

#include <string>

#include "surface/files/files_fixture_test_util.h"
#include "surface/loop_disk_test_util.h"

namespace spl::surface {

// Where the trees lie on a disk of this kind.
class DiskFixture : public FilesFixture {
 public:
  explicit DiskFixture(const std::string& kind, const std::string& options = "") : disk_(kind, options) {
    surroundings_.snapshot_list = path("snapshots.json");
    if (disk_.why_not().empty()) must(fs_.make_directory(disk_.path() + "/data"));
  }
  [[nodiscard]] const std::string& why_not() const { return disk_.why_not(); }
  [[nodiscard]] std::string disk() const { return disk_.path(); }
  [[nodiscard]] std::string data() const override { return disk_.path() + "/data"; }

 private:
  LoopDisk disk_;
};

class BtrfsFixture : public DiskFixture {
 public:
  BtrfsFixture() : DiskFixture("btrfs") {}
};

inline Place copy_of_place(const Place& place) {
  Place copy;
  copy.subject = place.subject;
  copy.path = place.path;
  copy.exclude = place.exclude;
  return copy;
}

}  // namespace spl::surface
