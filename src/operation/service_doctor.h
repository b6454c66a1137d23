// The part of `spl doctor` that looks at services, contexts and secrets: what is declared, who may read and write what,
// which values are missing, what runs and does not, what a crash or a restore has left. It changes nothing, and goes on
// with what is sound where something is not. One thread, on an open instance.
#pragma once

#include <vector>

#include "base/progress.h"
#include "base/result.h"
#include "instance/instance.h"
#include "operation/findings.h"

namespace spl::operation {

// "stop" where something is broken, "warn" where a person should look. An error is only cause kCancelled.
Result<void> examine_services(instance::Instance& instance, base::Progress& progress, std::vector<Finding>& findings);

}  // namespace spl::operation
