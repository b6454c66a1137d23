#include "env/clone_file.h"

#include <fcntl.h>
#include <linux/fs.h>
#include <sys/ioctl.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <utility>

namespace spl::env {
namespace {

// Enough for the blocks of every file system that can share them.
constexpr std::uint64_t kBlockBytesMin = 64u << 10;

Descriptor open_unnamed(const std::string& directory) {
  return Descriptor(::open(directory.c_str(), O_TMPFILE | O_RDWR | O_CLOEXEC, 0600));
}

}  // namespace

std::optional<CloneFile> CloneFile::make(const std::string& directory) {
  const Descriptor trial = open_unnamed(directory);
  Descriptor file = open_unnamed(directory);
  struct stat status{};
  if (!trial.is_open() || !file.is_open() || ::fstat(file.number(), &status) != 0) return std::nullopt;
  CloneFile made(std::move(file), std::max<std::uint64_t>(kBlockBytesMin, status.st_blksize));
  if (::pwrite(trial.number(), "x", 1, 0) != 1 || !made.append_from(trial.number())) return std::nullopt;
  return made;
}

std::optional<std::uint64_t> CloneFile::size() const {
  struct stat status{};
  if (::fstat(file_.number(), &status) != 0) return std::nullopt;
  return static_cast<std::uint64_t>(status.st_size);
}

bool CloneFile::append_from(int source) {
  const auto end = size();
  if (!end) return false;
  struct file_clone_range range{};
  range.src_fd = source;
  range.src_length = 0;  // to its end
  range.dest_offset = (*end + block_bytes_ - 1) / block_bytes_ * block_bytes_;
  return ::ioctl(file_.number(), FICLONERANGE, &range) == 0;
}

CloneFile::Piece CloneFile::append(const File& file) {
  const auto source = file.descriptor();
  if (!source) return {};
  const auto before = size();
  if (!before || !append_from(*source)) return {};
  const auto after = size();
  if (!after) return {};
  const std::uint64_t at = (*before + block_bytes_ - 1) / block_bytes_ * block_bytes_;
  // Of an empty file nothing was added.
  return {State::kCloned, at, *after > at ? *after - at : 0};
}

Result<std::size_t> CloneFile::read_at(std::uint64_t at, std::span<char> out) const {
  std::size_t done = 0;
  while (done < out.size()) {
    const ssize_t n = ::pread(file_.number(), out.data() + done, out.size() - done, static_cast<off_t>(at + done));
    if (n < 0 && errno == EINTR) continue;
    if (n < 0) return base::fail_errno("cannot read what was cloned", errno);
    if (n == 0) break;
    done += static_cast<std::size_t>(n);
  }
  return done;
}

}  // namespace spl::env
