// Where files may stand in a bundle, and what the tar may say of them there (docs/formats/bundle.md, "Layout").
// Pure; any thread.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>

#include "base/result.h"
#include "codec/tar.h"

namespace spl::bundle {

inline constexpr std::string_view kManifestPath = "manifest.json";
inline constexpr std::string_view kSignaturePath = "manifest.sig";
inline constexpr std::string_view kTokensPath = "credentials/tokens.json";
inline constexpr std::string_view kDidDocumentPath = "identity/did_document.json";
inline constexpr std::string_view kPrivateKeyPath = "identity/private_key.bin";
inline constexpr std::string_view kRecordsPrefix = "records/";
inline constexpr std::string_view kServicesPrefix = "services/";
inline constexpr std::string_view kWholeInstance = "@instance";  // the part of a surface that is not per context

inline constexpr std::size_t kTokensBytesMax = 16u << 20;

enum class EntryKind : std::uint8_t { kTokens, kDidDocument, kPrivateKey, kRecord, kServiceFile };

// What a reader does with records: each is checked; whoever uses what it says as well asks for it to be given parsed.
enum class Records : bool { kChecked, kGiven };

// What the entry is by its path. Code kVerification, the rule alone as the message, where nothing of that name, type,
// size, mode, owner or time may stand there.
Result<EntryKind> place_of(const codec::TarEntry& entry);
// The rules for everything outside a tree.
Result<void> check_plain(const codec::TarEntry& entry);

// The two parts of records/<directory>/<64 digits>.json, for a path that place_of has said to be a record's.
struct RecordPath {
  std::string_view directory;
  std::string_view id;
};
RecordPath parts_of_record_path(std::string_view path);

// What to do about a bundle that is not as it was made.
inline constexpr std::string_view kDamagedHint =
    "the file is damaged or was changed: get it again from where it was made";
// "bundle malformed: <entry>: <rule>"; the entry is shown escaped.
std::unexpected<Error> malformed(std::string_view entry, std::string_view rule);

}  // namespace spl::bundle
