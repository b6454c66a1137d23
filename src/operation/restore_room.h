// Whether what a restore writes fits, disk by disk, at its largest moment: what was there is still there then. One
// thread.
#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "env/free_room.h"
#include "operation/findings.h"

namespace spl::operation {

class RestoreRoom {
 public:
  // So much will lie below a directory, and stay.
  void want(const std::string& directory, std::uint64_t bytes, std::uint64_t files);
  // A finding a disk.
  void report(std::vector<Finding>& findings) const;

 private:
  struct Disk {
    std::string directory;  // the first that was named
    env::FreeRoom free;
    std::uint64_t bytes = 0;
    std::uint64_t files = 0;
  };
  Disk* disk_of(const std::string& directory);
  std::vector<Disk> disks_;
};

}  // namespace spl::operation
