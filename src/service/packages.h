// Debian's packages, by apt-get and dpkg-query. A package's own daemon is neither started while it is installed nor at
// the machine's next start. decisions/D-18 says how. One thread.
#pragma once

#include <string>
#include <vector>

#include "base/progress.h"
#include "base/result.h"
#include "env/env.h"

namespace spl::service {

// Whether dpkg has it, configured. Code kUnavailable where there is no dpkg-query.
Result<bool> has_package(const std::string& package);

struct PackageInstall {
  std::string package;
  std::string kept_unit;  // systemd's, which stays as the package has it; "" is none
  std::string log;        // takes what apt-get says
};
struct InstalledPackage {
  std::vector<std::string> packages;        // that are there now and were not before
  std::vector<std::string> units_disabled;  // of systemd: of the package itself and of those of its source
  std::vector<std::string> units_enabled;   // of other packages that came with it
};

// Downloads it with what it needs into apt's cache, then installs all of that. Until it begins to install `progress`
// may end it; from then on nothing does, for a package manager that is killed leaves the machine broken. Code
// kUnavailable where this process is not root's, or another spl is at it; nothing that is there is removed for it.
Result<InstalledPackage> install_package(env::Env env, const PackageInstall& install, base::Progress& progress);

}  // namespace spl::service
