#include "cli/parse.h"

#include <CLI/CLI.hpp>
#include <algorithm>
#include <map>
#include <numeric>
#include <utility>

#include "base/encoding.h"

namespace spl::cli {
namespace {

// One argument of the tree and what the library keeps of it.
struct Slot {
  std::string key;
  CLI::Option* option;
  bool flag;
};

// The library takes the word "++" as the end of a command, and "--flag=true" for "--flag". It gets another word for
// such a one: no word of a command line ends with this.
constexpr char kStandInEnd = '\0';

std::string stand_in(const std::string& word) {
  const bool special = word == "++" || (word.starts_with("--") && word.ends_with("=true"));
  return special ? word + kStandInEnd : word;
}

std::string without_stand_in(std::string word) {
  if (word.ends_with(kStandInEnd)) word.pop_back();
  return word;
}

class Builder {
 public:
  // The library's command for `command`; `slots` belong to the whole line.
  void fill(CLI::App& app, const Command& command) {
    app.set_help_flag("-h,--help");
    app.fallthrough();
    app.allow_windows_style_options(false);
    for (const Option& option : command.options) {
      if (key_of(option) != "--help") add_option(app, option);
    }
    for (const Positional& positional : command.positionals) add_positional(app, positional);
    if (!command.commands.empty()) app.require_subcommand(1, 1);
    for (const Command& below : command.commands) fill(*app.add_subcommand(below.name, below.summary), below);
  }

  [[nodiscard]] const std::vector<Slot>& slots() const { return slots_; }

 private:
  static CLI::callback_t any() {
    return [](const CLI::results_t&) { return true; };
  }

  void add_option(CLI::App& app, const Option& option) {
    CLI::Option* made = nullptr;
    if (option.value.empty()) {
      made = app.add_flag(option.name, option.help);
    } else {
      made = app.add_option(option.name, any(), option.help)->type_name(option.value);
      made->expected(1)->allow_extra_args(false);
      // Global options may stand before and after the command: the last one counts.
      const bool global = app.get_parent() == nullptr;
      made->multi_option_policy(option.times == Times::kAny ? CLI::MultiOptionPolicy::TakeAll
                                : global                    ? CLI::MultiOptionPolicy::TakeLast
                                                            : CLI::MultiOptionPolicy::Throw);
    }
    slots_.push_back({key_of(option), made, option.value.empty()});
  }

  void add_positional(CLI::App& app, const Positional& positional) {
    CLI::Option* made = app.add_option(positional.name, any(), positional.help);
    const bool some = positional.need == Positional::Need::kSome || positional.need == Positional::Need::kAny;
    made->expected(1)->allow_extra_args(some);
    made->multi_option_policy(some ? CLI::MultiOptionPolicy::TakeAll : CLI::MultiOptionPolicy::Throw);
    made->required(positional.need == Positional::Need::kRequired || positional.need == Positional::Need::kSome);
    slots_.push_back({positional.name, made, false});
  }

