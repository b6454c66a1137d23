// job, backup, activity.
#include <charconv>

#include "cli/command.h"
#include "cli/session.h"

namespace spl::cli {
namespace {

using job::Job;
using operation::BackupSummary;

std::string job_line(const Job& job) {
  std::string line = shown(job.id) + "  " + std::string(codec::enum_name(job.kind)) + "  " +
                     std::string(codec::enum_name(job.state)) + "  " + shown(job.created_at);
  if (!job.subject.empty()) line += "  " + shown(job.subject);
  const codec::Json* message = job.error ? job.error->find("message") : nullptr;
  if (message != nullptr && message->string() != nullptr) line += "  " + shown(*message->string());
  return line;
}

Result<void> show(Output& out, const Job& job) {
  return out.text() ? out.line(job_line(job)) : out.document(codec::shape_json(job));
}

Result<int> run_job_list(Session& session, const Arguments&) {
  const auto jobs = TRY(TRY(session.looking())->jobs());
  Output& out = session.out();
  ListOutput list(out);
  for (const Job& job : jobs) TRY(list.item(out.text() ? job_line(job) : codec::shape_json(job).text()));
  TRY(list.end());
  return 0;
}
Result<int> run_job_show(Session& session, const Arguments& arguments) {
  TRY(show(session.out(), TRY(TRY(session.looking())->job({arguments.at("ID")}))));
  return 0;
}
Result<int> run_job_cancel(Session& session, const Arguments& arguments) {
  TRY(show(session.out(), TRY(TRY(session.changing())->cancel_job({arguments.at("ID")}))));
  return 0;
}

std::string activity_line(const job::Activity& one) {
  std::string line = shown(one.at) + "  " + shown(one.who) + "  " + shown(one.action);
  if (!one.subject.empty()) line += "  " + shown(one.subject);
  if (one.outcome != job::Outcome::kDone) line += "  " + std::string(codec::enum_name(one.outcome));
  return one.message.empty() ? line : line + ": " + shown(one.message);
}

Result<int> run_activity(Session& session, const Arguments& arguments) {
  std::uint64_t left = job::kActivityPageMax;
  if (const auto limit = arguments.value("--limit")) {
    const char* const end = limit->data() + limit->size();
    const auto [stop, error] = std::from_chars(limit->data(), end, left);
    if (error != std::errc() || stop != end || left == 0)
      return fail(ErrorCode::kUsage, "--limit " + shown(*limit) + ": not a number from 1", "leave it out to have 50");
  }
  const auto home = TRY(session.looking());
  Output& out = session.out();
  ListOutput list(out);
  for (std::string cursor; left > 0;) {
    const job::ActivityPage page = TRY(home->activity(cursor));
    for (const job::Activity& one : page.entries) {
      if (left == 0) break;
      --left;
      TRY(list.item(out.text() ? activity_line(one) : codec::shape_json(one).text()));
    }
    if (!page.has_more) break;
    cursor = page.cursor;
  }
  TRY(list.end());
  return 0;
}

std::string backup_line(const BackupSummary& backup) {
  return shown(backup.id) + "  " + human_bytes(backup.bytes) + "  " + shown(backup.created_at) + "  " +
         (backup.context.empty() ? "" : "context " + shown(backup.context) + "  ") +
         (backup.encryption.empty()     ? "not made here"
          : backup.encryption == "none" ? "not encrypted"
                                        : "encrypted");
}

Result<int> run_backup_list(Session& session, const Arguments&) {
  const auto backups = TRY(TRY(session.looking())->backups());
  Output& out = session.out();
  ListOutput list(out);
  for (const BackupSummary& backup : backups)
    TRY(list.item(out.text() ? backup_line(backup) : codec::shape_json(backup).text()));
  TRY(list.end());
  return 0;
}
Result<int> run_backup_show(Session& session, const Arguments& arguments) {
  const BackupSummary backup = TRY(TRY(session.looking())->backup({arguments.at("ID")}));
  Output& out = session.out();
  TRY(out.text() ? out.line(backup_line(backup) + "\n" + shown(backup.path)) : out.document(codec::shape_json(backup)));
  return 0;
}
Result<int> run_backup_delete(Session& session, const Arguments& arguments) {
  const BackupSummary backup = TRY(TRY(session.changing())->delete_backup({arguments.at("ID")}));
  Output& out = session.out();
  TRY(out.text() ? out.line("deleted " + shown(backup.path)) : out.document(codec::shape_json(backup)));
  return 0;
}

}  // namespace

std::vector<Command> job_commands() {
  const Positional id{.name = "ID", .help = "its id"};
  Command job{.name = "job",
              .summary = "What a daemon does while nobody waits for it",
              .details = "The panel asks for jobs; POST /v1/jobs does, too. One runs, and 16 wait.",
              .examples = {"spl job list"}};
  job.commands = {
      {.name = "list",
       .summary = "List the jobs, the newest first",
       .examples = {"spl job list -o json"},
       .run = run_job_list,
       .schema = codec::list_schema_of<Job>},
      {.name = "show",
       .summary = "Show a job: how far it is, or how it ended",
       .positionals = {id},
       .examples = {"spl job show 4f1c22ab"},
       .run = run_job_show,
       .schema = codec::schema_of<Job>},
      {.name = "cancel",
       .summary = "Ask a job to end, and to take back what it did",
       .positionals = {id},
       .examples = {"spl job cancel 4f1c22ab"},
       .run = run_job_cancel,
       .schema = codec::schema_of<Job>},
  };
  Command backup{
      .name = "backup",
      .summary = "The backups that the instance keeps",
      .details =
          "They lie in backup_dir of config.toml, or in backups/ in the home; those of schedules where these say.",
      .examples = {"spl backup list"}};
  backup.commands = {
      {.name = "list",
       .summary = "List the backups, the newest first",
       .examples = {"spl backup list -o json"},
       .run = run_backup_list,
       .schema = codec::list_schema_of<BackupSummary>},
      {.name = "show",
       .summary = "Show what a backup holds",
       .positionals = {id},
       .examples = {"spl backup show k8PzQ2vL-20300101T120000Z"},
       .run = run_backup_show,
       .schema = codec::schema_of<BackupSummary>},
      {.name = "delete",
       .summary = "Delete a backup",
       .positionals = {id},
       .examples = {"spl backup delete k8PzQ2vL-20300101T120000Z"},
       .run = run_backup_delete,
       .schema = codec::schema_of<BackupSummary>},
      backup_prune_command(),
  };
  Command activity{.name = "activity",
                   .summary = "Show who did what, the newest first",
                   .details =
                       "Jobs, entries into the door, and what was changed: the last 10,000 entries. Who: owner, "
                       "console, schedule, stranger, or a service account.",
                   .options = {{.name = "--limit", .value = "N", .help = "show so many; the default is 50"}},
                   .examples = {"spl activity", "spl activity --limit 200 -o json"},
                   .run = run_activity,
                   .schema = codec::list_schema_of<job::Activity>};
  return {job, backup, activity};
}

}  // namespace spl::cli
