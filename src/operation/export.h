// Export: everything of an instance, at one moment, into a bundle (docs/formats/bundle.md).
//
// First prepare_export(): reads one transaction of the store and makes the body in a spool; then write(): the file goes
// out, to anything; then note_durable(), when the file is durable where it was wanted. One thread an export; any number
// at a time.
#pragma once

#include <array>
#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "base/progress.h"
#include "base/result.h"
#include "base/stream.h"
#include "bundle/writer.h"
#include "codec/shape.h"
#include "crypto/age.h"
#include "instance/instance.h"
#include "operation/snapshot.h"

namespace spl::operation {

struct ExportOptions {
  bool uncompressed = false;
  bool no_identity = false;
  bool carry_tokens = false;
  bool move = false;                        // the instance leaves: see instance/move.h
  bool plaintext = false;                   // also where config.toml names recipients
  bool records_only = false;                // no services
  std::optional<std::string> service = {};  // only this one, and no records
  std::optional<std::string> context = {};  // only this one: its records, and its parts of the services
  std::vector<std::string> without;         // services that are left out
  bool without_derived = false;             // nor what services rebuild at a price
  std::optional<service::Quiesce> quiesce = {};
  bool allow_inconsistent = false;            // go on where writers could not be paused, and say so
  bool allow_stray = false;                   // go on where data of no context would be left behind
  std::vector<crypto::Recipient> recipients;  // besides those of config.toml
  std::optional<SecretBytes> passphrase;      // excludes recipients
  std::string spool_directory;                // "" is the home's run/
  // For the body where the home has no room for it, or cannot be written. What waits outside the home is encrypted.
  std::string temporary_directory = "/tmp";
  std::string why_home_is_read;  // why the instance is open for reading alone
  std::size_t workers = 1;
  std::size_t batch_bytes = bundle::kBatchBytes;

  // As a request over HTTP has them.
  static constexpr auto shape() {
    using enum codec::Presence;
    using O = ExportOptions;
    return codec::shape(
        codec::member("uncompressed", &O::uncompressed, "a plain tar"),
        codec::member("no_identity", &O::no_identity, "leave out the private key"),
        codec::member("carry_tokens", &O::carry_tokens, "carry the hashes of the accounts' tokens"),
        codec::member("move", &O::move, "the instance leaves; wants spl-commit: client"),
        codec::member("plaintext", &O::plaintext, "do not encrypt, whatever the configuration says"),
        codec::member("records_only", &O::records_only, "leave out all services"),
        codec::member("service", &O::service, "only this service, without records", kOmitted),
        codec::member("context", &O::context, "only this context", kOmitted),
        codec::member("without", &O::without, "services that are left out", kOmitted),
        codec::member("without_derived", &O::without_derived, "leave out what services rebuild at a price"),
        codec::member("quiesce", &O::quiesce, "how writers are paused, for this once", kOmitted),
        codec::member("allow_inconsistent", &O::allow_inconsistent, "go on where they could not be paused"),
        codec::member("allow_stray", &O::allow_stray, "go on where data of no context stays behind"),
        codec::member("recipients", &O::recipients, "age recipients, besides those of the configuration"),
        codec::member("passphrase_base64", &O::passphrase, "encrypt for it; at the Unix socket only"),
        codec::member("spool_directory", &O::spool_directory, "at the Unix socket only", kOmitted));
  }
};

enum class InBundle : std::uint8_t { kOmitted, kIncluded };
constexpr auto names_of(InBundle) {
  return std::array{std::pair{InBundle::kOmitted, "omitted"}, std::pair{InBundle::kIncluded, "included"}};
}

struct ExportReport {
  std::string path;         // "" as long as only the sink is known
  std::uint64_t bytes = 0;  // of the file
  std::string source_did;
  Digest bundle_sha256;
  bool encrypted = false;
  std::uint64_t record_count = 0;
  std::uint64_t thread_count = 0;
  std::uint64_t federation_pairs = 0;
  std::uint64_t consent_grants = 0;
  InBundle identity = InBundle::kOmitted;
  std::vector<std::string> services;
  std::uint64_t pause_ms = 0;
  std::vector<PauseStepReport> pause_steps;
  std::string consistency;
  double seconds = 0;
  std::vector<std::string> tokens_left;  // accounts whose tokens are here and not in the bundle; the first 100
  std::vector<std::string> warnings;     // what did not go as it should, and did not stop the export

