// The digest of a bundle and of its sections: SHA-256 over the lines that GNU sha256sum prints (docs/formats/bundle.md,
// "Digest"). Pure; any thread.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>

#include "base/bytes.h"

namespace spl::bundle {

// Appends what `sha256sum` prints for a file of this digest under this path.
void append_digest_line(std::string& out, const Digest& sha256, std::string_view path);

}  // namespace spl::bundle
