#include "env/json_log.h"

#include <utility>

#include "base/encoding.h"
#include "base/secrets.h"
#include "base/utf8.h"

namespace spl::env {
namespace {

std::string_view name_of(LogLevel level) {
  switch (level) {
    case LogLevel::kInfo:
      return "info";
    case LogLevel::kWarn:
      return "warn";
    case LogLevel::kError:
      return "error";
  }
  return "error";
}

// At most kLogValueBytesMax octets of it, and never a part of a character of valid UTF-8.
std::string shortened(std::string_view value) {
  if (value.size() <= kLogValueBytesMax) return std::string(value);
  std::size_t end = kLogValueBytesMax;
  while (end > kLogValueBytesMax - 4 && (static_cast<unsigned char>(value[end]) & 0xC0) == 0x80) --end;
  return std::string(value.substr(0, end)) + "...";
}

void append_value(std::string& line, std::string_view value) {
  const std::string shown = shortened(base::without_secrets(std::string(value)));
  base::append_json_string(line, base::is_utf8(shown) ? shown : base::escaped(shown, shown.size()));
}

}  // namespace

JsonLog::JsonLog(FileSystem& fs, Clock& clock, std::string path) : fs_(fs), clock_(clock), path_(std::move(path)) {}

void JsonLog::write(LogLevel level, std::string_view event, const LogFields& fields) {
  try {
    std::string line = R"({"time":")" + rfc3339(clock_.now()) + R"(","level":")";
    line += name_of(level);
    line += R"(","event":)";
    append_value(line, event);
    for (const auto& [name, value] : fields) {
      line += ',';
      append_value(line, name);
      line += ':';
      value.is_text() ? append_value(line, value.text()) : static_cast<void>(line += value.text());
    }
    line += "}\n";
    append(line);
  } catch (...) {
    // Out of memory: a log that cannot be written is dropped.
  }
}

void JsonLog::reopen() {
  const std::scoped_lock lock(mutex_);
  file_.reset();
}

void JsonLog::append(const std::string& line) {
  const std::scoped_lock lock(mutex_);
  // After a failure the next event starts anew, from what the file then holds.
  if (!append_locked(line)) file_.reset();
}

Result<void> JsonLog::append_locked(const std::string& line) {
  if (!file_) TRY(open_locked());
  if (size_bytes_ > 0 && size_bytes_ + line.size() > kLogFileBytesMax) TRY(rotate_locked());
  TRY(file_->write_at(size_bytes_, line));
  size_bytes_ += line.size();
  return {};
}

Result<void> JsonLog::open_locked() {
  at_ = TRY(follow_links(fs_, path_));
  std::unique_ptr<File> file = TRY(fs_.open(at_, OpenMode::kCreate));
  size_bytes_ = TRY(file->size());
  if (size_bytes_ > 0) {
    // A line that was cut short by a full disk or a power cut stays alone on its line.
    char last = '\n';
    TRY(file->read_at(size_bytes_ - 1, {&last, 1}));
    if (last != '\n') {
      TRY(file->write_at(size_bytes_, "\n"));
      ++size_bytes_;
    }
  }
  file_ = std::move(file);
  return {};
}

Result<void> JsonLog::rotate_locked() {
  file_.reset();
  for (int number = kLogFilesOldMax; number > 1; --number) {
    // What is not there yet cannot be renamed.
    static_cast<void>(fs_.rename(old_path(number - 1), old_path(number)));
  }
  TRY(fs_.rename(at_, old_path(1)));
  return open_locked();
}

std::string JsonLog::old_path(int number) const {
  return at_ + "." + std::to_string(number);
}

}  // namespace spl::env
