// Who lets frozen processes go on, whatever becomes of the one that froze them: a process in a session of its own that
// holds their pidfds and the switches of their control groups and resumes them when it is told to, when the deadline
// passes, or when the other side is gone (docs/decisions/D-11-state-snapshot-contract.md). It also runs the commands of
// hooks: so none that begins a pause outlives the one that ends it, whoever is killed. What it is given it
// acknowledges, and what it has begun it tells at once: so whoever ends the pause knows what is left to do when the
// watchdog itself is lost. One thread. Sources: pidfd_open(2), timerfd_create(2), signalfd(2), unix(7).
#pragma once

#include <chrono>
#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "base/result.h"
#include "env/control_group.h"
#include "env/descriptor.h"
#include "env/process.h"
#include "env/program_start.h"
#include "service/processes.h"

namespace spl::service {

// The two commands of a hook, one before and one after the pause.
struct HookCommands {
  env::ProgramStart before;
  env::ProgramStart after;
  std::string log;                                // a file that is there takes what they say; their input is empty
  std::chrono::milliseconds after_at_most{2000};  // then it is killed, with all of its process group
};

// What became of one of them.
struct CommandOutcome {
  enum class State : std::uint8_t { kNotBegun, kBegun, kEnded, kKilledAtLimit };
  State state = State::kNotBegun;
  int wait_status = 0;  // of kEnded, as waitpid(2) gives it
};

// How a pause ended.
struct WatchdogEnd {
  bool is_taken = false;              // the watchdog has resumed everything; false: it is lost, and its caller has to
  bool is_late = false;               // something was let go before: the deadline had passed
  std::vector<CommandOutcome> after;  // of each hook
};

inline constexpr std::size_t kFreezersMax = 256;  // groups that it holds

struct WatchdogMessage;

class Watchdog {
 public:
  // `deadline` as Clock::since_boot() counts. It watches when this returns. May be called while there are other
  // threads.
  static Result<Watchdog> arm(std::chrono::nanoseconds deadline, const std::vector<HookCommands>& hooks);
  Watchdog(Watchdog&& other) noexcept;
  Watchdog& operator=(Watchdog&&) = delete;
  // Has it resume everything; one that hangs is killed, and then its caller has to.
  ~Watchdog();

  // To be called before the processes are stopped: it holds all of them when this returns. An error, cause kTimeout,
  // where the deadline has passed or it does not answer by then; another one where it cannot hold them, or is gone.
  Result<void> take(const std::vector<ServiceProcess>& processes);
  // The same, before groups are frozen: at most kFreezersMax.
  Result<void> take_groups(const std::vector<env::ControlGroup>& groups);
  // Runs the hook's `before` to its end; as soon as that has begun its `after` is due. The same errors; cause kTimeout
  // also where it was killed because the pause had to end, code kUnavailable where there is no such program.
  Result<CommandOutcome> run_before(std::size_t hook);
  // Whether its `after` is due.
  [[nodiscard]] bool has_begun(std::size_t hook) const { return begun_[hook]; }
  // Lets everything go on, ends what still runs of `before`, runs what is due, and waits until that is done.
  WatchdogEnd resume();
  [[nodiscard]] int pid() const { return pid_; }

 private:
  Watchdog(env::Descriptor socket, int pid, std::chrono::nanoseconds deadline, const std::vector<HookCommands>& hooks);
  Result<WatchdogMessage> receive(std::chrono::milliseconds at_most);
  Result<WatchdogMessage> last_word(std::chrono::milliseconds at_most);
  [[nodiscard]] std::chrono::milliseconds until_deadline() const;
  Result<void> give(const WatchdogMessage& message, int descriptor);
  Result<void> await_count();
  void note_begun(const WatchdogMessage& message, env::Descriptor handle);
  void end_before();
  void wait_for_end(std::chrono::milliseconds at_most);

  env::Descriptor socket_;
  int pid_ = 0;
  std::optional<env::ProcessHandle> handle_;
  std::chrono::nanoseconds deadline_;
  std::chrono::milliseconds patience_;  // for its last word
  std::uint32_t given_ = 0;             // processes and groups
  bool has_let_go_ = false;
  std::vector<CommandOutcome> after_;
  std::vector<bool> begun_;
  std::vector<std::string> programs_;  // of `before`, for messages
  int before_error_ = 0;               // why the last one could not be run
  // The `before` that runs: its process and its group.
  int before_pid_ = 0;
  env::Descriptor before_handle_;
};

}  // namespace spl::service
