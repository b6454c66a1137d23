// What a tenant may take of the machine: a control group of version 2, in which its daemon begins and so all that it
// starts is. Only where the machine's root may make one with the controllers memory, cpu and pids: elsewhere there are
// no limits, and that is told. Any thread. Source: the kernel's admin-guide/cgroup-v2.
#pragma once

#include <optional>
#include <string>

#include "base/result.h"
#include "env/env.h"
#include "tenant/register.h"

namespace spl::tenant {

// Whether this machine has what limits need.
bool can_limit(env::Env env);
// Whether the tenant's group is there.
bool is_limited(env::Env env, const std::string& tenant);
// Makes it, or gives it other limits. Code kUnavailable where it cannot be had.
Result<void> limit(env::Env env, const std::string& tenant, const Limits& limits);
// The file to which a process writes its number to be in it.
std::string members_file(const std::string& tenant);
// Once its processes have ended; no error where it is not there.
Result<void> remove_limits(env::Env env, const std::string& tenant);

}  // namespace spl::tenant