  static constexpr auto shape() {
    using R = ExportReport;
    return codec::shape(
        codec::path_member("path", &R::path, "the file", codec::Presence::kOmitted),
        codec::member("bytes", &R::bytes, "its size"), codec::member("source_did", &R::source_did, "who signed it"),
        codec::member("bundle_sha256", &R::bundle_sha256, "the digest of all that is in it"),
        codec::member("encrypted", &R::encrypted, "whether it is encrypted"),
        codec::member("record_count", &R::record_count, "records in it"),
        codec::member("thread_count", &R::thread_count, "threads in it"),
        codec::member("federation_pairs", &R::federation_pairs, "in effect"),
        codec::member("consent_grants", &R::consent_grants, "in effect"),
        codec::member("identity", &R::identity, "whether the private key is in it"),
        codec::member("services", &R::services, "the services in it"),
        codec::member("pause_ms", &R::pause_ms, "how long writers were paused"),
        codec::member("pause_steps", &R::pause_steps, "what that time went to", codec::Presence::kOmitted),
        codec::member("consistency", &R::consistency, "quiesced, filesystem or crash"),
        codec::member("seconds", &R::seconds, "how long it took"),
        codec::member("tokens_left", &R::tokens_left, "accounts whose tokens stay behind", codec::Presence::kOmitted),
        codec::member("warnings", &R::warnings, "what did not go as it should", codec::Presence::kOmitted));
  }
};

// Where a bundle goes.
class Destination {
 public:
  virtual ~Destination() = default;
  virtual Sink& sink() = 0;
  // The bundle is whole: it is durable under its name when this returns.
  virtual Result<void> commit() = 0;
};

class PreparedExport {
 public:
  [[nodiscard]] const ExportReport& report() const { return report_; }
  [[nodiscard]] const std::string& manifest_text() const { return manifest_text_; }
  // The whole file. Once.
  Result<void> write(Sink& out);
  // The file is durable: remembers this export as the identity's last, and that the instance has left where
  // options.move says so; that fails where records came meanwhile, which the bundle does not have. Where the home
  // cannot be written, the report warns of it. Idempotent.
  Result<void> note_durable();

 private:
  friend Result<std::unique_ptr<PreparedExport>> prepare_export(instance::Instance&, ExportOptions, base::Progress&);
  PreparedExport(instance::Instance& instance, std::unique_ptr<bundle::BundleWriter> writer, ExportOptions options);
  Result<void> leave(store::StoreWriter& writer);
  instance::Instance& instance_;
  std::unique_ptr<bundle::BundleWriter> writer_;
  ExportOptions options_;
  ExportReport report_;
  std::vector<std::string> backed_up_;  // settings: what of which context is in it
  std::uint64_t sequence_ = 0;
  bool noted_ = true;  // the sequence is taken for good
  std::string manifest_text_;
  crypto::Signature signature_;
};

// Code kRefused where the instance has no identity. From a home that cannot be written an instance can be exported, and
// cannot move: the report warns that the export is not noted. `instance` may be open for reading.
Result<std::unique_ptr<PreparedExport>> prepare_export(instance::Instance& instance, ExportOptions options,
                                                       base::Progress& progress);

}  // namespace spl::operation

namespace spl::codec {

template <>
struct JsonValue<crypto::Recipient> {
  static Json to(const crypto::Recipient& recipient) { return recipient.text(); }
  static Result<crypto::Recipient> from(const Json& json) {
    if (json.string() == nullptr) return fail(ErrorCode::kUsage, "is not a string");
    return crypto::Recipient::parse(*json.string());
  }
  static Json schema() { return Json::Object{{"type", "string"}}; }
};

}  // namespace spl::codec
