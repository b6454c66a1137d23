#include "env/file_system.h"

#include <algorithm>
#include <utility>

#include "base/encoding.h"

namespace spl::env {
namespace {

std::string_view without_trailing_slashes(std::string_view path) {
  while (path.size() > 1 && path.back() == '/') path.remove_suffix(1);
  return path;
}

// The last component; empty for "/".
std::string_view name_of(std::string_view path) {
  path = without_trailing_slashes(path);
  return path.substr(path.rfind('/') + 1);
}

Result<void> write_durably(FileSystem& fs, const std::string& path, std::string_view content, std::uint32_t mode) {
  const std::unique_ptr<File> file = TRY(fs.open(path, OpenMode::kCreateNew, mode));
  TRY(file->write_at(0, content));
  return file->sync();
}

// Of a file system in which nobody else changes anything meanwhile.
class NamedDirectory final : public Directory {
 public:
  NamedDirectory(FileSystem& fs, std::string path) : fs_(fs), path_(std::move(path)) {}

  Result<std::vector<std::string>> list() override { return fs_.list(path_); }
  Result<std::optional<FileInfo>> info(const std::string& name) override { return fs_.info(path_of(name)); }
  Result<std::unique_ptr<File>> open(const std::string& name) override {
    if (!TRY(is(name, FileType::kFile))) return std::unique_ptr<File>();
    return fs_.open(path_of(name), OpenMode::kRead);
  }
  Result<std::optional<std::string>> link_target(const std::string& name) override {
    if (!TRY(is(name, FileType::kSymlink))) return std::optional<std::string>();
    return TRY(fs_.read_symbolic_link(path_of(name)));
  }
  Result<std::optional<std::vector<ExtendedAttribute>>> attributes(const std::string& name) override {
    if (!TRY(info(name))) return std::optional<std::vector<ExtendedAttribute>>();
    return TRY(fs_.attributes(path_of(name)));
  }
  Result<std::unique_ptr<Directory>> below(const std::string& path) override {
    if (!TRY(is(path, FileType::kDirectory))) return std::unique_ptr<Directory>();
    return std::make_unique<NamedDirectory>(fs_, path_of(path));
  }

 private:
  [[nodiscard]] std::string path_of(const std::string& name) const { return name.empty() ? path_ : join(path_, name); }
  Result<bool> is(const std::string& name, FileType type) {
    const auto found = TRY(info(name));
    return found && found->type == type;
  }

  FileSystem& fs_;
  const std::string path_;
};

}  // namespace

Result<std::unique_ptr<Directory>> FileSystem::open_directory(const std::string& path) {
  return std::make_unique<NamedDirectory>(*this, path);
}

std::string parent_of(const std::string& path) {
  const std::string_view trimmed = without_trailing_slashes(path);
  const std::size_t slash = trimmed.rfind('/');
  if (slash == std::string_view::npos) return ".";
  return std::string(without_trailing_slashes(trimmed.substr(0, slash + 1)));
}

std::string join(std::string_view directory, std::string_view name) {
  std::string path(directory);
  if (!path.empty() && path.back() != '/') path += '/';
  return path += name;
}

Result<std::string> follow_links(FileSystem& fs, const std::string& path) {
  constexpr int kLinksMax = 40;  // as the kernel
  std::string at = path;
  for (int i = 0; i < kLinksMax; ++i) {
    const auto info = TRY(fs.info(at));
    if (!info || info->type != FileType::kSymlink) return at;
    const std::string target = TRY(fs.read_symbolic_link(at));
    at = target.starts_with('/') ? target : join(parent_of(at), target);
  }
  return fail("cannot open " + base::escaped(path) + ": it is a symbolic link that leads in a circle",
              "let it lead to a file");
}

Result<std::string> follow_to_file(FileSystem& fs, const std::string& path) {
  std::string at = TRY(follow_links(fs, path));
  if (at == path || TRY(fs.info(at))) return at;
  return fail(
      Cause::kNoSuchFile,
      "cannot open " + base::escaped(path) + ": it is a symbolic link to " + base::escaped(at) + ", where nothing is",
      "bring back what it leads to (a disk that is not mounted?), or remove the link");
}

Result<std::string> read_followed(FileSystem& fs, const std::string& path, std::size_t max_bytes) {
  return read_file(fs, TRY(follow_to_file(fs, path)), max_bytes);
}

Result<std::string> read_file(FileSystem& fs, const std::string& path, std::size_t max_bytes) {
  const std::unique_ptr<File> file = TRY(fs.open(path, OpenMode::kRead));
  const std::uint64_t size_bytes = TRY(file->size());
  std::string content;
  // One octet more than there should be, so that a file that grows meanwhile shows.
  for (std::size_t room = std::min<std::uint64_t>(size_bytes, max_bytes) + 1;;
       room = std::min(2 * room, max_bytes + 1)) {
    content.resize(room);
    const std::size_t n = TRY(file->read_at(0, content));
    if (n > max_bytes) {
      return fail("cannot read " + base::escaped(path) + ": it is longer than " + std::to_string(max_bytes) + " octets",
                  "it may be another file than the one that was meant");
    }
    if (n < room) {
      content.resize(n);
      return content;
    }
  }
}

// The temporary name is fixed, ".<name>.tmp" beside the target: what a killed run left is found and removed by the next
// one. So no two may write one path at a time, which holds where callers have the home's lock.
Result<void> write_file_atomically(FileSystem& fs, const std::string& path, std::string_view content,
                                   std::uint32_t mode) {
  const std::string directory = parent_of(path);
  const std::string temporary = join(directory, "." + std::string(name_of(path)) + ".tmp");
  TRY(fs.remove(temporary));
  Result<void> written = write_durably(fs, temporary, content, mode);
  if (written) written = fs.rename(temporary, path);
  if (!written) {
    // As well as it goes: the next writer removes it in any case.
    static_cast<void>(fs.remove(temporary));
    return written;
  }
  return fs.sync_directory(directory);
}

// Not durable by itself: sync the parent. An interrupted removal is carried on by the next.
Result<void> remove_tree(FileSystem& fs, const std::string& path) {
  const std::optional<FileInfo> info = TRY(fs.info(path));
  if (!info) return {};
  if (info->type == FileType::kDirectory) {
    const std::vector<std::string> names = TRY(fs.list(path));
    for (const std::string& name : names) TRY(remove_tree(fs, join(path, name)));
  }
  return fs.remove(path);
}

Result<void> make_directories(FileSystem& fs, const std::string& path, std::uint32_t mode) {
  const std::optional<FileInfo> info = TRY(fs.info(path));
  const std::string parent = parent_of(path);
  if (info && info->type != FileType::kFile && info->type != FileType::kOther) {
    // An empty one may be what a killed run made and did not sync; list also refuses a link that leads nowhere.
    if (TRY(fs.list(path)).empty() && parent != path) TRY(fs.sync_directory(parent));
    return {};
  }
  if (!info) {
    TRY(make_directories(fs, parent, mode));
    Result<void> made = fs.make_directory(path, mode);
    if (!made) {
      // Another may have made it meanwhile.
      const std::optional<FileInfo> now = TRY(fs.info(path));
      if (!now || now->type != FileType::kDirectory) return made;
    }
    Result<void> synced = fs.sync_directory(parent);
    // Whoever finds it there would take it for durable: let it be made again.
    if (!synced && made) static_cast<void>(fs.remove(path));
    return synced;
  }
  return fail("cannot make directory " + base::escaped(path) + ": there is something else of that name",
              "remove or rename it, or name another directory");
}

}  // namespace spl::env
