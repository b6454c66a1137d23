#include "service/processes.h"

#include <algorithm>
#include <charconv>
#include <csignal>
#include <map>
#include <set>

#include "env/proc_files.h"
#include "env/process_table.h"

namespace spl::service {
namespace {

using env::Activity;
using GroupState = env::ControlGroup::State;
using std::chrono::milliseconds;

constexpr milliseconds kLookEvery{1};
constexpr milliseconds kLookEveryMax{50};
constexpr int kCleanLooks = 2;  // what a look misses, because it was forked meanwhile, the next one sees
constexpr std::size_t kPidBytesMax = 64;

// What its manager names, as long as that is the same process; what runsv started, by its supervise/pid. That file
// outlives runsv and its number may be another process's: only a child of the runsv that works in this very directory
// is meant.
Result<std::vector<int>> roots_of(const ProcessSource& source) {
  std::vector<int> roots;
  for (const ProcessRoot& root : source.roots) {
    const auto now = TRY(env::process_entry(root.pid));
    if (now && now->start_ticks == root.start_ticks) roots.push_back(root.pid);
  }
  if (source.runit_directory.empty()) return roots;
  const auto text = TRY(env::read_proc(source.runit_directory + "/supervise/pid", kPidBytesMax));
  int pid = 0;
  const std::string number = text.value_or("");
  if (std::from_chars(number.data(), number.data() + number.size(), pid).ec != std::errc() || pid <= 1) return roots;
  const auto entry = TRY(env::process_entry(pid));
  if (entry && entry->parent > 1 && TRY(env::works_in(entry->parent, source.runit_directory))) roots.push_back(pid);
  return roots;
}

Result<std::vector<env::FoundProcess>> find_all(const std::vector<ProcessSource>& sources) {
  std::vector<env::ProcessOrigin> origins;
  for (const ProcessSource& source : sources) {
    env::ProcessOrigin origin{source.mark};
    origin.roots = TRY(roots_of(source));
    origin.user = source.user;
    origin.group = source.group;
    origins.push_back(std::move(origin));
  }
  return env::find_processes(origins);
}

// Nothing where it has gone. Its number may have gone to another process before the handle was opened.
Result<std::optional<ServiceProcess>> follow(const env::FoundProcess& found,
                                             const std::vector<ProcessSource>& sources) {
  auto handle = TRY(env::ProcessHandle::open(found.process.pid));
  if (!handle) return std::nullopt;
  const auto now = TRY(env::process_entry(found.process.pid));
  if (!now || now->start_ticks != found.process.start_ticks) return std::nullopt;
  return ServiceProcess{found.process.pid, found.process.start_ticks, sources[found.origin].mark, std::move(*handle),
                        found.group_of};
}

// One look at all processes that an order means.
class Look {
 public:
  static Result<Look> at(const StopOrder& order, const std::vector<ServiceProcess>& stopped) {
    Look look;
    for (const ServiceProcess& process : stopped) look.ours_.emplace(process.pid, process.start_ticks);
    const auto all = TRY(find_all(order.sources));
    for (const ProcessSource& source : order.sources)
      look.groups_.push_back(source.group ? TRY(source.group->state()) : GroupState::kThawed);
    for (const env::FoundProcess& found : all) {
      if (found.process.pid == order.spared) continue;
      const Activity activity = TRY(env::activity_of(found.process.pid));
      if (activity == Activity::kGone) continue;
      look.found_.push_back(found);
      look.activity_.emplace(found.process.pid, activity);
      if (found.group_of && look.groups_.at(*found.group_of) == GroupState::kFrozen)
        look.frozen_.insert(found.process.pid);
    }
    return look;
  }

  [[nodiscard]] const std::vector<env::FoundProcess>& found() const { return found_; }
  [[nodiscard]] bool is_ours(const env::ProcessEntry& process) const {
    const auto one = ours_.find(process.pid);
    return one != ours_.end() && one->second == process.start_ticks;
  }
  // Whether its group is still or about to be, so that no signal is needed.
  [[nodiscard]] bool is_frozen_by_group(const env::FoundProcess& process) const {
    return process.group_of && groups_[*process.group_of] != GroupState::kThawed;
  }
  [[nodiscard]] bool is_any_freezing() const {
    return std::ranges::find(groups_, GroupState::kFreezing) != groups_.end();
  }
  [[nodiscard]] bool is_stopped(int pid) const {
    if (frozen_.contains(pid)) return true;
    const auto one = activity_.find(pid);
    return one != activity_.end() && one->second == Activity::kStopped;
  }
  [[nodiscard]] Result<bool> is_still(const env::ProcessEntry& process) const {
    if (frozen_.contains(process.pid)) return true;
    switch (activity_.at(process.pid)) {
      case Activity::kGone:
      case Activity::kStopped:
        return true;
      case Activity::kRuns:
        return false;
      case Activity::kTraced:
        return is_stopped(TRY(env::tracer_of(process.pid)));
      case Activity::kWaits:
        return waits_for_stopped_child(process);
    }
    return false;
  }

