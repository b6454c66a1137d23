// Debian's packages, by apt-get and dpkg-query. A package's own daemon is neither started while it is installed nor at
// the machine's next start. decisions/D-18 says how. One thread.
#pragma once

#include <optional>
#include <string>
#include <vector>

#include "base/progress.h"
#include "base/result.h"
#include "env/env.h"
#include "home/home.h"

namespace spl::service {

// Whether dpkg has all of them, configured. Code kUnavailable where there is no dpkg-query.
Result<bool> has_packages(const std::vector<std::string>& packages);

// Where a home notes an install of packages that has not ended.
std::string packages_note(const home::HomePaths& paths);

struct PackageInstall {
  std::vector<std::string> packages;
  std::string kept_unit;  // systemd's, which stays as the package has it; "" is none
  std::string log;        // takes what apt-get says
  std::string note;       // there from before the first package is unpacked until all is settled
};
struct InstalledPackages {
  std::vector<std::string> wanted = {};
  std::vector<std::string> packages = {};        // that are there now and were not before
  std::vector<std::string> units_disabled = {};  // of systemd: of the wanted packages and of those of their sources
  std::vector<std::string> units_enabled = {};   // of other packages that came with them
};

// Downloads them with what they need into apt's cache, then installs all of that. Until it begins to install `progress`
// may end it; from then on nothing does, for a package manager that is killed leaves the machine broken. Code
// kUnavailable where this process is not root's, or another spl is at it; nothing that is there is removed for it.
Result<InstalledPackages> install_packages(env::Env env, const PackageInstall& install, base::Progress& progress);

// What an install that did not end has left, by its note: a package manager that still runs is waited for, packages
// that are not configured are, without starting their daemons, units are disabled. Nothing where there is no note. Code
// kFailed where dpkg cannot: the note stays.
Result<std::optional<InstalledPackages>> finish_packages(env::Env env, const std::string& note, const std::string& log,
                                                         base::Progress& progress);
// Of that the units alone, without waiting; the note stays. Gives those that it has disabled.
Result<std::vector<std::string>> settle_begun_packages(env::Env env, const std::string& note);

}  // namespace spl::service
