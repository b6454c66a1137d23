#include "operation/restore_room.h"

#include <algorithm>

namespace spl::operation {
namespace {

// What a file takes besides its bytes, at most: its last block.
constexpr std::uint64_t kBlockBytes = 4096;

std::string mebibytes(std::uint64_t bytes) {
  return std::to_string((bytes + (1u << 20) - 1) >> 20) + " MiB";
}

}  // namespace

RestoreRoom::Disk* RestoreRoom::disk_of(const std::string& directory) {
  const auto free = env::free_room(directory);
  if (!free) return nullptr;
  const auto found = std::ranges::find(disks_, free->device, [](const Disk& disk) { return disk.free.device; });
  if (found != disks_.end()) return &*found;
  return &disks_.emplace_back(Disk{directory, *free, 0, 0});
}

void RestoreRoom::want(const std::string& directory, std::uint64_t bytes, std::uint64_t files) {
  Disk* disk = disk_of(directory);
  if (disk == nullptr) return;
  disk->bytes += bytes + files * kBlockBytes;
  disk->files += files;
}

void RestoreRoom::report(std::vector<Finding>& findings) const {
  for (const Disk& disk : disks_) {
    const bool fits = disk.bytes <= disk.free.bytes;
    findings.push_back({"space", fits ? FindingStatus::kOk : FindingStatus::kStop, disk.directory,
                        mebibytes(disk.bytes) + " are wanted, beside what is there now, and " +
                            std::to_string(disk.free.bytes >> 20) + " MiB are free",
                        fits ? "" : "free some disk space, or restore less: --context, --without"});
    if (disk.free.files && disk.files > *disk.free.files)
      findings.push_back({"space", FindingStatus::kStop, disk.directory,
                          std::to_string(disk.files) + " new files are wanted, and the file system takes " +
                              std::to_string(*disk.free.files) + " more",
                          "remove files, or restore less: --context, --without"});
  }
}

}  // namespace spl::operation
