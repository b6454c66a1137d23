#include "env/mounts.h"

#include <fcntl.h>
#include <linux/openat2.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <charconv>

#include "base/encoding.h"
#include "env/proc_files.h"

namespace spl::env {
namespace {

constexpr std::size_t kMountsBytesMax = 16u << 20;

std::vector<std::string_view> fields_of(std::string_view line, char separator) {
  std::vector<std::string_view> fields;
  for (std::size_t at = 0; at <= line.size();) {
    const std::size_t end = std::min(line.find(separator, at), line.size());
    fields.push_back(line.substr(at, end - at));
    at = end + 1;
  }
  return fields;
}

// The kernel writes a space, a tab, a line feed and a backslash as a backslash and three octal digits.
std::string unescaped(std::string_view text) {
  std::string plain;
  for (std::size_t i = 0; i < text.size(); ++i) {
    unsigned value = 0;
    const bool is_escape = text[i] == '\\' && i + 3 < text.size() &&
                           std::from_chars(&text[i + 1], &text[i + 1] + 3, value, 8).ptr == &text[i + 1] + 3;
    plain += is_escape ? static_cast<char>(value) : text[i];
    if (is_escape) i += 3;
  }
  return plain;
}

std::optional<Mount> parse_mount(std::string_view line) {
  constexpr std::size_t kFieldsBefore = 6;  // id, parent, device, root, point, its options; then any number, and "-"
  const auto fields = fields_of(line, ' ');
  const auto dash = std::ranges::find(fields, "-");
  if (fields.size() < kFieldsBefore || fields.end() - dash < 4) return std::nullopt;
  Mount mount;
  const std::string_view id = fields[0];
  if (std::from_chars(id.data(), id.data() + id.size(), mount.id).ec != std::errc()) return std::nullopt;
  mount.device = fields[2];
  mount.root = unescaped(fields[3]);
  mount.point = unescaped(fields[4]);
  mount.type = dash[1];
  mount.source = unescaped(dash[2]);
  for (const std::string_view option : fields_of(dash[3], ',')) mount.options.emplace_back(option);
  return mount;
}

constexpr std::uint64_t kBelow = RESOLVE_NO_SYMLINKS | RESOLVE_BENEATH;

// Not open, with errno, where it cannot be.
Descriptor open_how(int at, const std::string& path, std::uint64_t resolve) {
  struct open_how how{};
  how.flags = O_RDONLY | O_DIRECTORY | O_CLOEXEC;
  how.resolve = resolve;
  for (;;) {
    const long number = ::syscall(SYS_openat2, at, path.empty() ? "." : path.c_str(), &how, sizeof how);
    if (number >= 0 || (errno != EINTR && errno != EAGAIN)) return Descriptor(static_cast<int>(number));
  }
}

Result<Descriptor> opened(Descriptor directory, const std::string& path) {
  if (!directory.is_open()) return base::fail_errno("cannot open " + base::escaped(path), errno);
  return directory;
}

}  // namespace

std::vector<Mount> parse_mounts(std::string_view text) {
  std::vector<Mount> found;
  for (const std::string_view line : fields_of(text, '\n')) {
    if (auto mount = parse_mount(line)) found.push_back(std::move(*mount));
  }
  return found;
}

Result<std::vector<Mount>> mounts() {
  return parse_mounts(TRY(read_proc("/proc/self/mountinfo", kMountsBytesMax)).value_or(""));
}

std::optional<Mount> mount_of(const std::vector<Mount>& mounts, const Descriptor& directory) {
  struct statx status{};
  if (::statx(directory.number(), "", AT_EMPTY_PATH, STATX_MNT_ID, &status) != 0) return std::nullopt;
  if ((status.stx_mask & STATX_MNT_ID) == 0) return std::nullopt;
  const auto found = std::ranges::find(mounts, status.stx_mnt_id, &Mount::id);
  return found == mounts.end() ? std::nullopt : std::optional(*found);
}

Result<Descriptor> open_directory_straight(const std::string& path) {
  return opened(open_how(AT_FDCWD, path, RESOLVE_NO_SYMLINKS), path);
}

Result<Descriptor> open_directory_below(const Descriptor& directory, const std::string& path) {
  return opened(open_how(directory.number(), path, kBelow), path);
}

Result<std::optional<Descriptor>> find_directory_below(const Descriptor& directory, const std::string& path) {
  Descriptor found = open_how(directory.number(), path, kBelow);
  if (!found.is_open() && (errno == ENOENT || errno == ENOTDIR || errno == ELOOP)) return std::nullopt;
  return TRY(opened(std::move(found), path));
}

std::string path_of(const Descriptor& directory) {
  // Without the end it would be a link itself.
  return "/proc/self/fd/" + std::to_string(directory.number()) + "/.";
}

}  // namespace spl::env
