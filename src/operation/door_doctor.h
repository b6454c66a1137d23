// What an examination finds of the owner's door and of the backups. Any thread.
#pragma once

#include <vector>

#include "base/result.h"
#include "instance/instance.h"
#include "operation/findings.h"

namespace spl::operation {

Result<void> examine_door(instance::Instance& instance, std::vector<Finding>& findings);

}  // namespace spl::operation
