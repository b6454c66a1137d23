#include "operation/prune.h"

#include <algorithm>
#include <map>
#include <utility>

#include "operation/backups.h"
#include "operation/schedules.h"
#include "schedule/keep.h"

namespace spl::operation {
namespace {

// Backups of one kind, the newest first; adds to the report what becomes of them.
Result<void> judge(const std::string& zone, const schedule::Keep& keep, const std::vector<BackupSummary>& backups,
                   PruneReport& report) {
  std::vector<schedule::Kept> judged;
  judged.reserve(backups.size());
  for (const BackupSummary& backup : backups) judged.push_back({backup.created_at, !backup.verified_at.empty(), {}});
  TRY(schedule::choose_kept(zone, keep, judged));
  for (std::size_t i = 0; i < backups.size(); ++i) {
    const BackupSummary& backup = backups[i];
    const bool stays = !judged[i].why.empty();
    (stays ? report.kept : report.pruned)
        .push_back({backup.id, backup.path, backup.bytes, backup.schedule, std::move(judged[i].why)});
    if (!stays) report.bytes += backup.bytes;
  }
  return {};
}

// The oldest first: where one cannot go the newer ones are there still.
Result<void> remove_pruned(instance::Instance& instance, const PruneReport& report) {
  std::vector<JudgedBackup> going = report.pruned;
  std::ranges::reverse(going);
  for (const JudgedBackup& backup : going) {
    const auto gone = delete_backup(instance, {backup.id});
    // Somebody else was faster.
    if (!gone && gone.error().cause != Cause::kNotFound) return std::unexpected(gone.error());
  }
  return {};
}

// Those of this instance: another may keep its own in the same directory, and what somebody else has put there has no
// note.
Result<std::vector<BackupSummary>> own_backups(instance::Instance& instance) {
  std::vector<BackupSummary> all = TRY(list_backups(instance));
  const std::string did = instance.did().value_or("");
  std::erase_if(all, [&did](const BackupSummary& one) { return one.sha256.empty() || one.source_did != did; });
  return all;
}

std::vector<BackupSummary> made_by(const std::vector<BackupSummary>& all, const std::string& schedule) {
  std::vector<BackupSummary> some;
  std::ranges::copy_if(all, std::back_inserter(some),
                       [&schedule](const BackupSummary& one) { return one.schedule == schedule; });
  return some;
}

}  // namespace

Result<PruneReport> prune_schedule(instance::Instance& instance, const schedule::Schedule& schedule) {
  PruneReport report;
  TRY(judge(schedule.zone, schedule.keep, made_by(TRY(own_backups(instance)), schedule.name), report));
  TRY(remove_pruned(instance, report));
  return report;
}

Result<PruneReport> prune_backups(instance::Instance& instance, const PruneRequest& request) {
  PruneReport report{.dry_run = request.dry_run, .kept = {}, .pruned = {}};
  const std::vector<BackupSummary> all = TRY(own_backups(instance));
  if (request.keep) {
    if (request.keep->is_all())
      return fail(ErrorCode::kUsage, "a rule by which nothing is kept is none", "such as last=3,daily=7");
    std::map<std::pair<std::string, std::string>, std::vector<BackupSummary>> kinds;
    for (const BackupSummary& backup : all) kinds[{backup.schedule, backup.context}].push_back(backup);
    for (const auto& [kind, backups] : kinds) TRY(judge(request.zone, *request.keep, backups, report));
  } else {
    const std::vector<ScheduleState> schedules = TRY(list_schedules(instance));
    for (const ScheduleState& one : schedules) TRY(judge(one.zone, one.keep, made_by(all, one.name), report));
  }
  if (!request.dry_run) TRY(remove_pruned(instance, report));
  return report;
}

}  // namespace spl::operation
