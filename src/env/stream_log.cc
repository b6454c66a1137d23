#include "env/stream_log.h"

#include <poll.h>
#include <unistd.h>

#include <climits>

#include "base/encoding.h"

namespace spl::env {
namespace {

// A pipe that can be written at all takes as much at once.
constexpr std::size_t kLineBytesMax = PIPE_BUF;
constexpr std::size_t kValueBytesMax = 1024;

std::string_view word_of(LogLevel level) {
  switch (level) {
    case LogLevel::kInfo:
      return " info: ";
    case LogLevel::kWarn:
      return " warning: ";
    case LogLevel::kError:
      break;
  }
  return " error: ";
}

}  // namespace

void StreamLog::write(LogLevel level, std::string_view event, const LogFields& fields) {
  if (level < least_) return;
  try {
    std::string line = rfc3339(clock_.now());
    line.append(word_of(level)).append(event);
    for (const auto& [name, value] : fields)
      line.append(", ").append(name).append(" ").append(base::escaped(value.text(), kValueBytesMax));
    line.resize(std::min(line.size(), kLineBytesMax - 1));
    line.push_back('\n');
    const std::scoped_lock lock(mutex_);
    pollfd taker{descriptor_, POLLOUT, 0};
    if (::poll(&taker, 1, 0) == 1 && (taker.revents & POLLOUT) != 0) {
      [[maybe_unused]] const ssize_t written = ::write(descriptor_, line.data(), line.size());
    }
  } catch (...) {
    // Out of memory: a log that cannot be written is dropped.
  }
}

}  // namespace spl::env
