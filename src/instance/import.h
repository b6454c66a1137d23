// Import: a bundle into an instance, checked to its last byte before anything is kept, in one transaction together with
// the identity (cli.md, "Export and import"). A crash at any point leaves the old state or the new one.
// One thread an import.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "base/result.h"
#include "base/stream.h"
#include "bundle/reader.h"
#include "codec/json.h"
#include "instance/findings.h"
#include "instance/instance.h"
#include "instance/progress.h"

namespace spl::instance {

struct ImportOptions {
  bool dry_run = false;
  bool force_overwrite = false;
  bool adopt_identity = false;
  bool allow_older = false;
  std::optional<std::string> expect_did;
  std::vector<std::string> without;  // services of the bundle that are left out
  bundle::ReaderOptions reader;
  // How the bundle was encrypted where the caller has opened it already and `in` is the inside; else nothing.
  std::optional<bundle::Opening> opened_by_caller;
};

struct ImportReport {
  bool dry_run = false;
  std::string source_did;
  std::string signer;  // "self", "expected", "unknown"
  std::uint64_t records_inspected = 0;
  std::uint64_t records_inserted = 0;
  std::uint64_t records_deduplicated = 0;
  std::uint64_t records_differing = 0;
  std::uint64_t records_failed = 0;
  std::uint64_t threads = 0;
  std::uint64_t federation_pairs = 0;
  std::uint64_t consent_grants = 0;
  std::string identity;  // "adopted", "kept", "same", "omitted"
  std::vector<Finding> preflight;
  double seconds = 0;

  // `spl import -o json`; and back.
  [[nodiscard]] codec::Json json() const;
  static Result<ImportReport> parse(const codec::Json& json);
};

// The error's code says what kind of refusal it was: 4 before 3 before 5. Where the bundle itself verified, `findings`
// (may be null) gets the pre-flight's report even when the import is refused.
Result<ImportReport> import_bundle(Instance& instance, Source& in, const ImportOptions& options, Progress& progress,
                                   std::vector<Finding>* findings);

}  // namespace spl::instance
