#include "hostile_cases.h"

#include <vector>

#include "base/encoding.h"

namespace spl::testing {

std::string hostile_message(std::string_view entry, std::string_view rule) {
  if (entry.empty()) return std::string(rule);
  return "bundle malformed: " + base::escaped(entry, codec::kTarPathShownBytesMax) + ": " + std::string(rule);
}

std::span<const Hostile> hostile_bundles() {
  static const std::vector<Hostile> kAll = [] {
    std::vector<Hostile> all;
    for (const auto& some : {hostile_signers(), hostile_manifests(), hostile_services(), hostile_trees(),
                             hostile_entries(), hostile_headers(), hostile_records()})
      all.insert(all.end(), some.begin(), some.end());
    return all;
  }();
  return kAll;
}

}  // namespace spl::testing
