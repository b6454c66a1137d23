// Hands the schedules that are due to the daemon's queue of jobs. One thread; it waits for nothing itself, so that its
// clock may be any. docs/formats/door.md, "When a schedule runs"
#pragma once

#include <chrono>
#include <memory>
#include <string>
#include <utility>

#include "base/result.h"
#include "env/env.h"
#include "home/home.h"
#include "job/job_queue.h"
#include "schedule/schedule_store.h"

namespace spl::operation {

// A clock may be set, and a machine may sleep: nobody rests longer.
inline constexpr std::chrono::seconds kScheduleLook{15};

// The job that a run of the schedule is; `who` asks for it.
job::JobRequest job_of_schedule(const std::string& schedule, const std::string& who);

class Scheduler {
 public:
  Scheduler(env::Env env, home::HomePaths paths, job::JobQueue& jobs)
      : env_(env), paths_(std::move(paths)), jobs_(jobs) {}

  // Each schedule that is due is handed out once, however often it was missed; one whose run a daemon before has not
  // begun, or has ended for want of time, is due again, and one that it broke off is a failure. What goes wrong is in
  // the log, or is the schedule's failure. How long to rest then.
  std::chrono::seconds turn();

 private:
  Result<void> look_after(schedule::StoredSchedule& stored, schedule::Moment now);
  Result<void> settle(schedule::StoredSchedule& stored);
  Result<void> begin(const schedule::StoredSchedule& stored, schedule::Moment run);
  Result<void> note_failure(const schedule::StoredSchedule& stored, const std::string& job, codec::Json error);

  env::Env env_;
  const home::HomePaths paths_;
  job::JobQueue& jobs_;
  std::unique_ptr<schedule::ScheduleStore> store_;
  schedule::Moment next_;  // of any of them
};

}  // namespace spl::operation
