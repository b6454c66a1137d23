// Which records are a context's (services.md, "Contexts"). Pure; any thread.
#pragma once

#include <string_view>

#include "base/result.h"
#include "record/record.h"

namespace spl::operation {

// Whether the record's body.namespace is the context's name or below it ("geomind", "geomind/invoices"). A record of a
// reserved thread is nobody's.
Result<bool> is_of_context(const Record& record, std::string_view context);

}  // namespace spl::operation
