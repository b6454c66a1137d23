// A file without a name that shares its blocks with the files whose content is appended (reflinks: btrfs, XFS): nothing
// is read or written, and nothing is left when it is closed or the process ends. One thread. Sources:
// ioctl_ficlonerange(2), open(2).
#pragma once

#include <cstdint>
#include <optional>
#include <span>
#include <string>

#include "base/result.h"
#include "env/descriptor.h"
#include "env/file_system.h"

namespace spl::env {

class CloneFile {
 public:
  // On the file system of a directory. Nothing where that cannot share blocks, or this process may not write there.
  static std::optional<CloneFile> make(const std::string& directory);

  enum class State : std::uint8_t {
    kCloned,
    kRefused,  // it is to be read: another file system, or a file that cannot share its blocks
  };
  struct Piece {
    State state = State::kRefused;
    std::uint64_t at = 0;
    std::uint64_t bytes = 0;
  };
  // The whole content of an open file, as it is at one moment.
  Piece append(const File& file);
  Result<std::size_t> read_at(std::uint64_t at, std::span<char> out) const;

 private:
  CloneFile(Descriptor file, std::uint64_t block_bytes) : file_(std::move(file)), block_bytes_(block_bytes) {}
  std::optional<std::uint64_t> size() const;
  bool append_from(int source);

  Descriptor file_;
  std::uint64_t block_bytes_;  // a clone begins at a multiple of it
};

}  // namespace spl::env
