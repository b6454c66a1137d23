// The files of a bundle, one after another, with what only the layers above the bundle know. One thread.
#pragma once

#include <optional>
#include <string_view>

#include "base/result.h"
#include "bundle/reader.h"

namespace spl::operation {

// The reader's next file. What an import would refuse, this refuses too: the reader knows no tokens.
Result<std::optional<bundle::BundleEntry>> next_file(bundle::BundleReader& reader);

// The error of a prefix that no path of the bundle begins with. Cause kNotFound.
std::unexpected<Error> no_such_file(std::string_view prefix);

}  // namespace spl::operation
