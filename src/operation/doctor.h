// What `spl doctor` looks at: the store's own checks, every record against its id, the identity, records without
// effect, services and what belongs to them (service_doctor.h). Any thread, on an open instance.
#pragma once

#include <vector>

#include "base/progress.h"
#include "base/result.h"
#include "instance/instance.h"
#include "operation/findings.h"

namespace spl::operation {

// One finding for each check; "stop" where something is broken.
Result<std::vector<Finding>> examine(instance::Instance& instance, base::Progress& progress);

}  // namespace spl::operation
