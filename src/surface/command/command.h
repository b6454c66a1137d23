// The driver of command surfaces (docs/formats/command.md): what a dump command prints, and a restore command takes.
//
// A command's state cannot be staged beside the live one: it is loaded over it, when all of the bundle has verified and
// the service is down. What was there is dumped first, and loaded again where anything fails (decisions/D-16).
#pragma once

#include <memory>

#include "surface/part.h"

namespace spl::surface {

// The one file of a part in a bundle.
inline constexpr std::string_view kCommandDump = "dump.bin";

// `surroundings` outlives both.
std::unique_ptr<BackupPart> command_backup(const Surroundings& surroundings, Place place);
std::unique_ptr<RestorePart> command_restore(const Surroundings& surroundings, Place place, RestoreRequest request);

}  // namespace spl::surface