 private:
  // In vfork: it stops before it does anything else, for the signal is there, and its child, which would let it go on,
  // is stopped.
  [[nodiscard]] Result<bool> waits_for_stopped_child(const env::ProcessEntry& parent) const {
    if (!is_ours(parent)) return false;
    for (const env::FoundProcess& child : found_) {
      if (child.process.parent != parent.pid || !is_stopped(child.process.pid)) continue;
      if (TRY(env::share_memory(parent.pid, child.process.pid))) return true;
    }
    return false;
  }

  std::vector<env::FoundProcess> found_;
  std::vector<GroupState> groups_;  // of each source
  std::set<int> frozen_;            // by their group
  std::map<int, Activity> activity_;
  std::map<int, std::uint64_t> ours_;  // pid and start
};

// Tries all of them; the first error.
Result<void> signal_all(const std::vector<ServiceProcess>& processes, int number) {
  Result<void> all;
  for (const ServiceProcess& process : processes) {
    auto one = process.handle.signal(number);
    if (!one && all) all = std::unexpected(std::move(one).error());
  }
  return all;
}

std::unexpected<Error> never_still(int pid) {
  std::string what = "new ones appear all the time";
  if (pid != 0) {
    const int tracer = env::tracer_of(pid).value_or(0);
    what = "process " + std::to_string(pid) + " (" + env::process_name(pid) + ") " +
           (tracer == 0 ? "does not stop" : "is traced by process " + std::to_string(tracer));
  }
  return fail(Cause::kTimeout, "its processes are not still: " + what);
}

}  // namespace

Result<std::vector<ServiceProcess>> processes_of(const std::vector<ProcessSource>& sources) {
  std::vector<ServiceProcess> processes;
  for (const env::FoundProcess& found : TRY(find_all(sources))) {
    if (auto process = TRY(follow(found, sources))) processes.push_back(std::move(*process));
  }
  return processes;
}

Result<void> stop_all(env::Clock& clock, const StopOrder& order, std::vector<ServiceProcess>& stopped) {
  const auto end = clock.steady() + order.at_most;
  milliseconds pause = kLookEvery;
  for (int clean = 0;;) {
    const Look look = TRY(Look::at(order, stopped));
    std::vector<ServiceProcess> fresh;
    int runs = 0;
    for (const env::FoundProcess& found : look.found()) {
      if (TRY(look.is_still(found.process))) continue;
      runs = found.process.pid;
      if (look.is_ours(found.process)) continue;  // the signal has been sent
      if (look.is_frozen_by_group(found)) continue;
      if (auto process = TRY(follow(found, order.sources))) fresh.push_back(std::move(*process));
    }
    const bool waits = runs != 0 || look.is_any_freezing();
    clean = waits ? 0 : clean + 1;
    if (clean == kCleanLooks) return {};
    if (!fresh.empty() && order.before) TRY(order.before(fresh));
    // Not after the end: whoever lets them go on at the deadline may have done so.
    if (clock.steady() > end) return never_still(runs);
    for (ServiceProcess& process : fresh) {
      if (TRY(process.handle.signal(SIGSTOP))) stopped.push_back(std::move(process));
    }
    if (!waits) continue;
    clock.sleep_for(pause);  // for the kernel to stop them
    pause = std::min(2 * pause, kLookEveryMax);
  }
}

Result<bool> are_still(const StopOrder& order, const std::vector<ServiceProcess>& stopped) {
  const Look look = TRY(Look::at(order, stopped));
  for (const env::FoundProcess& found : look.found()) {
    if (!TRY(look.is_still(found.process))) return false;
  }
  return true;
}

Result<void> continue_all(const std::vector<ServiceProcess>& processes) {
  return signal_all(processes, SIGCONT);
}

Result<void> thaw_all(const std::vector<ProcessSource>& sources) {
  Result<void> all;
  for (const ProcessSource& source : sources) {
    const auto thaw = [&]() -> Result<void> {
      if (!source.group || TRY(source.group->state()) == GroupState::kThawed) return {};
      return source.group->thaw();
    };
    auto one = thaw();
    if (!one && all) all = std::move(one);
  }
  return all;
}

Result<void> kill_all(env::Clock& clock, const ProcessSource& source, milliseconds at_most) {
  const auto end = clock.steady() + at_most;
  for (;;) {
    const auto processes = TRY(processes_of({source}));
    if (processes.empty()) return {};
    TRY(thaw_all({source}));
    TRY(signal_all(processes, SIGKILL));
    for (const ServiceProcess& process : processes) {
      const auto left = std::chrono::duration_cast<milliseconds>(end - clock.steady());
      if (left.count() <= 0 || !process.handle.wait(left))
        return fail(Cause::kTimeout,
                    "process " + std::to_string(process.pid) + " does not end, although it was killed");
    }
  }
}

}  // namespace spl::service
