#include "cli/output.h"

#include <unistd.h>

#include <algorithm>
#include <array>
#include <cstdio>
#include <utility>

#include "base/encoding.h"
#include "base/utf8.h"

namespace spl::cli {
namespace {

constexpr std::size_t kBufferBytes = 64u << 10;

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

// What cannot be told on standard error cannot be told at all.
void to_standard_error(std::string line) {
  line.push_back('\n');
  env::DescriptorSink sink(STDERR_FILENO, "standard error", nullptr);
  (void)sink.write(line);
}

// JSON takes UTF-8 only; a message may show anything.
std::string as_utf8(const std::string& text) {
  return base::is_utf8(text) ? text : base::escaped(text, text.size());
}

}  // namespace

Output::Output(Format format, bool color)
    : format_(format),
      out_is_terminal_(::isatty(STDOUT_FILENO) == 1),
      error_is_terminal_(::isatty(STDERR_FILENO) == 1),
      color_out_(color && out_is_terminal_),
      color_error_(color && error_is_terminal_),
      out_(STDOUT_FILENO, "standard output", nullptr) {}

Result<void> Output::write(std::string_view octets) {
  begun_ = begun_ || !octets.empty();
  buffer_ += octets;
  if (buffer_.size() < kBufferBytes) return {};
  return flush();
}

Result<void> Output::line(std::string_view text) {
  TRY(write(text));
  return write("\n");
}

Result<void> Output::document(const codec::Json& json) {
  return line(json.text());
}

Result<void> Output::flush() {
  const std::string held = std::exchange(buffer_, {});
  return out_.write(held);
}

void Output::note(std::string_view text) {
  // What was said before it is to be seen before it.
  (void)flush();
  to_standard_error(one_line(text));
}

void Output::note(const Error& error) {
  (void)flush();
  to_standard_error(error_line(error));
}

std::string Output::error_line(const Error& error) const {
  std::string text = color_error_ ? in_color(Color::kRed, "spl:") : "spl:";
  text += " " + one_line(error.message);
  if (!error.hint.empty()) text += " — " + one_line(error.hint);
  return text;
}

void Output::error(const Error& error) {
  if (!this->text() && !(format_ == Format::kJson && begun_)) {
    codec::Json document = codec::Json::Object{};
    document.add("error", codec::Json::Object{{"code", static_cast<int>(error.code)},
                                              {"message", as_utf8(error.message)},
                                              {"hint", as_utf8(error.hint)}});
    for (const auto& [name, value] : *error_members_.object()) document.add(name, value);
    (void)this->document(document);
  }
  (void)flush();
  to_standard_error(error_line(error));
}

std::string Output::painted(Color color, std::string_view text) const {
  return color_out_ ? in_color(color, text) : std::string(text);
}

Result<void> ListOutput::item(std::string_view json_or_text) {
  if (out_.format() == Format::kJson) TRY(out_.write(any_ ? ",\n" : "["));
  any_ = true;
  TRY(out_.write(json_or_text));
  return out_.format() == Format::kJson ? Result<void>() : out_.write("\n");
}

Result<void> ListOutput::end() {
  if (out_.format() != Format::kJson) return {};
  return out_.write(any_ ? "]\n" : "[]\n");
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
