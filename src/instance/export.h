// Export: everything of an instance, at one moment, into a bundle (docs/formats/bundle.md).
//
// First prepare_export(): reads one transaction of the store and makes the body in a spool; then write(): the file goes
// out, to anything; then committed(), when the file is durable where it was wanted. One thread an export; any number at
// a time.
#pragma once

#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "base/result.h"
#include "base/stream.h"
#include "bundle/writer.h"
#include "codec/json.h"
#include "crypto/age.h"
#include "instance/instance.h"
#include "instance/progress.h"

namespace spl::instance {

struct ExportOptions {
  bool uncompressed = false;
  bool no_identity = false;
  bool carry_tokens = false;
  bool move = false;                          // the instance leaves: see move.h
  bool plaintext = false;                     // also where config.toml names recipients
  std::vector<crypto::Recipient> recipients;  // besides those of config.toml
  std::optional<SecretBytes> passphrase;      // excludes recipients
  std::string spool_directory;                // "" is the home's run/
  std::size_t workers = 1;
  std::size_t batch_bytes = bundle::kBatchBytes;
};

struct ExportReport {
  std::string source_did;
  std::string bundle_sha256;
  bool encrypted = false;
  std::uint64_t record_count = 0;
  std::uint64_t thread_count = 0;
  std::uint64_t federation_pairs = 0;
  std::uint64_t consent_grants = 0;
  bool identity_included = false;
  std::uint64_t pause_ms = 0;
  std::string consistency;

  // The members of `spl export -o json` but for path, bytes and seconds; and back.
  [[nodiscard]] codec::Json json() const;
  static Result<ExportReport> parse(const codec::Json& json);
};

class PreparedExport {
 public:
  [[nodiscard]] const ExportReport& report() const { return report_; }
  // The whole file. Once.
  Result<void> write(Sink& out);
  // Remembers this export as the identity's last, and that the instance has left where options.move says so; that fails
  // where records came meanwhile, which the bundle does not have. Idempotent.
  Result<void> committed();

 private:
  friend Result<std::unique_ptr<PreparedExport>> prepare_export(Instance&, ExportOptions, Progress&);
  PreparedExport(Instance& instance, std::unique_ptr<bundle::BundleWriter> writer, ExportOptions options);
  Result<void> leave(store::StoreWriter& writer);
  Instance& instance_;
  std::unique_ptr<bundle::BundleWriter> writer_;
  ExportOptions options_;
  ExportReport report_;
  std::uint64_t sequence_ = 0;
  std::string manifest_text_;
  crypto::Signature signature_;
};

// Code kRefused where the instance has no identity.
Result<std::unique_ptr<PreparedExport>> prepare_export(Instance& instance, ExportOptions options, Progress& progress);

}  // namespace spl::instance
