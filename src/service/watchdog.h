// Who lets frozen processes go on, whatever becomes of the one that froze them: a process in a session of its own that
// holds their pidfds and resumes them when it is told to, when the deadline passes, or when the other side is gone
// (docs/decisions/D-11). It also runs the commands that are due after a hook. One thread. Sources: pidfd_open(2),
// timerfd_create(2), unix(7).
#pragma once

#include <chrono>
#include <memory>
#include <string>
#include <vector>

#include "base/result.h"
#include "env/program_start.h"
#include "service/processes.h"

namespace spl::service {

class Watchdog {
 public:
  // `deadline` as Clock::since_boot() counts. `after`: the commands that may become due. May be called while there are
  // other threads.
  static Result<Watchdog> arm(std::chrono::nanoseconds deadline, const std::vector<env::ProgramStart>& after);
  Watchdog(Watchdog&& other) noexcept;
  Watchdog& operator=(Watchdog&&) = delete;
  // Resumes everything.
  ~Watchdog();

  // To be called before the processes are stopped.
  Result<void> take(const std::vector<MarkedProcess>& processes);
  // The command of this number is due from now on.
  Result<void> owe(std::size_t command);
  // Lets everything go on, and waits until it does. False where something was let go before: the deadline had passed.
  // An error where the watchdog is gone: then nobody has resumed anything.
  Result<bool> resume();
  [[nodiscard]] int pid() const { return pid_; }

 private:
  Watchdog(env::Descriptor socket, int pid) : socket_(std::move(socket)), pid_(pid) {}
  void wait_for_end();

  env::Descriptor socket_;
  int pid_ = 0;
};

}  // namespace spl::service
