// The log of a daemon that runs in the foreground: a line an event for people, on standard error, and the same to
// another log. Any thread.
#pragma once

#include <mutex>
#include <string>

#include "env/env.h"

namespace spl::env {

// "2026-01-31T12:00:00Z info: daemon started, pid 12, address http://127.0.0.1:9100". A line that nobody takes at once
// (a stopped terminal, a full pipe) is dropped: no request waits for who reads the log.
class StreamLog final : public Log {
 public:
  // Events below `least` are left out.
  StreamLog(Clock& clock, int descriptor, LogLevel least) : clock_(clock), descriptor_(descriptor), least_(least) {}
  void write(LogLevel level, std::string_view event, const LogFields& fields) override;

 private:
  Clock& clock_;
  const int descriptor_;
  const LogLevel least_;
  std::mutex mutex_;  // one line at a time
};

// Each event goes to both, which outlive it.
class BothLogs final : public Log {
 public:
  BothLogs(Log& first, Log& second) : first_(first), second_(second) {}
  void write(LogLevel level, std::string_view event, const LogFields& fields) override {
    first_.write(level, event, fields);
    second_.write(level, event, fields);
  }

 private:
  Log& first_;
  Log& second_;
};

}  // namespace spl::env
