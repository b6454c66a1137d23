// [install] of a declaration: where a service's program comes from. Values; any thread.
#pragma once

#include <string>
#include <string_view>

#include "base/bytes.h"
#include "base/result.h"

namespace spl::service {

class TomlTable;

// Packages of Debian, or an archive.
struct InstallDeclaration {
  std::string source;   // "apt:redis-server", "apt:lighttpd git", "https://host/notes-1.4.0.tar.zst"
  std::string package;  // of apt: their names, with a space between
  Digest sha256;        // of the archive
  [[nodiscard]] bool is_archive() const { return package.empty(); }
};

// `version` is the declaration's. Code kUsage, with file, line and key.
Result<InstallDeclaration> parse_install(TomlTable table, std::string_view version);

}  // namespace spl::service
