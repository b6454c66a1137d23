#include "cli/run.h"

#include <unistd.h>

#include <exception>
#include <new>
#include <optional>
#include <system_error>

#include "base/version.h"
#include "bundle/layout.h"
#include "cli/command.h"
#include "cli/help.h"
#include "cli/output.h"
#include "cli/parse.h"
#include "cli/session.h"
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

// Ends the command: what it said goes out, and its error, if any, is told.
int conclude(Output& out, Result<int> outcome) {
  if (outcome) {
    if (auto flushed = out.flush(); !flushed) outcome = std::unexpected(std::move(flushed).error());
  }
  if (outcome) return *outcome;
  if (!out.reader_gone()) out.error(outcome.error());
  return static_cast<int>(outcome.error().code);
}

// What any error of the command can be told with that has no hint of its own.
Result<int> with_hint(Result<int> outcome, const std::vector<const Command*>& path) {
  if (outcome || !outcome.error().hint.empty()) return outcome;
  Error& error = outcome.error();
  if (error.code == ErrorCode::kUsage) error.hint = full_name(path) + " --help says how it is used";
  if (error.cause == Cause::kMalformed) error.hint = bundle::kDamagedHint;
  return outcome;
}

// Text that is the whole answer: to standard error where the line was wrong.
int say(const std::string& text, std::optional<ErrorCode> code = std::nullopt) {
  Output out(Format::kText, false);
  if (!code) {
    const auto written = out.write(text);
    return conclude(out, written ? Result<int>(0) : std::unexpected(written.error()));
  }
  env::DescriptorSink sink(STDERR_FILENO, "standard error", nullptr);
  (void)sink.write(text);
  return static_cast<int>(*code);
}

int run_words(const std::vector<std::string>& words) {
  if (words.empty()) return say(help_text({&program()}), ErrorCode::kUsage);
  if (words.size() == 1 && words[0] == "--version") return say(std::string("spl ") + base::kVersion + "\n");
  auto invocation = parse_command_line(words);
  if (!invocation) {
    Output out(guessed_format(words), color_wanted());
    return conclude(out, std::unexpected(std::move(invocation).error()));
  }
  if (invocation->help) return say(help_text(invocation->path));
  const Arguments& arguments = invocation->arguments;
  Output out(*format_of(arguments.value("--output").value_or("text")), color_wanted());
  const Command& command = *invocation->path.back();
  auto home = find_home(arguments.value("--home"));
  if (!home && command.needs_home) return conclude(out, std::unexpected(std::move(home).error()));
  Session session(out, std::move(home).value_or(""), !arguments.has("--no-progress"));
  if (command.needs_home) store::keep_temporary_files_in(session.paths().run());
  try {
    return conclude(out, with_hint(command.run(session, arguments), invocation->path));
  } catch (const std::bad_alloc&) {
    return conclude(out, fail(Cause::kNoMemory, "out of memory", "free some memory, or give the process more, and try again"));
  } catch (const std::system_error& error) {
    return conclude(out, fail(std::string("the system refused: ") + error.what(),
                              "end other programs, or raise the limit on processes (ulimit -u), and try again"));
  } catch (const std::exception& error) {
    return conclude(out,
                    fail(std::string("unexpected: ") + error.what(), "this is a mistake in spl: please report it"));
  }
}

}  // namespace

int run(const std::vector<std::string>& words) {
  try {
    return run_words(words);
  } catch (...) {
    return static_cast<int>(ErrorCode::kFailed);
  }
}

}  // namespace spl::cli
