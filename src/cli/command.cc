#include "cli/command.h"

#include <iterator>

namespace spl::cli {
namespace {

Command make_program() {
  Command root{.name = "spl",
               .summary = "Takes a running instance along: records, identity and all, in one signed file"};
  root.details =
      "An instance is one home directory with one identity, one record store and its services. spl runs it, exports it "
      "into a bundle that ordinary tools can open, checks bundles, and brings them back elsewhere.";
  root.options = {
      {.name = "--home",
       .value = "DIR",
       .help = "the instance's home; else SYNCROPEL_HOME, else ~/.syncro (root: /var/lib/spl)",
       .names = Names::kDirectory},
      {.name = "-o,--output",
       .value = "FORMAT",
       .help = "text for people, json for one document, stream-json for one event a line",
       .choices = {"text", "json", "stream-json"}},
      {.name = "-q,--quiet",
       .value = "",
       .help = "say nothing but errors; JSON and what a command is there to print still come"},
      {.name = "-v,--verbose", .value = "", .help = "say on standard error what is done, step by step"},
      {.name = "--no-progress", .value = "", .help = "never show how far a long command is"},
      {.name = "-h,--help", .value = "", .help = "say what the command does, with an example"},
  };
  root.examples = {"spl init", "spl serve --daemon", "spl export --out my.spl", "spl import my.spl --dry-run"};
  for (auto make :
       {instance_commands, daemon_commands, identity_commands, record_commands, thread_commands, portability_commands,
        service_commands, context_commands, bundle_commands, access_commands, federation_commands, policy_commands,
        door_commands, job_commands, schedule_commands, tenant_commands, shell_commands}) {
    std::vector<Command> part = make();
    std::move(part.begin(), part.end(), std::back_inserter(root.commands));
  }
  return root;
}

}  // namespace

const Command& program() {
  static const Command kProgram = make_program();
  return kProgram;
}

std::string key_of(const Option& option) {
  const std::size_t comma = option.name.find(',');
  return comma == std::string::npos ? option.name : option.name.substr(comma + 1);
}

std::vector<Command> portability_commands() {
  std::vector<Command> commands;
  commands.push_back(export_command());
  commands.push_back(move_command());
  commands.push_back(import_command());
  return commands;
}

}  // namespace spl::cli
