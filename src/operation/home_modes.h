// Who may read and write what in a home, and whose it is: docs/ops/DEPLOYMENT.md has what is wanted, each `spl doctor`
// compares. Any thread.
#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "base/result.h"
#include "env/env.h"
#include "operation/findings.h"
#include "service/service_set.h"

namespace spl::operation {

// A finding for each thing that is not as it should be. Nothing is followed: of a symbolic link its own owner counts.
Result<void> check_home_modes(env::Env env, const service::ServiceSet& set, std::vector<Finding>& findings);

// "0750"
std::string mode_text(std::uint32_t mode);
// The user's name, or the number where it has none.
std::string user_text(std::uint32_t uid);

}  // namespace spl::operation
