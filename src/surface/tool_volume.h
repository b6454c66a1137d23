// Snapshots that are made by the programs of a file system or volume manager: zfs, lvcreate. For zfs_volume.cc and
// lvm_volume.cc.
#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "surface/volume_snapshot.h"

namespace spl::surface {

// What a program says, within a limit; an error where it fails or is not there.
Result<std::string> said_by_tool(const std::string& tool_path, std::vector<std::string> words);
// Lines cut at a separator, without spaces around.
std::vector<std::vector<std::string>> rows_of(std::string_view text, char separator);

// "spl-snapshot-0123456789abcdef"
std::string tool_name(std::string_view id);

class ToolVolume : public VolumeSnapshot {
 public:
  ToolVolume(VolumeRoom room, ListedSnapshot entry);
  ~ToolVolume() override;

 protected:
  virtual Result<void> create() = 0;           // what entry() names, with its mark
  virtual Result<env::Descriptor> open() = 0;  // its root
  [[nodiscard]] const VolumeRoom& room() const { return room_; }
  [[nodiscard]] const ListedSnapshot& entry() const { return entry_; }

 private:
  Result<void> do_prepare() override;
  Result<void> do_make() override { return create(); }
  Result<void> do_open() override;

  const VolumeRoom room_;
  const ListedSnapshot entry_;
  bool is_listed_ = false;
};

}  // namespace spl::surface
