#include "cli/run.h"

#include <unistd.h>

#include <exception>
#include <new>
#include <optional>
#include <system_error>

#include "cli/command.h"
#include "cli/complete.h"
#include "cli/help.h"
#include "cli/output.h"
#include "cli/parse.h"
#include "cli/session.h"
#include "env/signals.h"
#include "store/open_store.h"

namespace spl::cli {
namespace {

std::optional<Format> format_of(std::string_view text) {
  if (text == "json") return Format::kJson;
  if (text == "stream-json") return Format::kStreamJson;
  return text == "text" ? std::optional(Format::kText) : std::nullopt;
}

// The format of a line that cannot be parsed, so that its error is told as it was asked for.
Format guessed_format(const std::vector<std::string>& words) {
  Format format = Format::kText;
  for (std::size_t i = 0; i < words.size(); ++i) {
    std::string_view word = words[i];
    std::optional<Format> named;
    if ((word == "-o" || word == "--output") && i + 1 < words.size()) {
      named = format_of(words[i + 1]);
    } else if (word.starts_with("--output=")) {
      named = format_of(word.substr(9));
    } else if (word.starts_with("-o") && word.size() > 2) {
      named = format_of(word.substr(2));
    }
    format = named.value_or(format);
  }
  return format;
}

// An error that came when the user had interrupted, whichever way it came.
Error as_interrupted(Error error) {
  // A connection that ends says nothing of what the daemon has done by then.
  if (error.code == ErrorCode::kUnavailable)
    error = {ErrorCode::kFailed, "interrupted before the daemon had answered", "spl status says what is there"};
  if (error.cause != Cause::kCancelled && !error.message.starts_with("interrupted"))
    error.message = "interrupted: " + error.message;
  error.code = ErrorCode::kFailed;
  error.cause = Cause::kCancelled;
  return error;
}

// Ends the command: what it said goes out, and its error, if any, is told.
int conclude(Output& out, Result<int> outcome) {
  if (outcome) {
    if (auto ended = out.end(); !ended) outcome = std::unexpected(std::move(ended).error());
  }
  if (outcome) return *outcome;
  Error error = std::move(outcome).error();
  int exit = static_cast<int>(error.code);
  if (const auto signal = env::InterruptSignals::received()) {
    error = as_interrupted(std::move(error));
    exit = 128 + *signal;
  }
  if (!out.reader_gone()) out.end(error, exit);
  return exit;
}

// What any error of the command can be told with that has no hint of its own.
Result<int> with_hint(Result<int> outcome, const std::vector<const Command*>& path) {
  if (outcome || !outcome.error().hint.empty()) return outcome;
  Error& error = outcome.error();
  if (error.code == ErrorCode::kUsage) error.hint = full_name(path) + " --help says how it is used";
  // The bundle itself has its hint from its reader; this is of what was within, and is as it was signed.
  if (error.cause == Cause::kMalformed && error.code == ErrorCode::kVerification)
    error.hint = "it came so from where it was made, and the same comes again: make it anew there, or leave it out";
  return outcome;
}

// Text that is the whole answer: to standard error where the line was wrong.
int say(const std::string& text, std::optional<ErrorCode> code = std::nullopt) {
  if (!code) {
    Machine machine;
    Output out(machine.env(), {.letters = letters_shown()});
    const auto written = out.content(text);
    return conclude(out, written ? Result<int>(0) : std::unexpected(written.error()));
  }
  env::DescriptorSink sink(STDERR_FILENO, "standard error", nullptr);
  (void)sink.write(text);
  return static_cast<int>(*code);
}

OutputOptions output_options(const Arguments& arguments) {
  OutputOptions options{.format = *format_of(arguments.value("--output").value_or("text"))};
  if (arguments.has("--verbose")) options.loudness = Loudness::kVerbose;
  if (arguments.has("--quiet")) options.loudness = Loudness::kQuiet;
  options.letters = letters_shown();
  options.color = color_wanted();
  return options;
}

int run_command(const Invocation& invocation, std::string_view commit) {
  const Arguments& arguments = invocation.arguments;
  const Command& command = *invocation.path.back();
  std::optional<env::InterruptSignals> signals;
  if (!command.hears_signals) signals.emplace();
  const env::Interrupt* interrupt = signals ? &signals->interrupt() : nullptr;
  OutputOptions options = output_options(arguments);
  options.interrupt = interrupt;
  Machine machine;
  Output out(machine.env(), options);
  if (arguments.has("--quiet") && arguments.has("--verbose"))
    return conclude(out, fail(ErrorCode::kUsage, "--quiet and --verbose cannot be given together", "leave out one"));
  auto home = find_home(arguments.value("--home"));
  if (!home && command.needs_home) return conclude(out, std::unexpected(std::move(home).error()));
  ShownProgress progress(out, machine.env().clock, interrupt, !arguments.has("--no-progress"));
  Session session(machine, out, progress, std::move(home).value_or(""), commit);
  if (command.needs_home) store::keep_temporary_files_in(session.paths().run());
  try {
    return conclude(out, with_hint(command.run(session, arguments), invocation.path));
  } catch (const std::bad_alloc&) {
    return conclude(
        out, fail(Cause::kNoMemory, "out of memory", "free some memory, or give the process more, and try again"));
  } catch (const std::system_error& error) {
    return conclude(out, fail(std::string("the system refused: ") + error.what(),
                              "end other programs, or raise the limit on processes (ulimit -u), and try again"));
  } catch (const std::exception& error) {
    return conclude(out,
                    fail(std::string("unexpected: ") + error.what(), "this is a mistake in spl: please report it"));
  }
}

int run_words(const std::vector<std::string>& words, std::string_view commit) {
  if (words.empty()) return say(help_text({&program()}, help_width()), ErrorCode::kUsage);
  if (words[0] == "__complete") return complete({words.begin() + 1, words.end()});
  if (words.size() == 1 && words[0] == "--version") return say(version_text(commit) + "\n");
  auto invocation = parse_command_line(words);
  if (!invocation) {
    Machine machine;
    Output out(machine.env(), {.format = guessed_format(words), .letters = letters_shown(), .color = color_wanted()});
    return conclude(out, std::unexpected(std::move(invocation).error()));
  }
  return invocation->help ? say(help_text(invocation->path, help_width())) : run_command(*invocation, commit);
}

}  // namespace

int run(const std::vector<std::string>& words, std::string_view commit) {
  try {
    const int code = run_words(words, commit);
    if (code > 128) env::InterruptSignals::end_as_received();
    return code;
  } catch (...) {
    return static_cast<int>(ErrorCode::kFailed);
  }
}

}  // namespace spl::cli
