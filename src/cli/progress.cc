#include "cli/progress.h"

#include <sys/ioctl.h>
#include <unistd.h>

#include <algorithm>

namespace spl::cli {
namespace {

using namespace std::chrono_literals;

constexpr auto kQuietAtFirst = 1s;
constexpr auto kLineEvery = 100ms;
constexpr auto kEventEvery = 1s;
constexpr std::size_t kBarWidth = 24;

std::size_t terminal_width() {
  winsize size{};
  return ::ioctl(STDERR_FILENO, TIOCGWINSZ, &size) == 0 && size.ws_col > 0 ? size.ws_col : 80;
}

void to_terminal(std::string_view text) {
  env::DescriptorSink sink(STDERR_FILENO, "standard error", nullptr);
  (void)sink.write(text);
}

std::string amount(std::uint64_t count, std::string_view unit) {
  return unit == "bytes" ? human_bytes(count) : std::to_string(count) + " " + std::string(unit);
}

}  // namespace

ShownProgress::ShownProgress(Session& session)
    : session_(session),
      line_(session.progress() && session.out().error_is_terminal()),
      events_(session.progress() && session.out().format() == Format::kStreamJson),
      start_(session.env().clock.steady()),
      next_(start_ + kQuietAtFirst) {}

void ShownProgress::update(std::string_view phase, std::uint64_t done, std::uint64_t total, std::string_view unit) {
  if (finished_ || (!line_ && !events_)) return;
  const auto now = session_.env().clock.steady();
  if (now < next_) return;
  next_ = now + (events_ ? kEventEvery : kLineEvery);
  if (events_) {
    const codec::Json event =
        codec::Json::Object{{"event", "progress"}, {"phase", phase}, {"done", done}, {"total", total}, {"unit", unit}};
    // A reader that has gone is noticed by the result.
    if (session_.out().document(event)) (void)session_.out().flush();
  } else {
    show_line(phase, done, total, unit, now - start_);
  }
}

void ShownProgress::show_line(std::string_view phase, std::uint64_t done, std::uint64_t total, std::string_view unit,
                              std::chrono::steady_clock::duration since_start) {
  std::string text = std::string(phase);
  double share = total > 0 ? static_cast<double>(done) / static_cast<double>(total) : -1;
  if (total == 0 && file_ != nullptr && file_->size_bytes().value_or(0) > 0)
    share = static_cast<double>(file_->bytes_read()) / static_cast<double>(*file_->size_bytes());
  if (share >= 0) {
    share = std::min(share, 1.0);
    const auto full = static_cast<std::size_t>(share * static_cast<double>(kBarWidth));
    text += " [" + std::string(full, '#') + std::string(kBarWidth - full, '.') + "] " +
            std::to_string(static_cast<int>(share * 100)) + "%";
  }
  text += "  " + amount(done, unit);
  text += "  " + std::to_string(std::chrono::duration_cast<std::chrono::seconds>(since_start).count()) + " s";
  text = text.substr(0, terminal_width() - 1);
  to_terminal("\r\x1b[K" + text);
  line_is_there_ = true;
}

Error ShownProgress::interrupted(Error error) {
  // A connection that ends says nothing of what the daemon has done by then.
  if (error.code == ErrorCode::kUnavailable)
    error = {ErrorCode::kFailed, "interrupted before the daemon had answered", "spl status says what is there"};
  error.code = ErrorCode::kFailed;
  error.cause = Cause::kCancelled;
  return error;
}

void ShownProgress::finish() {
  if (line_is_there_) to_terminal("\r\x1b[K");
  line_is_there_ = false;
  finished_ = true;
}

}  // namespace spl::cli