  std::vector<Slot> slots_;
};

// The commands that the library found, from the program down.
std::vector<const Command*> found_path(const CLI::App& app) {
  std::vector<const Command*> path{&program()};
  for (const CLI::App* at = &app;;) {
    const auto below = at->get_subcommands();
    if (below.empty()) return path;
    at = below.front();
    const auto& commands = path.back()->commands;
    path.push_back(&*std::ranges::find(commands, at->get_name(), &Command::name));
  }
}

std::unexpected<Error> wrong_use(const std::vector<const Command*>& path, const std::string& message) {
  const std::string name = full_name(path);
  return fail(ErrorCode::kUsage, message, name + " --help says how it is used");
}

// What an error's line begins with, after the program's own name.
std::string command_prefix(const std::vector<const Command*>& path) {
  const std::string name = full_name({path.begin() + 1, path.end()});
  return name.empty() ? name : name + ": ";
}

// In how many places two words differ: letters that are there once, or other ones.
std::size_t distance(std::string_view a, std::string_view b) {
  std::vector<std::size_t> row(b.size() + 1);
  std::iota(row.begin(), row.end(), 0);
  for (std::size_t i = 1; i <= a.size(); ++i) {
    std::size_t before = std::exchange(row[0], i);
    for (std::size_t j = 1; j <= b.size(); ++j) {
      const std::size_t changed = before + (a[i - 1] == b[j - 1] ? 0 : 1);
      before = row[j];
      row[j] = std::min({changed, row[j] + 1, row[j - 1] + 1});
    }
  }
  return row.back();
}

// The command that was meant, if one is near: a name that was cut short, or mistyped.
const Command* nearest(const std::vector<Command>& commands, std::string_view word) {
  const Command* found = nullptr;
  std::size_t least = word.size() < 4 ? 2 : 3;  // so far from it is none
  for (const Command& command : commands) {
    const bool cut = word.size() > 1 && command.name.starts_with(word);
    const std::size_t far = cut ? 0 : distance(word, command.name);
    if (far >= least) continue;
    least = far;
    found = &command;
  }
  return found;
}

std::string names_of(const std::vector<Command>& commands) {
  std::string names;
  for (const Command& command : commands) names += (names.empty() ? "" : ", ") + command.name;
  return names;
}

// What the library objects to, in the words of the house.
std::unexpected<Error> objection(const CLI::App& app, const CLI::ParseError& error) {
  const auto path = found_path(app);
  const Command& command = *path.back();
  const std::string prefix = command_prefix(path);
  const auto rest = app.remaining(true);
  const auto odd = std::ranges::find_if(rest, [](const std::string& word) { return word != "--"; });
  if (odd != rest.end()) {
    const std::string shown = "\"" + base::escaped(without_stand_in(*odd), 80) + "\"";
    if (odd->size() > 1 && odd->starts_with('-')) return wrong_use(path, prefix + "unknown option " + shown);
    if (!command.commands.empty()) return unknown_command(path, *odd);
    return wrong_use(path, prefix + shown + " is one argument too many");
  }
  if (!command.commands.empty()) return wrong_use(path, prefix + "a command is missing: " + names_of(command.commands));
  if (dynamic_cast<const CLI::RequiredError*>(&error) != nullptr) {
    std::string missing = error.what();
    const std::string tail = " is required";
    if (missing.ends_with(tail)) missing.resize(missing.size() - tail.size());
    return wrong_use(path, prefix + missing + " is missing");
  }
  const std::string why = base::escaped(error.what(), 300);
  if (why.find("At Most 1 required") != std::string::npos)
    return wrong_use(path, prefix + why.substr(0, why.find(':')) + " is given more than once");
  return wrong_use(path, prefix + why);
}

Result<void> check_choices(const std::vector<const Command*>& path, const Arguments& arguments, const std::string& key,
                           const std::vector<std::string>& choices) {
  if (choices.empty()) return {};
  std::string wanted;
  for (const std::string& choice : choices) wanted += (wanted.empty() ? "" : ", ") + choice;
  for (const std::string& value : arguments.all(key)) {
    if (std::ranges::find(choices, value) == choices.end())
      return wrong_use(path, key + " " + base::escaped(value, 80) + ": not one of " + wanted);
  }
  return {};
}

Result<void> check_values(const std::vector<const Command*>& path, const Arguments& arguments) {
  for (const Command* command : path) {
    for (const Option& option : command->options) TRY(check_choices(path, arguments, key_of(option), option.choices));
    for (const Positional& positional : command->positionals)
      TRY(check_choices(path, arguments, positional.name, positional.choices));
  }
  return {};
}

// The next word from `at` on that is no option of the program or an option's value; the end where there is none, or
// another option comes first.
std::size_t next_word(const std::vector<std::string>& words, std::size_t at) {
  for (; at < words.size() && words[at].starts_with('-') && words[at] != "-"; ++at) {
    const std::string name = words[at].substr(0, words[at].find('='));
    const auto option = std::ranges::find_if(program().options, [&name](const Option& one) {
      return key_of(one) == name || one.name.starts_with(name + ",");
    });
    if (option == program().options.end()) return words.size();
    if (!option->value.empty() && words[at].find('=') == std::string::npos) ++at;
  }
  return at;
}

// "service X start" as "service start X": a command whose subject stands first. Of "service backup restore PATH" and
// "service backup all" the first word is no subject: nothing can have that name.
std::vector<std::string> with_subject_behind(std::vector<std::string> words) {
  const std::size_t group = next_word(words, 0);
  if (group >= words.size()) return words;
  const auto found = std::ranges::find(program().commands, words[group], &Command::name);
  if (found == program().commands.end()) return words;
  const auto is_action = [&found](const std::string& word) {
    const auto below = std::ranges::find(found->commands, word, &Command::name);
    return below != found->commands.end() && below->subject_first;
  };
  const std::size_t subject = next_word(words, group + 1);
  const std::size_t action = next_word(words, subject + 1);
  if (action >= words.size() || !is_action(words[action])) return words;
  if (words[subject] == "backup" && words[action] == "restore") {
    words[subject] = "restore";
    words[action] = "all";
    const std::size_t path = next_word(words, action + 1);
    if (path < words.size()) words.insert(words.begin() + static_cast<std::ptrdiff_t>(path), "--from");
    return words;
  }
  std::swap(words[subject], words[action]);
  return words;
}

}  // namespace

std::string full_name(const std::vector<const Command*>& path) {
  std::string name;
  for (const Command* command : path) name += (name.empty() ? "" : " ") + command->name;
  return name;
}

std::unexpected<Error> unknown_command(const std::vector<const Command*>& path, const std::string& word) {
  auto error = wrong_use(path, command_prefix(path) + "unknown command \"" + base::escaped(word, 80) + "\"");
  if (const Command* meant = nearest(path.back()->commands, word))
    return fail(ErrorCode::kUsage, error.error().message, "did you mean " + full_name(path) + " " + meant->name + "?");
  return error;
}

Result<Invocation> parse_command_line(const std::vector<std::string>& words) {
  Invocation invocation;
  try {
    CLI::App app(program().summary, program().name);
    Builder builder;
    builder.fill(app, program());
    try {
      const std::vector<std::string> ordered = with_subject_behind(words);
      std::vector<std::string> backwards(ordered.rbegin(), ordered.rend());
      std::ranges::transform(backwards, backwards.begin(), stand_in);
      app.parse(std::move(backwards));
    } catch (const CLI::CallForHelp& call) {
      // Of a command that there is.
      if (!found_path(app).back()->commands.empty() && !app.remaining(true).empty()) return objection(app, call);
      invocation.help = true;
    } catch (const CLI::ParseError& error) {
      return objection(app, error);
    }
    invocation.path = found_path(app);
    for (const Slot& slot : builder.slots()) {
      for (const std::string& value : slot.option->results()) {
        if (slot.flag && value != "true") return wrong_use(invocation.path, slot.key + " takes no value");
        invocation.arguments.add(slot.key, without_stand_in(value));
      }
    }
  } catch (const CLI::Error& error) {
    return fail(ErrorCode::kUsage, base::escaped(error.what(), 300));
  }
  if (!invocation.help) TRY(check_values(invocation.path, invocation.arguments));
  return invocation;
}

}  // namespace spl::cli
