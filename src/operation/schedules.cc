#include "operation/schedules.h"

#include "base/encoding.h"
#include "job/job.h"
#include "operation/own_files.h"
#include "schedule/calendar.h"
#include "schedule/schedule_store.h"

namespace spl::operation {
namespace {

using schedule::ScheduleStore;
using schedule::StoredSchedule;

// Of a schedule that is there: a home that never had one gets no list of them by being asked.
Result<std::unique_ptr<ScheduleStore>> store_with(instance::Instance& instance, const std::string& name) {
  auto store = TRY(ScheduleStore::open_if_there(instance.env(), instance.paths()));
  if (!store) return schedule::no_such_schedule(name);
  return store;
}

ScheduleState state_of(const StoredSchedule& stored, schedule::Moment now) {
  ScheduleState state;
  static_cast<schedule::Schedule&>(state) = stored.settings;
  // Of a zone that the machine does not know any more: its run says so.
  if (const auto next = schedule::due_run(stored.settings, stored.served, now)) state.next_at = env::rfc3339(*next);
  state.last_at = stored.last_at;
  state.failure = stored.failure;
  return state;
}

// Whoever makes a backup that is to be encrypted says for whom, here or in config.toml.
Result<void> check_protected(instance::Instance& instance, const schedule::Schedule& schedule) {
  if (schedule.plaintext || !schedule.recipients.empty() || !TRY(instance.config()).recipients.empty()) return {};
  return fail(ErrorCode::kRefused, "the schedule's backups would be encrypted for nobody",
              "give it a recipient, name one in config.toml, or say that its backups are plain");
}

Result<BackupSummary> back_up(instance::Instance& instance, const schedule::Schedule& schedule,
                              base::Progress& progress) {
  ExportOptions options;
  options.plaintext = schedule.plaintext;
  if (!schedule.context.empty()) options.context = schedule.context;
  for (const std::string& recipient : schedule.recipients)
    options.recipients.push_back(TRY(crypto::Recipient::parse(recipient)));
  return make_backup(instance, std::move(options), schedule.name, progress, schedule.to);
}

Result<ScheduleRun> make_and_prune(instance::Instance& instance, ScheduleStore& store,
                                   const schedule::Schedule& schedule, base::Progress& progress) {
  ScheduleRun run;
  run.backup = TRY(back_up(instance, schedule, progress));
  TRY(store.note_made(schedule.name));
  auto pruned = prune_schedule(instance, schedule);
  if (!pruned)
    return std::unexpected(
        std::move(pruned).error().in("the backup " + run.backup.id + " is made, older ones did not go"));
  run.prune = std::move(*pruned);
  return run;
}

}  // namespace

Result<std::vector<ScheduleState>> list_schedules(instance::Instance& instance) {
  std::vector<ScheduleState> all;
  const auto store = TRY(ScheduleStore::open_if_there(instance.env(), instance.paths()));
  if (!store) return all;
  const auto now = instance.env().clock.now();
  const std::vector<StoredSchedule> stored = TRY(store->all());
  for (const StoredSchedule& one : stored) all.push_back(state_of(one, now));
  return all;
}

Result<ScheduleState> find_schedule(instance::Instance& instance, const std::string& name) {
  return state_of(TRY(TRY(store_with(instance, name))->find(name)), instance.env().clock.now());
}

Result<ScheduleState> set_schedule(instance::Instance& instance, const schedule::Schedule& schedule) {
  TRY(schedule::check_schedule(schedule));
  TRY(check_protected(instance, schedule));
  // Whether it is there is asked when a backup is made: a disk may come and go.
  if (!schedule.to.empty())
    TRY(check_not_own(instance.env(), instance.paths(), env::join(schedule.to, "backup"), "schedule"));
  TRY(TRY(ScheduleStore::open(instance.env(), instance.paths()))->set(schedule));
  return find_schedule(instance, schedule.name);
}

Result<ScheduleState> remove_schedule(instance::Instance& instance, const ScheduleName& name) {
  ScheduleState state = TRY(find_schedule(instance, name.name));
  TRY(TRY(store_with(instance, name.name))->remove(name.name));
  return state;
}

Result<ScheduleRun> run_schedule(instance::Instance& instance, const ScheduleName& name, const std::string& job,
                                 base::Progress& progress) {
  const auto store = TRY(store_with(instance, name.name));
  const StoredSchedule stored = TRY(store->find(name.name));
  auto run = make_and_prune(instance, *store, stored.settings, progress);
  if (run || run.error().cause == Cause::kCancelled) return run;
  const schedule::Failure failure{env::rfc3339(instance.env().clock.now()), job, job::error_of_job(run.error())};
  if (const auto noted = store->note_failure(name.name, failure); !noted)
    instance.env().log.write(env::LogLevel::kError, "failure of a schedule not noted",
                             {{"schedule", name.name}, {"error", noted.error().message}});
  return run;
}

Result<ScheduleState> read_failure(instance::Instance& instance, const ScheduleName& name) {
  TRY(TRY(store_with(instance, name.name))->note_read(name.name));
  return find_schedule(instance, name.name);
}

Result<void> examine_schedules(instance::Instance& instance, std::vector<Finding>& findings) {
  const std::vector<ScheduleState> all = TRY(list_schedules(instance));
  for (const ScheduleState& schedule : all) {
    if (!schedule.next_at)
      findings.push_back({"schedules", FindingStatus::kWarn, schedule.name,
                          "this machine does not know its time zone " + base::escaped(schedule.zone, 80),
                          "spl schedule set gives it another one"});
    if (!schedule.failure) continue;
    const codec::Json* message = schedule.failure->error.find("message");
    const std::string why = message == nullptr || message->string() == nullptr ? "" : ": " + *message->string();
    findings.push_back({"schedules", FindingStatus::kWarn, schedule.name,
                        "made no backup at " + schedule.failure->at + why,
                        "spl schedule run " + schedule.name + " tries again; spl schedule read " + schedule.name +
                            " says that it was read"});
  }
  return {};
}

}  // namespace spl::operation
