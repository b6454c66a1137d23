// What config.toml says. Any thread.
#pragma once

#include <array>
#include <chrono>
#include <cstdint>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "base/result.h"
#include "env/env.h"
#include "home/router_config.h"

namespace spl::home {

struct HomePaths;

// Where the values of secrets are: sealed in secrets/, in environment variables, or with another program.
struct SecretsConfig {
  enum class Backend : std::uint8_t { kFile, kEnv, kCommand };
  Backend backend = Backend::kFile;
  // Of kCommand: {handle} stands for the handle. `set` reads the value from its standard input, `get` writes it.
  std::vector<std::string> get, set, list, remove;
  bool operator==(const SecretsConfig&) const = default;
};
constexpr auto names_of(SecretsConfig::Backend /*type*/) {
  using enum SecretsConfig::Backend;
  return std::array{std::pair{kFile, std::string_view("file")}, std::pair{kEnv, std::string_view("env")},
                    std::pair{kCommand, std::string_view("command")}};
}

// What config.toml may say. An unknown key is an error that names it.
struct Config {
  std::vector<std::string> recipients;  // age recipients that every export is encrypted for
  std::string store_url;                // where the store is; "" is hub.db in the home
  bool strict_signers = false;          // imports into a store with records ask for a known signer
  SecretsConfig secrets;
  std::string base_url;               // where peers find this instance; "" is where its daemon serves
  std::string directory_url;          // an instance that is asked where peers have gone; "" is none
  std::string ca_file;                // certificates that peers' are to be from; "" are the machine's
  std::vector<std::string> catalogs;  // directories of declarations, before the one that spl brings
  std::string backup_dir;             // where backups are kept; "" is backups/ in the home
  std::chrono::seconds session_idle = std::chrono::hours(12);  // a browser's session ends after it
  RouterConfig router;
  bool operator==(const Config&) const = default;
};
// Defaults where there is no file.
Result<Config> load_config(env::Env env, const HomePaths& paths);

}  // namespace spl::home
