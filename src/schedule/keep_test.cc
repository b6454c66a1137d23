#include "schedule/keep.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace spl::schedule {
namespace {

using ::testing::ElementsAre;
using ::testing::IsEmpty;

std::vector<Kept> made_at(const std::vector<std::string>& times) {
  std::vector<Kept> all;
  for (const std::string& time : times) all.push_back({time, false, {}});
  return all;
}
std::vector<std::string> kept_of(const std::vector<Kept>& backups) {
  std::vector<std::string> kept;
  for (const Kept& backup : backups) {
    if (!backup.why.empty()) kept.push_back(backup.created_at);
  }
  return kept;
}
std::vector<std::string> kept(const Keep& keep, const std::vector<std::string>& times,
                              const std::string& zone = "UTC") {
  std::vector<Kept> backups = made_at(times);
  EXPECT_TRUE(choose_kept(zone, keep, backups));
  return kept_of(backups);
}

TEST(KeepRule, TheNewestOfEachPeriodStays) {
  EXPECT_THAT(kept({.last = 2}, {"2026-02-03T03:00:00Z", "2026-02-02T03:00:00Z", "2026-02-01T03:00:00Z"}),
              ElementsAre("2026-02-03T03:00:00Z", "2026-02-02T03:00:00Z"));
  EXPECT_THAT(kept({.daily = 2}, {"2026-02-03T09:00:00Z", "2026-02-03T03:00:00Z", "2026-01-20T09:00:00Z",
                                  "2026-01-20T03:00:00Z", "2026-01-19T03:00:00Z"}),
              ElementsAre("2026-02-03T09:00:00Z", "2026-01-20T09:00:00Z"));
  // 2026-02-02 is a Monday.
  EXPECT_THAT(kept({.weekly = 2}, {"2026-02-08T03:00:00Z", "2026-02-02T03:00:00Z", "2026-02-01T03:00:00Z",
                                   "2026-01-26T03:00:00Z", "2026-01-25T03:00:00Z"}),
              ElementsAre("2026-02-08T03:00:00Z", "2026-02-01T03:00:00Z"));
  EXPECT_THAT(kept({.monthly = 2},
                   {"2026-02-02T03:00:00Z", "2026-02-01T03:00:00Z", "2026-01-31T03:00:00Z", "2025-02-28T03:00:00Z"}),
              ElementsAre("2026-02-02T03:00:00Z", "2026-01-31T03:00:00Z"));
}

TEST(KeepRule, RulesAddUp) {
  std::vector<Kept> backups = made_at({"2026-02-03T03:00:00Z", "2026-02-02T03:00:00Z", "2026-01-31T03:00:00Z"});
  ASSERT_TRUE(choose_kept("UTC", {.last = 1, .daily = 1, .monthly = 2}, backups));
  EXPECT_THAT(backups[0].why, ElementsAre("last", "daily", "monthly"));
  EXPECT_THAT(backups[1].why, IsEmpty());
  EXPECT_THAT(backups[2].why, ElementsAre("monthly"));
}

TEST(KeepRule, ADayIsOfTheZone) {
  // Two days in UTC, one in Los Angeles.
  const std::vector<std::string> times{"2026-02-03T01:00:00Z", "2026-02-02T23:00:00Z"};
  EXPECT_EQ(kept({.daily = 5}, times).size(), 2U);
  EXPECT_EQ(kept({.daily = 5}, times, "America/Los_Angeles").size(), 1U);
}

TEST(KeepRule, TheNewestThatVerifiedAlwaysStays) {
  std::vector<Kept> backups = made_at({"2026-02-03T03:00:00Z", "2026-02-02T03:00:00Z", "2026-02-01T03:00:00Z"});
  backups[1].is_verified = backups[2].is_verified = true;
  ASSERT_TRUE(choose_kept("UTC", {.last = 1}, backups));
  EXPECT_THAT(kept_of(backups), ElementsAre("2026-02-03T03:00:00Z", "2026-02-02T03:00:00Z"));
}

TEST(KeepRule, WithoutARuleAndWithoutATimeAllStay) {
  EXPECT_EQ(kept({}, {"2026-02-03T03:00:00Z", "2026-02-02T03:00:00Z"}).size(), 2U);
  EXPECT_THAT(kept({.last = 1}, {"2026-02-03T03:00:00Z", "once", "2026-02-02T03:00:00Z"}),
              ElementsAre("2026-02-03T03:00:00Z", "once"));
}

TEST(KeepRule, IsReadAndWritten) {
  const Keep keep = parse_keep("last=3,daily=7,weekly=4,monthly=12").value();
  EXPECT_EQ(keep, (Keep{3, 7, 4, 12}));
  EXPECT_EQ(keep_text(keep), "last=3,daily=7,weekly=4,monthly=12");
  EXPECT_EQ(keep_text(parse_keep("monthly=1").value()), "monthly=1");
  EXPECT_EQ(keep_text({}), "all");
  for (const char* none : {"", "last", "last=", "last=x", "last=-1", "last=1,last=2", "yearly=1", "last=1,", ",last=1",
                           "last=100001", "last=1 ", "last=99999999999999999999"})
    EXPECT_FALSE(parse_keep(none)) << none;
}

}  // namespace
}  // namespace spl::schedule
