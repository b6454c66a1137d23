#include "operation/preflight.h"

#include <algorithm>
#include <utility>

#include "base/words.h"

namespace spl::operation {
namespace {

constexpr std::uint64_t kExportsLeftMin = std::uint64_t{1} << 32;

class Preflight {
 public:
  Preflight(const bundle::Manifest& manifest, const ImportOptions& options, const ImportFacts& facts)
      : manifest_(manifest), options_(options), facts_(facts) {}

  std::vector<Finding> run() {
    signer();
    encryption();
    identity();
    move();
    signatures();
    age();
    tokens();
    accounts();
    services();
    return std::move(findings_);
  }

 private:
  void signer();
  void encryption();
  void identity();
  void move();
  void signatures();
  void age();
  void tokens();
  void accounts();
  void services();

  void note(std::string check, FindingStatus status, std::string subject, std::string message, std::string hint = {}) {
    findings_.push_back({std::move(check), status, std::move(subject), std::move(message), std::move(hint)});
  }
  void note_source(std::string check, FindingStatus status, std::string message, std::string hint = {}) {
    note(std::move(check), status, manifest_.source_did, std::move(message), std::move(hint));
  }
  [[nodiscard]] bool brings_services() const { return operation::brings_services(manifest_, options_); }
  [[nodiscard]] bool is_own() const { return facts_.did == manifest_.source_did; }
  // Whether the bundle's identity is the home's afterwards.
  [[nodiscard]] bool installs() const { return manifest_.identity_included && (is_own() || facts_.adopts); }

