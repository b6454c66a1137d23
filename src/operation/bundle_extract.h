// bundle extract: files of a bundle onto the disk. They are staged beside the directory that was asked for, which
// appears under its name when the last byte of the bundle has verified. One thread.
#pragma once

#include <cstdint>
#include <string>

#include "base/progress.h"
#include "base/result.h"
#include "bundle/reader.h"
#include "env/env.h"

namespace spl::operation {

struct Extracted {
  std::uint64_t files = 0;
  std::uint64_t bytes = 0;
  std::uint64_t links_skipped = 0;
};

// The files whose paths begin with `prefix`, into the new directory `target`, whole and durable when it returns. An
// empty directory of that name gives way. After an error nothing is left, as far as that goes.
Result<Extracted> extract_bundle(env::Env env, bundle::BundleReader& reader, const std::string& prefix,
                                 const std::string& target, base::Progress& progress);

}  // namespace spl::operation
