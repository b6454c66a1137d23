// A log for people and machines: one JSON object (RFC 8259) a line,
//   {"time":"2026-01-31T12:00:00Z","level":"info","event":"...","<field>":<value>,...}
// in a file that is rotated: <path>.1 is the youngest of the older ones. Every line is valid JSON whatever the fields
// hold: a value that is not UTF-8 is shown as base::escaped shows it. Not synced: the last lines may go at a power cut.
// Any thread. One JsonLog a path: who holds the home's lock.
#pragma once

#include <cstdint>
#include <memory>
#include <mutex>
#include <string>

#include "env/env.h"

namespace spl::env {

inline constexpr std::uint64_t kLogFileBytesMax = 10u << 20;
inline constexpr int kLogFilesOldMax = 7;
inline constexpr std::size_t kLogValueBytesMax = 8u << 10;  // the rest of a longer value is dropped

class JsonLog final : public Log {
 public:
  // The file is made at the first event. `fs` and `clock` outlive the log.
  JsonLog(FileSystem& fs, Clock& clock, std::string path);
  void write(LogLevel level, std::string_view event, const LogFields& fields) override;
  // The next event goes to the file that has the name then: another may have been given it (logrotate).
  void reopen();

 private:
  void append(const std::string& line);
  Result<void> append_locked(const std::string& line);
  Result<void> open_locked();
  Result<void> rotate_locked();
  [[nodiscard]] std::string old_path(int number) const;

  FileSystem& fs_;
  Clock& clock_;
  const std::string path_;

  std::mutex mutex_;  // guards all below
  std::unique_ptr<File> file_;
  std::string at_;  // where path_ leads: its owner may have put the log elsewhere
  std::uint64_t size_bytes_ = 0;
};

}  // namespace spl::env
