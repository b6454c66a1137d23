#include "cli/output.h"

#include <unistd.h>

#include <algorithm>
#include <array>
#include <chrono>
#include <cstdio>
#include <cstdlib>
#include <utility>

#include "base/cause.h"
#include "base/encoding.h"
#include "base/utf8.h"

namespace spl::cli {
namespace {

using codec::Json;
using namespace std::chrono_literals;

constexpr std::size_t kBufferBytes = 64u << 10;
constexpr std::size_t kHeldBytesMax = 1u << 20;  // in memory
constexpr std::size_t kUtf8BytesMax = 4;
constexpr auto kLastWordsPatience = 1s;  // with a reader that does not read, when the user wants to go

std::string in_color(Color color, std::string_view text) {
  std::string_view code;
  switch (color) {
    case Color::kRed:
      code = "\x1b[31m";
      break;
    case Color::kYellow:
      code = "\x1b[33m";
      break;
    case Color::kGreen:
      code = "\x1b[32m";
      break;
    case Color::kBold:
      code = "\x1b[1m";
      break;
  }
  return std::string(code) + std::string(text) + "\x1b[0m";
}

// JSON takes UTF-8 only; a message may show anything.
std::string as_utf8(std::string_view text) {
  return base::is_utf8(text) ? std::string(text) : base::escaped(text, text.size());
}

Json text_or_null(std::string_view text) {
  return text.empty() ? Json() : Json(as_utf8(text));
}

Json number_or_null(std::uint64_t number) {
  return number == 0 ? Json() : Json(number);
}

Json error_json(const Error& error, int exit) {
  return Json::Object{{"code", base::word_of(error)},
                      {"exit", exit},
                      {"message", as_utf8(error.message)},
                      {"hint", as_utf8(error.hint)}};
}

std::string temporary_directory() {
  const char* const named = std::getenv("TMPDIR");
  return named != nullptr && *named != '\0' ? named : "/tmp";
}

}  // namespace

Output::Output(env::Env env, OutputOptions options)
    : env_(env),
      options_(options),
      out_is_terminal_(::isatty(STDOUT_FILENO) == 1),
      error_is_terminal_(::isatty(STDERR_FILENO) == 1),
      out_(STDOUT_FILENO, "standard output", options.interrupt) {}

Result<void> Output::write(std::string_view octets) {
  begun_ = begun_ || !octets.empty();
  if (out_is_terminal_ && !text()) {
    add_seen(octets);
  } else {
    buffer_ += octets;
  }
  if (buffer_.size() < kBufferBytes) return {};
  return flush();
}

// JSON on a terminal: what that would act on, or not show, as \uXXXX, which is the same JSON.
void Output::add_seen(std::string_view json) {
  cut_off_ += json;
  std::string_view rest = cut_off_;
  const auto add_unit = [this](std::uint32_t unit) {
    buffer_ += "\\u";
    base::append_hex(buffer_, std::string{static_cast<char>(unit >> 8), static_cast<char>(unit & 0xFF)});
  };
  while (!rest.empty()) {
    std::uint32_t c = 0;
    const std::size_t length = base::decode_utf8(rest, c);
    if (length == 0 && rest.size() < kUtf8BytesMax && static_cast<unsigned char>(rest[0]) >= 0xC0) break;  // it goes on
    const std::string_view piece = rest.substr(0, std::max<std::size_t>(length, 1));
    rest.remove_prefix(piece.size());
    if (length == 0 || c == '\n' || c == '\t' || !base::is_unseen(c)) {
      buffer_ += piece;
    } else if (c < 0x10000) {
      add_unit(c);
    } else {
      add_unit(0xD800 + ((c - 0x10000) >> 10));
      add_unit(0xDC00 + ((c - 0x10000) & 0x3FF));
    }
  }
  cut_off_ = std::string(rest);
}

Result<void> Output::flush() {
  if (lost_) return std::unexpected(*lost_);
  if (buffer_.empty()) return {};
  if (out_is_terminal_) show_line_in_passing("");
  const std::string held = std::exchange(buffer_, {});
  if (yielded_) {
    to_standard_error(held);
    return {};
  }
  if (!interrupted()) return out_.write(held);
  if (env::write_within(STDOUT_FILENO, held, kLastWordsPatience)) return {};
  return base::fail_cancelled("not all of it was shown");
}

// Whoever flushes next, and end() at the latest, hears of it.
void Output::flush_in_passing() {
  if (auto flushed = flush(); !flushed) lost_ = flushed.error();
}

Result<void> Output::line(std::string_view text) {
  if (options_.loudness == Loudness::kQuiet) return {};
  TRY(write(text));
  return write("\n");
}

Result<void> Output::document_text(std::string_view json) {
  if (format() == Format::kStreamJson) return hold(json);
  TRY(write(json));
  return write("\n");
}

Result<void> Output::content(std::string_view octets) {
  return format() == Format::kStreamJson ? hold(Json(as_utf8(octets)).text()) : write(octets);
}

Result<void> Output::hold(std::string_view json) {
  if (!held_) held_ = TRY(spool::Spool::make(env_, {temporary_directory(), spool::Secrecy::kPlain, kHeldBytesMax}));
  return held_->append(json);
}

Result<void> Output::write_held() {
  struct Into final : Sink {
    explicit Into(Output& output) : out(output) {}
    Result<void> write(std::string_view octets) override { return out.write(octets); }
    Output& out;
  };
  Into into(*this);
  return held_->write_to(into);
}

// What cannot be told on standard error cannot be told at all.
void Output::to_standard_error(std::string line) {
  show_line_in_passing("");
  if (!line.ends_with('\n')) line.push_back('\n');
  env::DescriptorSink sink(STDERR_FILENO, "standard error", nullptr);
  (void)sink.write(line);
}

void Output::show_line_in_passing(std::string_view text) {
  if (text.empty() && !passing_) return;
  passing_ = !text.empty();
  env::DescriptorSink sink(STDERR_FILENO, "standard error", nullptr);
  (void)sink.write("\r\x1b[K" + std::string(text));
}

void Output::note(std::string_view text) {
  // What was said before it is to be seen before it.
  flush_in_passing();
  if (options_.loudness != Loudness::kQuiet) to_standard_error("spl: " + one_line(text));
  if (format() == Format::kStreamJson) send_event({}, text);
}

void Output::note(const Error& error) {
  note(with_hint(error.message, error.hint));
}

void Output::step(const Event& event) {
  if (event.phase.empty() && event.message.empty()) return;
  const std::string_view said = event.message.empty() ? event.phase : event.message;
  if (options_.loudness == Loudness::kVerbose) {
    flush_in_passing();
    to_standard_error("spl: " + one_line(said));
  }
  if (format() == Format::kStreamJson) send_event(event, event.message);
}

void Output::event(const Event& event) {
  if (format() == Format::kStreamJson) send_event(event, event.message);
}

void Output::send_event(const Event& event, std::string_view message) {
  if (options_.loudness == Loudness::kQuiet) return;
  // A reader that has gone is noticed by the last line.
  buffer_ += event_json(event, message).text() + "\n";
  begun_ = true;
  flush_in_passing();
}

Json Output::event_json(const Event& event, std::string_view message) {
  return Json::Object{{"seq", sequence_++},
                      {"at", env::rfc3339_ms(env_.clock.now())},
                      {"phase", text_or_null(event.phase)},
                      {"service", text_or_null(event.service)},
                      {"surface", text_or_null(event.surface)},
                      {"done", event.unit.empty() ? Json() : Json(event.done)},
                      {"total", number_or_null(event.total)},
                      {"unit", text_or_null(event.unit)},
                      {"eta_ms", event.eta_ms ? Json(*event.eta_ms) : Json()},
                      {"message", text_or_null(message)}};
}

Result<void> Output::show_result() {
  if (format() != Format::kStreamJson || !held_) return flush();
  struct Into final : Sink {
    Result<void> write(std::string_view octets) override {
      text += octets;
      return {};
    }
    std::string text;
  } into;
  TRY(held_->write_to(into));
  std::string line = event_json({}, {}).text();
  line.pop_back();
  TRY(write(line + ",\"result\":" + into.text + "}\n"));
  return flush();
}

Result<void> Output::end() {
  if (format() == Format::kStreamJson) {
    TRY(write("{\"seq\":" + std::to_string(sequence_++) + ",\"state\":\"done\",\"result\":"));
    TRY(held_ ? write_held() : write("null"));
    TRY(write("}\n"));
  }
  TRY(flush());
  show_line_in_passing("");
  return {};
}

void Output::end(const Error& error, int exit) {
  Json document = Json::Object{};
  if (format() == Format::kStreamJson) {
    document.add("seq", sequence_++);
    document.add("state", error.cause == Cause::kCancelled ? "cancelled" : "failed");
  }
  document.add("error", error_json(error, exit));
  for (const auto& [name, value] : *error_members_.object()) document.add(name, value);
  const bool for_programs = format() == Format::kStreamJson || (format() == Format::kJson && !begun_);
  if (interrupted()) {
    // Half of what was to be shown is of no use.
    const std::string last = for_programs ? document.text() + "\n" : std::string();
    (void)env::write_within(yielded_ ? STDERR_FILENO : STDOUT_FILENO, last, kLastWordsPatience);
  } else {
    if (for_programs) (void)write(document.text() + "\n");
    (void)flush();
  }
  to_standard_error(error_line(error));
}

std::string Output::with_hint(std::string_view message, std::string_view hint) const {
  std::string text = one_line(message);
  if (!hint.empty()) text += (letters() == Letters::kUnicode ? " — " : " -- ") + one_line(hint);
  return text;
}

std::string Output::error_line(const Error& error) const {
  const std::string name = options_.color && error_is_terminal_ ? in_color(Color::kRed, "spl:") : "spl:";
  return name + " " + with_hint(error.message, error.hint);
}

std::string Output::painted(Color color, std::string_view text) const {
  return options_.color && out_is_terminal_ ? in_color(color, text) : std::string(text);
}

Result<void> ListOutput::item(std::string_view json_or_text) {
  if (out_.interrupted()) return base::fail_cancelled("the list is not whole");
  if (out_.text()) return out_.line(json_or_text);
  const std::string_view comma = out_.format() == Format::kJson ? ",\n" : ",";
  TRY(put(any_ ? comma : "["));
  any_ = true;
  return put(json_or_text);
}

Result<void> ListOutput::end() {
  if (out_.text()) return {};
  TRY(put(any_ ? "]" : "[]"));
  if (out_.format() == Format::kStreamJson) return {};
  if (held()) {
    TRY(out_.write_held());
    out_.held_.reset();
  }
  return out_.write("\n");
}

std::string one_line(std::string_view text) {
  constexpr std::string_view kKept = "\"\\";
  std::string line;
  while (!text.empty()) {
    const std::size_t plain = std::min(text.find_first_of(kKept), text.size());
    line += base::escaped(text.substr(0, plain), plain);
    text.remove_prefix(plain);
    const std::size_t kept = std::min(text.find_first_not_of(kKept), text.size());
    line += text.substr(0, kept);
    text.remove_prefix(kept);
  }
  return line;
}

std::string human_bytes(std::uint64_t bytes) {
  if (bytes < 1024) return counted(bytes, "byte");
  constexpr std::array kUnits{"KiB", "MiB", "GiB", "TiB", "PiB", "EiB"};
  auto value = static_cast<double>(bytes) / 1024;
  std::size_t unit = 0;
  for (; value >= 1024 && unit + 1 < kUnits.size(); ++unit) value /= 1024;
  std::array<char, 32> text{};
  std::snprintf(text.data(), text.size(), "%.1f %s", value, kUnits[unit]);
  return text.data();
}

}  // namespace spl::cli
