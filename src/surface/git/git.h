// The driver of git repositories (docs/formats/git.md): a bare one, or all that lie below a directory. A repository
// goes out as a bundle of git with its refs as they were at the moment, and a small JSON file with HEAD and
// description. Hooks and configuration never travel: they are the live repository's, or those of the declaration's
// template.
//
// The moment is the refs and what they name, read in the pause; objects that are pruned before they are read out fail
// the backup. No command of git ever runs with the configuration of a repository that was found or sent.
#pragma once

#include <memory>

#include "surface/part.h"

namespace spl::surface {

std::unique_ptr<BackupPart> git_backup(const Surroundings& surroundings, Place place);
// What is staged stands beside the live repository (or at the root of the directory that holds many), as
// ".spl-<id>-<name>". A mark has the inode of each staged repository and its name. `surroundings` outlives both.
std::unique_ptr<RestorePart> git_restore(const Surroundings& surroundings, Place place, RestoreRequest request);

}  // namespace spl::surface
