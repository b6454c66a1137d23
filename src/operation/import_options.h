// What an import is asked and what it answers. Values; any thread.
#pragma once

#include <array>
#include <cstdint>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "base/result.h"
#include "bundle/opening.h"
#include "bundle/reader.h"
#include "codec/shape.h"
#include "operation/findings.h"

namespace spl::operation {

struct ImportOptions {
  bool dry_run = false;
  bool force_overwrite = false;
  bool adopt_identity = false;
  bool allow_older = false;
  std::optional<std::string> expect_did;
  std::vector<std::string> without;         // services of the bundle that are left out
  std::optional<std::string> service = {};  // only this one, and no records
  std::optional<std::string> context = {};  // only this one of the bundle
  std::optional<std::string> as = {};       // under which name it is restored
  bool replace = false;                     // data that is here is replaced, and kept as previous
  bool merge = false;                       // services are restored: records come along, whatever is here
  bool replace_records = false;             // the store's make room for the bundle's, and are kept as previous
  bundle::ReaderOptions reader;
  // How the bundle was encrypted where the caller has opened it already and the source is the inside; else nothing.
  std::optional<bundle::Opening> opened_by_caller;

  // As a request over HTTP has them; keys are not sent.
  static constexpr auto shape() {
    using enum codec::Presence;
    return codec::shape(
        codec::member("dry_run", &ImportOptions::dry_run, "check everything, change nothing"),
        codec::member("force_overwrite", &ImportOptions::force_overwrite, "merge into a store that has records"),
        codec::member("adopt_identity", &ImportOptions::adopt_identity, "take the bundle's identity"),
        codec::member("allow_older", &ImportOptions::allow_older, "take a bundle older than one restored here"),
        codec::member("expect_did", &ImportOptions::expect_did, "refuse a bundle of another signer", kOmitted),
        codec::member("without", &ImportOptions::without, "services of the bundle that are left out", kOmitted),
        codec::member("service", &ImportOptions::service, "only this service, without records", kOmitted),
        codec::member("context", &ImportOptions::context, "only this context", kOmitted),
        codec::member("as", &ImportOptions::as, "the name under which it is restored", kOmitted),
        codec::member("replace", &ImportOptions::replace, "take the place of what is here"),
        codec::member("merge", &ImportOptions::merge, "a restore of services: records are merged"),
        codec::member("replace_records", &ImportOptions::replace_records,
                      "the bundle's records take the place of all that are here, which are kept as previous"),
        codec::member("opened", &ImportOptions::opened_by_caller,
                      "how the bundle was encrypted, where the client has opened it: none, passphrase, recipients, or "
                      "recipients:AGE1...:N with the recipient whose key opened it and how many there are",
                      kOmitted));
  }
};

enum class Signer : std::uint8_t { kUnknown, kSelf, kExpected };
constexpr auto names_of(Signer) {
  using enum Signer;
  return std::array{std::pair{kUnknown, "unknown"}, std::pair{kSelf, "self"}, std::pair{kExpected, "expected"}};
}

// What became of the bundle's identity.
enum class IdentityOutcome : std::uint8_t {
  kOmitted,  // the bundle has none
  kSame,     // it is the home's
  kAdopted,
  kKept,  // the home's own stays
};
constexpr auto names_of(IdentityOutcome) {
  using enum IdentityOutcome;
  return std::array{std::pair{kOmitted, "omitted"}, std::pair{kSame, "same"}, std::pair{kAdopted, "adopted"},
                    std::pair{kKept, "kept"}};
}

struct RestoredCount {
  std::string what;
  std::uint64_t bundle = 0;
  std::uint64_t here = 0;

  static constexpr auto shape() {
    using C = RestoredCount;
    return codec::shape(codec::member("what", &C::what, "files, keys, rows, ..."),
                        codec::member("bundle", &C::bundle, "how many the bundle has"),
                        codec::member("here", &C::here, "how many took their place"));
  }
};

struct RestoredSurface {
  std::string name;
  std::string context;
  std::vector<RestoredCount> counts;

  static constexpr auto shape() {
    using S = RestoredSurface;
    return codec::shape(
        codec::member("name", &S::name, "the surface"),
        codec::member("context", &S::context, "whose part of it; missing: it is not split", codec::Presence::kOmitted),
        codec::member("counts", &S::counts, "what it holds"));
  }
};

struct RestoredService {
  std::string name;
  std::vector<RestoredSurface> surfaces;

  static constexpr auto shape() {
    return codec::shape(codec::member("name", &RestoredService::name, "the service"),
                        codec::member("surfaces", &RestoredService::surfaces, "those of it that were restored"));
  }
};

struct ImportReport {
  bool dry_run = false;
  std::string source_did;
  Signer signer = Signer::kUnknown;
  std::uint64_t records_inspected = 0;
  std::uint64_t records_inserted = 0;
  std::uint64_t records_deduplicated = 0;
  std::uint64_t records_differing = 0;
  std::uint64_t records_failed = 0;
  std::uint64_t threads = 0;
  std::uint64_t federation_pairs = 0;
  std::uint64_t consent_grants = 0;
  IdentityOutcome identity = IdentityOutcome::kOmitted;
  std::vector<RestoredService> services;
  std::vector<Finding> preflight;
  double seconds = 0;

  static constexpr auto shape() {
    using R = ImportReport;
    return codec::shape(codec::member("dry_run", &R::dry_run, "nothing was changed"),
                        codec::member("source_did", &R::source_did, "who signed the bundle"),
                        codec::member("signer", &R::signer, "who that is to this home"),
                        codec::member("records_inspected", &R::records_inspected, "records in the bundle"),
                        codec::member("records_inserted", &R::records_inserted, "of them, new here"),
                        codec::member("records_deduplicated", &R::records_deduplicated, "of them, here already"),
                        codec::member("records_differing", &R::records_differing, "of these, with another judged_by"),
                        codec::member("records_failed", &R::records_failed, "0: a record that fails ends the import"),
                        codec::member("threads", &R::threads, "threads in the bundle"),
                        codec::member("federation_pairs", &R::federation_pairs, "in effect afterwards"),
                        codec::member("consent_grants", &R::consent_grants, "in effect afterwards"),
                        codec::member("identity", &R::identity, "what became of the bundle's identity"),
                        codec::member("services", &R::services, "what was restored"),
                        codec::member("preflight", &R::preflight, "every finding"),
                        codec::member("seconds", &R::seconds, "how long it took"));
  }
};

}  // namespace spl::operation

namespace spl::codec {

// "none", "passphrase", "recipients", "recipients:AGE1...:COUNT".
template <>
struct JsonValue<bundle::Opening> {
  static Json to(const bundle::Opening& opening);
  static Result<bundle::Opening> from(const Json& json);
  static Json schema() { return Json::Object{{"type", "string"}}; }
};

}  // namespace spl::codec
