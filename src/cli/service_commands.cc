// service, inventory.
#include <algorithm>

#include "base/encoding.h"
#include "cli/backup.h"
#include "cli/command.h"
#include "cli/findings.h"
#include "cli/progress.h"
#include "cli/session.h"
#include "cli/table.h"
#include "env/acting_user.h"
#include "operation/service_operations.h"

namespace spl::cli {
namespace {

using operation::ServiceAction;
using operation::ServiceStates;
using service::InventoryRow;
using service::InventoryState;

constexpr std::string_view kAll = "all";

Result<void> print_states(Output& out, const ServiceStates& states) {
  if (!out.text()) return out.document(codec::shape_json(states));
  std::vector<std::vector<std::string>> rows;
  for (const service::ServiceStatus& status : states.services) {
    std::string notes = shown(status.health);
    if (status.held) notes += (notes.empty() ? "" : "; ") + std::string("kept down by a restore");
    if (status.state == service::ServiceState::kOperator) notes = "left to the operator: it has no [run] command";
    rows.push_back({shown(status.name), std::string(codec::enum_name(status.state)),
                    status.pid == 0 ? "-" : "pid " + std::to_string(status.pid), notes});
  }
  TRY(print_table(out, rows));
  for (const operation::Rebuild& rebuild : states.rebuilds) TRY(out.line(rebuild_line(rebuild)));
  return {};
}

template <ServiceAction Action>
Result<int> run_action(Session& session, const Arguments& arguments) {
  TRY(session.become_owner());
  const auto home = TRY(session.changing());
  const auto states = TRY(home->command_services({arguments.at("SERVICE"), Action}, session.progress()));
  TRY(print_states(session.out(), states));
  return 0;
}

Result<int> run_status(Session& session, const Arguments& arguments) {
  TRY(print_states(session.out(), TRY(TRY(session.looking())->service_states({arguments.at("SERVICE")}))));
  return 0;
}

Result<int> run_logs(Session& session, const Arguments& arguments) {
  const std::string& name = arguments.at("SERVICE");
  if (name == kAll) return fail(ErrorCode::kUsage, "service logs: name one service", "spl inventory lists them");
  TRY(session.out().content(TRY(TRY(session.looking())->service_log({name}))));
  return 0;
}

// Called by the supervisor; for a person it is the way to see what a service says.
Result<int> run_in_foreground(Session& session, const Arguments& arguments) {
  TRY(session.become_owner());
  return std::unexpected(operation::become_service(session.env(), session.paths(), arguments.at("SERVICE")));
}

// Without the home's lock: a restore or a daemon may have started it.
Result<int> run_rebuild(Session& session, const Arguments& arguments) {
  TRY(session.become_owner());
  const auto which = arguments.has("--left") ? operation::WhichRebuilds::kLeft : operation::WhichRebuilds::kAll;
  const auto done =
      TRY(operation::run_rebuilds(session.env(), session.paths(), arguments.at("SERVICE"), which, session.progress()));
  Output& out = session.out();
  ListOutput list(out);
  for (const operation::Rebuild& one : done) {
    const std::string line = one.error.empty() ? "rebuilt: " + shown(one.text()) : rebuild_line(one);
    TRY(list.item(out.text() ? line : codec::shape_json(one).text()));
  }
  TRY(list.end());
  if (out.text() && done.empty()) TRY(out.line("there was nothing to rebuild"));
  const bool failed =
      std::ranges::any_of(done, [](const auto& one) { return one.state == operation::RebuildState::kFailed; });
  return failed ? static_cast<int>(ErrorCode::kFailed) : 0;
}

std::optional<std::string> unless_all(const std::string& name) {
  return name == kAll ? std::nullopt : std::optional(name);
}

Result<int> run_service_backup(Session& session, const Arguments& arguments) {
  const auto to = arguments.value("--to");
  if (!to)
    return fail(ErrorCode::kUsage, "service backup: --to is missing",
                "name the file to be written, a directory for it, or -");
  return run_backup(session, arguments, *to, unless_all(arguments.at("SERVICE")));
}

Result<int> run_service_restore(Session& session, const Arguments& arguments) {
  const std::string& name = arguments.at("SERVICE");
  const auto from = arguments.value("--from");
  const bool previous = arguments.has("--previous");
  const bool discards = arguments.has("--discard-previous");
  if (int{from.has_value()} + int{previous} + int{discards} != 1)
    return fail(ErrorCode::kUsage, "service restore: one of --from, --previous and --discard-previous is wanted",
                "--from PATH names the bundle");
  if (from) return run_restore(session, arguments, *from, Records::kMerged, unless_all(name));
  TRY(session.become_owner());
  const auto home = TRY(session.changing());
  const operation::PreviousRequest request{name, arguments.value("--context")};
  const operation::PreviousReport report =
      previous ? TRY(home->swap_previous_back(request, session.progress())) : TRY(home->discard_previous(request));
  Output& out = session.out();
  if (!out.text()) {
    TRY(out.document(codec::shape_json(report)));
  } else if (previous) {
    TRY(out.line("what was there before the restore is back"));
  } else {
    TRY(out.line(report.parts == 0 ? "there was nothing to discard"
                                   : "discarded what " + counted(report.parts, "part") + " had replaced"));
  }
  return 0;
}

Result<int> run_remove(Session& session, const Arguments& arguments) {
  const auto home = TRY(session.changing());
  const operation::RemovedService removed =
      TRY(home->remove_service({arguments.at("SERVICE"), arguments.has("--delete-data")}, session.progress()));
  Output& out = session.out();
  if (!out.text()) {
    TRY(out.document(codec::shape_json(removed)));
    return 0;
  }
  TRY(out.line("removed " + shown(removed.service) + (removed.data_deleted ? ", with its data" : "")));
  if (!removed.data.empty()) TRY(out.line("its data stays in " + shown(removed.data)));
  return 0;
}

std::string size_text(const std::optional<std::uint64_t>& bytes) {
  return bytes ? human_bytes(*bytes) : "?";
}

std::vector<std::string> cells_of(const InventoryRow& row) {
  const std::string state =
      row.state == InventoryState::kDeclared ? row.data_class : std::string(codec::enum_name(row.state));
  return {shown(row.service),
          row.surface.empty() ? "-" : shown(row.surface),
          row.kind.empty() ? "-" : row.kind,
          shown(row.where),
          row.split.empty() ? "no" : shown(row.split),
          state,
          size_text(row.bytes),
          shown(row.snapshot)};
}

const std::vector<std::string> kColumns{"service", "surface", "kind", "where", "split", "class", "size", "snapshot"};

std::string markdown_row(const std::vector<std::string>& cells) {
  std::string line = "|";
  for (std::string cell : cells) {
    for (std::size_t at = cell.find('|'); at != std::string::npos; at = cell.find('|', at + 2)) cell.insert(at, "\\");
    line += " " + cell + " |";
  }
  return line;
}

Result<int> run_inventory(Session& session, const Arguments& arguments) {
  const auto rows = TRY(TRY(session.looking())->inventory(session.progress()));
  Output& out = session.out();
  if (!out.text()) {
    ListOutput list(out);
    for (const InventoryRow& row : rows) TRY(list.item(codec::shape_json(row).text()));
    TRY(list.end());
    return 0;
  }
  if (arguments.has("--markdown")) {
    TRY(out.line(markdown_row(kColumns)));
    TRY(out.line("|---|---|---|---|---|---|---|---|"));
    for (const InventoryRow& row : rows) TRY(out.line(markdown_row(cells_of(row))));
    return 0;
  }
  std::vector<std::vector<std::string>> table{kColumns};
  for (const InventoryRow& row : rows) table.push_back(cells_of(row));
  if (rows.empty()) {
    TRY(out.line("no services are declared"));
  } else {
    TRY(print_table(out, table));
  }
  return 0;
}

Positional service_positional() {
  return {.name = "SERVICE", .help = "a service that the home declares, or all", .names = Names::kService};
}

Command action(const std::string& name, std::string summary, std::string details, Handler run) {
  Command command{.name = name,
                  .summary = std::move(summary),
                  .details = std::move(details),
                  .positionals = {service_positional()},
                  .examples = {"spl service notes " + name, "spl service all " + name},
                  .run = run,
                  .schema = codec::schema_of<ServiceStates>};
  command.subject_first = true;
  return command;
}

Command backup_command() {
  Command command{.name = "backup",
                  .summary = "Write a service, or the whole instance, into one signed file at one moment",
                  .details = "all is the whole instance: the same as spl export. One service's bundle has no records.",
                  .options = {{.name = "--to",
                               .value = "PATH",
                               .help = "the file to write, a directory for it, or - for standard output",
                               .names = Names::kFile}},
                  .positionals = {service_positional()},
                  .examples = {"spl service all backup --to my.spl", "spl service notes backup --to notes.spl",
                               "spl service all backup --to geo.spl --context geomind"},
                  .run = run_service_backup,
                  .schema = codec::schema_of<operation::ExportReport>};
  for (Option& option : backup_options()) command.options.push_back(std::move(option));
  command.subject_first = true;
  return command;
}

Command restore_command() {
  Command command{
      .name = "restore",
      .summary = "Bring services back out of a bundle, all or nothing, after a look at everything first",
      .details =
          "Every part is staged beside the live one and checked; then the services are stopped, all parts change "
          "places, and the services start. Where anything fails all of it is as before. What was replaced is "
          "kept as previous.",
      .options = {{.name = "--from", .value = "PATH", .help = "the bundle; - is standard input", .names = Names::kFile},
                  {.name = "--previous", .value = "", .help = "swap back what the last restore has replaced"},
                  {.name = "--discard-previous", .value = "", .help = "remove what the last restore has replaced"}},
      .positionals = {service_positional()},
      .examples = {"spl service all restore --from my.spl", "spl service notes restore --from my.spl --dry-run",
                   "spl service all restore --from my.spl --context geomind --as geo2",
                   "spl service notes restore --discard-previous"},
      .run = run_service_restore,
      .schema = codec::schema_of<operation::ImportReport>};
  for (Option& option : restore_options()) command.options.push_back(std::move(option));
  command.subject_first = true;
  return command;
}

}  // namespace

std::vector<Command> service_commands() {
  Command service{.name = "service",
                  .summary = "Install, run, stop, back up and restore the services that the home declares",
                  .details =
                      "A service is declared by a file in the home's services/: spl service SERVICE ACTION. The "
                      "action may stand first, too.",
                  .examples = {"spl service notes start", "spl service all status",
                               "spl service all backup --to my.spl", "spl service all restore --from my.spl"}};
  service.commands.push_back(action("start", "Start it, and wait until it is healthy",
                                    "Makes its directories, and runs its init where its data directory is empty.",
                                    run_action<ServiceAction::kStart>));
  service.commands.push_back(action("stop", "Stop it, until no process of it is left",
                                    "That nobody holds a file of it any more is checked.",
                                    run_action<ServiceAction::kStop>));
  service.commands.push_back(action("restart", "Stop it and start it", "", run_action<ServiceAction::kRestart>));
  service.commands.push_back(install_command());
  service.commands.push_back(catalog_command());
  service.commands.push_back(
      action("pause", "Stop all its processes where they are", "", run_action<ServiceAction::kPause>));
  service.commands.push_back(action("resume", "Let a paused service go on", "", run_action<ServiceAction::kResume>));
  service.commands.push_back(action("status", "Say whether it runs, and how it is", "", run_status));
  Command logs = action("logs", "Print the end of its log", "", run_logs);
  logs.examples = {"spl service notes logs"};
  logs.schema = nullptr;
  service.commands.push_back(std::move(logs));
  Command run = action("run", "Become its program, as its supervisor does",
                       "The command, user and environment are those of its declaration.", run_in_foreground);
  run.examples = {"spl service notes run"};
  run.schema = nullptr;
  service.commands.push_back(std::move(run));
  Command rebuild = action(
      "rebuild", "Make what it derives from its data anew, by the rebuild commands of its surfaces",
      "A restore does this in the background: what it has left, and what has failed, is in the status. Also what "
      "[restore].after of its declaration has left is run.",
      run_rebuild);
  rebuild.options = {
      {.name = "--left", .value = "", .help = "only what a restore has left, and nothing that has failed"}};
  rebuild.examples = {"spl service notes rebuild", "spl service all rebuild --left"};
  rebuild.schema = codec::list_schema_of<operation::Rebuild>;
  service.commands.push_back(std::move(rebuild));
  Command remove = action("remove", "Stop it, and declare it no more",
                          "Its data stays where it is, unless --delete-data says that it goes, with its secrets. What "
                          "others come after, or keep their data in, is not removed.",
                          run_remove);
  remove.options = {{.name = "--delete-data", .value = "", .help = "its data and its secrets go with it"}};
  remove.examples = {"spl service notes backup --to notes.spl", "spl service notes remove --delete-data"};
  remove.schema = codec::schema_of<operation::RemovedService>;
  service.commands.push_back(std::move(remove));
  service.commands.push_back(backup_command());
  service.commands.push_back(restore_command());
  std::vector<Command> commands;
  commands.push_back(std::move(service));
  commands.push_back({.name = "inventory",
                      .summary = "List everything that services keep, where it is and how it is taken",
                      .details =
                          "Also what lies in a service's directory and no surface covers (undeclared), and what looks "
                          "like a context's and is none's (stray).",
                      .options = {{.name = "--markdown", .value = "", .help = "a table for a document"}},
                      .examples = {"spl inventory", "spl inventory -o json", "spl inventory --markdown"},
                      .run = run_inventory,
                      .schema = codec::list_schema_of<InventoryRow>});
  return commands;
}

}  // namespace spl::cli
