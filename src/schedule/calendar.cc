#include "schedule/calendar.h"

#include <cctz/civil_time.h>
#include <cctz/time_zone.h>

#include <algorithm>

#include "base/encoding.h"

namespace spl::schedule {
namespace {

using std::chrono::floor;
using std::chrono::minutes;
using std::chrono::seconds;

constexpr std::size_t kZoneBytesMax = 64;
constexpr int kMinutesOfHour = 60;
// Longer than from one run to the next.
constexpr std::chrono::days kLongestPeriod{8};

Result<cctz::time_zone> zone_of(const std::string& name) {
  cctz::time_zone zone;
  // The library takes paths, too, and "localtime" is another zone on another machine.
  const bool is_plain =
      !name.empty() && name.size() <= kZoneBytesMax && name != "localtime" && name.front() != '/' &&
      name.find("//") == std::string::npos &&
      name.find_first_not_of("abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789/_+-") == std::string::npos;
  if (is_plain && cctz::load_time_zone(name, &zone)) return zone;
  return fail(ErrorCode::kUsage, "\"" + base::escaped(name, 80) + "\" is no time zone that this machine knows",
              "name one of IANA's, such as Europe/Berlin or UTC; Debian's package tzdata has them");
}

// One that is skipped is taken with the offset before the change; of one that comes twice it is the first.
Moment moment_of(const cctz::time_zone& zone, cctz::civil_day day, TimeOfDay at) {
  return zone.lookup(cctz::civil_second(day.year(), day.month(), day.day(), at.hour, at.minute, 0)).pre;
}

Moment next_hourly(const cctz::time_zone& zone, int minute, Moment after) {
  Moment moment = floor<minutes>(after) + minutes(1);
  for (;;) {
    const int wait = (minute - zone.lookup(floor<seconds>(moment)).cs.minute() + kMinutesOfHour) % kMinutesOfHour;
    if (wait == 0) return moment;
    // The clock may be changed on the way.
    moment += minutes(std::min(wait, kMinutesOfHour / 2));
  }
}

Moment next_daily(const cctz::time_zone& zone, TimeOfDay at, Every every, Moment after) {
  // A time of yesterday that is skipped may be one of today.
  for (cctz::civil_day day = cctz::civil_day(zone.lookup(floor<seconds>(after)).cs) - 1;; ++day) {
    if (every == Every::kWeek && cctz::get_weekday(day) != cctz::weekday::monday) continue;
    if (const Moment moment = moment_of(zone, day, at); moment > after) return moment;
  }
}

}  // namespace

Result<TimeOfDay> parse_time(std::string_view text) {
  const auto is_digit = [](char c) { return c >= '0' && c <= '9'; };
  if (text.size() == 5 && text[2] == ':' && is_digit(text[0]) && is_digit(text[1]) && is_digit(text[3]) &&
      is_digit(text[4])) {
    const TimeOfDay time{(text[0] - '0') * 10 + (text[1] - '0'), (text[3] - '0') * 10 + (text[4] - '0')};
    if (time.hour < 24 && time.minute < kMinutesOfHour) return time;
  }
  return fail(ErrorCode::kUsage, "\"" + base::escaped(text, 40) + "\" is no time of the day", "such as 03:30");
}

Result<void> check_zone(const std::string& zone) {
  TRY(zone_of(zone));
  return {};
}

Result<Moment> next_run(const Schedule& schedule, Moment after) {
  const auto zone = TRY(zone_of(schedule.zone));
  const TimeOfDay at = TRY(parse_time(schedule.at));
  return schedule.every == Every::kHour ? next_hourly(zone, at.minute, after)
                                        : next_daily(zone, at, schedule.every, after);
}

Result<Moment> latest_run(const Schedule& schedule, Moment due, Moment now) {
  Moment latest = due;
  if (now - due > kLongestPeriod) latest = TRY(next_run(schedule, now - kLongestPeriod));
  for (;;) {
    const Moment next = TRY(next_run(schedule, latest));
    if (next > now) return latest;
    latest = next;
  }
}

Result<Moment> served_by(const Schedule& schedule, Moment served, Moment now) {
  return served > TRY(next_run(schedule, now)) ? now : served;
}

Result<Moment> due_run(const Schedule& schedule, Moment served, Moment now) {
  return next_run(schedule, TRY(served_by(schedule, served, now)));
}

Result<LocalDate> date_of(const std::string& zone, Moment moment) {
  const cctz::civil_day day(TRY(zone_of(zone)).lookup(floor<seconds>(moment)).cs);
  const cctz::civil_day monday = cctz::prev_weekday(day + 1, cctz::weekday::monday);
  return LocalDate{day - cctz::civil_day(1970, 1, 1), monday - cctz::civil_day(1970, 1, 1),
                   cctz::civil_month(day) - cctz::civil_month(1970, 1)};
}

}  // namespace spl::schedule
