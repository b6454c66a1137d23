// The driver of file trees (docs/formats/tree.md): a directory with all that is in it, but for what its declaration
// excludes, what is another surface's, and FIFOs, sockets and devices.
//
// Where the file system has snapshots the pause makes one, and that is read (tree_snapshot.h). Elsewhere its content is
// read ahead, or cloned where files can share blocks, and in the pause what has changed since, by inode, size, times,
// or was younger than two seconds when it was read, is taken again. So that pause costs a look at each entry.
#pragma once

#include <memory>

#include "surface/part.h"

namespace spl::surface {

std::unique_ptr<BackupPart> files_backup(const Surroundings& surroundings, Place place);
// What is staged stands beside the live directory, as ".spl-<id>-<name>". A mark is the number of the staged
// directory's inode. `surroundings` outlives both.
std::unique_ptr<RestorePart> files_restore(const Surroundings& surroundings, Place place, RestoreRequest request);

}  // namespace spl::surface
