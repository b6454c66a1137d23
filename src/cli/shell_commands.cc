// completion, man.
#include <algorithm>

#include "cli/command.h"
#include "cli/help.h"
#include "cli/parse.h"
#include "cli/session.h"

namespace spl::cli {
namespace {

Result<int> run_completion(Session& session, const Arguments& arguments) {
  const std::string& shell = arguments.at("SHELL");
  TRY(session.out().write(completion_script(shell == "bash"  ? Shell::kBash
                                            : shell == "zsh" ? Shell::kZsh
                                                             : Shell::kFish)));
  return 0;
}

Result<int> run_man(Session& session, const Arguments& arguments) {
  std::vector<const Command*> path{&program()};
  for (const std::string& name : arguments.all("COMMAND")) {
    const auto& commands = path.back()->commands;
    const auto found = std::ranges::find(commands, name, &Command::name);
    if (found == commands.end())
      return fail(ErrorCode::kUsage, "there is no command " + full_name(path) + " " + shown(name),
                  "spl --help lists the commands");
    path.push_back(&*found);
  }
  TRY(session.out().write(man_page(path)));
  return 0;
}

}  // namespace

std::vector<Command> shell_commands() {
  std::vector<Command> commands;
  commands.push_back(
      {.name = "completion",
       .summary = "Print a script that completes commands and options in a shell",
       .positionals = {{.name = "SHELL", .help = "bash, zsh or fish", .choices = {"bash", "zsh", "fish"}}},
       .examples = {"source <(spl completion bash)", "spl completion fish > ~/.config/fish/completions/spl.fish"},
       .run = run_completion,
       .needs_home = false});
  commands.push_back({.name = "man",
                      .summary = "Print the manual page of spl, or of one command",
                      .positionals = {{.name = "COMMAND",
                                       .help = "the command's words, such as bundle verify",
                                       .need = Positional::Need::kAny}},
                      .examples = {"spl man | man -l -", "spl man bundle verify > spl-bundle-verify.1"},
                      .run = run_man,
                      .needs_home = false});
  return commands;
}

}  // namespace spl::cli
