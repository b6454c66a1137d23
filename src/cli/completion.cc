// Completion for shells. The scripts know all commands and options as they are now and ask the program nothing.
#include <algorithm>

#include "base/words.h"
#include "cli/help.h"
#include "cli/parse.h"

namespace spl::cli {
namespace {

using Path = std::vector<const Command*>;

// Every command with what leads to it, the program first.
void collect(Path path, std::vector<Path>& paths) {
  paths.push_back(path);
  for (const Command& command : path.back()->commands) {
    path.push_back(&command);
    collect(path, paths);
    path.pop_back();
  }
}

std::vector<Path> all_paths() {
  std::vector<Path> paths;
  collect({&program()}, paths);
  return paths;
}

// "--output" and "-o", or "--out".
std::vector<std::string> spellings(const Option& option) {
  const std::size_t comma = option.name.find(',');
  if (comma == std::string::npos) return {option.name};
  return {option.name.substr(0, comma), option.name.substr(comma + 1)};
}

std::vector<const Option*> options_of(const Path& path) {
  std::vector<const Option*> options;
  for (const Command* command : {path.front(), path.back()}) {
    for (const Option& option : command->options) {
      if (std::ranges::find(options, &option) == options.end()) options.push_back(&option);
    }
  }
  return options;
}

// The words that may stand after the command: those below it and its options.
std::string words_after(const Path& path) {
  std::string words;
  for (const Command& command : path.back()->commands) words += command.name + " ";
  for (const Option* option : options_of(path)) {
    for (const std::string& spelling : spellings(*option)) words += spelling + " ";
  }
  for (const Positional& positional : path.back()->positionals) {
    for (const std::string& choice : positional.choices) words += choice + " ";
  }
  words.pop_back();
  return words;
}

// For a shell's single quotes.
std::string quoted(std::string_view text) {
  std::string out = "'";
  for (const char c : text) out += c == '\'' ? std::string("'\\''") : std::string(1, c);
  return out + "'";
}

bool takes_file(const Path& path) {
  return std::ranges::any_of(path.back()->positionals,
                             [](const Positional& positional) { return positional.names == Names::kFile; });
}

// The spellings of all options that take a value, by what is completed after them: patterns of a `case`.
struct ValuePatterns {
  std::string files;
  std::string directories;
  std::string others;
  std::vector<std::pair<std::string, std::string>> choices;  // a spelling, and the words
};

ValuePatterns value_patterns() {
  ValuePatterns patterns;
  std::vector<std::string> seen;
  for (const Path& path : all_paths()) {
    for (const Option& option : path.back()->options) {
      if (option.value.empty()) continue;
      for (const std::string& spelling : spellings(option)) {
        if (std::ranges::find(seen, spelling) != seen.end()) continue;
        seen.push_back(spelling);
        if (!option.choices.empty()) {
          patterns.choices.emplace_back(spelling, base::join(option.choices, " "));
          continue;
        }
        std::string& list = option.names == Names::kFile        ? patterns.files
                            : option.names == Names::kDirectory ? patterns.directories
                                                                : patterns.others;
        list += (list.empty() ? "" : "|") + spelling;
      }
    }
  }
  return patterns;
}

std::string bash_values() {
  const ValuePatterns patterns = value_patterns();
  std::string lines;
  for (const auto& [spelling, words] : patterns.choices)
    lines += "    " + spelling + ") COMPREPLY=($(compgen -W '" + words + "' -- \"$word\")); return ;;\n";
  lines += "    " + patterns.files + ") COMPREPLY=($(compgen -f -- \"$word\")); return ;;\n";
  lines += "    " + patterns.directories + ") COMPREPLY=($(compgen -d -- \"$word\")); return ;;\n";
  return lines + "    " + patterns.others + ") return ;;\n";
}

std::string zsh_values() {
  const ValuePatterns patterns = value_patterns();
  std::string lines;
  for (const auto& [spelling, words] : patterns.choices)
    lines += "    (" + spelling + ") compadd " + words + "; return ;;\n";
  lines += "    (" + patterns.files + ") _files; return ;;\n";
  lines += "    (" + patterns.directories + ") _directories; return ;;\n";
  return lines + "    (" + patterns.others + ") return ;;\n";
}

std::string bash_script() {
  std::string names;
  std::string cases;
  std::string files;
  for (const Path& path : all_paths()) {
    const std::string name = full_name(path);
    if (path.size() > 1) names += (names.empty() ? "" : "|") + quoted(name);
    cases += "    " + quoted(name) + ") words=" + quoted(words_after(path)) + " ;;\n";
    if (takes_file(path)) files += (files.empty() ? "" : "|") + quoted(name);
  }
  return "# bash completion for spl; put it into ~/.local/share/bash-completion/completions/spl\n"
         "_spl() {\n"
         "  local word=${COMP_WORDS[COMP_CWORD]} before=${COMP_WORDS[COMP_CWORD-1]} command=spl words i\n"
         "  case $before in\n" +
         bash_values() +
         "  esac\n"
         "  for ((i = 1; i < COMP_CWORD; i++)); do\n"
         "    case \"$command ${COMP_WORDS[i]}\" in\n"
         "    " +
         names +
         ") command=\"$command ${COMP_WORDS[i]}\" ;;\n"
         "    esac\n"
         "  done\n"
         "  case $command in\n" +
         cases +
         "  esac\n"
         "  COMPREPLY=($(compgen -W \"$words\" -- \"$word\"))\n"
         "  case $command in\n"
         "    " +
         files +
         ") [[ $word == -* ]] || COMPREPLY+=($(compgen -f -- \"$word\")) ;;\n"
         "  esac\n"
         "}\n"
         "complete -o filenames -F _spl spl\n";
}

// zsh's _describe takes "word:what it is"; a colon in the word itself does not occur.
std::string zsh_script() {
  std::string names;
  std::string cases;
  for (const Path& path : all_paths()) {
    const std::string name = full_name(path);
    if (path.size() > 1) names += (names.empty() ? "" : "|") + quoted(name);
    cases += "    (" + quoted(name) + ")\n      offers=(";
    for (const Command& command : path.back()->commands)
      cases += "\n        " + quoted(command.name + ":" + command.summary);
    for (const Option* option : options_of(path)) {
      for (const std::string& spelling : spellings(*option))
        cases += "\n        " + quoted(spelling + ":" + option->help);
    }
    cases += ")\n      ";
    cases += takes_file(path) ? "files=1\n" : "files=0\n";
    cases += "      ;;\n";
  }
  return "#compdef spl\n"
         "# zsh completion for spl; put it as _spl into a directory of $fpath\n"
         "_spl() {\n"
         "  local command=spl i files=0\n"
         "  local -a offers\n"
         "  for ((i = 2; i < CURRENT; i++)); do\n"
         "    case \"$command $words[i]\" in\n"
         "    (" +
         names +
         ") command=\"$command $words[i]\" ;;\n"
         "    esac\n"
         "  done\n"
         "  case $words[CURRENT-1] in\n" +
         zsh_values() +
         "  esac\n"
         "  case $command in\n" +
         cases +
         "  esac\n"
         "  _describe spl offers\n"
         "  if ((files)); then _files; fi\n"
         "}\n"
         "_spl \"$@\"\n";
}

std::string fish_script() {
  std::string out =
      "# fish completion for spl; put it into ~/.config/fish/completions/spl.fish\n"
      "function __spl_at\n"
      "    set -l words (commandline -opc)\n"
      "    set -l command\n"
      "    for word in $words[2..]\n"
      "        if contains -- (string join -- ' ' $command $word) $__spl_commands\n"
      "            set -a command $word\n"
      "        end\n"
      "    end\n"
      "    set -l at (string join -- ' ' $command)\n"
      "    test \"$at\" = \"$argv[1]\"\n"
      "end\n"
      "set -g __spl_commands";
  const std::vector<Path> paths = all_paths();
  const std::size_t prefix = program().name.size() + 1;
  for (const Path& path : paths) {
    if (path.size() > 1) out += " " + quoted(full_name(path).substr(prefix));
  }
  out += "\ncomplete -c spl -f\n";
  for (const Path& path : paths) {
    const std::string at =
        "complete -c spl -n " + quoted("__spl_at " + quoted(path.size() > 1 ? full_name(path).substr(prefix) : ""));
    for (const Positional& positional : path.back()->positionals) {
      if (!positional.choices.empty()) out += at + " -a " + quoted(base::join(positional.choices, " ")) + "\n";
    }
    for (const Command& command : path.back()->commands)
      out += at + " -a " + command.name + " -d " + quoted(command.summary) + "\n";
    for (const Option* option : options_of(path)) {
      out += at;
      for (const std::string& spelling : spellings(*option))
        out += spelling.starts_with("--") ? " -l " + spelling.substr(2) : " -s " + spelling.substr(1);
      if (!option->value.empty()) out += option->names == Names::kAnything ? " -x" : " -r -F";
      if (!option->choices.empty()) out += " -a " + quoted(base::join(option->choices, " "));
      out += " -d " + quoted(option->help) + "\n";
    }
    if (takes_file(path)) out += at + " -F\n";
  }
  return out;
}

}  // namespace

std::string completion_script(Shell shell) {
  switch (shell) {
    case Shell::kBash:
      return bash_script();
    case Shell::kZsh:
      return zsh_script();
    case Shell::kFish:
      break;
  }
  return fish_script();
}

}  // namespace spl::cli
