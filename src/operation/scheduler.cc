#include "operation/scheduler.h"

#include <algorithm>

#include "base/cause.h"
#include "job/activity.h"

namespace spl::operation {
namespace {

using codec::Json;
using schedule::Moment;
using schedule::ScheduleStore;
using schedule::StoredSchedule;

std::string code_of(const Json& error) {
  const Json* code = error.find("code");
  return code == nullptr || code->string() == nullptr ? "" : *code->string();
}

}  // namespace

job::JobRequest job_of_schedule(const std::string& schedule, const std::string& who) {
  job::JobRequest request;
  request.kind = job::JobKind::kBackup;
  request.subject = schedule;
  request.said = Json::Object{{"kind", "backup"}, {"schedule", schedule}};
  request.who = who;
  return request;
}

std::chrono::seconds Scheduler::turn() {
  const Moment now = env_.clock.now();
  next_ = now + kScheduleLook;
  const auto looked = [&]() -> Result<void> {
    if (!store_) store_ = TRY(ScheduleStore::open_if_there(env_, paths_));
    if (!store_) return {};
    std::vector<StoredSchedule> all = TRY(store_->all());
    for (StoredSchedule& stored : all) {
      if (const auto done = look_after(stored, now); !done)
        env_.log.write(env::LogLevel::kError, "schedule not looked after",
                       {{"schedule", stored.settings.name}, {"error", done.error().message}});
    }
    return {};
  }();
  if (!looked) env_.log.write(env::LogLevel::kError, "schedules not read", {{"error", looked.error().message}});
  const auto rest = std::chrono::ceil<std::chrono::seconds>(next_ - now);
  return std::clamp(rest, std::chrono::seconds(1), kScheduleLook);
}

Result<void> Scheduler::look_after(StoredSchedule& stored, Moment now) {
  if (!stored.job.empty()) {
    TRY(settle(stored));
    if (!stored.job.empty()) return {};
    stored = TRY(store_->find(stored.settings.name));
  }
  const auto served = schedule::served_by(stored.settings, stored.served, now);
  // The machine does not know its zone any more.
  if (!served) return note_failure(stored, "", job::error_of_job(served.error()));
  if (*served != stored.served) TRY(store_->correct(stored.settings.name, *served));
  const Moment due = TRY(schedule::next_run(stored.settings, *served));
  if (due <= now) return begin(stored, TRY(schedule::latest_run(stored.settings, due, now)));
  next_ = std::min(next_, due);
  return {};
}

// What became of the job that a run was handed out to; how it failed was noted by who did it.
Result<void> Scheduler::settle(StoredSchedule& stored) {
  const auto job = jobs_.store().find(stored.job);
  if (!job && job.error().cause != Cause::kNotFound) return std::unexpected(job.error());
  if (job && !job::has_ended(job->state)) return {};
  auto then = ScheduleStore::Then::kDone;
  if (job && job->state == job::JobState::kInterrupted) {
    const std::string_view broken_off = base::word_of({ErrorCode::kFailed, "", "", Cause::kInterrupted});
    const bool was_broken_off = job->started_at && job->error && code_of(*job->error) == broken_off;
    if (was_broken_off) {
      TRY(note_failure(stored, job->id, *job->error));
    } else {
      then = ScheduleStore::Then::kDueAgain;
    }
  }
  TRY(store_->take_back(stored.settings.name, stored.job, then));
  stored.job.clear();
  return {};
}

Result<void> Scheduler::begin(const StoredSchedule& stored, Moment run) {
  const auto job = jobs_.add(job_of_schedule(stored.settings.name, std::string(job::kBySchedule)));
  // It is tried again in a moment: that is not lost, but late.
  if (!job) return note_failure(stored, "", job::error_of_job(job.error()));
  return store_->hand_out(stored.settings.name, run, job->id);
}

// The same failure over and over is noted once.
Result<void> Scheduler::note_failure(const StoredSchedule& stored, const std::string& job, Json error) {
  const bool is_known =
      stored.failure && stored.failure->job == job && code_of(stored.failure->error) == code_of(error);
  if (is_known) return {};
  env_.log.write(env::LogLevel::kWarn, "schedule failed", {{"schedule", stored.settings.name}, {"job", job}});
  return store_->note_failure(stored.settings.name, {env::rfc3339(env_.clock.now()), job, std::move(error)});
}

}  // namespace spl::operation
