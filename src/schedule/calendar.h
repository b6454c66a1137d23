// When a schedule runs, by the clock of its zone. The zones are the machine's (tzdata); one that was read stays as it
// was until the program ends. Any thread. Source: docs/formats/door.md, "When a schedule runs"
#pragma once

#include <chrono>
#include <string>
#include <string_view>

#include "base/result.h"
#include "schedule/schedule.h"

namespace spl::schedule {

using Moment = std::chrono::system_clock::time_point;

struct TimeOfDay {
  int hour = 0;
  int minute = 0;
};
// Of "03:30". Code kUsage.
Result<TimeOfDay> parse_time(std::string_view text);
// Code kUsage where the machine knows no such zone.
Result<void> check_zone(const std::string& zone);

// The first run after `after`.
Result<Moment> next_run(const Schedule& schedule, Moment after);
// The last run that is not after `now`, of a schedule that has been due since `due`, which is a run.
Result<Moment> latest_run(const Schedule& schedule, Moment due, Moment now);
// Up to when the runs of a schedule are done, where that is `served` by what the clock was: a clock that goes back has
// no run come twice; where it was wrong by more than from one run to the next it is `now`, and so it is to be kept.
Result<Moment> served_by(const Schedule& schedule, Moment served, Moment now);
// The next run after those: not after `now` where it is due.
Result<Moment> due_run(const Schedule& schedule, Moment served, Moment now);

// Days since 1970-01-01 of the zone's date then, of the Monday of its week, and months since 1970-01.
struct LocalDate {
  std::int64_t day = 0;
  std::int64_t week = 0;
  std::int64_t month = 0;
};
Result<LocalDate> date_of(const std::string& zone, Moment moment);

}  // namespace spl::schedule
