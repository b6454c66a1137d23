// A bundle read to its end, as all that take one read it.
#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "base/encoding.h"
#include "bundle/reader.h"
#include "crypto/sha256.h"

namespace spl::testing {

// The path of every entry with the SHA-256 of its content; the error where the bundle is refused.
inline Result<std::vector<std::string>> read_whole(std::string_view octets, const bundle::ReaderOptions& options = {}) {
  base::StringSource source(octets);
  const auto reader = TRY(bundle::BundleReader::open(source, options));
  std::vector<std::string> entries;
  while (const auto entry = TRY(reader->next())) {
    Digest sha256 = entry->sha256;
    const std::string path(entry->path);
    if (entry->kind == bundle::EntryKind::kServiceFile) {
      crypto::Sha256 hash;
      std::string piece(4096, '\0');
      while (const std::size_t n = TRY(reader->read_content(piece))) hash.update(std::string_view(piece).substr(0, n));
      sha256 = hash.finish();
    }
    entries.push_back(path + " " + base::to_hex(sha256.view()));
  }
  return entries;
}

// What a reader says against it; "accepted" where nothing.
inline Error why_refused(std::string_view octets, const bundle::ReaderOptions& options = {}) {
  const auto read = read_whole(octets, options);
  return read ? Error{ErrorCode::kFailed, "accepted", ""} : read.error();
}

}  // namespace spl::testing
