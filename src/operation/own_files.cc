#include "operation/own_files.h"

#include <algorithm>
#include <array>
#include <vector>

#include "base/encoding.h"
#include "env/directory_id.h"
#include "home/daemon_mark.h"
#include "instance/instance.h"
#include "store/open_store.h"

namespace spl::operation {
namespace {

constexpr std::array kOwnDirectories{"identity", "secrets", "services", "data", "software", "run", "logs"};

std::string name_of(const std::string& path) {
  return path.substr(path.rfind('/') + 1);
}

// All files that are the home's store, or may be: of its own name, by config.toml, of the daemon that runs.
std::vector<std::string> files_of_store(env::Env env, const home::HomePaths& home) {
  std::vector<std::string> files;
  const auto add = [&](const std::string& file) {
    // What lies beside a store lies beside the file that a link leads to.
    for (const std::string& database : {file, env::real_path(file)}) {
      const auto all = store::store_files({"", database});
      files.insert(files.end(), all.begin(), all.end());
      files.push_back(instance::store_lock_file(database));
    }
  };
  add(home.store());
  instance::InstanceOptions options{.home = home.root, .store_url = {}};
  const auto add_located = [&] {
    const auto location = instance::Instance::store_location(env, options);
    if (location && !location->file.empty()) add(location->file);
  };
  add_located();
  if (const auto daemon = home::running_daemon(env, home); daemon && *daemon) {
    options.store_url = (*daemon)->store_url;
    add_located();
  }
  return files;
}

std::unexpected<Error> refused(std::string_view doing, const std::string& path, const std::string& why) {
  return fail(ErrorCode::kRefused, std::string(doing) + " refused: " + base::escaped(path, 512) + " " + why,
              "name another file, outside the home's own directories");
}

}  // namespace

Result<void> check_not_own(env::Env env, const home::HomePaths& home, const std::string& path, std::string_view doing) {
  const std::vector<env::DirectoryId> way = env::directories_above(env::parent_of(path));
  if (way.empty() || home.root.empty()) return {};
  const auto is = [&](const std::string& other) {
    return name_of(path) == name_of(other) && env::directory_id(env::parent_of(other)) == way.front();
  };
  if (std::ranges::any_of(files_of_store(env, home), is))
    return refused(doing, path, "belongs to the store of this instance");
  if (is(home.config()) || is(home.contexts())) return refused(doing, path, "is the configuration of this instance");
  for (const char* name : kOwnDirectories) {
    const std::string directory = env::join(home.root, name);
    const auto id = env::directory_id(directory);
    // The directory itself, too: what is to be made may be one.
    if ((id && std::ranges::find(way, *id) != way.end()) || is(directory))
      return refused(doing, path, "lies in " + base::escaped(directory, 512) + ", which is the instance's own");
  }
  return {};
}

}  // namespace spl::operation
