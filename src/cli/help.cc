#include "cli/help.h"

#include <algorithm>

#include "base/version.h"
#include "cli/parse.h"

namespace spl::cli {
namespace {

constexpr std::size_t kColumnMax = 30;
constexpr std::size_t kTextColumnsMin = 24;  // beside a column of names; where there is less room text stands below it

using Path = std::vector<const Command*>;

// `text` filled into lines of `width`, each indented; the first one stands at `column` already. A word that is longer
// than a line stays whole.
void append_filled(std::string& out, std::string_view text, std::size_t indent, std::size_t column, std::size_t width) {
  while (!text.empty()) {
    const std::size_t end = std::min(text.find(' '), text.size());
    if (column + end + 1 > width && column > indent) {
      out += "\n" + std::string(indent, ' ');
      column = indent;
    } else if (column > indent) {
      out.push_back(' ');
      ++column;
    }
    out += text.substr(0, end);
    column += end;
    text.remove_prefix(std::min(end + 1, text.size()));
  }
  out.push_back('\n');
}

struct Row {
  std::string left;
  std::string right;
};

void append_rows(std::string& out, std::string_view title, const std::vector<Row>& rows, std::size_t width) {
  if (rows.empty()) return;
  std::size_t column = 0;
  for (const Row& row : rows) column = std::max(column, row.left.size());
  column = std::min(column, kColumnMax) + 4;
  if (column + kTextColumnsMin > width) column = 6;
  out += "\n" + std::string(title) + "\n";
  for (const Row& row : rows) {
    out += "  " + row.left;
    if (row.left.size() + 4 > column) {
      out += "\n" + std::string(column, ' ');
    } else {
      out += std::string(column - 2 - row.left.size(), ' ');
    }
    append_filled(out, row.right, column, column, width);
  }
}

std::string option_text(const Option& option) {
  std::string text = option.name;
  const std::size_t comma = text.find(',');
  if (comma != std::string::npos) text.insert(comma + 1, " ");
  if (!option.value.empty()) text += " " + option.value;
  return text;
}

std::string positional_text(const Positional& positional) {
  switch (positional.need) {
    case Positional::Need::kOptional:
      return "[" + positional.name + "]";
    case Positional::Need::kSome:
      return positional.name + "...";
    case Positional::Need::kAny:
      return "[" + positional.name + "]...";
    case Positional::Need::kRequired:
      break;
  }
  return positional.name;
}

std::string help_of(const Option& option) {
  return option.help + (option.times == Times::kAny ? " (may be repeated)" : "");
}

std::vector<Row> option_rows(const Command& command) {
  std::vector<Row> rows;
  for (const Option& option : command.options) rows.push_back({option_text(option), help_of(option)});
  return rows;
}

// Text for groff: backslashes and hyphens as they are, and no line that begins a macro.
std::string roff(std::string_view text) {
  std::string out;
  for (const char c : text) {
    if (c == '\\') {
      out += "\\e";
    } else if (c == '-') {
      out += "\\-";
    } else {
      if ((c == '.' || c == '\'') && (out.empty() || out.back() == '\n')) out += "\\&";
      out.push_back(c);
    }
  }
  return out;
}

constexpr std::string_view kExitStatus =
    "0 done; 1 failed; 2 wrong use; 3 refused by a safety gate; 4 verification failed; 5 pre-flight found a stop; 6 "
    "something needed is unavailable; 7 two things differ; 128 and more: interrupted by the signal of that number less "
    "128.";

void append_man_options(std::string& out, const Command& command) {
  for (const Positional& positional : command.positionals)
    out += ".TP\n\\fI" + roff(positional.name) + "\\fR\n" + roff(positional.help) + ".\n";
  for (const Option& option : command.options)
    out += ".TP\n\\fB" + roff(option_text(option)) + "\\fR\n" + roff(help_of(option)) + ".\n";
}

void append_man_examples(std::string& out, const Command& command) {
  for (const std::string& example : command.examples) out += ".RS 4\n.EX\n" + roff(example) + "\n.EE\n.RE\n";
}

void append_man_commands(std::string& out, Path path) {
  for (const Command& command : path.back()->commands) {
    path.push_back(&command);
    if (command.run != nullptr) {
      out += ".SS \"" + roff(usage_line(path)) + "\"\n" + roff(command.summary) + ".\n";
      if (!command.details.empty()) out += ".PP\n" + roff(command.details) + "\n";
      append_man_options(out, command);
      out += ".PP\nExample:\n";
      append_man_examples(out, command);
    }
    append_man_commands(out, path);
    path.pop_back();
  }
}

}  // namespace

std::string usage_line(const Path& path) {
  std::string line = full_name(path);
  const Command& command = *path.back();
  if (!command.commands.empty()) return line + " COMMAND";
  if (command.subject_first)
    line = full_name({path.begin(), path.end() - 1}) + " " + positional_text(command.positionals.front()) + " " +
           command.name;
  for (const Positional& positional : command.positionals) {
    if (!command.subject_first || &positional != &command.positionals.front())
      line += " " + positional_text(positional);
  }
  for (const Option& option : command.options)
    line += " [" + key_of(option) + (option.value.empty() ? "" : " " + option.value) + "]" +
            (option.times == Times::kAny ? "..." : "");
  return line;
}

std::string help_text(const Path& path, std::size_t width) {
  const Command& command = *path.back();
  std::string out;
  append_filled(out, command.summary + ".", 0, 0, width);
  out += "\nusage: ";
  append_filled(out, usage_line(path), 7, 7, width);
  if (!command.details.empty()) {
    out.push_back('\n');
    append_filled(out, command.details, 0, 0, width);
  }
  std::vector<Row> rows;
  for (const Command& below : command.commands) rows.push_back({below.name, below.summary});
  append_rows(out, "commands:", rows, width);
  rows.clear();
  for (const Positional& positional : command.positionals) rows.push_back({positional.name, positional.help});
  append_rows(out, "arguments:", rows, width);
  if (path.size() > 1) append_rows(out, "options:", option_rows(command), width);
  append_rows(out, "options of every command:", option_rows(*path.front()), width);
  out += command.examples.size() > 1 ? "\nexamples:\n" : "\nexample:\n";
  for (const std::string& example : command.examples) out += "  " + example + "\n";
  if (path.size() == 1) {
    out += "\nexit status:\n";
    out += "  ";
    append_filled(out, kExitStatus, 2, 2, width);
  }
  return out;
}

std::string man_page(const Path& path) {
  const Command& command = *path.back();
  std::string dashed = full_name(path);
  std::ranges::replace(dashed, ' ', '-');
  std::string title = dashed;
  std::ranges::transform(title, title.begin(), [](char c) { return c >= 'a' && c <= 'z' ? char(c - 'a' + 'A') : c; });
  std::string out = ".TH " + roff(title) + " 1 \"\" \"spl " + base::kVersion + "\" \"spl\"\n";
  out += ".SH NAME\n" + roff(dashed) + " \\- " + roff(command.summary) + "\n";
  out += ".SH SYNOPSIS\n\\fB" + roff(usage_line(path)) + "\\fR\n";
  if (!command.details.empty()) out += ".SH DESCRIPTION\n" + roff(command.details) + "\n";
  if (!command.positionals.empty() || !command.options.empty()) {
    out += ".SH OPTIONS\n";
    append_man_options(out, command);
  }
  if (!command.commands.empty()) {
    out += ".SH COMMANDS\n";
    append_man_commands(out, path);
  }
  out += ".SH EXAMPLES\n";
  append_man_examples(out, command);
  out += ".SH EXIT STATUS\n" + roff(kExitStatus) + "\n";
  if (path.size() > 1) out += ".SH SEE ALSO\n\\fBspl\\fR(1), with the options of every command\n";
  if (path.size() == 1)
    out +=
        ".SH ENVIRONMENT\n.TP\nSYNCROPEL_HOME\nThe home, where \\fB\\-\\-home\\fR is not given.\n.TP\nNO_COLOR\nWhere "
        "it is set, nothing is coloured.\n.TP\nLC_ALL, LC_CTYPE, LANG, TERM\nWhere the locale is not one of UTF-8, or "
        "the terminal is a dumb one, the program adds ASCII alone.\n.TP\nTMPDIR\nWhere long lists wait until they are "
        "whole, and the encrypted body of a bundle for which the home has no room; else /tmp.\n.TP\nPAGER\nWhat "
        "\\fBspl "
        "log\\fR shows at a terminal goes through it; less where it is not set, nothing where it is empty or "
        "cat.\n.TP\n"
        "NOTIFY_SOCKET\nWhere spl serve says that it is ready, reloads and stops, as systemd wants it.\n";
  return out;
}

}  // namespace spl::cli
