// schedule; of backup: prune.
#include "cli/command.h"
#include "cli/session.h"
#include "schedule/schedule.h"

namespace spl::cli {
namespace {

using operation::PruneReport;
using operation::ScheduleState;

std::string schedule_line(const ScheduleState& schedule) {
  std::string line = shown(schedule.name) + "  every " + std::string(codec::enum_name(schedule.every)) + " at " +
                     shown(schedule.at) + " " + shown(schedule.zone) + "  keep " + schedule::keep_text(schedule.keep) +
                     "  next " + shown(schedule.next_at.value_or("never"));
  if (!schedule.context.empty()) line += "  context " + shown(schedule.context);
  if (!schedule.to.empty()) line += "  to " + shown(schedule.to);
  if (schedule.plaintext) line += "  not encrypted";
  if (schedule.failure) {
    const codec::Json* message = schedule.failure->error.find("message");
    line += "  FAILED at " + shown(schedule.failure->at);
    if (message != nullptr && message->string() != nullptr) line += ": " + shown(*message->string());
  }
  return line;
}

Result<void> show(Output& out, const ScheduleState& schedule) {
  return out.text() ? out.line(schedule_line(schedule)) : out.document(codec::shape_json(schedule));
}

Result<schedule::Schedule> schedule_of(const Arguments& arguments) {
  schedule::Schedule schedule;
  schedule.name = arguments.at("NAME");
  const auto at = arguments.value("--at");
  if (!at) return fail(ErrorCode::kUsage, "set: --at is missing", "such as --at 03:30");
  schedule.at = *at;
  schedule.zone = arguments.value("--zone").value_or("UTC");
  if (const auto every = arguments.value("--every"))
    schedule.every = codec::parse_enum<schedule::Every>(*every).value_or(schedule::Every::kDay);
  if (const auto keep = arguments.value("--keep")) schedule.keep = TRY(schedule::parse_keep(*keep));
  schedule.recipients = arguments.all("--recipient");
  schedule.plaintext = arguments.has("--plaintext");
  schedule.to = arguments.value("--to").value_or("");
  schedule.context = arguments.value("--context").value_or("");
  return schedule;
}

Result<int> run_set(Session& session, const Arguments& arguments) {
  const schedule::Schedule schedule = TRY(schedule_of(arguments));
  const auto home = TRY(session.changing());
  TRY(show(session.out(), TRY(home->set_schedule(schedule))));
  if (!TRY(home->status()).running)
    session.out().note("no daemon runs: what it misses is made up for once, when spl serve runs again");
  return 0;
}
Result<int> run_list(Session& session, const Arguments&) {
  const auto schedules = TRY(TRY(session.looking())->schedules());
  Output& out = session.out();
  ListOutput list(out);
  for (const ScheduleState& one : schedules)
    TRY(list.item(out.text() ? schedule_line(one) : codec::shape_json(one).text()));
  TRY(list.end());
  return 0;
}
Result<int> run_run(Session& session, const Arguments& arguments) {
  const operation::ScheduleRun run =
      TRY(TRY(session.changing())->run_schedule({arguments.at("NAME")}, session.progress()));
  Output& out = session.out();
  if (!out.text()) {
    TRY(out.document(codec::shape_json(run)));
    return 0;
  }
  TRY(out.line("made " + shown(run.backup.path) + ", " + human_bytes(run.backup.bytes)));
  for (const operation::JudgedBackup& gone : run.prune.pruned) TRY(out.line("removed " + shown(gone.path)));
  return 0;
}
Result<int> run_read(Session& session, const Arguments& arguments) {
  TRY(show(session.out(), TRY(TRY(session.changing())->read_schedule({arguments.at("NAME")}))));
  return 0;
}
Result<int> run_remove(Session& session, const Arguments& arguments) {
  const ScheduleState gone = TRY(TRY(session.changing())->remove_schedule({arguments.at("NAME")}));
  Output& out = session.out();
  TRY(out.text() ? out.line("removed " + shown(gone.name) + "; its backups stay")
                 : out.document(codec::shape_json(gone)));
  return 0;
}

Result<int> run_prune(Session& session, const Arguments& arguments) {
  operation::PruneRequest request;
  if (const auto keep = arguments.value("--keep")) request.keep = TRY(schedule::parse_keep(*keep));
  if (const auto zone = arguments.value("--zone")) {
    if (!request.keep)
      return fail(ErrorCode::kUsage, "prune: --zone is of --keep alone", "a schedule's backups go by its own zone");
    request.zone = *zone;
  }
  request.dry_run = arguments.has("--dry-run");
  const auto home = TRY(request.dry_run ? session.looking() : session.changing());
  const PruneReport report = TRY(home->prune_backups(request));
  Output& out = session.out();
  if (!out.text()) {
    TRY(out.document(codec::shape_json(report)));
    return 0;
  }
  for (const operation::JudgedBackup& gone : report.pruned)
    TRY(out.line((report.dry_run ? "would remove " : "removed ") + shown(gone.path)));
  TRY(out.line(std::string(report.dry_run ? "would remove " : "removed ") + counted(report.pruned.size(), "backup") +
               ", " + human_bytes(report.bytes) + "; " + std::to_string(report.kept.size()) + " stay"));
  return 0;
}

Command set_command() {
  return {
      .name = "set",
      .summary = "Have backups made by themselves, or change when",
      .details =
          "A daemon of the home makes them; one run that it missed is made up for when it runs again. Then those of "
          "the "
          "schedule's backups go that --keep does not name; the newest that was found whole always stays.\n\nThey are "
          "encrypted for the recipients of config.toml and of the line. A local time that summer time skips is taken "
          "with the offset before the change; one that comes twice is taken the first time.",
      .options = {{.name = "--at", .value = "HH:MM", .help = "the time; of --every hour its minute alone counts"},
                  {.name = "--zone", .value = "ZONE", .help = "by whose clock: an IANA time zone; the default is UTC"},
                  {.name = "--every",
                   .value = "PERIOD",
                   .help = "each hour, day (the default) or week, on Mondays",
                   .choices = {"hour", "day", "week"}},
                  {.name = "--to",
                   .value = "DIR",
                   .help = "put them there, and not into backup_dir; it is there when one is made, or that fails",
                   .names = Names::kDirectory},
                  {.name = "--recipient",
                   .value = "R",
                   .help = "encrypt them for this age recipient, too",
                   .times = Times::kAny},
                  {.name = "--plaintext", .value = "", .help = "do not encrypt them"},
                  {.name = "--context", .value = "C", .help = "back up this context alone", .names = Names::kContext},
                  {.name = "--keep",
                   .value = "RULE",
                   .help = "last=3,daily=7,weekly=4,monthly=12: these stay; without it all do"}},
      .positionals = {{.name = "NAME", .help = "its name", .names = Names::kSchedule}},
      .examples = {"spl schedule set nightly --at 03:30 --zone Europe/Berlin --keep last=3,daily=7,weekly=4",
                   "spl schedule set away --at 04:00 --every week --to /mnt/disk --recipient age1..."},
      .run = run_set,
      .schema = codec::schema_of<ScheduleState>};
}

}  // namespace

Command backup_prune_command() {
  return {
      .name = "prune",
      .summary = "Remove backups that need not stay",
      .details =
          "Without --keep of each schedule the backups that it made, by its own rule. With it all that were made "
          "here: those of each schedule, those of none, and those of each context by themselves. Of each the newest "
          "that was found whole stays, and a file that somebody else has put there.",
      .options = {{.name = "--keep",
                   .value = "RULE",
                   .help = "last=3,daily=7,weekly=4,monthly=12: these stay, and the others go"},
                  {.name = "--zone", .value = "ZONE", .help = "in which the days of --keep are; the default is UTC"},
                  {.name = "--dry-run", .value = "", .help = "say which would go, and remove none"}},
      .examples = {"spl backup prune --dry-run", "spl backup prune --keep last=3,daily=7"},
      .run = run_prune,
      .schema = codec::schema_of<PruneReport>};
}

std::vector<Command> schedule_commands() {
  const Positional name{.name = "NAME", .help = "its name", .names = Names::kSchedule};
  Command schedule{.name = "schedule",
                   .summary = "Backups that are made by themselves",
                   .details = "A daemon of the home makes them, as jobs; spl backup list shows them.",
                   .examples = {"spl schedule list"}};
  schedule.commands = {
      set_command(),
      {.name = "list",
       .summary = "List the schedules: when each runs next, and what went wrong",
       .examples = {"spl schedule list -o json"},
       .run = run_list,
       .schema = codec::list_schema_of<ScheduleState>},
      {.name = "run",
       .summary = "Make the backup of a schedule now",
       .details = "Besides those that it makes when it is time. It waits for the end, with and without a daemon.",
       .positionals = {name},
       .examples = {"spl schedule run nightly"},
       .run = run_run,
       .schema = codec::schema_of<operation::ScheduleRun>},
      {.name = "read",
       .summary = "Say that a failure was read",
       .details = "It is shown here, in the panel and by spl doctor until then.",
       .positionals = {name},
       .examples = {"spl schedule read nightly"},
       .run = run_read,
       .schema = codec::schema_of<ScheduleState>},
      {.name = "remove",
       .summary = "Remove a schedule; its backups stay",
       .details = "Those in a directory of its own, which no other schedule names, are not listed any more.",
       .positionals = {name},
       .examples = {"spl schedule remove nightly"},
       .run = run_remove,
       .schema = codec::schema_of<ScheduleState>},
  };
  return {schedule};
}

}  // namespace spl::cli
