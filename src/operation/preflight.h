// The pre-flight of an import: what speaks for it and against it, once its bundle has verified to the last byte. Pure.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "bundle/manifest.h"
#include "bundle/opening.h"
#include "operation/findings.h"
#include "operation/import_options.h"

namespace spl::operation {

struct ImportFacts {
  bundle::Opening opening;  // how the file was encrypted
  // The home's, before the import.
  std::optional<std::string> did;
  std::uint64_t records = 0;
  bool has_tenants = false;  // contexts that have data
  bool strict_signers = false;
  std::uint64_t newest_seen = 0;    // export of the bundle's identity
  std::uint64_t last_sequence = 0;  // of the home's own
  // The import's.
  bool compares = false;  // nothing is inserted
  bool adopts = false;    // the bundle's identity comes into force
  bool returns = false;   // the home's instance had moved, and comes home with it
  std::uint64_t signatures_filled = 0;
  std::uint64_t tokens = 0;                         // in the bundle
  std::vector<std::string> accounts_without_token;  // afterwards; those that are the home's and the bundle's
  std::vector<Finding> services;                    // what was found about the services
  // Of those, "notes", "notes of geomind" that were restored here from a newer bundle of the same identity.
  std::vector<std::string> older_services;
};

// Whether the bundle was made by the one that --expect-did names, or nobody was named.
bool is_expected(const bundle::Manifest& manifest, const ImportOptions& options);
// Who has signed the bundle, as this home knows them.
Signer signer_of(const bundle::Manifest& manifest, const ImportOptions& options, const ImportFacts& facts);

// Whether services of the bundle would be restored; whether only who is known may do so here.
bool brings_services(const bundle::Manifest& manifest, const ImportOptions& options);
bool wants_known_signer(const bundle::Manifest& manifest, const ImportOptions& options, const ImportFacts& facts);

// In the order in which a person would ask; the first FindingStatus::kStop is the one that an import names.
std::vector<Finding> preflight(const bundle::Manifest& manifest, const ImportOptions& options,
                               const ImportFacts& facts);

}  // namespace spl::operation
