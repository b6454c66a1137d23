// What a command says: results on standard output, as text for people or as JSON; notes and errors on standard error.
// One thread.
#pragma once

#include <string>
#include <string_view>

#include "base/result.h"
#include "base/words.h"
#include "env/streams.h"
#include "codec/json.h"

namespace spl::cli {

using base::counted;

enum class Format : std::uint8_t { kText, kJson, kStreamJson };
enum class Color : std::uint8_t { kRed, kYellow, kGreen, kBold };

class Output {
 public:
  // `color`: whether the user allows it; a stream that is no terminal has none in any case.
  Output(Format format, bool color);

  [[nodiscard]] Format format() const { return format_; }
  [[nodiscard]] bool text() const { return format_ == Format::kText; }
  [[nodiscard]] bool out_is_terminal() const { return out_is_terminal_; }
  [[nodiscard]] bool error_is_terminal() const { return error_is_terminal_; }

  // Standard output, buffered; an error where nobody can take it.
  Result<void> write(std::string_view octets);
  Result<void> line(std::string_view text);
  Result<void> document(const codec::Json& json);  // on a line of its own
  Result<void> flush();
  // True after an error because the reader has gone: nothing is to be said of it.
  [[nodiscard]] bool reader_gone() const { return out_.broken_pipe(); }

  // A line on standard error.
  void note(std::string_view text);
  // The same as "spl: <message> — <hint>".
  void note(const Error& error);
  // "spl: <message> — <hint>" on standard error and, for programs, {"error":..} on standard output, unless a document
  // was begun there.
  void error(const Error& error);
  // Goes beside "error" in that document.
  void add_to_error(std::string name, codec::Json value) { error_members_.add(std::move(name), std::move(value)); }

  // On standard output: coloured where that is a terminal.
  [[nodiscard]] std::string painted(Color color, std::string_view text) const;

 private:
  [[nodiscard]] std::string error_line(const Error& error) const;

  const Format format_;
  const bool out_is_terminal_;
  const bool error_is_terminal_;
  const bool color_out_;
  const bool color_error_;
  env::DescriptorSink out_;
  std::string buffer_;
  bool begun_ = false;  // something was written to standard output
  codec::Json error_members_ = codec::Json::Object{};
};

// A list of any length: an array with -o json, an object a line with -o stream-json, lines for people.
class ListOutput {
 public:
  explicit ListOutput(Output& out) : out_(out) {}
  // Of an item, its JSON or its text, whichever the format wants.
  Result<void> item(std::string_view json_or_text);
  Result<void> end();

 private:
  Output& out_;
  bool any_ = false;
};

// What a terminal would act on (control characters, bidirectional controls, broken UTF-8) as \xNN; quotes and
// backslashes stay, unlike in base::escaped.
std::string one_line(std::string_view text);
// "12.3 MiB"
std::string human_bytes(std::uint64_t bytes);

}  // namespace spl::cli
