// The drivers by kind. Any thread.
#pragma once

#include <memory>

#include "surface/part.h"

namespace spl::surface {

// `surroundings` outlives the part. Code kUsage, cause kNotImplemented, of a kind that this version has no driver for.
Result<std::unique_ptr<BackupPart>> backup_part(const Surroundings& surroundings, Place place);
Result<std::unique_ptr<RestorePart>> restore_part(const Surroundings& surroundings, Place place,
                                                  RestoreRequest request);

}  // namespace spl::surface
