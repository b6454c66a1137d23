// `spl context remove`: a context goes, with what it has in every split surface and with its secrets where that is
// asked for. What is cut off is gone in part, and the context is still there: it is removed by doing it again. One
// thread; who calls holds the home's lock.
#pragma once

#include "base/result.h"
#include "instance/instance.h"
#include "operation/service_operations.h"

namespace spl::operation {

// Code kRefused, and nothing was changed, where it has data that is not to go, a restore of it keeps what it replaced,
// or a process that is no service's holds its files. Services that have split surfaces are down meanwhile, engines
// aside. Code kUnavailable where all is done and a service does not start again.
Result<ContextEntry> remove_context(instance::Instance& instance, const RemovedContext& request);

}  // namespace spl::operation
