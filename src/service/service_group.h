// The control group of a service, where there may be one (docs/decisions/D-12-services.md): the process that becomes
// the service puts itself in, and so all that it forks is in it, whatever it does. Its directory stands in
// run/runit/<service>/group. Any thread.
#pragma once

#include <array>
#include <optional>
#include <span>
#include <string>

#include "base/result.h"
#include "env/control_group.h"
#include "env/env.h"
#include "service/service_set.h"

namespace spl::service {

// How the names of a home's groups begin, and of no other home's: by the inode of its directory.
std::string group_prefix_of(const home::HomePaths& paths);

// The better one first.
inline constexpr std::array kGroupVersions{env::GroupVersion::kTwo, env::GroupVersion::kOne};
// This process goes into the group of the service, which is made where it is missing. Where that may not be it stays
// where it is, and the service is known by its other marks.
void enter_group(env::Env env, const ServiceSet& set, const Declaration& service,
                 std::span<const env::GroupVersion> versions = kGroupVersions);
// Nothing where it has none, or none that is seen from here.
Result<std::optional<env::ControlGroup>> group_of(const ServiceSet& set, const Declaration& service);
// Once its processes have ended. One in which a process is left stays.
Result<void> remove_group(env::Env env, const ServiceSet& set, const Declaration& service);

}  // namespace spl::service
