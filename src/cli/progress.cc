#include "cli/progress.h"

#include <unistd.h>

#include <algorithm>
#include <array>
#include <cmath>
#include <cstdio>
#include <vector>

#include "env/terminal.h"

namespace spl::cli {
namespace {

using namespace std::chrono_literals;
using Seconds = std::chrono::duration<double>;

constexpr auto kQuietAtFirst = 1s;
constexpr auto kLineEvery = 100ms;
constexpr auto kEventEvery = 500ms;  // of a phase
constexpr Seconds kRateAfter = 500ms;
constexpr std::size_t kBarWidth = 24;
constexpr std::size_t kWidthWhereUnknown = 80;

std::string amount(std::uint64_t count, std::string_view unit) {
  return unit == "bytes" ? human_bytes(count) : std::to_string(count) + " " + std::string(unit);
}

std::string rate_text(const ProgressLine& line) {
  if (line.elapsed < kRateAfter || line.done_meanwhile == 0) return {};
  const double rate = static_cast<double>(line.done_meanwhile) / line.elapsed.count();
  if (rate < 1) return {};
  return amount(static_cast<std::uint64_t>(rate), line.unit) + "/s";
}

std::string duration_text(Seconds duration) {
  const auto seconds = static_cast<std::uint64_t>(std::min(std::ceil(duration.count()), 359'999.0));
  std::array<char, 32> text{};
  const unsigned hours = static_cast<unsigned>(seconds / 3600);
  const unsigned minutes = static_cast<unsigned>(seconds / 60 % 60);
  const unsigned rest = static_cast<unsigned>(seconds % 60);
  if (hours > 0) {
    std::snprintf(text.data(), text.size(), "%u:%02u:%02u", hours, minutes, rest);
  } else if (minutes > 0) {
    std::snprintf(text.data(), text.size(), "%u:%02u min", minutes, rest);
  } else {
    std::snprintf(text.data(), text.size(), "%u s", rest);
  }
  return text.data();
}

std::string bar(double share, Letters letters) {
  const auto full = static_cast<std::size_t>(share * static_cast<double>(kBarWidth));
  const bool unicode = letters == Letters::kUnicode;
  std::string text;
  for (std::size_t i = 0; i < kBarWidth; ++i) text += i < full ? (unicode ? "█" : "#") : (unicode ? "░" : ".");
  return "[" + text + "]";
}

struct Part {
  std::string text;
  std::size_t columns;
  int worth;  // the least goes first
};

}  // namespace

std::optional<Seconds> time_left(const ProgressLine& line) {
  if (!line.share || *line.share <= 0 || line.elapsed < kRateAfter) return std::nullopt;
  return line.elapsed * ((1 - *line.share) / *line.share);
}

std::string progress_text(const ProgressLine& line, std::size_t width, Letters letters) {
  std::vector<Part> parts;
  const auto add = [&parts](std::string text, int worth) {
    const std::size_t columns = text.size();
    if (!text.empty()) parts.push_back({std::move(text), columns, worth});
  };
  if (line.share) {
    parts.push_back({bar(*line.share, letters), kBarWidth + 2, 0});
    add(std::to_string(static_cast<int>(*line.share * 100)) + "%", 9);
  }
  if (!line.unit.empty()) add(amount(line.done, line.unit), 3);
  add(rate_text(line), 1);
  const auto left = time_left(line);
  add(left ? duration_text(*left) + " left" : duration_text(line.elapsed), 2);
  const auto columns = [&parts] {
    std::size_t sum = 0;
    for (const Part& part : parts) sum += 2 + part.columns;
    return sum;
  };
  while (parts.size() > 1 && line.phase.size() + columns() > width)
    parts.erase(std::ranges::min_element(parts, {}, &Part::worth));
  // A phase's name is ASCII.
  std::string text(line.phase.substr(0, width - std::min(width, columns())));
  for (const Part& part : parts) {
    if (!text.empty()) text += "  ";
    text += part.text;
  }
  return text;
}

ShownProgress::ShownProgress(Output& out, env::Clock& clock, const env::Interrupt* interrupt, bool wanted)
    : out_(out),
      clock_(clock),
      interrupt_(interrupt),
      line_(wanted && out.error_is_terminal() && out.loudness() != Loudness::kQuiet &&
            out.format() != Format::kStreamJson),
      events_(wanted && out.format() == Format::kStreamJson),
      start_(clock.steady()),
      next_line_(start_ + kQuietAtFirst) {}

ShownProgress::Phase& ShownProgress::phase_of(const Event& event, std::chrono::steady_clock::time_point now) {
  const auto found = phases_.find(event.phase);
  if (found != phases_.end()) return found->second;
  Phase& phase = phases_[std::string(event.phase)];
  phase = {now, event.done, now + kEventEvery};
  if (events_ || out_.loudness() == Loudness::kVerbose) out_.step(event);
  return phase;
}

void ShownProgress::update(std::string_view phase, std::uint64_t done, std::uint64_t total, std::string_view unit) {
  if (!line_ && !events_ && out_.loudness() != Loudness::kVerbose) return;
  const auto now = clock_.steady();
  Event event{.phase = phase, .service = service_, .surface = surface_, .done = done, .total = total, .unit = unit};
  Phase& at = phase_of(event, now);
  const bool due = events_ ? now >= at.next_event : line_ && now >= next_line_;
  if (!due) return;
  ProgressLine line{.phase = phase, .share = {}, .done = done, .unit = unit};
  line.elapsed = now - at.begun;
  line.done_meanwhile = done - std::min(done, at.done_before);
  if (total > 0) {
    line.share = std::min(static_cast<double>(done) / static_cast<double>(total), 1.0);
  } else if (file_ != nullptr && file_->size_bytes().value_or(0) > 0) {
    line.share = std::min(static_cast<double>(file_->bytes_read()) / static_cast<double>(*file_->size_bytes()), 1.0);
  }
  if (events_) {
    at.next_event = now + kEventEvery;
    if (const auto left = time_left(line)) event.eta_ms = static_cast<std::uint64_t>(left->count() * 1000);
    out_.event(event);
  } else {
    next_line_ = now + kLineEvery;
    const std::size_t width = env::terminal_width(STDERR_FILENO).value_or(kWidthWhereUnknown);
    // The last column stays free: a terminal may go on to the next line after it.
    out_.show_line_in_passing(progress_text(line, std::max<std::size_t>(width, 2) - 1, out_.letters()));
  }
}

void ShownProgress::step(std::string_view what) {
  out_.step({.phase = {}, .service = service_, .surface = surface_, .message = what});
}

void ShownProgress::enter(std::string_view service, std::string_view surface) {
  service_ = service;
  surface_ = surface;
  phases_.clear();
}

}  // namespace spl::cli
