#include "home/home.h"

#include <ranges>

namespace spl::home {
namespace {

// Users of services pass through to what is theirs below, and see no name that they do not know.
constexpr std::uint32_t kPassedMode = 0711;
constexpr std::uint32_t kClosedMode = 0700;

constexpr std::string_view kConfigTemplate =
    "# Configuration of this instance. Every line is optional.\n"
    "#\n"
    "# recipients = [\"age1...\"]    # encrypt every export for these; spl export --plaintext overrules it\n"
    "# store = \"sqlite:/srv/spl/hub.db\"  # where the records are, if not in hub.db beside this file\n"
    "# strict_signers = true        # an import into a store with records asks for a known signer\n"
    "# base_url = \"https://spl.example.org\"  # where peers find this instance, if not where spl serve listens\n"
    "# directory_url = \"https://directory.example.org\"  # an instance that is asked where peers have gone\n"
    "# ca_file = \"/etc/spl/peers.pem\"  # certificates that peers' are to be from, if not the machine's\n"
    "# catalogs = [\"/etc/spl/catalog\"]  # directories of declarations that spl service X install takes from, too\n"
    "# backup_dir = \"/mnt/disk/backups\"  # where backups are kept, if not in backups/ beside this file\n"
    "# session_idle = \"12h\"        # a browser's session ends when it has not been used for so long\n"
    "#\n"
    "# [secrets]                    # where the values of services' secrets are: file (the default), env or command\n"
    "# backend = \"command\"\n"
    "# get     = [\"pass\", \"show\", \"spl/{handle}\"]\n"
    "# set     = [\"pass\", \"insert\", \"--multiline\", \"--force\", \"spl/{handle}\"]\n"
    "# delete  = [\"pass\", \"rm\", \"--force\", \"spl/{handle}\"]\n"
    "#\n"
    "# [router]                     # what spl router start serves\n"
    "# names    = [\"box.example.org\"]  # the panel's first; the default is what the machine is called\n"
    "# https    = 443               # 8443 where spl does not run as root\n"
    "# http     = 80                # 8080; 0: none\n"
    "# services = \"port\"            # or name, path: where the services' own pages are\n"
    "# ports    = \"8450-8499\"\n"
    "# certificate = \"own\"          # or acme, files\n";
constexpr std::string_view kContextsTemplate = "# The contexts (tenants) of this instance: a name and an id each.\n";

// A directory that holds something by now is somebody's: it stays.
Result<void> remove_if_unused(env::Env env, const std::string& path) {
  const auto info = TRY(env.fs.info(path));
  if (!info) return {};
  if (info->type == env::FileType::kDirectory && !TRY(env.fs.list(path)).empty()) return {};
  return env.fs.remove(path);
}

}  // namespace

Result<void> make_root(env::Env env, const HomePaths& paths, std::vector<std::string>& made) {
  for (std::string path = paths.run(); !TRY(env.fs.info(path)); path = env::parent_of(path))
    made.insert(made.begin(), path);
  // Also where it is there: a run that was killed may have made it and not have made it durable.
  TRY(env::make_directories(env.fs, paths.root, kPassedMode));
  return make_run_directory(env, paths);
}

Result<void> make_run_directory(env::Env env, const HomePaths& paths) {
  // Where it is a link, a reboot may have taken away what it leads to.
  return env::make_directories(env.fs, TRY(env::follow_links(env.fs, paths.run())), kPassedMode);
}

Result<void> make_home(env::Env env, const HomePaths& paths, std::vector<std::string>& made) {
  for (const auto& [name, mode] :
       {std::pair("identity", kClosedMode), std::pair("secrets", kClosedMode), std::pair("services", kClosedMode),
        std::pair("data", kPassedMode), std::pair("logs", kClosedMode)}) {
    const std::string path = env::join(paths.root, name);
    if (TRY(env.fs.info(path))) continue;
    TRY(env.fs.make_directory(path, mode));
    made.push_back(path);
  }
  for (const auto& [path, content] :
       {std::pair(paths.config(), kConfigTemplate), std::pair(paths.contexts(), kContextsTemplate)}) {
    if (TRY(env.fs.info(path))) continue;
    made.push_back(path);
    TRY(env::write_file_atomically(env.fs, path, content));
  }
  return env.fs.sync_directory(paths.root);
}

Result<void> unmake_home(env::Env env, const std::vector<std::string>& made) {
  Result<void> all;
  for (const std::string& path : std::views::reverse(made)) {
    auto removed = remove_if_unused(env, path);
    if (!removed && all) all = std::move(removed);
  }
  return all;
}

}  // namespace spl::home
