// An import into an empty store on a disk that has too little room stops before anything is written; what the bundle
// itself is guilty of comes first.
#include <gtest/gtest.h>

#include <algorithm>

#include "crash_fixture.h"
#include "crash_operations.h"
#include "operation/import.h"
#include "testing/bundle_forge.h"

namespace spl {
namespace {

using instance::OpenFor;
using operation::Finding;
using testing::CrashMachine;
using testing::foreign_bundle;
using testing::Image;

std::uint64_t bytes_of_records() {
  const auto verified = testing::verify_bundle(foreign_bundle());
  for (const bundle::Section& section : verified->manifest.sections) {
    if (section.prefix == "records/") return section.bytes;
  }
  ADD_FAILURE() << "the bundle has no records";
  return 0;
}

struct Imported {
  std::optional<Error> error;
  std::vector<Finding> findings;
};

class ImportWithoutRoom : public ::testing::Test {
 protected:
  // With room for all but one octet, and expects that nothing is changed.
  static Imported import_text(std::string_view bundle, const operation::ImportOptions& options = {}) {
    CrashMachine machine(testing::home_with_identity());
    const Image before = machine.fs.contents();
    machine.fs.set_free_bytes(bytes_of_records() - 1);
    Imported imported;
    {
      const auto opened = machine.open(OpenFor::kWriting);
      EXPECT_TRUE(opened) << opened.error().message;
      const auto report = testing::import_text(**opened, bundle, options, &imported.findings);
      if (!report) imported.error = report.error();
      EXPECT_EQ((*(**opened).store().reader())->counts()->records, 0U);
    }
    EXPECT_TRUE(machine.fs.contents() == before) << "something was changed";
    return imported;
  }
  static std::string status_of_space(const std::vector<Finding>& findings) {
    const auto found = std::ranges::find(findings, "space", &Finding::check);
    return found == findings.end() ? "" : std::string(codec::enum_name(found->status));
  }
};

TEST_F(ImportWithoutRoom, Stops) {
  const Imported imported = import_text(foreign_bundle());
  ASSERT_TRUE(imported.error);
  EXPECT_EQ(imported.error->code, ErrorCode::kStop) << imported.error->message;
  EXPECT_TRUE(imported.error->message.starts_with("pre-flight: space: ")) << imported.error->message;
  EXPECT_EQ(status_of_space(imported.findings), "stop");
}

TEST_F(ImportWithoutRoom, StopsADryRun) {
  operation::ImportOptions options;
  options.dry_run = true;
  const Imported imported = import_text(foreign_bundle(), options);
  ASSERT_TRUE(imported.error);
  EXPECT_EQ(imported.error->code, ErrorCode::kStop) << imported.error->message;
}

TEST_F(ImportWithoutRoom, FindsThatABundleIsDamagedAllTheSame) {
  const std::string& bundle = foreign_bundle();
  for (const std::size_t length : {bundle.size() / 2, bundle.size() - 1}) {
    const Imported imported = import_text(bundle.substr(0, length));
    ASSERT_TRUE(imported.error);
    EXPECT_EQ(imported.error->code, ErrorCode::kVerification) << imported.error->message;
  }
  // Before the seek table that the file ends with.
  std::string changed = bundle;
  changed[bundle.size() * 2 / 3] ^= 1;
  const Imported imported = import_text(changed);
  ASSERT_TRUE(imported.error);
  EXPECT_EQ(imported.error->code, ErrorCode::kVerification) << imported.error->message;
}

TEST_F(ImportWithoutRoom, IsRefusedWhereTheSignerIsAnother) {
  operation::ImportOptions options;
  options.expect_did = "did:key:z6MkhaXgBZDvotDkL5257faiztiGiC2QtKLGpbnnEGta2doK";
  const Imported imported = import_text(foreign_bundle(), options);
  ASSERT_TRUE(imported.error);
  EXPECT_EQ(imported.error->code, ErrorCode::kRefused) << imported.error->message;
}

// Records that are there already take no room, and how many are is known when they were read.
TEST(MergeWithoutRoom, StopsBeforeItBeginsOrWhileItGoes) {
  testing::BundleForge forge;
  for (std::uint64_t i = 0; i < 6; ++i)
    forge.add_record(testing::BundleForge::make_record(
        "th_large", i, "{\"text\":\"" + std::string(1u << 20, static_cast<char>('a' + i)) + "\"}"));
  const std::string bundle = forge.tar_zst();
  operation::ImportOptions options;
  options.force_overwrite = true;
  for (const std::uint64_t free : {std::uint64_t{5} << 20, std::uint64_t{10} << 20, std::uint64_t{20} << 20}) {
    CrashMachine machine(testing::home_in_use());
    machine.fs.set_free_bytes(free);
    const auto opened = machine.open(OpenFor::kWriting);
    ASSERT_TRUE(opened) << opened.error().message;
    const auto before = (*(**opened).store().reader())->counts()->records;
    ASSERT_GT(before, 0U);
    std::vector<Finding> findings;
    const auto report = testing::import_text(**opened, bundle, options, &findings);
    if (free == std::uint64_t{20} << 20) {
      EXPECT_TRUE(report) << report.error().message;
      continue;
    }
    ASSERT_FALSE(report) << free;
    EXPECT_EQ(report.error().code, ErrorCode::kStop) << report.error().message;
    EXPECT_TRUE(report.error().message.starts_with("pre-flight: space: ")) << report.error().message;
    EXPECT_EQ((*(**opened).store().reader())->counts()->records, before);
    const auto damaged = testing::import_text(**opened, bundle.substr(0, bundle.size() - 1), options, &findings);
    ASSERT_FALSE(damaged);
    EXPECT_EQ(damaged.error().code, ErrorCode::kVerification) << damaged.error().message;
  }
}

TEST(ImportWithJustEnoughRoom, GoesOn) {
  CrashMachine machine(testing::home_with_identity());
  machine.fs.set_free_bytes(bytes_of_records());
  const auto opened = machine.open(OpenFor::kWriting);
  ASSERT_TRUE(opened) << opened.error().message;
  const auto report = testing::import_text(**opened, foreign_bundle());
  ASSERT_TRUE(report) << report.error().message;
  EXPECT_TRUE(std::ranges::any_of(report->preflight, [](const Finding& finding) {
    return finding.check == "space" && finding.status == operation::FindingStatus::kOk;
  }));
}

}  // namespace
}  // namespace spl
