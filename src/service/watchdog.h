// Who lets frozen processes go on, whatever becomes of the one that froze them: a process in a session of its own that
// holds their pidfds and resumes them when it is told to, when the deadline passes, or when the other side is gone
// (docs/decisions/D-11-state-snapshot-contract.md). It also runs the commands that are due after a hook, each with a
// time limit. What it is given it acknowledges, and what it has begun it tells at once: so whoever ends the pause knows
// what is left to do when the watchdog itself is lost. One thread. Sources: pidfd_open(2), timerfd_create(2), unix(7).
#pragma once

#include <chrono>
#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "base/result.h"
#include "env/program_start.h"
#include "service/processes.h"

namespace spl::service {

struct DueCommand {
  env::ProgramStart program;
  std::string log;                          // a file that is there takes what it says; its standard input is empty
  std::chrono::milliseconds at_most{2000};  // then it is killed, with all of its process group
};

// What became of one of them.
struct CommandOutcome {
  enum class State : std::uint8_t { kNotBegun, kBegun, kEnded, kKilledAtLimit };
  State state = State::kNotBegun;
  int wait_status = 0;  // of kEnded, as waitpid(2) gives it
};

// How a pause ended.
struct WatchdogEnd {
  bool is_taken = false;  // the watchdog has resumed everything; false: it is lost, and its caller has to
  bool is_late = false;   // something was let go before: the deadline had passed
  std::vector<CommandOutcome> commands;
};

class Watchdog {
 public:
  // `deadline` as Clock::since_boot() counts. `after`: the commands that may become due. It watches when this returns.
  // May be called while there are other threads.
  static Result<Watchdog> arm(std::chrono::nanoseconds deadline, const std::vector<DueCommand>& after);
  Watchdog(Watchdog&& other) noexcept;
  Watchdog& operator=(Watchdog&&) = delete;
  // Resumes everything.
  ~Watchdog();

  // To be called before the processes are stopped: it holds all of them when this returns. An error, cause kTimeout,
  // where the deadline has passed; another one where it cannot hold them, or is gone.
  Result<void> take(const std::vector<ServiceProcess>& processes);
  // The command of this number is due from now on; the same errors, after which it is not.
  Result<void> owe(std::size_t command);
  // Lets everything go on, runs what is due, and waits until that is done.
  WatchdogEnd resume();
  [[nodiscard]] int pid() const { return pid_; }

 private:
  struct Message;
  class Watching;
  Watchdog(env::Descriptor socket, int pid, const std::vector<DueCommand>& after);
  Result<Message> receive(std::chrono::milliseconds at_most);
  Result<void> await_count();
  void wait_for_end();

  env::Descriptor socket_;
  int pid_ = 0;
  std::chrono::milliseconds patience_;  // for one answer
  std::uint32_t given_ = 0;             // processes
  std::vector<CommandOutcome> commands_;
};

}  // namespace spl::service
