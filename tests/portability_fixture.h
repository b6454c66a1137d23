// Instances that go out and come in, and imports that are refused.
#pragma once

#include <gtest/gtest.h>

#include <algorithm>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "instance/ingest.h"
#include "sample_instance.h"
#include "testing/tree_contents.h"

namespace spl::testing {

inline constexpr char kAgeKey[] = "AGE-SECRET-KEY-10KZJVY4CQ452VA3SGJ67JH45WRULLGA4SPMUSMEN36UU54RNWKFSNV3E8N";

std::string error_of(const auto& result) {
  return result ? "(no error)" : result.error().message;
}

class Portability : public ::testing::Test {
 protected:
  // A bundle of a new instance with the small sample.
  std::string sample_bundle(const std::string& home, operation::ExportOptions options = {}) {
    const auto source = machine_.make(home);
    fill_sample(*source, SampleSize::kSmall);
    auto text = export_text(*source, std::move(options));
    EXPECT_TRUE(text) << error_of(text);
    return text.value_or("");
  }
  std::unique_ptr<instance::Instance> with_records(const std::string& home, const std::string& thread,
                                                   std::uint64_t count) {
    auto made = machine_.make(home);
    EXPECT_TRUE(instance::put_records(*made, many_records(thread, count)));
    return made;
  }
  // The import is refused with this code, and so is its rehearsal; the home is as it was, to the last file.
  Error refused(const std::string& home, std::string_view bundle, operation::ImportOptions options, ErrorCode code) {
    Error last;
    for (const bool dry_run : {true, false}) {
      const auto before = tree_contents(machine_.path(home));
      options.dry_run = dry_run;
      const auto report = import_text(*machine_.open(home, instance::OpenFor::kWriting), bundle, options, &findings_);
      EXPECT_FALSE(report);
      if (report) return last;
      EXPECT_EQ(report.error().code, code) << report.error().message;
      if (!dry_run) {
        EXPECT_EQ(report.error().message, last.message) << "the rehearsal says the same";
      }
      EXPECT_TRUE(before == tree_contents(machine_.path(home)));
      last = report.error();
    }
    return last;
  }
  [[nodiscard]] std::string finding(const std::string& check) const {
    const auto at = std::ranges::find(findings_, check, &operation::Finding::check);
    return at == findings_.end() ? "(none)" : std::string(codec::enum_name(at->status)) + ": " + at->message;
  }
  Machine machine_;
  std::vector<operation::Finding> findings_;
};

}  // namespace spl::testing
