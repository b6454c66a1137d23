// Import: a bundle into an instance, checked to its last byte before anything is kept, in one transaction together with
// the identity (cli.md, "Export and import"). A crash at any point leaves the old state or the new one.
// One thread an import.
#pragma once

#include <vector>

#include "base/progress.h"
#include "base/result.h"
#include "base/stream.h"
#include "instance/instance.h"
#include "operation/import_options.h"

namespace spl::operation {

// `in` is read twice where services are restored: it is a base::SeekableSource then, and not a pipe.
//
// The error's code says what kind of refusal it was: 4 before 3 before 5. Where the bundle itself verified, `findings`
// (may be null) gets the pre-flight's report even when the import is refused.
Result<ImportReport> import_bundle(instance::Instance& instance, Source& in, const ImportOptions& options,
                                   base::Progress& progress, std::vector<Finding>* findings);

}  // namespace spl::operation
