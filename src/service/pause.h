// The moment in which the writers of services are still: their processes are frozen (by their control group, those
// outside of it by signals), or a hook has asked them to wait.
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
#include "env/control_group.h"
#include "env/env.h"
#include "env/process.h"
#include "service/processes.h"
#include "service/service_set.h"
#include "service/watchdog.h"

namespace spl::service {

struct PausedService {
  const Declaration* service = nullptr;
  Quiesce how = Quiesce::kFreeze;  // or kHook
  // Of a unit or a container, asked for before anybody waits; none: the pause asks.
  std::optional<ProcessSource> source = {};
};

// How services are paused: what the line says, else their declaration, else freeze for those that spl runs.
// Engines (service/engines.h) are never frozen.
std::vector<PausedService> writers_to_pause(const std::vector<const Declaration*>& services,
                                            const std::vector<const Declaration*>& engines,
                                            std::optional<Quiesce> override_with);

// Asks the managers of those that are frozen: each is a program to run, for which no writer should wait.
Result<void> ask_managers(const ServiceSet& set, std::vector<PausedService>& paused);

class Pause {
 public:
  // Everything is still when it returns; after an error everything runs, or the error says what does not. With no
  // services there is nothing to pause, and the deadline is far. What was stopped before stays so, now and at the end.
  // An error where the list of an earlier run cannot be settled, cause kLocked where another process pauses.
  static Result<std::unique_ptr<Pause>> begin(env::Env env, const ServiceSet& set, const SecretLookup& secrets,
                                              std::vector<PausedService> services);
  Pause(const Pause&) = delete;
  Pause& operator=(const Pause&) = delete;
  // Everything goes on, as far as that goes; what does not is written to the log.
  ~Pause();

  // By Clock::since_boot(): everything goes on then.
  [[nodiscard]] std::chrono::nanoseconds deadline() const { return deadline_; }
  // Everything goes on when it returns, and each `after` has been run once, by the watchdog or, where that is lost, by
  // this process. An error that names all that did not succeed: what could not be let go on, an `after` (its service
  // may still wait), the watchdog that was lost. Cause kTimeout where nothing but the moment was lost, because
  // something went on before: what was opened meanwhile is not of one moment.
  Result<void> end();

 private:
  Pause(env::Env env, const ServiceSet& set, SecretLookup secrets, std::vector<PausedService> services);
  Result<void> plan();
  Result<void> plan_freeze(const PausedService& paused);
  [[nodiscard]] Result<bool> are_down() const;
  Result<void> pause_all();
  Result<void> note(const std::vector<ServiceProcess>& processes);
  Result<void> note_running();
  Result<void> choose_groups();
  Result<void> freeze();
  Result<void> run_hooks();
  Result<void> let_go();
  Result<void> settle_hook(std::size_t hook);
  [[nodiscard]] std::chrono::milliseconds time_left() const;

  const env::ManyDescriptors many_;  // while there are pidfds
  env::Env env_;
  const ServiceSet& set_;
  SecretLookup secrets_;
  std::vector<PausedService> services_;
  std::chrono::nanoseconds deadline_{std::chrono::nanoseconds::max()};
  std::optional<Watchdog> watchdog_;
  WatchdogEnd watchdog_end_;
  std::vector<const Declaration*> hooked_;  // services that a hook pauses
  std::vector<HookCommands> hooks_;         // one each
  StopOrder freezing_;
  std::vector<const Declaration*> down_;   // units and containers that did not run when it began
  std::vector<env::ControlGroup> groups_;  // to be frozen as a whole
  std::vector<bool> by_group_;             // of each source: whether its group is among them
  std::vector<ServiceProcess> frozen_;     // by signals
  bool is_listed_ = false;
  std::map<int, std::pair<std::uint64_t, std::string>> noted_;  // by pid: start and mark
  bool ended_ = false;
};

// What run/pause.json tells.
struct PauseOf {
  enum class State : std::uint8_t {
    kNone,      // there is no list
    kUnderWay,  // a process is at work
    kLeft,      // of a pause that was cut off, or of another namespace of process ids
  };
  State state = State::kNone;
  int pid = 0;  // of kUnderWay
};
// An error where the list is there and cannot be read.
Result<PauseOf> pause_of(env::Env env, const home::HomePaths& paths);

// For who holds the home's lock. What a run left frozen that was killed together with its watchdog goes on; nothing
// else does. All of it is tried; what could not be resumed stays in the list, and is an error. So is a list that cannot
// be read: it stays where it is. One that was written before the machine was started anew is dropped. No error where
// there is nothing, where a pause is under way, or where the list is of another namespace of process ids, whose
// processes are not seen from here: that stays for a start there.
Result<void> resume_leftovers(env::Env env, const home::HomePaths& paths);
// The same for who does not hold the lock. Nothing where somebody does: who has it has looked after that.
Result<void> resume_leftovers_unless_locked(env::Env env, const home::HomePaths& paths);

}  // namespace spl::service
