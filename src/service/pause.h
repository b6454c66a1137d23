// The moment in which the writers of services are still: their processes are frozen, or a hook has asked them to wait.
// A watchdog lets them go on by the deadline, whatever becomes of this process; what is frozen stands in
// run/pause.json, durable before it is, and every start of spl lets go on what a run that was killed together with its
// watchdog left (docs/formats/declaration.md, "The pause"). One thread, one pause at a time a home.
#pragma once

#include <chrono>
#include <cstdint>
#include <map>
#include <memory>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "base/progress.h"
#include "base/result.h"
#include "env/env.h"
#include "env/process.h"
#include "service/service_set.h"
#include "service/watchdog.h"

namespace spl::service {

struct PausedService {
  const Declaration* service = nullptr;
  Quiesce how = Quiesce::kFreeze;  // or kHook
};

// What the pause consisted of, for the report.
struct PauseStep {
  std::string name;
  std::chrono::nanoseconds took{0};
};

// How services are paused: what the line says, else their declaration, else freeze for those that spl runs.
// Engines (service/engines.h) are never frozen.
std::vector<PausedService> writers_to_pause(const std::vector<const Declaration*>& services,
                                            const std::vector<const Declaration*>& engines,
                                            std::optional<Quiesce> override_with);

class Pause {
 public:
  // Everything is still when it returns; after an error everything runs. With no services there is nothing to pause,
  // and the deadline is far. What was stopped before stays so, now and at the end. An error where the list of an
  // earlier run cannot be settled.
  static Result<std::unique_ptr<Pause>> begin(env::Env env, const ServiceSet& set, const SecretLookup& secrets,
                                              std::vector<PausedService> services);
  Pause(const Pause&) = delete;
  Pause& operator=(const Pause&) = delete;
  // Everything goes on, as far as that goes.
  ~Pause();

  // By Clock::since_boot(): everything goes on then.
  [[nodiscard]] std::chrono::nanoseconds deadline() const { return deadline_; }
  // Everything goes on when it returns, and each `after` has been run once, by the watchdog or, where that is lost, by
  // this process. Cause kTimeout where something went on before: what was opened meanwhile is not of one moment.
  // Another error where the watchdog was lost, or an `after` did not succeed: its service may still wait.
  Result<void> end();

 private:
  // A service that a hook pauses, with the command that is due afterwards.
  struct Hook {
    const Declaration* service = nullptr;
    bool is_due = false;
  };

  Pause(env::Env env, const ServiceSet& set, SecretLookup secrets, std::vector<PausedService> services);
  Result<void> plan();
  Result<void> note(const std::vector<ServiceProcess>& processes);
  Result<void> note_running();
  Result<void> freeze();
  Result<void> run_hooks();
  Result<void> resume();
  Result<void> settle_hook(std::size_t hook, const WatchdogEnd& end);
  [[nodiscard]] std::chrono::milliseconds time_left() const;

  const env::ManyDescriptors many_;  // while there are pidfds
  env::Env env_;
  const ServiceSet& set_;
  SecretLookup secrets_;
  std::vector<PausedService> services_;
  std::chrono::nanoseconds deadline_{std::chrono::nanoseconds::max()};
  std::optional<Watchdog> watchdog_;
  std::vector<Hook> hooks_;
  std::vector<DueCommand> after_;  // one a hook
  StopOrder freezing_;
  std::vector<ServiceProcess> frozen_;
  std::map<int, std::pair<std::uint64_t, std::string>> noted_;  // by pid: start and mark
  bool ended_ = false;
};

// The process that pauses services of this home, where one is at work. An error where run/pause.json is there and
// cannot be read.
Result<std::optional<int>> pausing_process(env::Env env, const home::HomePaths& paths);

// What a run left frozen that was killed together with its watchdog goes on; nothing else does. All of it is tried;
// what could not be resumed stays in the list, and is an error. So is a list that cannot be read: it stays where it is.
// One that was written before the machine was started anew is dropped. No error where there is nothing, where a pause
// is under way, or where the list is of another namespace of process ids, whose processes are not seen from here.
Result<void> resume_leftovers(env::Env env, const home::HomePaths& paths);

}  // namespace spl::service
