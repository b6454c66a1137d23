// A bundle on disk or in a pipe, opened with the keys that the command line gives. One thread.
#pragma once

#include <memory>
#include <optional>
#include <string>

#include "base/result.h"
#include "bundle/reader.h"
#include "cli/arguments.h"
#include "cli/keys.h"
#include "env/streams.h"

namespace spl::cli {

struct BundleFile {
  std::unique_ptr<env::InputFile> file;
  std::unique_ptr<bundle::BundleReader> reader;
};

// Signature and manifest are checked when it returns. `keys` outlive the reader, and so does `interrupt` (may be null).
Result<BundleFile> open_bundle(const std::string& path, const Keys& keys, const env::Interrupt* interrupt,
                               std::size_t workers, bundle::Records records = bundle::Records::kChecked);

// A path in a bundle as a line: for a terminal without anything that it would act on; for a pipe as it is, but for
// backslash, newline and carriage return, which are \\, \n and \r.
std::string path_line(std::string_view path, bool terminal);

}  // namespace spl::cli
