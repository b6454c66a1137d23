// Who did what with an instance, in jobs.db: the newest 10,000 entries, never a secret. Jobs are entered when they end
// (jobs_database.cc). Any thread, any process; docs/formats/door.md, "Activity"
#pragma once

#include <array>
#include <chrono>
#include <cstdint>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "base/result.h"
#include "codec/shape.h"
#include "env/env.h"
#include "home/home.h"

namespace spl::job {

inline constexpr std::size_t kActivityPageMax = 50;
// Failures that are folded into one entry follow each other within it.
inline constexpr std::chrono::hours kFoldedWithin{1};

enum class Outcome : std::uint8_t { kDone, kFailed, kRefused };
constexpr auto names_of(Outcome /*type*/) {
  using enum Outcome;
  return std::to_array<std::pair<Outcome, std::string_view>>(
      {{kDone, "done"}, {kFailed, "failed"}, {kRefused, "refused"}});
}

inline constexpr std::string_view kByOwner = "owner";        // within a browser's session
inline constexpr std::string_view kByConsole = "console";    // a command on the machine
inline constexpr std::string_view kBySchedule = "schedule";  // the daemon, when it was time
inline constexpr std::string_view kByStranger = "stranger";  // before the door
// Else the name of a service account.

struct Activity {
  std::string at;
  std::string who;
  std::string action;   // "backup", "door.sign-in", "schedule.set"
  std::string subject;  // what it was done to
  Outcome outcome = Outcome::kDone;
  std::string message = {};  // why it failed

  static constexpr auto shape() {
    using A = Activity;
    return codec::shape(codec::member("at", &A::at, "when"),
                        codec::member("who", &A::who, "owner, console, schedule, stranger, or a service account"),
                        codec::member("action", &A::action, "what was done"),
                        codec::member("subject", &A::subject, "to what"),
                        codec::member("outcome", &A::outcome, "done, failed or refused"),
                        codec::member("message", &A::message, "why it was not done"));
  }
};
struct ActivityPage {
  std::vector<Activity> entries;  // the newest first
  std::string cursor;             // what comes after them
  bool has_more = false;

  static constexpr auto shape() {
    using P = ActivityPage;
    return codec::shape(codec::member("entries", &P::entries, "the newest first"),
                        codec::member("cursor", &P::cursor, "for the page after it"),
                        codec::member("has_more", &P::has_more, "whether there is one"));
  }
};

// Kept, with the time of now. What cannot be kept is in the log: nothing fails for it.
void note_activity(env::Env env, const home::HomePaths& paths, const Activity& activity);
// One more of the failures of this action: those of an hour are one entry, whoever they are by.
void note_failed_attempt(env::Env env, const home::HomePaths& paths, const Activity& activity);
// "" is the first page. A home that has none gets none by being looked at. Code kUsage: no cursor.
Result<ActivityPage> activity_page(env::Env env, const home::HomePaths& paths, const std::string& cursor);

}  // namespace spl::job
