#include "bundle/layout.h"

#include "base/encoding.h"
#include "base/limits.h"
#include "record/did_document.h"

namespace spl::bundle {
namespace {

std::unexpected<Error> wrong(std::string rule) {
  return fail(ErrorCode::kVerification, std::move(rule));
}

constexpr std::string_view kRecordSuffix = ".json";

// Whether a path is records/<directory>/<64 digits>.json.
bool is_record_path(std::string_view path) {
  if (!path.starts_with(kRecordsPrefix) || !path.ends_with(kRecordSuffix)) return false;
  path.remove_prefix(kRecordsPrefix.size());
  path.remove_suffix(kRecordSuffix.size());
  const std::size_t slash = path.find('/');
  Digest digest;
  return slash != 0 && slash != std::string_view::npos && base::parse_hex_digest(path.substr(slash + 1), digest);
}

// Whether a path below services/ stands in a tree: services/<service>/<surface>/<part>/tree/...
bool in_tree(std::string_view path) {
  for (int part = 0; part < 4; ++part) {
    const std::size_t slash = path.find('/');
    if (slash == std::string_view::npos) return false;
    path.remove_prefix(slash + 1);
  }
  return path.starts_with("tree/");
}

Result<void> check_size(const codec::TarEntry& entry, std::uint64_t bytes_max, std::string_view limit) {
  if (entry.size_bytes > bytes_max) return wrong("longer than " + std::string(limit));
  return {};
}

}  // namespace

RecordPath parts_of_record_path(std::string_view path) {
  path.remove_prefix(kRecordsPrefix.size());
  path.remove_suffix(kRecordSuffix.size());
  const std::size_t slash = path.size() - 2 * sizeof(Digest) - 1;
  return {path.substr(0, slash), path.substr(slash + 1)};
}

Result<void> check_plain(const codec::TarEntry& entry) {
  if (entry.type != codec::TarType::kFile) return wrong("this entry type is not allowed here");
  if (entry.mode != 0600) return wrong("its mode is not 0600");
  if (entry.uid != 0 || entry.gid != 0) return wrong("its owner or group is not 0");
  if (entry.mtime_s != 0) return wrong("its time is not 0");
  return {};
}

Result<EntryKind> place_of(const codec::TarEntry& entry) {
  const std::string_view path = entry.path;
  if (path.starts_with(kServicesPrefix)) {
    if (!in_tree(path)) TRY(check_plain(entry));
    return EntryKind::kServiceFile;
  }
  TRY(check_plain(entry));
  if (is_record_path(path)) {
    TRY(check_size(entry, base::kRecordBytesMax, "a record may be: 16 MiB"));
    return EntryKind::kRecord;
  }
  if (path == kTokensPath) {
    TRY(check_size(entry, kTokensBytesMax, "16 MiB"));
    return EntryKind::kTokens;
  }
  if (path == kDidDocumentPath) {
    TRY(check_size(entry, record::kDidDocumentBytesMax, "64 KiB"));
    return EntryKind::kDidDocument;
  }
  if (path == kPrivateKeyPath) {
    if (entry.size_bytes != 32) return wrong("not 32 bytes");
    return EntryKind::kPrivateKey;
  }
  return wrong("nothing of this name has a place in a bundle");
}

std::unexpected<Error> malformed(std::string_view entry, std::string_view rule) {
  return fail(ErrorCode::kVerification, Cause::kMalformed,
              "bundle malformed: " + base::escaped(entry, codec::kTarPathShownBytesMax) + ": " + std::string(rule),
              std::string(kDamagedHint));
}

}  // namespace spl::bundle
