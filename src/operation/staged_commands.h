// [restore].staged of a declaration: a command that changes what a restore has staged, before that is checked and
// switched (docs/formats/declaration.md). One thread.
#pragma once

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

// A stop where the service has such a command and the part's kind cannot be changed by one.
Result<void> examine_staged_command(const service::PartName& name, surface::RestorePart& part,
                                    std::vector<Finding>& findings);

// Runs it to its end; `parts` are those of the service that are staged. `directory` is made, and is {staging}: an entry
// a surface, a symbolic link to what is staged, or a directory of such links. The service's user may read it and not
// change it. What the command has written is durable when this returns.
Result<void> run_staged_command(ServiceRooms& rooms, const service::Declaration& service, const std::string& directory,
                                const std::vector<StagedPart>& parts, base::Progress& progress);

}  // namespace spl::operation
