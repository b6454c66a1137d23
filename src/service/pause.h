// The moment in which the writers of services are still: their processes are frozen, or a hook has asked them to wait.
// A watchdog lets them go on by the deadline, whatever becomes of this process; what is frozen stands in
// run/pause.json, durable before it is, and every start of spl lets go on what a run that was killed together with its
// watchdog left (docs/formats/declaration.md, "The pause"). One thread, one pause at a time a home.
#pragma once

#include <chrono>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "base/progress.h"
#include "base/result.h"
#include "env/env.h"
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
// Engines are never frozen.
std::vector<PausedService> writers_to_pause(const ServiceSet& set, const std::vector<const Declaration*>& services,
                                            std::optional<Quiesce> override_with);

class Pause {
 public:
  // Everything is still when it returns; after an error everything runs. With no services there is nothing to pause,
  // and the deadline is far.
  static Result<std::unique_ptr<Pause>> begin(env::Env env, const ServiceSet& set, const SecretLookup& secrets,
                                              std::vector<PausedService> services);
  Pause(const Pause&) = delete;
  Pause& operator=(const Pause&) = delete;
  // Everything goes on, as far as that goes.
  ~Pause();

  // By Clock::since_boot(): everything goes on then.
  [[nodiscard]] std::chrono::nanoseconds deadline() const { return deadline_; }
  // Everything goes on when it returns. Cause kTimeout where it did so before: what was opened meanwhile is not of one
  // moment.
  Result<void> end();

 private:
  Pause(env::Env env, const ServiceSet& set, std::vector<PausedService> services);
  Result<void> note(const std::vector<MarkedProcess>& processes);
  Result<void> freeze();
  Result<void> run_hooks(const SecretLookup& secrets);
  Result<void> resume();
  [[nodiscard]] std::chrono::milliseconds time_left() const;

  env::Env env_;
  const ServiceSet& set_;
  std::vector<PausedService> services_;
  std::chrono::nanoseconds deadline_{std::chrono::nanoseconds::max()};
  std::optional<Watchdog> watchdog_;
  std::vector<env::ProgramStart> after_;
  std::vector<bool> owed_;
  std::vector<MarkedProcess> frozen_;
  std::vector<std::pair<int, std::string>> noted_;  // pid and process_mark
  bool ended_ = false;
};

// What a run left frozen that was killed together with its watchdog goes on; nothing else does. No error where there is
// nothing, or where a pause is under way.
Result<void> resume_leftovers(env::Env env, const home::HomePaths& paths);

}  // namespace spl::service
