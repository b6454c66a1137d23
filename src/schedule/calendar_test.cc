#include "schedule/calendar.h"

#include <gtest/gtest.h>

#include "base/rfc3339.h"
#include "env/env.h"

namespace spl::schedule {
namespace {

Schedule schedule_at(const std::string& at, const std::string& zone, Every every = Every::kDay) {
  Schedule schedule;
  schedule.name = "nightly";
  schedule.at = at;
  schedule.zone = zone;
  schedule.every = every;
  return schedule;
}
Moment moment(const std::string& text) {
  return base::parse_rfc3339(text).value();
}
std::vector<std::string> runs(const Schedule& schedule, const std::string& after, std::size_t count) {
  std::vector<std::string> all;
  Moment at = moment(after);
  while (all.size() < count) {
    at = next_run(schedule, at).value();
    all.push_back(env::rfc3339(at));
  }
  return all;
}
using Texts = std::vector<std::string>;

TEST(Calendar, ADayIsOfTheZone) {
  EXPECT_EQ(runs(schedule_at("03:30", "UTC"), "2026-01-31T03:30:00Z", 2),
            (Texts{"2026-02-01T03:30:00Z", "2026-02-02T03:30:00Z"}));
  EXPECT_EQ(runs(schedule_at("03:30", "UTC"), "2026-01-31T03:29:59Z", 1), Texts{"2026-01-31T03:30:00Z"});
  EXPECT_EQ(runs(schedule_at("03:30", "Asia/Tokyo"), "2026-01-31T12:00:00Z", 1), Texts{"2026-01-31T18:30:00Z"});
  EXPECT_EQ(runs(schedule_at("23:00", "America/New_York"), "2026-01-31T12:00:00Z", 1), Texts{"2026-02-01T04:00:00Z"});
}

// 2026-03-29 in Berlin has no 02:30, and 2026-10-25 has it twice.
TEST(Calendar, ASkippedTimeIsTakenWithTheOffsetBefore) {
  EXPECT_EQ(runs(schedule_at("02:30", "Europe/Berlin"), "2026-03-28T00:00:00Z", 3),
            (Texts{"2026-03-28T01:30:00Z", "2026-03-29T01:30:00Z", "2026-03-30T00:30:00Z"}));
}
TEST(Calendar, ADoubledTimeIsTakenTheFirstTimeAndOnce) {
  EXPECT_EQ(runs(schedule_at("02:30", "Europe/Berlin"), "2026-10-24T12:00:00Z", 2),
            (Texts{"2026-10-25T00:30:00Z", "2026-10-26T01:30:00Z"}));
}
// At midnight the clocks of Santiago go from 24:00 to 01:00 on 2026-09-06.
TEST(Calendar, ASkippedTimeAtMidnightIsNotLost) {
  EXPECT_EQ(runs(schedule_at("00:10", "America/Santiago"), "2026-09-05T12:00:00Z", 2),
            (Texts{"2026-09-06T04:10:00Z", "2026-09-07T03:10:00Z"}));
}
// Samoa had no 2011-12-30.
TEST(Calendar, ASkippedDayIsTheNextOne) {
  EXPECT_EQ(runs(schedule_at("12:00", "Pacific/Apia"), "2011-12-29T00:00:00Z", 3),
            (Texts{"2011-12-29T22:00:00Z", "2011-12-30T22:00:00Z", "2011-12-31T22:00:00Z"}));
}
// Beyond what the zone's file lists its rule goes on.
TEST(Calendar, SummerTimeHasNoEnd) {
  EXPECT_EQ(runs(schedule_at("12:00", "Europe/Berlin"), "2090-07-01T00:00:00Z", 1), Texts{"2090-07-01T10:00:00Z"});
}

TEST(Calendar, AWeekBeginsOnMonday) {
  EXPECT_EQ(runs(schedule_at("04:00", "UTC", Every::kWeek), "2026-01-31T12:00:00Z", 2),
            (Texts{"2026-02-02T04:00:00Z", "2026-02-09T04:00:00Z"}));
  // It is Sunday still in UTC.
  EXPECT_EQ(runs(schedule_at("04:00", "Asia/Tokyo", Every::kWeek), "2026-01-31T12:00:00Z", 1),
            Texts{"2026-02-01T19:00:00Z"});
}

TEST(Calendar, AnHourIsARealOne) {
  EXPECT_EQ(runs(schedule_at("17:15", "Europe/Berlin", Every::kHour), "2026-10-24T23:15:00Z", 4),
            (Texts{"2026-10-25T00:15:00Z", "2026-10-25T01:15:00Z", "2026-10-25T02:15:00Z", "2026-10-25T03:15:00Z"}));
  EXPECT_EQ(runs(schedule_at("00:15", "Asia/Kathmandu", Every::kHour), "2026-01-31T12:00:00Z", 2),
            (Texts{"2026-01-31T12:30:00Z", "2026-01-31T13:30:00Z"}));
  // Lord Howe's clocks go forth by half an hour: the next run is an hour and a half after the one before, once.
  EXPECT_EQ(runs(schedule_at("00:45", "Australia/Lord_Howe", Every::kHour), "2026-10-03T14:16:00Z", 3),
            (Texts{"2026-10-03T15:15:00Z", "2026-10-03T16:45:00Z", "2026-10-03T17:45:00Z"}));
}

TEST(Calendar, WhatWasMissedIsDueOnce) {
  const Schedule nightly = schedule_at("03:30", "UTC");
  const Moment now = moment("2026-06-10T12:00:00Z");
  const Moment due = due_run(nightly, moment("2026-01-31T03:30:00Z"), now).value();
  EXPECT_EQ(env::rfc3339(due), "2026-02-01T03:30:00Z");
  const Moment latest = latest_run(nightly, due, now).value();
  EXPECT_EQ(env::rfc3339(latest), "2026-06-10T03:30:00Z");
  EXPECT_EQ(env::rfc3339(due_run(nightly, latest, now).value()), "2026-06-11T03:30:00Z");
  const Schedule weekly = schedule_at("03:30", "UTC", Every::kWeek);
  EXPECT_EQ(env::rfc3339(latest_run(weekly, moment("2026-01-05T03:30:00Z"), now).value()), "2026-06-08T03:30:00Z");
  EXPECT_EQ(env::rfc3339(latest_run(weekly, moment("2026-06-08T03:30:00Z"), now).value()), "2026-06-08T03:30:00Z");
}

TEST(Calendar, AClockThatGoesBackHasNoRunComeTwice) {
  const Schedule nightly = schedule_at("03:30", "UTC");
  const Moment served = moment("2026-02-01T03:30:00Z");
  EXPECT_EQ(env::rfc3339(due_run(nightly, served, moment("2026-02-01T02:45:00Z")).value()), "2026-02-02T03:30:00Z");
  EXPECT_EQ(served_by(nightly, served, moment("2026-02-01T02:45:00Z")).value(), served);
  // It was wrong by years.
  const Moment now = moment("2026-02-01T02:45:00Z");
  EXPECT_EQ(served_by(nightly, moment("2040-01-01T03:30:00Z"), now).value(), now);
  EXPECT_EQ(env::rfc3339(due_run(nightly, moment("2040-01-01T03:30:00Z"), moment("2026-02-01T02:45:00Z")).value()),
            "2026-02-01T03:30:00Z");
}

TEST(Calendar, WhatIsNoTimeAndNoZoneIsRefused) {
  for (const char* none : {"", "3:30", "24:00", "03:60", "03-30", "03:3", "03:300", "ab:cd", "+3:30"})
    EXPECT_FALSE(parse_time(none)) << none;
  for (const char* none : {"", "Europe/Nowhere", "/etc/localtime", "../../etc/passwd", "localtime", "Europe//Berlin",
                           "Europe", "CEST5", "file:/etc/hosts"}) {
    const auto checked = check_zone(none);
    ASSERT_FALSE(checked) << none;
    EXPECT_EQ(checked.error().code, ErrorCode::kUsage);
  }
  for (const char* zone :
       {"UTC", "Europe/Berlin", "America/Argentina/Buenos_Aires", "Etc/GMT+5", "America/Port-au-Prince"})
    EXPECT_TRUE(check_zone(zone)) << zone;
}

}  // namespace
}  // namespace spl::schedule
