// What `spl doctor` looks at: the store's own checks, every record against its id, the identity, records without
// effect. Any thread, on an open instance.
#pragma once

#include <vector>

#include "base/result.h"
#include "instance/findings.h"
#include "instance/instance.h"
#include "instance/progress.h"

namespace spl::instance {

// One finding for each check; "stop" where something is broken.
Result<std::vector<Finding>> examine(Instance& instance, Progress& progress);

}  // namespace spl::instance
