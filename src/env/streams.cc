#include "env/streams.h"

#include <fcntl.h>
#include <poll.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <cerrno>

#include "base/encoding.h"

namespace spl::env {
namespace {

constexpr const char* kNotWhole = "not all of it was written";
constexpr std::size_t kWriteBytesMax = 1u << 20;  // at once: so that an interrupt is seen in time

// Waits until `descriptor` is ready, or the interrupt has come: then an error.
Result<void> wait_until_ready(int descriptor, short events, const Interrupt* interrupt, const std::string& name,
                              const char* remains) {
  for (;;) {
    std::array<pollfd, 2> waits{pollfd{descriptor, events, 0},
                                pollfd{interrupt == nullptr ? -1 : interrupt->descriptor(), POLLIN, 0}};
    const int n = ::poll(waits.data(), waits.size(), -1);
    if (interrupt != nullptr && interrupt->raised()) return base::fail_cancelled(remains);
    if (n > 0) return {};
    if (n < 0 && errno != EINTR) return base::fail_errno("cannot wait for " + name, errno);
  }
}

}  // namespace

Result<std::unique_ptr<InputFile>> InputFile::open(const std::string& path, const Interrupt* interrupt) {
  const bool standard = path == "-";
  const std::string name = standard ? "standard input" : base::escaped(path);
  const int descriptor = standard ? STDIN_FILENO : ::open(path.c_str(), O_RDONLY | O_CLOEXEC | O_NOCTTY);
  if (descriptor < 0) return base::fail_errno("cannot open " + name, errno);
  std::unique_ptr<InputFile> file(new InputFile(descriptor, name, interrupt));
  struct stat status{};
  if (::fstat(descriptor, &status) != 0) return base::fail_errno("cannot look at " + name, errno);
  if (S_ISDIR(status.st_mode)) return fail(ErrorCode::kUsage, name + " is a directory", "name a file in it");
  if (S_ISREG(status.st_mode)) file->size_bytes_ = static_cast<std::uint64_t>(status.st_size);
  return file;
}

InputFile::~InputFile() {
  if (descriptor_ != STDIN_FILENO) ::close(descriptor_);
}

Result<std::size_t> InputFile::read(std::span<char> out) {
  for (;;) {
    if (!size_bytes_) TRY(wait_until_ready(descriptor_, POLLIN, interrupt_, name_, "nothing was changed"));
    const ssize_t n = ::read(descriptor_, out.data(), out.size());
    if (n < 0 && (errno == EINTR || errno == EAGAIN)) continue;
    if (n < 0) return base::fail_errno("cannot read " + name_, errno);
    bytes_read_ += static_cast<std::uint64_t>(n);
    return static_cast<std::size_t>(n);
  }
}

std::optional<std::uint64_t> InputFile::seekable_bytes() const {
  return descriptor_ == STDIN_FILENO ? std::nullopt : size_bytes_;
}

Result<void> InputFile::seek(std::uint64_t offset) {
  if (::lseek(descriptor_, static_cast<off_t>(offset), SEEK_SET) < 0)
    return base::fail_errno("cannot read " + name_, errno);
  bytes_read_ = offset;
  return {};
}

Result<void> DescriptorSink::write(std::string_view octets) {
  while (!octets.empty()) {
    if (interrupt_ != nullptr) TRY(wait_until_ready(descriptor_, POLLOUT, interrupt_, name_, kNotWhole));
    const ssize_t n = ::write(descriptor_, octets.data(), std::min(octets.size(), kWriteBytesMax));
    if (n < 0 && errno == EAGAIN) {
      TRY(wait_until_ready(descriptor_, POLLOUT, interrupt_, name_, kNotWhole));
    } else if (n < 0 && errno != EINTR) {
      broken_pipe_ = errno == EPIPE;
      return base::fail_errno("cannot write to " + name_, errno);
    } else if (n > 0) {
      octets.remove_prefix(static_cast<std::size_t>(n));
      bytes_written_ += static_cast<std::uint64_t>(n);
    }
  }
  return {};
}

bool write_within(int descriptor, std::string_view octets, std::chrono::milliseconds at_most) {
  // So much a pipe that is ready takes without a wait, as pipe(7) says.
  constexpr std::size_t kReadyBytes = 4096;
  const auto end = std::chrono::steady_clock::now() + at_most;
  while (!octets.empty()) {
    const auto left = std::chrono::duration_cast<std::chrono::milliseconds>(end - std::chrono::steady_clock::now());
    pollfd wait{descriptor, POLLOUT, 0};
    if (left.count() <= 0 || ::poll(&wait, 1, static_cast<int>(left.count())) <= 0) return false;
    const ssize_t n = ::write(descriptor, octets.data(), std::min(octets.size(), kReadyBytes));
    if (n <= 0) return false;
    octets.remove_prefix(static_cast<std::size_t>(n));
  }
  return true;
}

Result<std::string> read_input(const std::string& path, std::size_t max_bytes, const Interrupt* interrupt) {
  const auto file = TRY(InputFile::open(path, interrupt));
  std::string content(max_bytes + 1, '\0');
  content.resize(TRY(base::read_full(*file, content)));
  if (content.size() > max_bytes)
    return fail(ErrorCode::kUsage, file->name() + ": longer than " + std::to_string(max_bytes) + " bytes",
                "it may be another file than the one that was meant");
  return content;
}

}  // namespace spl::env
