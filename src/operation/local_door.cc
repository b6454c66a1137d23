// The owner's door, the router, jobs, backups and schedules, among the operations on an open instance.
#include "job/job_store.h"
#include "operation/local_operations.h"

namespace spl::operation {

namespace {

// A home that never had a job has no list of them, and gets none by being looked at.
Result<bool> has_jobs(instance::Instance& instance) {
  return TRY(instance.env().fs.info(job::jobs_file(instance.paths()))).has_value();
}

}  // namespace

Result<std::vector<job::Job>> LocalOperations::jobs() {
  if (!TRY(has_jobs(instance_))) return std::vector<job::Job>();
  return TRY(job::JobStore::open(instance_.env(), instance_.paths()))->all();
}
Result<job::Job> LocalOperations::job(const JobName& job) {
  if (!TRY(has_jobs(instance_))) return job::no_such_job(job.id);
  return TRY(job::JobStore::open(instance_.env(), instance_.paths()))->find(job.id);
}
Result<job::Job> LocalOperations::cancel_job(const JobName& job) {
  if (!TRY(has_jobs(instance_))) return job::no_such_job(job.id);
  return TRY(job::JobStore::open(instance_.env(), instance_.paths()))->cancel(job.id);
}
Result<std::vector<BackupSummary>> LocalOperations::backups() {
  return list_backups(instance_);
}
Result<BackupSummary> LocalOperations::backup(const BackupName& backup) {
  return find_backup(instance_, backup);
}
Result<BackupSummary> LocalOperations::delete_backup(const BackupName& backup) {
  return noted("backup.delete", backup.id, [&] { return operation::delete_backup(instance_, backup); });
}
Result<PruneReport> LocalOperations::prune_backups(const PruneRequest& request) {
  if (request.dry_run) return operation::prune_backups(instance_, request);
  return noted("backup.prune", request.keep ? schedule::keep_text(*request.keep) : "",
               [&] { return operation::prune_backups(instance_, request); });
}

Result<std::vector<ScheduleState>> LocalOperations::schedules() {
  return list_schedules(instance_);
}
Result<job::ActivityPage> LocalOperations::activity(const std::string& cursor) {
  return job::activity_page(instance_.env(), instance_.paths(), cursor);
}
Result<ScheduleState> LocalOperations::set_schedule(const schedule::Schedule& schedule) {
  return noted("schedule.set", schedule.name, [&] { return operation::set_schedule(instance_, schedule); });
}
Result<ScheduleState> LocalOperations::remove_schedule(const ScheduleName& schedule) {
  return noted("schedule.remove", schedule.name, [&] { return operation::remove_schedule(instance_, schedule); });
}
Result<ScheduleRun> LocalOperations::run_schedule(const ScheduleName& schedule, base::Progress& progress) {
  return noted("backup", schedule.name, [&] { return operation::run_schedule(instance_, schedule, "", progress); });
}
Result<ScheduleState> LocalOperations::read_schedule(const ScheduleName& schedule) {
  return noted("schedule.read", schedule.name, [&] { return read_failure(instance_, schedule); });
}

// What was wrong by itself was not tried.
void LocalOperations::note(std::string_view action, const std::string& subject, const Error* error) {
  if (who_.empty()) return;
  if (error != nullptr && (error->code == ErrorCode::kUsage || error->cause == Cause::kNotFound)) return;
  job::Activity activity{{}, who_, std::string(action), subject};
  if (error != nullptr) {
    activity.outcome = error->code == ErrorCode::kRefused ? job::Outcome::kRefused : job::Outcome::kFailed;
    activity.message = error->message;
  }
  job::note_activity(instance_.env(), instance_.paths(), activity);
}

Result<RouterStatus> LocalOperations::router_status() {
  return operation::router_status(instance_);
}
Result<RouterTrust> LocalOperations::router_trust() {
  return operation::router_trust(instance_);
}
Result<RouterStatus> LocalOperations::command_router(const RouterCommand& command, base::Progress& progress) {
  const std::scoped_lock lock(instance_.service_work());
  return operation::command_router(instance_, command, progress);
}

Result<OwnerStatus> LocalOperations::owner_status() {
  return operation::owner_status(instance_);
}
Result<std::vector<OwnerSession>> LocalOperations::owner_sessions() {
  return operation::owner_sessions(instance_);
}
Result<OwnerLink> LocalOperations::make_owner_link() {
  return noted("owner.link", "", [&] { return operation::make_owner_link(instance_); });
}
Result<OwnerStatus> LocalOperations::set_owner_password(const NewPassword& password) {
  return noted("owner.password", "", [&] { return operation::set_owner_password(instance_, password); });
}
Result<EndedSessions> LocalOperations::end_sessions(const SessionName& session) {
  return noted("owner.sign-out", session.id.empty() ? "all" : session.id,
               [&] { return operation::end_sessions(instance_, session); });
}
Result<OwnerStatus> LocalOperations::reset_owner() {
  return noted("owner.reset", "", [&] { return operation::reset_owner(instance_); });
}

Result<std::vector<Tenant>> LocalOperations::tenants(base::Progress& progress) {
  return list_tenants(instance_, progress);
}
Result<MadeTenant> LocalOperations::create_tenant(const NewTenant& tenant, base::Progress& progress) {
  return noted("tenant.create", tenant.name, [&] { return operation::create_tenant(instance_, tenant, progress); });
}
Result<Tenant> LocalOperations::start_tenant(const TenantName& tenant, base::Progress& progress) {
  return noted("tenant.start", tenant.name, [&] { return operation::start_tenant(instance_, tenant, progress); });
}
Result<Tenant> LocalOperations::stop_tenant(const TenantName& tenant, base::Progress& progress) {
  return noted("tenant.stop", tenant.name, [&] { return operation::stop_tenant(instance_, tenant, progress); });
}
Result<OwnerLink> LocalOperations::link_tenant(const TenantName& tenant, base::Progress& progress) {
  return noted("tenant.link", tenant.name, [&] { return operation::link_tenant(instance_, tenant, progress); });
}
Result<TenantName> LocalOperations::remove_tenant(const RemovedTenant& tenant, base::Progress& progress) {
  return noted("tenant.remove", tenant.name, [&] { return operation::remove_tenant(instance_, tenant, progress); });
}

}  // namespace spl::operation
