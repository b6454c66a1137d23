// What all ways of running a service have in common: how one begins, when it counts as started, and what a stop is held
// to. One thread at a time, as service/supervisor.h.
#pragma once

#include <chrono>
#include <functional>
#include <optional>
#include <string>
#include <vector>

#include "base/progress.h"
#include "base/result.h"
#include "codec/shape.h"
#include "env/env.h"
#include "service/program.h"

namespace spl::service {

// How long what a service's stop or its KILL has to end is waited for, beyond the declared time.
inline constexpr std::chrono::milliseconds kKillTimeout{10000};
inline constexpr std::chrono::milliseconds kHealthAnswer{5000};  // one question

// What a look at a service that starts has seen.
struct Started {
  bool runs = false;
  int pid = 0;             // of its first process; 0: none now
  bool has_ended = false;  // and nothing starts it again
};
struct StartWait {
  std::chrono::milliseconds look_every{20};
  std::function<Result<Started>()> look;
  std::function<std::string()> said;  // the end of its log, for the error
};

// Makes the service's directories, and runs its `init` where {data} is empty.
Result<void> initialise(env::Env env, const ServiceSet& set, const Declaration& service, const SecretLookup& secrets,
                        base::Progress& progress);
// Until it is healthy; without `health` until it has run for a second. Code kUnavailable where it is not in time.
Result<void> wait_until_well(env::Env env, const ServiceSet& set, const Declaration& service,
                             const SecretLookup& secrets, const StartWait& wait, base::Progress& progress);
// That no process holds a file below its directories, or below these. One that is just ending is waited for.
Result<void> check_not_held(env::Env env, const ServiceSet& set, const Declaration& service,
                            const std::vector<std::string>& more = {});
// Where the surfaces of the service lie that are files, of all contexts.
Result<std::vector<std::string>> file_places_of(const ServiceSet& set, const Declaration& service);
// "ok", or why it is not; "" where the declaration does not say how to ask.
std::string health_of(env::Env env, const ServiceSet& set, const Declaration& service, const SecretLookup& secrets);
// The last line of a log, to be shown.
std::string last_line(std::string text);
// Code kRefused, for who wants to start what a restore keeps down.
std::unexpected<Error> is_kept_down(const Declaration& service);

// What is remembered of a service that was stopped, by those whose own supervisor forgets it: <home>/held/NAME.json. It
// is durable before what it tells of is done.
struct HoldRecord {
  bool held = false;                  // by a restore
  std::string name;                   // the unit's own
  std::vector<std::string> triggers;  // units that were stopped with it, and are to be started with it
  std::string restart;                // the container's policy, taken away while it is held
  std::uint64_t tries = 0;            // of that

  static constexpr auto shape() {
    using H = HoldRecord;
    using enum codec::Presence;
    return codec::shape(codec::member("held", &H::held, "a restore keeps it down"),
                        codec::member("name", &H::name, "the unit's own name", kOmitted),
                        codec::member("triggers", &H::triggers, "units that are to be started with it", kOmitted),
                        codec::member("restart", &H::restart, "the container's restart policy", kOmitted),
                        codec::member("tries", &H::tries, "of that policy"));
  }
};
Result<std::optional<HoldRecord>> read_hold(env::Env env, const ServiceSet& set, const Declaration& service);
Result<void> write_hold(env::Env env, const ServiceSet& set, const Declaration& service, const HoldRecord& record);
Result<void> remove_hold(env::Env env, const ServiceSet& set, const Declaration& service);

}  // namespace spl::service
