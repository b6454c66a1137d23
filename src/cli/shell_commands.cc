// help, completion, man.
#include <algorithm>

#include "cli/command.h"
#include "cli/help.h"
#include "cli/parse.h"
#include "cli/session.h"

namespace spl::cli {
namespace {

using codec::Json;

Result<int> run_completion(Session& session, const Arguments& arguments) {
  const std::string& shell = arguments.at("SHELL");
  TRY(session.out().content(completion_script(shell == "bash"  ? Shell::kBash
                                              : shell == "zsh" ? Shell::kZsh
                                                               : Shell::kFish)));
  return 0;
}

// From the program to the command that the words name.
Result<std::vector<const Command*>> named_command(const Arguments& arguments) {
  std::vector<const Command*> path{&program()};
  for (const std::string& name : arguments.all("COMMAND")) {
    const auto& commands = path.back()->commands;
    const auto found = std::ranges::find(commands, name, &Command::name);
    if (found == commands.end()) return unknown_command(path, name);
    path.push_back(&*found);
  }
  return path;
}

Result<int> run_help(Session& session, const Arguments& arguments) {
  TRY(session.out().content(help_text(TRY(named_command(arguments)), help_width())));
  return 0;
}

Result<int> run_man(Session& session, const Arguments& arguments) {
  TRY(session.out().content(man_page(TRY(named_command(arguments)))));
  return 0;
}

Result<int> run_schema(Session& session, const Arguments& arguments) {
  const auto path = TRY(named_command(arguments));
  const Command& command = *path.back();
  if (command.schema == nullptr)
    return fail(ErrorCode::kUsage, full_name(path) + " prints no JSON of its own",
                command.commands.empty() ? "spl help says what it prints" : "name one of its commands");
  Json schema = Json::Object{{"$schema", "https://json-schema.org/draft/2020-12/schema"},
                             {"title", full_name(path) + " -o json"}};
  const Json own = command.schema();
  for (const auto& [name, value] : *own.object()) schema.add(name, value);
  TRY(session.out().document(schema));
  return 0;
}

}  // namespace

std::vector<Command> shell_commands() {
  std::vector<Command> commands;
  commands.push_back({.name = "help",
                      .summary = "Say what spl, or one of its commands, does",
                      .details = "The same as --help after the command.",
                      .positionals = {{.name = "COMMAND",
                                       .help = "the command's words, such as bundle verify",
                                       .need = Positional::Need::kAny,
                                       .names = Names::kCommand}},
                      .examples = {"spl help", "spl help bundle verify"},
                      .run = run_help,
                      .needs_home = false});
  commands.push_back(
      {.name = "completion",
       .summary = "Print a script that completes commands and options in a shell",
       .positionals = {{.name = "SHELL", .help = "bash, zsh or fish", .choices = {"bash", "zsh", "fish"}}},
       .examples = {"source <(spl completion bash)", "spl completion fish > ~/.config/fish/completions/spl.fish"},
       .run = run_completion,
       .needs_home = false});
  commands.push_back({.name = "schema",
                      .summary = "Print the JSON Schema of what a command prints with -o json",
                      .positionals = {{.name = "COMMAND",
                                       .help = "the command's words, such as bundle verify",
                                       .need = Positional::Need::kSome,
                                       .names = Names::kCommand}},
                      .examples = {"spl schema status", "spl schema bundle verify | jq .properties"},
                      .run = run_schema,
                      .needs_home = false});
  commands.push_back({.name = "man",
                      .summary = "Print the manual page of spl, or of one command",
                      .positionals = {{.name = "COMMAND",
                                       .help = "the command's words, such as bundle verify",
                                       .need = Positional::Need::kAny,
                                       .names = Names::kCommand}},
                      .examples = {"spl man | man -l -", "spl man bundle verify > spl-bundle-verify.1"},
                      .run = run_man,
                      .needs_home = false});
  return commands;
}

}  // namespace spl::cli
