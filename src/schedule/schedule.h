// When backups are made by themselves, and which of them stay. Values; any thread. docs/formats/door.md, "When a
// schedule runs"
#pragma once

#include <array>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "base/result.h"
#include "codec/json.h"
#include "codec/shape.h"

namespace spl::schedule {

inline constexpr std::size_t kSchedulesMax = 64;
inline constexpr std::size_t kNameBytesMax = 64;
inline constexpr std::size_t kRecipientsMax = 64;
inline constexpr std::uint64_t kKeepMax = 100'000;

enum class Every : std::uint8_t { kHour, kDay, kWeek };
constexpr auto names_of(Every /*type*/) {
  using enum Every;
  return std::to_array<std::pair<Every, std::string_view>>({{kHour, "hour"}, {kDay, "day"}, {kWeek, "week"}});
}

// How many stay: the newest ones, and the newest of each of so many days, weeks and months in which there was one. All
// 0: every one stays.
struct Keep {
  std::uint64_t last = 0;
  std::uint64_t daily = 0;
  std::uint64_t weekly = 0;
  std::uint64_t monthly = 0;
  bool operator==(const Keep&) const = default;
  [[nodiscard]] bool is_all() const { return *this == Keep{}; }

  static constexpr auto shape() {
    return codec::shape(codec::member("last", &Keep::last, "the newest"),
                        codec::member("daily", &Keep::daily, "the newest of so many days"),
                        codec::member("weekly", &Keep::weekly, "of so many weeks, from Monday to Sunday"),
                        codec::member("monthly", &Keep::monthly, "of so many months"));
  }
};
// Of "last=3,daily=7,weekly=4,monthly=12", each at most once. Code kUsage.
Result<Keep> parse_keep(std::string_view text);
std::string keep_text(const Keep& keep);

struct Schedule {
  std::string name;
  std::string at;    // "HH:MM"
  std::string zone;  // of IANA, "Europe/Berlin"
  Every every = Every::kDay;
  Keep keep;
  std::vector<std::string> recipients;  // age's; empty: those of config.toml
  bool plaintext = false;
  std::string to;       // a directory; "": backup_dir
  std::string context;  // "": all
  bool operator==(const Schedule&) const = default;

  // Of it, or of what has more members.
  template <class S>
  static constexpr auto members() {
    using enum codec::Presence;
    return codec::shape(
        codec::member<S, std::string>("name", &S::name, "the schedule", kOmitted),
        codec::member<S, std::string>("at", &S::at, "HH:MM by the zone's clock; of hour the minute alone counts"),
        codec::member<S, std::string>("zone", &S::zone, "an IANA time zone"),
        codec::member<S, Every>("every", &S::every, "hour, day, or week (on Mondays)"),
        codec::member<S, Keep>("keep", &S::keep, "which of its backups stay; all 0: every one"),
        codec::member<S, std::vector<std::string>>("recipients", &S::recipients,
                                                   "age recipients, besides those of the configuration"),
        codec::member<S, bool>("plaintext", &S::plaintext, "its backups are not encrypted"),
        codec::path_member<S>("to", &S::to, "another directory than backup_dir", kOmitted),
        codec::member<S, std::string>("context", &S::context, "of this one alone", kOmitted));
  }
  static constexpr auto shape() { return members<Schedule>(); }
};

// Code kUsage: a name, time, zone, recipient or directory that is none, more than may be.
Result<void> check_schedule(const Schedule& schedule);

// That a run did not make a backup: shown until it is read.
struct Failure {
  std::string at;
  std::string job;    // ""; it was no job
  codec::Json error;  // as HTTP has errors

  static constexpr auto shape() {
    return codec::shape(codec::member("at", &Failure::at, "when"),
                        codec::member("job", &Failure::job, "the job that failed; empty: none"),
                        codec::member("error", &Failure::error, "why"));
  }
};

// With what became of it.
struct ScheduleState : Schedule {
  std::optional<std::string> next_at;
  std::optional<std::string> last_at;  // when it last made a backup
  std::optional<Failure> failure;      // until it is read

  static constexpr auto shape() {
    using S = ScheduleState;
    return members<S>()([](const auto&... settings) {
      return codec::shape(settings..., codec::member("next_at", &S::next_at, "when it runs next"),
                          codec::member("last_at", &S::last_at, "when it last made a backup"),
                          codec::member("failure", &S::failure, "why a run failed, until that is read"));
    });
  }
};

}  // namespace spl::schedule
