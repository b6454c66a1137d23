// The command line against the command tree. The one place that knows the argument library (CLI11).
#pragma once

#include <string>
#include <variant>
#include <vector>

#include "base/result.h"
#include "cli/arguments.h"
#include "cli/command.h"

namespace spl::cli {

// A command to be run, found with what leads to it ("spl", "record", "put").
struct Invocation {
  std::vector<const Command*> path;
  Arguments arguments;
  bool help = false;  // asked for: nothing else counts
};

// `words` are those after the program's name. Code kUsage; the hint names the help that would have helped.
Result<Invocation> parse_command_line(const std::vector<std::string>& words);

// The error of a word that is no command of the last one of `path`; the hint names the one that may be meant.
std::unexpected<Error> unknown_command(const std::vector<const Command*>& path, const std::string& word);

// "spl record put"
std::string full_name(const std::vector<const Command*>& path);

}  // namespace spl::cli
