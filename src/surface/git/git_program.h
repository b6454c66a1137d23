// The program git in an environment that nothing found in a repository can change. Any thread.
#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "base/progress.h"
#include "base/result.h"
#include "env/child_process.h"

namespace spl::surface {

// `words` follow "git"; the directory is the repository itself. No hooks, no configuration of user or machine, no
// transports.
env::ChildOptions git_options(const std::string& directory, const std::vector<std::string>& words);
// What it writes. Code kUnavailable where there is no git; an exit code other than 0 is an error that shows what it
// said.
Result<std::string> run_git(const std::string& directory, const std::vector<std::string>& words,
                            base::Progress& progress, std::string_view input = {});
// "git 2.39.5".
Result<std::string> git_version(base::Progress& progress);

// How severe it is what an object has wrong: old faults of history are only warned of, what endangers who reads the
// repository is refused. "missingEmail=warn,...".
std::string fsck_severities();

}  // namespace spl::surface
