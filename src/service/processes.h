// All processes of services: by the mark in their environment, so that a double fork does not escape, as what descends
// from the process that the supervisor started, so that one does not escape that overwrites its environment, and by
// their control group, where the service has one, so that none escapes (docs/decisions/D-12-services.md). Whatever
// cannot be looked at for want of something is an error, never "none". Any thread. Source: runsv(8).
#pragma once

#include <chrono>
#include <cstdint>
#include <functional>
#include <optional>
#include <string>
#include <vector>

#include "base/result.h"
#include "env/control_group.h"
#include "env/env.h"
#include "env/process.h"

namespace spl::service {

// A process that its manager names, as it was then.
struct ProcessRoot {
  int pid = 0;
  std::uint64_t start_ticks = 0;
};

// By what the processes of one service are known.
struct ProcessSource {
  std::string mark;                        // "SPL_SERVICE=notes@/var/lib/spl"
  std::string runit_directory = {};        // where runsv keeps it; "" where nothing is asked of runit
  std::optional<std::uint32_t> user = {};  // as whom it runs; none: as this process
  std::optional<env::ControlGroup> group = {};
  std::vector<ProcessRoot> roots = {};  // the first ones of a unit or a container, while it runs
};

struct ServiceProcess {
  int pid = 0;
  std::uint64_t start_ticks = 0;  // with the number and the run of the machine it tells it from all others
  std::string mark;               // of its service, whether it still has that itself or not
  env::ProcessHandle handle;
  std::optional<std::size_t> group_of = {};  // the number of the source in whose group it is
};

// Each by a handle of the very process that was found: no other one is ever meant.
Result<std::vector<ServiceProcess>> processes_of(const std::vector<ProcessSource>& sources);

struct StopOrder {
  std::vector<ProcessSource> sources;
  std::chrono::milliseconds at_most{0};
  int spared = 0;  // is never stopped: who is to let the others go on
  // Is told of those that are about to be stopped, some at a time; an error of it ends the order.
  std::function<Result<void>(const std::vector<ServiceProcess>&)> before = {};
};
// Stops them all until two looks in a row find nothing that runs. Adds to `stopped` those that it stopped, also before
// an error: never those that were stopped already, which stay so, and none whose group is frozen: that is waited for,
// and counts as still. A parent that waits in vfork counts as still while
// its stopped child has its memory; one that is traced while its tracer is still. Cause kTimeout, with the name of one
// that runs on.
Result<void> stop_all(env::Clock& clock, const StopOrder& order, std::vector<ServiceProcess>& stopped);
// Whether no process that the order means runs, at this moment; `stopped` are those that it stopped.
Result<bool> are_still(const StopOrder& order, const std::vector<ServiceProcess>& stopped);
// Tries all of them; the first error. What has ended is none.
Result<void> continue_all(const std::vector<ServiceProcess>& processes);
// Lets the groups go on that are frozen. Tries all of them; the first error.
Result<void> thaw_all(const std::vector<ProcessSource>& sources);
// Ends them all, after their group was thawed, and waits until they are gone. Tries all of them; the first error.
Result<void> kill_all(env::Clock& clock, const ProcessSource& source, std::chrono::milliseconds at_most);

}  // namespace spl::service
