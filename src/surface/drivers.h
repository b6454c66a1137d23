// The kinds, and their drivers. Any thread.
#pragma once

#include <memory>

#include "surface/part.h"

namespace spl::surface {

// Whether it is files of a directory, and not within an engine or behind a command.
constexpr bool lies_in_files(bundle::SurfaceKind kind) {
  using enum bundle::SurfaceKind;
  return kind == kFiles || kind == kGit || kind == kSqlite;
}

// `surroundings` outlives the part. Code kUsage, cause kNotImplemented, of a kind that this version has no driver for.
Result<std::unique_ptr<BackupPart>> backup_part(const Surroundings& surroundings, Place place);
Result<std::unique_ptr<RestorePart>> restore_part(const Surroundings& surroundings, Place place,
                                                  RestoreRequest request);

}  // namespace spl::surface
