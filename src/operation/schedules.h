// Schedules: which there are, a run of one, and what became of their runs. Each on an instance that is open in this
// process; any thread. The daemon's part is scheduler.h; docs/formats/door.md, "When a schedule runs"
#pragma once

#include <optional>
#include <string>
#include <vector>

#include "base/progress.h"
#include "base/result.h"
#include "codec/shape.h"
#include "instance/instance.h"
#include "operation/backups.h"
#include "operation/findings.h"
#include "operation/prune.h"
#include "schedule/schedule.h"

namespace spl::operation {

using schedule::ScheduleState;

struct ScheduleName {
  std::string name;

  static constexpr auto shape() { return codec::shape(codec::member("name", &ScheduleName::name, "the schedule")); }
};
struct ScheduleRun {
  BackupSummary backup;
  PruneReport prune;

  static constexpr auto shape() {
    return codec::shape(codec::member("backup", &ScheduleRun::backup, "what was made"),
                        codec::member("prune", &ScheduleRun::prune, "which of the schedule's backups stay"));
  }
};

// By name.
Result<std::vector<ScheduleState>> list_schedules(instance::Instance& instance);
Result<ScheduleState> find_schedule(instance::Instance& instance, const std::string& name);  // cause kNotFound
// Anew, or in place of the one of its name. Code kRefused where its backups would be encrypted for nobody.
Result<ScheduleState> set_schedule(instance::Instance& instance, const schedule::Schedule& schedule);
// Its backups stay.
Result<ScheduleState> remove_schedule(instance::Instance& instance, const ScheduleName& name);
// A backup now, and then those go that need not stay. Why it failed is kept until it is read; that it was cancelled is
// not. `job` is the job that does it, if one does.
Result<ScheduleRun> run_schedule(instance::Instance& instance, const ScheduleName& name, const std::string& job,
                                 base::Progress& progress);
Result<ScheduleState> read_failure(instance::Instance& instance, const ScheduleName& name);

// Failures that nobody has read.
Result<void> examine_schedules(instance::Instance& instance, std::vector<Finding>& findings);

}  // namespace spl::operation
