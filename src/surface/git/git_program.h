// The program git in an environment that nothing found in a repository can change. Any thread.
#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "base/progress.h"
#include "base/result.h"
#include "env/child_process.h"
#include "env/file_system.h"

namespace spl::surface {

// `words` follow "git"; the directory is the repository itself. No hooks, no configuration of user or machine, no
// transports. Where this process is root's it runs as the directory's owner: what that user has written into the
// repository gets nobody else's rights, and what git makes is the user's.
Result<env::ChildOptions> git_options(env::FileSystem& fs, const std::string& directory,
                                      const std::vector<std::string>& words);
// What it writes. Code kUnavailable where there is no git; an exit code other than 0 is an error that shows what it
// said.
Result<std::string> run_git(env::FileSystem& fs, const std::string& directory, const std::vector<std::string>& words,
                            base::Progress& progress, std::string_view input = {});
// "git 2.39.5".
Result<std::string> git_version(env::FileSystem& fs, base::Progress& progress);

// How severe it is what an object has wrong: old faults of history are only warned of, what endangers who reads the
// repository is refused. "missingEmail=warn,...".
std::string fsck_severities();

}  // namespace spl::surface
