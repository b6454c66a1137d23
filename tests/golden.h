// What make_golden.cc and golden_test.cc both know of the bundles in tests/golden.
#pragma once

#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "sample_instance.h"

namespace spl::testing {

inline constexpr std::uint64_t kGoldenSeed = 20260131;
inline constexpr std::string_view kGoldenPassphrase = "golden";

// How one golden bundle was made.
struct GoldenWay {
  const char* file;
  bool uncompressed = false;
  bool for_recipient = false;
  bool for_passphrase = false;
};
std::span<const GoldenWay> golden_ways();
// `directory` holds key.txt.
Result<operation::ExportOptions> golden_options(const GoldenWay& way, const std::string& directory);
// The instance that they were made of.
void fill_golden(instance::Instance& instance);

// What opens all of them.
class GoldenKeys {
 public:
  explicit GoldenKeys(const std::string& directory);
  [[nodiscard]] bundle::ReaderOptions reader_options() const;

 private:
  std::vector<crypto::AgeIdentity> identities_;
  SecretBytes passphrase_{kGoldenPassphrase};
};

// An instance as a text that people can compare: records with their ids, states of threads, tokens, counts.
std::string golden_text(const Contents& contents);
// The manifest that the instance writes next, as a plain tar with tokens, with "spl x" for the program's version.
Result<std::string> reexport_manifest(instance::Instance& instance);

// A file in `directory`; fails the test where it cannot be read.
std::string golden_file(const std::string& directory, const std::string& name);

}  // namespace spl::testing
