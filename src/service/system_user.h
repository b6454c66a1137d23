// The users and groups that services run as, made where they are missing. One thread.
#pragma once

#include <string>

#include "base/result.h"
#include "env/env.h"
#include "service/service_set.h"

namespace spl::service {

// Whether [run] names a user or group that the machine does not have, and that is to be made: where this process is
// root's and the home is root's.
Result<bool> lacks_user(const ServiceSet& set, const Declaration& service);
// Makes them, as system users without a password or a shell, in a group of their own; the name of what was made, "" for
// nothing. Code kUsage for a name that no user can have.
Result<std::string> make_user(const ServiceSet& set, const Declaration& service);

// A system user of this name with a group of its own, where it is not there: for what spl itself runs.
Result<void> make_system_user(const std::string& name, const std::string& directory);

}  // namespace spl::service
