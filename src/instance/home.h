// The home directory of an instance: where everything lies, its lock, and its configuration.
#pragma once

#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "base/result.h"
#include "env/env.h"

namespace spl::instance {

struct HomePaths {
  std::string root;
  [[nodiscard]] std::string store() const { return env::join(root, "hub.db"); }
  [[nodiscard]] std::string identity() const { return env::join(root, "identity"); }
  [[nodiscard]] std::string config() const { return env::join(root, "config.toml"); }
  [[nodiscard]] std::string contexts() const { return env::join(root, "contexts.toml"); }
  [[nodiscard]] std::string run() const { return env::join(root, "run"); }
  [[nodiscard]] std::string lock() const { return env::join(root, "run/spl.lock"); }
  [[nodiscard]] std::string socket() const { return env::join(root, "run/spl.sock"); }
  [[nodiscard]] std::string pid() const { return env::join(root, "run/spl.pid"); }
  [[nodiscard]] std::string log() const { return env::join(root, "logs/spl.log"); }
};

// What config.toml may say. An unknown key is an error that names it.
struct Config {
  std::vector<std::string> recipients;  // age recipients that every export is encrypted for
  bool strict_signers = false;          // imports into a store with records ask for a known signer
  bool operator==(const Config&) const = default;
};
// Defaults where there is no file.
Result<Config> load_config(env::Env env, const HomePaths& paths);

// Makes what is missing of the home's directories and files (all 0700 and 0600), and nothing else. What it made, in
// that order; where it fails, it leaves nothing that it made.
Result<std::vector<std::string>> make_home(env::Env env, const HomePaths& paths);
// Removes what was made, the last first; a directory that is not empty stays.
Result<void> unmake_home(env::Env env, const std::vector<std::string>& made);

}  // namespace spl::instance
