#include "env/proc_files.h"

#include <dirent.h>
#include <fcntl.h>
#include <unistd.h>

#include <array>
#include <cerrno>
#include <charconv>
#include <climits>
#include <memory>

#include "env/descriptor.h"

namespace spl::env {
namespace {

constexpr std::size_t kLineBytesMax = 64u << 10;

bool has_gone(int error) {
  return error == ENOENT || error == ESRCH;
}

std::unexpected<Error> cannot_look(const std::string& path, int error) {
  return base::fail_errno("cannot look into " + path, error);
}

struct CloseDirectory {
  void operator()(DIR* directory) const { ::closedir(directory); }
};

// Pieces of the file, until its end or until `take` gives false. False: there is no such file.
Result<bool> read_pieces(const std::string& path, const std::function<Result<bool>(std::string_view)>& take) {
  const Descriptor file(::open(path.c_str(), O_RDONLY | O_CLOEXEC));
  if (!file.is_open()) {
    if (has_gone(errno)) return false;
    return cannot_look(path, errno);
  }
  std::array<char, 16u << 10> piece{};
  for (;;) {
    const ssize_t n = ::read(file.number(), piece.data(), piece.size());
    if (n < 0 && errno == EINTR) continue;
    if (n < 0 && has_gone(errno)) return false;
    if (n < 0) return cannot_look(path, errno);
    if (n == 0 || !TRY(take({piece.data(), static_cast<std::size_t>(n)}))) return true;
  }
}

}  // namespace

Result<std::optional<std::string>> read_proc(const std::string& path, std::size_t bytes_max) {
  std::string text;
  const bool is_there = TRY(read_pieces(path, [&](std::string_view piece) -> Result<bool> {
    if (text.size() + piece.size() > bytes_max)
      return fail(Cause::kTooLarge, path + " has more than " + std::to_string(bytes_max) + " bytes");
    text.append(piece);
    return true;
  }));
  if (!is_there) return std::nullopt;
  return text;
}

Result<bool> read_proc_lines(const std::string& path, const std::function<bool(std::string_view)>& take) {
  std::string kept;
  const bool is_there = TRY(read_pieces(path, [&](std::string_view piece) -> Result<bool> {
    kept.append(piece);
    std::size_t begin = 0;
    for (std::size_t end = kept.find('\n'); end != std::string::npos; end = kept.find('\n', begin)) {
      if (!take(std::string_view(kept).substr(begin, end - begin))) {
        kept.clear();
        return false;
      }
      begin = end + 1;
    }
    kept.erase(0, begin);
    if (kept.size() > kLineBytesMax) return fail(Cause::kTooLarge, path + " has a line that is too long");
    return true;
  }));
  if (is_there && !kept.empty()) (void)take(kept);
  return is_there;
}

Result<std::optional<std::vector<std::string>>> proc_names(const std::string& directory) {
  const std::unique_ptr<DIR, CloseDirectory> stream(::opendir(directory.c_str()));
  if (stream == nullptr) {
    if (has_gone(errno)) return std::nullopt;
    return cannot_look(directory, errno);
  }
  std::vector<std::string> names;
  for (;;) {
    errno = 0;
    const dirent* entry = ::readdir(stream.get());
    if (entry != nullptr) {
      names.emplace_back(&entry->d_name[0]);
    } else if (errno == 0) {
      return names;
    } else if (has_gone(errno)) {
      return std::nullopt;
    } else {
      return cannot_look(directory, errno);
    }
  }
}

Result<std::optional<std::string>> proc_link(const std::string& path) {
  std::array<char, PATH_MAX> target{};
  const ssize_t n = ::readlink(path.c_str(), target.data(), target.size());
  if (n >= 0) return std::string(target.data(), static_cast<std::size_t>(n));
  if (has_gone(errno)) return std::nullopt;
  if (errno == ENAMETOOLONG) return fail(Cause::kTooLarge, path + " leads to a path that is too long to be told");
  return cannot_look(path, errno);
}

Result<std::vector<int>> proc_numbers(const std::string& directory) {
  std::vector<int> numbers;
  const auto names = TRY(proc_names(directory));
  if (!names) return numbers;
  for (const std::string& name : *names) {
    int number = 0;
    const auto [end, error] = std::from_chars(name.data(), name.data() + name.size(), number);
    if (error == std::errc() && end == name.data() + name.size()) numbers.push_back(number);
  }
  return numbers;
}

}  // namespace spl::env
