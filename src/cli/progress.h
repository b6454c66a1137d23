// What a command does and how far it is: for people steps with --verbose, and a line on standard error where it is a
// terminal and the work has taken over a second; for programs events of -o stream-json. And the wish to end it. Every
// command has one, of its session. One thread, that of the operation.
#pragma once

#include <chrono>
#include <cstdint>
#include <map>
#include <optional>
#include <string>
#include <string_view>

#include "base/progress.h"
#include "cli/output.h"
#include "env/env.h"
#include "env/interrupt.h"
#include "env/streams.h"

namespace spl::cli {

class ShownProgress final : public base::Progress {
 public:
  // `interrupt` may be null; `wanted`: the user has not said --no-progress. All outlive it.
  ShownProgress(Output& out, env::Clock& clock, const env::Interrupt* interrupt, bool wanted);
  ShownProgress(const ShownProgress&) = delete;
  ShownProgress& operator=(const ShownProgress&) = delete;
  ~ShownProgress() override = default;

  void update(std::string_view phase, std::uint64_t done, std::uint64_t total, std::string_view unit) override;
  void step(std::string_view what) override;
  void enter(std::string_view service, std::string_view surface) override;
  bool cancelled() override { return interrupt_ != nullptr && interrupt_->raised(); }

  // The share that was read of `file` is shown from now on: operations know how much they did, and the file how much
  // there is. It outlives the last call.
  void follow(const env::InputFile& file) { file_ = &file; }
  // Null where the command hears of signals in its own way.
  [[nodiscard]] const env::Interrupt* interrupt() const { return interrupt_; }

 private:
  struct Phase {
    std::chrono::steady_clock::time_point begun;
    std::uint64_t done_before = 0;
    std::chrono::steady_clock::time_point next_event;
  };
  // The phase of an event, which is told where it is a new one.
  Phase& phase_of(const Event& event, std::chrono::steady_clock::time_point now);

  Output& out_;
  env::Clock& clock_;
  const env::Interrupt* const interrupt_;
  const bool line_;    // for people
  const bool events_;  // for programs
  const std::chrono::steady_clock::time_point start_;
  std::chrono::steady_clock::time_point next_line_;
  std::map<std::string, Phase, std::less<>> phases_;  // a few: constants of the operations
  std::string service_;
  std::string surface_;
  const env::InputFile* file_ = nullptr;
};

// What the line on the terminal is made of.
struct ProgressLine {
  std::string_view phase;
  std::optional<double> share;  // 0 to 1
  std::uint64_t done = 0;
  std::string_view unit = {};
  std::chrono::duration<double> elapsed{0};  // in this phase
  std::uint64_t done_meanwhile = 0;          // in that time
};
// Percent, amount, rate and time left beside a bar, in at most `width` columns: where there is less room the bar goes
// first, and the percentage last. Pure.
std::string progress_text(const ProgressLine& line, std::size_t width, Letters letters);
// How long it will take yet, as far as one can tell; nothing where nothing can be told. Pure.
std::optional<std::chrono::duration<double>> time_left(const ProgressLine& line);

}  // namespace spl::cli
