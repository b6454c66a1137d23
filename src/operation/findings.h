// What an examination of an instance or a pre-flight found. Values; any thread.
#pragma once

#include <optional>
#include <string>
#include <vector>

#include "base/result.h"
#include "store/record_store.h"
#include "surface/finding.h"

namespace spl::operation {

using surface::Finding;
using surface::FindingStatus;

// The first "stop"; null where there is none.
const Finding* first_stop(const std::vector<Finding>& findings);

// A "warn" for each record of a reserved thread that takes no effect under `did`: by its id, as far as a person would
// read, then how many there are.
Result<void> add_ineffective(store::StoreReader& reader, const std::optional<std::string>& did,
                             std::vector<Finding>& findings);

}  // namespace spl::operation
