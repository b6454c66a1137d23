// Directories of a service's user, as root works in them: he may put something else in the place of any name while we
// look at it. What is made is root's alone until it is whole, and is reached by a descriptor; what is removed is gone
// through by descriptors, which lead through no link. One thread.
#pragma once

#include <string>

#include "base/result.h"
#include "env/descriptor.h"
#include "env/file_system.h"
#include "env/users.h"

namespace spl::surface {

// A new directory at `path` that only root enters. It is made with the rights of `owner` where others than root may
// put links on the way. env::path_of() leads to it, whatever becomes of its name.
Result<env::Descriptor> make_guarded_directory(env::FileSystem& fs, const std::string& path, const env::UserIds& owner);

// Removes what is at `path`, whatever it is; no error where nothing is. An error, and nothing of it removed, where
// another file system is mounted within.
Result<void> remove_guarded_tree(env::FileSystem& fs, const std::string& path, const env::UserIds& owner);

}  // namespace spl::surface
