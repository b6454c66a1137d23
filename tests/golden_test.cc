// Bundles that programs of every version wrote are opened for ever, and say what they always said.
// tests/golden was written by make_golden.cc.
#include "golden.h"

#include <gtest/gtest.h>

#include "base/encoding.h"

namespace spl {
namespace {

using testing::golden_file;
using testing::GoldenKeys;
using testing::GoldenWay;
using testing::Machine;

const std::string kDirectory = std::string(SPL_SOURCE_DIR) + "/tests/golden";

class Golden : public ::testing::TestWithParam<GoldenWay> {
 protected:
  GoldenKeys keys_{kDirectory};
  std::string bundle_ = golden_file(kDirectory, GetParam().file);
};

TEST_P(Golden, ManifestSaysWhatItAlwaysSaid) {
  const auto verified = testing::verify_bundle(bundle_, keys_.reader_options());
  ASSERT_TRUE(verified) << verified.error().message;
  EXPECT_EQ(verified->text, golden_file(kDirectory, std::string(GetParam().file) + ".manifest.json"));
  EXPECT_EQ(bundle::manifest_text(verified->manifest), verified->text) << "what is read is written again";
  // All four were made of one instance.
  const auto plain = testing::verify_bundle(golden_file(kDirectory, "v1.tar"));
  ASSERT_TRUE(plain) << plain.error().message;
  EXPECT_EQ(verified->manifest.bundle_sha256, plain->manifest.bundle_sha256);
}

TEST_P(Golden, ImportGivesTheSameRecordsAndStates) {
  Machine machine;
  const auto target = machine.open("target");
  operation::ImportOptions options;
  options.reader = keys_.reader_options();
  const auto report = testing::import_text(*target, bundle_, options);
  ASSERT_TRUE(report) << report.error().message;
  EXPECT_EQ(report->identity, operation::IdentityOutcome::kAdopted);
  const auto contents = testing::contents_of(*target);
  ASSERT_TRUE(contents) << contents.error().message;
  EXPECT_EQ(testing::golden_text(*contents), golden_file(kDirectory, "v1.expected.txt"));
  EXPECT_EQ(report->records_inserted, contents->records.size());
  EXPECT_TRUE(target->verify_identity());
}

TEST_P(Golden, OneChangedByteIsNoticed) {
  // Not in the seek table at the end, which is a hint.
  for (const std::size_t at : {bundle_.size() / 5, bundle_.size() / 3, bundle_.size() / 2}) {
    std::string changed = bundle_;
    changed[at] = static_cast<char>(changed[at] ^ 1);
    EXPECT_FALSE(testing::verify_bundle(changed, keys_.reader_options())) << "byte " << at;
  }
}

INSTANTIATE_TEST_SUITE_P(OfVersion1, Golden, ::testing::ValuesIn(testing::golden_ways()), [](const auto& test) {
  if (test.param.for_recipient) return std::string("ForARecipient");
  if (test.param.for_passphrase) return std::string("ForAPassphrase");
  return std::string(test.param.uncompressed ? "PlainTar" : "Zstd");
});

// The clock of a Machine stands and nothing in a manifest is random, so all of it is known beforehand.
TEST(GoldenManifest, OfAReexportIsTheSameToTheLastByte) {
  Machine machine;
  const auto target = machine.open("target");
  const auto report = testing::import_text(*target, golden_file(kDirectory, "v1.tar"));
  ASSERT_TRUE(report) << report.error().message;
  const auto again = testing::reexport_manifest(*target);
  ASSERT_TRUE(again) << again.error().message;
  EXPECT_EQ(*again, golden_file(kDirectory, "v1.reexport.manifest.json"));
}

}  // namespace
}  // namespace spl
