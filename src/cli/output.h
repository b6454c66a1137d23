// What a command says: results on standard output, as text for people or as JSON; notes, steps and errors on standard
// error. With -o stream-json standard output is a line for every event, and the last one says how it ended
// (docs/formats/cli-json.md). One thread.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

#include "base/result.h"
#include "base/words.h"
#include "codec/json.h"
#include "env/env.h"
#include "env/streams.h"
#include "spool/spool.h"

namespace spl::cli {

using base::counted;

enum class Format : std::uint8_t { kText, kJson, kStreamJson };
enum class Color : std::uint8_t { kRed, kYellow, kGreen, kBold };
enum class Letters : std::uint8_t { kAscii, kUnicode };           // what the program itself says may consist of
enum class Loudness : std::uint8_t { kQuiet, kUsual, kVerbose };  // errors only; and notes; and every step

struct OutputOptions {
  Format format = Format::kText;
  Loudness loudness = Loudness::kUsual;
  Letters letters = Letters::kAscii;
  bool color = false;                         // the user allows it; a stream that is no terminal has none in any case
  const env::Interrupt* interrupt = nullptr;  // ends waits for who reads; outlives the output
};

// How far something is; 0 or "" is not known.
struct Event {
  std::string_view phase;
  std::string_view service = {};
  std::string_view surface = {};
  std::uint64_t done = 0;
  std::uint64_t total = 0;
  std::string_view unit = {};
  std::optional<std::uint64_t> eta_ms = {};
  std::string_view message = {};
};

class Output {
 public:
  Output(env::Env env, OutputOptions options);
  Output(const Output&) = delete;
  Output& operator=(const Output&) = delete;

  [[nodiscard]] Format format() const { return options_.format; }
  [[nodiscard]] bool text() const { return options_.format == Format::kText; }
  [[nodiscard]] Letters letters() const { return options_.letters; }
  [[nodiscard]] Loudness loudness() const { return options_.loudness; }
  [[nodiscard]] bool out_is_terminal() const { return out_is_terminal_; }
  [[nodiscard]] bool error_is_terminal() const { return error_is_terminal_; }

  // The result for people, a line at a time; nothing of it is shown with --quiet.
  Result<void> line(std::string_view text);
  // The result for programs. Once.
  Result<void> document(const codec::Json& json) { return document_text(json.text()); }
  Result<void> document_text(std::string_view json);
  // A result that is the same for all: a record, a script, a secret. A string in stream-json.
  Result<void> content(std::string_view octets);
  // Standard output takes octets that are not from here: documents and events go to standard error.
  void yield_standard_output() { yielded_ = true; }

  // A line on standard error that people should see: "spl: <text>".
  void note(std::string_view text);
  // The same as "spl: <message> — <hint>".
  void note(const Error& error);
  // What is done next: with --verbose a line on standard error, an event in stream-json.
  void step(const Event& event);
  // How far it is: an event in stream-json.
  void event(const Event& event);
  // A line on the terminal that stays until something else is said there; "" takes it away.
  void show_line_in_passing(std::string_view text);

  // The result to who waits for it, of a command that goes on: an event in stream-json, which has it in its last line,
  // too.
  Result<void> show_result();
  // The end of the command. Everything is with who reads it when these return.
  Result<void> end();
  // "spl: <message> — <hint>" on standard error and, for programs, {"error":..} on standard output, unless a document
  // was begun there. `exit` is the code that the program ends with.
  void end(const Error& error, int exit);
  // Goes beside "error" in that document.
  void add_to_error(std::string name, codec::Json value) { error_members_.add(std::move(name), std::move(value)); }
  // True after an error because the reader has gone: nothing is to be said of it.
  [[nodiscard]] bool reader_gone() const { return out_.broken_pipe(); }

  // On standard output: coloured where that is a terminal.
  [[nodiscard]] std::string painted(Color color, std::string_view text) const;
  // "<message> — <hint>", as one line; the message alone where there is no hint.
  [[nodiscard]] std::string with_hint(std::string_view message, std::string_view hint) const;

  // What was said so far is with who reads it when this returns.
  Result<void> flush();

 private:
  friend class ListOutput;
  Result<void> write(std::string_view octets);
  void add_seen(std::string_view json);
  void flush_in_passing();
  // What the last line of stream-json is to have as its result: in memory, or in a file without a name.
  Result<void> hold(std::string_view json);
  Result<void> write_held();
  void to_standard_error(std::string line);
  void send_event(const Event& event, std::string_view message);
  codec::Json event_json(const Event& event, std::string_view message);
  [[nodiscard]] std::string error_line(const Error& error) const;
  [[nodiscard]] bool interrupted() const { return options_.interrupt != nullptr && options_.interrupt->raised(); }

  const env::Env env_;
  const OutputOptions options_;
  const bool out_is_terminal_;
  const bool error_is_terminal_;
  env::DescriptorSink out_;
  std::string buffer_;
  std::string cut_off_;        // the beginning of a character whose rest has not come
  std::optional<Error> lost_;  // why standard output did not take all of what was said
  bool begun_ = false;         // a document was begun on standard output
  bool yielded_ = false;
  bool passing_ = false;  // a line stands on the terminal that is to go
  std::uint64_t sequence_ = 0;
  std::optional<spool::Spool> held_;
  codec::Json error_members_ = codec::Json::Object{};
};

// When a list's array is shown: as it comes, or when all of it is known to be good.
enum class Showing : bool { kAsItComes, kAtTheEnd };

// A list of any length: an array for programs, lines for people. It takes little memory in either.
class ListOutput {
 public:
  explicit ListOutput(Output& out, Showing showing = Showing::kAsItComes) : out_(out), showing_(showing) {}
  // Of an item, its JSON or its text, whichever the format wants. Cause kCancelled where the user has interrupted.
  Result<void> item(std::string_view json_or_text);
  Result<void> end();

 private:
  // Of JSON.
  [[nodiscard]] bool held() const { return out_.format() == Format::kStreamJson || showing_ == Showing::kAtTheEnd; }
  Result<void> put(std::string_view text) { return held() ? out_.hold(text) : out_.write(text); }

  Output& out_;
  const Showing showing_;
  bool any_ = false;
};

// What a terminal would act on (control characters, bidirectional controls, broken UTF-8) as \xNN; quotes and
// backslashes stay, unlike in base::escaped.
std::string one_line(std::string_view text);
// "12.3 MiB"
std::string human_bytes(std::uint64_t bytes);

}  // namespace spl::cli
