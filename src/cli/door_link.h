// A link of an owner's door, as owner and tenant print it. One thread.
#pragma once

#include "base/result.h"
#include "cli/output.h"
#include "codec/json.h"
#include "operation/owner_operations.h"

namespace spl::cli {

// Shown once.
Result<void> show_link(Output& out, const operation::OwnerLink& link);
// Of what it prints with -o json.
codec::Json link_schema();

}  // namespace spl::cli
