// What a declaration has for the staged copy of its data: the migrations from the bundle's schema to its own, and then
// [restore].staged. They change what a restore has staged, before that is checked and switched
// (docs/formats/declaration.md). One thread.
#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "base/progress.h"
#include "base/result.h"
#include "operation/findings.h"
#include "operation/service_rooms.h"
#include "surface/part.h"

namespace spl::operation {

struct StagedPart {
  service::PartName name;
  surface::RestorePart* part = nullptr;  // outlives it
  std::string mark;
};

struct StagedCommand {
  const service::Command* command = nullptr;
  std::string name;  // "[restore].staged", "the migration from schema 2 to 3"
};

// Those for data of this schema, in their order; none where there is nothing to do. Of a schema from which no
// migrations lead, [restore].staged alone.
std::vector<StagedCommand> staged_commands_of(const service::Declaration& service, std::uint64_t schema);

// A stop where there are commands for it and the part's kind cannot be changed by one.
Result<void> examine_staged_commands(const service::PartName& name, std::uint64_t schema, surface::RestorePart& part,
                                     std::vector<Finding>& findings);

// Runs them to their ends, one after the other; `parts` are those of the service that are staged. `directory` is made,
// and is {staging}: an entry a surface, which is a symbolic link to what is staged, a file with its URL, or a directory
// of such entries. The service's user may read it and not change it. What the commands have written is durable when
// this returns. An error says which of them has failed.
Result<void> run_staged_commands(ServiceRooms& rooms, const service::Declaration& service, const std::string& directory,
                                 const std::vector<StagedCommand>& commands, const std::vector<StagedPart>& parts,
                                 base::Progress& progress);

}  // namespace spl::operation