  const bundle::Manifest& manifest_;
  const ImportOptions& options_;
  const ImportFacts& facts_;
  std::vector<Finding> findings_;
};

void Preflight::signer() {
  note_source("signature", FindingStatus::kOk, "the bundle is whole and signed by " + manifest_.source_did);
  const Signer signer = signer_of(manifest_, options_, facts_);
  if (!is_expected(manifest_, options_)) {
    note_source("signer", FindingStatus::kStop, "the signer is not the one expected, " + *options_.expect_did,
                "check where the bundle comes from");
  } else if (signer != Signer::kUnknown) {
    note_source("signer", FindingStatus::kOk,
                std::string("the signer is ") + (signer == Signer::kSelf ? "this instance" : "the one expected"));
  } else if (wants_known_signer(manifest_, options_, facts_)) {
    note_source("signer", FindingStatus::kStop,
                brings_services() ? "services are only restored from this instance's own bundles"
                                  : "records are only replaced by this instance's own bundles",
                "name the signer with --expect-did where you trust it");
  } else if (facts_.records > 0 && facts_.strict_signers) {
    note_source("signer", FindingStatus::kStop, "the signer is unknown, and strict_signers is set",
                "name it with --expect-did where you trust it");
  } else {
    note_source("signer", FindingStatus::kWarn,
                "the signer is not known here: the signature proves its key, not its owner",
                "compare it with the source's spl identity show, or give --expect-did");
  }
}

void Preflight::encryption() {
  if (facts_.opening.fits(manifest_.encryption)) return;
  const bool stops = brings_services() && !options_.expect_did;
  note_source("encryption", stops ? FindingStatus::kStop : FindingStatus::kWarn,
              "the file is " + words(facts_.opening) + ", its manifest says " + words(manifest_.encryption),
              stops ? "name the signer with --expect-did where you trust the way that it came"
                    : "someone other than its maker may have opened it on the way");
}

void Preflight::identity() {
  if (!options_.adopt_identity || !manifest_.identity_included || installs()) return;
  note_source("identity", FindingStatus::kWarn, "the identity stays the local one: this import only verifies",
              "give --force-overwrite with --adopt-identity");
}

void Preflight::move() {
  if (!facts_.returns) return;
  note_source("move", FindingStatus::kOk,
              std::string("the instance had moved; with this bundle it ") +
                  (options_.dry_run ? "would come" : "comes") + " home and takes writes again");
}

void Preflight::signatures() {
  const std::uint64_t filled = facts_.signatures_filled;
  if (filled == 0) return;
  note_source("signatures", FindingStatus::kOk,
              std::to_string(filled) + (filled == 1 ? " record gets" : " records get") +
                  " the signature that was missing here");
}

void Preflight::age() {
  // With its number the instance would have no more exports. None has come as far by exporting.
  if (installs() && manifest_.export_sequence > bundle::kExportSequenceMax - kExportsLeftMin)
    note_source("age", FindingStatus::kStop,
                "the bundle says that it is export " + std::to_string(manifest_.export_sequence) +
                    " of its instance, after which there are hardly any more",
                "whoever signed it has made up the number: take another bundle of this instance");
  const std::uint64_t restored = facts_.newest_seen;
  const std::uint64_t made = is_own() ? facts_.last_sequence : 0;
  if (manifest_.export_sequence >= std::max(restored, made)) return;
  const bool was_restored = manifest_.export_sequence < restored;
  // A verification takes no tokens: it may read what this instance has made before.
  const bool takes_tokens = manifest_.tokens_carried && (was_restored || !facts_.compares);
  const bool stops = takes_tokens && !options_.allow_older;
  std::string hint;
  if (stops)
    hint = facts_.compares ? "give --allow-older to compare it with what is here, without its tokens"
                           : "give --allow-older to take what is in it all the same";
  note_source("age", stops ? FindingStatus::kStop : FindingStatus::kWarn,
              "the bundle is export " + std::to_string(manifest_.export_sequence) + " of its instance; export " +
                  (was_restored ? std::to_string(restored) + " was imported here before"
                                : std::to_string(made) + " was made here since"),
              std::move(hint));
}

void Preflight::tokens() {
  if (!manifest_.tokens_carried) return;
  const bool one = facts_.tokens == 1;
  const std::string counted = std::to_string(facts_.tokens) + (one ? " token" : " tokens");
  if (!installs()) {
    note_source("tokens", FindingStatus::kWarn, "the bundle's tokens stay out: its identity is not installed");
  } else if (facts_.records > 0 && signer_of(manifest_, options_, facts_) == Signer::kUnknown) {
    note_source("tokens", FindingStatus::kStop, "tokens are only taken from this instance's own bundles",
                "name the signer with --expect-did where you trust it");
  } else if (facts_.tokens == 0) {
    note_source("tokens", FindingStatus::kOk, "the bundle's list of tokens is empty");
  } else if (facts_.compares) {
    note_source("tokens", FindingStatus::kWarn,
                counted + (one ? " stays" : " stay") + " out: the bundle was only compared with what is here",
                "--force-overwrite installs the bundle's tokens");
  } else {
    const std::string are = one ? " is installed" : " are installed";
    note_source("tokens", FindingStatus::kOk, counted + (options_.dry_run ? " would be installed" : are));
  }
}

// Tokens are no part of the records: a home that was restored has the accounts, and lets nobody in.
void Preflight::accounts() {
  const auto& names = facts_.accounts_without_token;
  if (names.empty()) return;
  const std::string subject = base::join(names, ", ");
  note("tokens", FindingStatus::kWarn, subject,
       names.size() == 1 ? "this account has no token here: whoever used one is let in no more"
                         : "these accounts have no tokens here: whoever used one is let in no more",
       "spl token create " + names.front() + " makes one; an export with --carry-tokens brings the old ones along");
}

void Preflight::services() {
  findings_.insert(findings_.end(), facts_.services.begin(), facts_.services.end());
  for (const std::string& service : facts_.older_services)
    note("age", options_.allow_older ? FindingStatus::kWarn : FindingStatus::kStop, service,
         "a newer bundle of it was restored here before",
         options_.allow_older ? "" : "give --allow-older to go back to this one");
}

}  // namespace

bool brings_services(const bundle::Manifest& manifest, const ImportOptions& options) {
  return std::ranges::any_of(manifest.services, [&options](const bundle::Service& service) {
    if (options.service && service.name != *options.service) return false;
    return std::ranges::find(options.without, service.name) == options.without.end();
  });
}

bool wants_known_signer(const bundle::Manifest& manifest, const ImportOptions& options, const ImportFacts& facts) {
  const bool takes_over = brings_services(manifest, options) || options.replace_records;
  if (!takes_over || signer_of(manifest, options, facts) != Signer::kUnknown) return false;
  // Into an empty home anybody's bundle may come: there is nothing yet that it could take over.
  if (facts.records > 0 || options.replace) return true;
  // Beside tenants only whom somebody has named; what stops it in any case, such as a name that is taken, is said
  // first.
  return facts.has_tenants && first_stop(facts.services) == nullptr;
}

bool is_expected(const bundle::Manifest& manifest, const ImportOptions& options) {
  return options.expect_did.value_or(manifest.source_did) == manifest.source_did;
}

Signer signer_of(const bundle::Manifest& manifest, const ImportOptions& options, const ImportFacts& facts) {
  if (facts.did == manifest.source_did) return Signer::kSelf;
  return options.expect_did && is_expected(manifest, options) ? Signer::kExpected : Signer::kUnknown;
}

std::vector<Finding> preflight(const bundle::Manifest& manifest, const ImportOptions& options,
                               const ImportFacts& facts) {
  return Preflight(manifest, options, facts).run();
}

}  // namespace spl::operation
