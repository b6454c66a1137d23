#include "service/processes.h"

#include <algorithm>
#include <csignal>
#include <set>

#include "env/process_table.h"

namespace spl::service {
namespace {

using std::chrono::milliseconds;

constexpr milliseconds kLookEvery{1};
constexpr milliseconds kLookEveryMax{50};

std::unexpected<Error> never_still() {
  return fail(Cause::kTimeout, "its processes are not still: new ones appear all the time");
}

}  // namespace

bool is_stopped(int pid) {
  const char state = env::process_state(pid);
  return state == 'T' || state == 't';
}

std::vector<MarkedProcess> processes_of(const std::vector<std::string>& marks) {
  std::vector<MarkedProcess> found;
  for (const int pid : env::processes_with(marks)) {
    auto handle = env::ProcessHandle::open(pid);
    // Its number may have gone to another process before the handle was opened.
    if (handle && env::has_in_environment(pid, marks)) found.push_back({pid, std::move(*handle)});
  }
  return found;
}

Result<void> stop_all(env::Clock& clock, const std::vector<std::string>& marks, milliseconds at_most,
                      std::vector<MarkedProcess>& stopped,
                      const std::function<Result<void>(const std::vector<MarkedProcess>&)>& before) {
  const auto end = clock.steady() + at_most;
  std::set<int> seen;
  for (milliseconds pause = kLookEvery;; pause = std::min(2 * pause, kLookEveryMax)) {
    std::vector<MarkedProcess> fresh;
    bool all_still = true;
    for (MarkedProcess& process : processes_of(marks)) {
      const bool still = is_stopped(process.pid);
      const bool is_new = seen.insert(process.pid).second;
      all_still = all_still && still;
      // What was stopped before stays so, whoever resumes the others.
      if (is_new && !still) fresh.push_back(std::move(process));
    }
    if (all_still) return {};
    if (!fresh.empty() && before) TRY(before(fresh));
    for (MarkedProcess& process : fresh) {
      if (TRY(process.handle.signal(SIGSTOP))) stopped.push_back(std::move(process));
    }
    if (clock.steady() > end) return never_still();
    // A stopped process does not end: this is a short wait for the kernel to stop them.
    if (!stopped.empty()) (void)stopped.back().handle.wait(pause);
  }
}

void continue_all(const std::vector<MarkedProcess>& processes) {
  for (const MarkedProcess& process : processes) (void)process.handle.signal(SIGCONT);
}

Result<void> kill_all(env::Clock& clock, const std::string& mark, milliseconds at_most) {
  const auto end = clock.steady() + at_most;
  for (;;) {
    const auto processes = processes_of({mark});
    if (processes.empty()) return {};
    for (const MarkedProcess& process : processes) TRY(process.handle.signal(SIGKILL));
    for (const MarkedProcess& process : processes) {
      const auto left = std::chrono::duration_cast<milliseconds>(end - clock.steady());
      if (left.count() <= 0 || !process.handle.wait(left))
        return fail(Cause::kTimeout,
                    "process " + std::to_string(process.pid) + " does not end, although it was killed");
    }
  }
}

}  // namespace spl::service
