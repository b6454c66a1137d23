// What a program needs from the machine, handed to everything that needs it: there are no singletons, and no other
// place reads a clock or a random number. The owner of an Env outlives its users. Any thread.
#pragma once

#include <chrono>
#include <concepts>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "base/result.h"
#include "env/file_system.h"

namespace spl::env {

class Clock {
 public:
  virtual ~Clock() = default;
  virtual std::chrono::system_clock::time_point now() = 0;     // for people: UTC
  virtual std::chrono::steady_clock::time_point steady() = 0;  // for durations
  // Since the machine was started, the time in which it slept among them: for deadlines that hold across a suspend.
  virtual std::chrono::nanoseconds since_boot() = 0;
  virtual void sleep_for(std::chrono::nanoseconds duration) = 0;
};

class Random {
 public:
  virtual ~Random() = default;
  // Octets fit for keys. A generator that fails ends the process: nothing may be written with a weak one.
  virtual void fill(std::span<char> out) = 0;
};

enum class LogLevel : std::uint8_t { kInfo, kWarn, kError };

// A text, or a number or truth value as JSON writes it: who reads a log by a program compares and adds them.
class LogValue {
 public:
  // NOLINTBEGIN(google-explicit-constructor): a field is given as what it is.
  LogValue(std::string text) : text_(std::move(text)) {}
  LogValue(std::string_view text) : text_(text) {}
  LogValue(const char* text) : text_(text) {}
  template <std::integral T>
  LogValue(T number) : text_(std::to_string(number)), is_text_(false) {}
  LogValue(bool truth) : text_(truth ? "true" : "false"), is_text_(false) {}
  LogValue(std::chrono::microseconds time);  // as milliseconds, with three digits after the point
  // NOLINTEND(google-explicit-constructor)
  [[nodiscard]] const std::string& text() const { return text_; }
  [[nodiscard]] bool is_text() const { return is_text_; }

 private:
  std::string text_;
  bool is_text_ = true;
};
using LogFields = std::vector<std::pair<std::string_view, LogValue>>;

class Log {
 public:
  virtual ~Log() = default;
  // One event: a short constant `event` name and its fields. Never a secret. Never fails: a log that cannot be
  // written is dropped.
  virtual void write(LogLevel level, std::string_view event, const LogFields& fields) = 0;
};

// The environment variables that the program was started with: what may be asked of them is asked here.
class Variables {
 public:
  virtual ~Variables() = default;
  // Nothing where it is not set, or empty.
  [[nodiscard]] virtual std::optional<std::string> get(const std::string& name) const = 0;
  [[nodiscard]] virtual std::vector<std::string> names() const = 0;
};

struct Env {
  FileSystem& fs;
  Clock& clock;
  Random& random;
  Log& log;
  const Variables* variables = nullptr;  // null: there are none
};

// RFC 3339 in UTC with seconds, "2026-01-31T12:00:00Z".
std::string rfc3339(std::chrono::system_clock::time_point time);
// With milliseconds, "2026-01-31T12:00:00.000Z".
std::string rfc3339_ms(std::chrono::system_clock::time_point time);

}  // namespace spl::env
