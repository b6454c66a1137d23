// What an import is asked and what it answers. Values; any thread.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "base/result.h"
#include "bundle/opening.h"
#include "bundle/reader.h"
#include "codec/json.h"
#include "instance/findings.h"

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

}  // namespace spl::instance
