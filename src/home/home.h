// The home directory of an instance: where everything lies, and how it is made. Any thread.
#pragma once

#include <string>
#include <vector>

#include "base/result.h"
#include "env/env.h"
#include "home/config.h"

namespace spl::home {

struct HomePaths {
  std::string root;
  [[nodiscard]] std::string store() const { return env::join(root, "hub.db"); }
  [[nodiscard]] std::string identity() const { return env::join(root, "identity"); }
  [[nodiscard]] std::string config() const { return env::join(root, "config.toml"); }
  [[nodiscard]] std::string contexts() const { return env::join(root, "contexts.toml"); }
  [[nodiscard]] std::string services() const { return env::join(root, "services"); }
  [[nodiscard]] std::string secrets() const { return env::join(root, "secrets"); }
  [[nodiscard]] std::string data() const { return env::join(root, "data"); }
  [[nodiscard]] std::string software() const { return env::join(root, "software"); }
  [[nodiscard]] std::string run() const { return env::join(root, "run"); }
  [[nodiscard]] std::string socket() const { return env::join(root, "run/spl.sock"); }
  [[nodiscard]] std::string pid() const { return env::join(root, "run/spl.pid"); }
  [[nodiscard]] std::string log() const { return env::join(root, "logs/spl.log"); }
};

// The lock of a home is on its directory: run/ may be emptied by who cleans up, the home stays. So that directory and
// run/ are made first, which several may do at a time; then, under the lock, what else is missing. Home, data/ and run/
// are 0711, so that the users of services pass through to what is theirs; all else is 0700 and 0600. Both add what they
// made to `made`, in that order, also where they fail.
Result<void> make_root(env::Env env, const HomePaths& paths, std::vector<std::string>& made);
Result<void> make_home(env::Env env, const HomePaths& paths, std::vector<std::string>& made);
// run/ alone, of a home that was there: it may lie on a file system that a reboot empties.
Result<void> make_run_directory(env::Env env, const HomePaths& paths);
// Removes what was made, the last first; a directory that is not empty stays. Goes on after an error, and gives the
// first.
Result<void> unmake_home(env::Env env, const std::vector<std::string>& made);

}  // namespace spl::home
