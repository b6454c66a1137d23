// The files that a home lives by, so that no command writes over them. Any thread.
#pragma once

#include <string>

#include "base/result.h"
#include "env/env.h"
#include "home/home.h"

namespace spl::operation {

// Code kRefused where a file made at `path` would replace the store of the home or what lies beside it, its
// configuration, or anything in its own directories, by whatever spelling or links the path leads there. `doing` is the
// operation that is refused ("export"). No error where that cannot be told: then nothing can be made there either.
Result<void> check_not_own(env::Env env, const home::HomePaths& home, const std::string& path, std::string_view doing);

}  // namespace spl::operation
