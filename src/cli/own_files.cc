#include "cli/own_files.h"

#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <filesystem>
#include <optional>
#include <vector>

#include "cli/daemon_info.h"

namespace spl::cli {
namespace {

constexpr std::array kOwnDirectories{"identity", "secrets", "services", "data", "run", "logs"};
// A store's file and what SQLite and the lock put beside it.
constexpr std::array kStoreSuffixes{"", "-wal", "-shm", "-journal", ".lock"};

// A directory whatever path leads to it.
struct DirectoryId {
  dev_t device = 0;
  ino_t inode = 0;
  bool operator==(const DirectoryId&) const = default;
};

std::optional<DirectoryId> id_of(const std::string& path) {
  struct stat status{};
  if (::stat(path.c_str(), &status) != 0 || !S_ISDIR(status.st_mode)) return std::nullopt;
  return DirectoryId{status.st_dev, status.st_ino};
}

// The directory and all that it lies in, the nearest first, as far as they can be asked for.
std::vector<DirectoryId> way_up(const std::string& directory) {
  constexpr int kFlags = O_PATH | O_DIRECTORY | O_CLOEXEC;
  std::vector<DirectoryId> way;
  for (int number = ::open(directory.c_str(), kFlags); number >= 0;) {
    struct stat status{};
    const bool known = ::fstat(number, &status) == 0;
    const DirectoryId id{status.st_dev, status.st_ino};
    const bool higher = known && (way.empty() || way.back() != id);  // the root's parent is the root
    const int parent = higher ? ::openat(number, "..", kFlags) : -1;
    ::close(number);
    if (higher) way.push_back(id);
    number = parent;
  }
  return way;
}

std::string name_of(const std::string& path) {
  return path.substr(path.rfind('/') + 1);
}

// All files that are the home's store, or may be: of its own name, by config.toml, of the daemon that runs.
std::vector<std::string> store_files(Session& session) {
  std::vector<std::string> files{session.paths().store()};
  instance::InstanceOptions options;
  options.home = session.paths().root;
  const auto add = [&] {
    const auto file = instance::Instance::store_file(session.env(), options);
    if (file && !file->empty()) files.push_back(*file);
  };
  add();
  if (const auto daemon = running_daemon(session.env(), session.paths()); daemon && *daemon) {
    options.store_url = (*daemon)->store_url;
    add();
  }
  // SQLite puts its files beside the one that a link leads to.
  for (std::size_t i = 0, given = files.size(); i < given; ++i) {
    std::error_code error;
    const auto real = std::filesystem::canonical(files[i], error);
    if (!error) files.push_back(real.string());
  }
  return files;
}

std::unexpected<Error> refused(std::string_view doing, const std::string& path, const std::string& why) {
  return fail(ErrorCode::kRefused, std::string(doing) + " refused: " + shown(path) + " " + why,
              "name another file, outside the home's own directories");
}

}  // namespace

Result<void> check_not_own(Session& session, const std::string& path, std::string_view doing) {
  const instance::HomePaths& home = session.paths();
  const std::vector<DirectoryId> way = way_up(env::parent_of(path));
  if (way.empty() || home.root.empty()) return {};
  const auto is = [&](const std::string& other, const char* suffix = "") {
    return name_of(path) == name_of(other) + suffix && id_of(env::parent_of(other)) == way.front();
  };
  for (const std::string& store : store_files(session)) {
    for (const char* suffix : kStoreSuffixes) {
      if (is(store, suffix)) return refused(doing, path, "belongs to the store of this instance");
    }
  }
  if (is(home.config()) || is(home.contexts())) return refused(doing, path, "is the configuration of this instance");
  for (const char* name : kOwnDirectories) {
    const std::string directory = env::join(home.root, name);
    const auto id = id_of(directory);
    // The directory itself, too: what is to be made may be one.
    if ((id && std::ranges::find(way, *id) != way.end()) || is(directory))
      return refused(doing, path, "lies in " + shown(directory) + ", which is the instance's own");
  }
  return {};
}

}  // namespace spl::cli
