#include "operation/restore_room.h"

#include <gtest/gtest.h>

#include "testing/temp_directory.h"

namespace spl::operation {
namespace {

class RestoreRoomTest : public ::testing::Test {
 protected:
  [[nodiscard]] std::string at(const std::string& name) const { return directory_.path() + "/" + name; }
  // What the disk of the directory has free, without what others may write there meanwhile.
  [[nodiscard]] std::uint64_t nearly_all() const {
    const std::uint64_t free = env::free_room(directory_.path())->bytes;
    return free - (free / 4);
  }
  std::vector<FindingStatus> statuses() {
    std::vector<Finding> findings;
    room_.report(findings);
    std::vector<FindingStatus> found;
    for (const Finding& finding : findings) {
      EXPECT_EQ(finding.check, "space");
      EXPECT_EQ(finding.hint.empty(), finding.status == FindingStatus::kOk);
      found.push_back(finding.status);
    }
    return found;
  }

  const testing::TempDirectory directory_;
  RestoreRoom room_;
};

using Statuses = std::vector<FindingStatus>;

TEST_F(RestoreRoomTest, WhatStaysIsAddedUpForEachDisk) {
  EXPECT_EQ(statuses(), Statuses{});
  room_.want(at("one"), nearly_all(), 0);
  EXPECT_EQ(statuses(), Statuses{FindingStatus::kOk});
  room_.want(at("two/not/yet"), nearly_all(), 0);
  EXPECT_EQ(statuses(), Statuses{FindingStatus::kStop});
}

TEST_F(RestoreRoomTest, AFileTakesABlock) {
  const std::uint64_t blocks = nearly_all() / 4096;
  room_.want(at("data"), 0, blocks * 2);
  const auto found = statuses();
  ASSERT_FALSE(found.empty());
  EXPECT_EQ(found.front(), FindingStatus::kStop);
}

}  // namespace
}  // namespace spl::operation
