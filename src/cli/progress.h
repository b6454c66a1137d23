// How far a long operation is, for people (a line on standard error, where it is a terminal and the work has taken over
// a second) and for programs (events of -o stream-json); and the wish to end it. One thread, that of the operation.
#pragma once

#include <chrono>
#include <optional>
#include <string>
#include <string_view>

#include "env/signals.h"
#include "cli/session.h"
#include "env/streams.h"
#include "base/progress.h"

namespace spl::cli {

class ShownProgress final : public base::Progress {
 public:
  explicit ShownProgress(Session& session);
  ShownProgress(const ShownProgress&) = delete;
  ShownProgress& operator=(const ShownProgress&) = delete;
  ~ShownProgress() override { finish(); }

  void update(std::string_view phase, std::uint64_t done, std::uint64_t total, std::string_view unit) override;
  bool cancelled() override { return interrupt().raised(); }

  // The share that was read of `file` is shown from now on: operations know how much they did, and the file how much
  // there is. It outlives the progress, or finish() comes first.
  void follow(const env::InputFile& file) { file_ = &file; }
  // Takes the line away. Nothing is shown after it.
  void finish();

  // The result of the operation, when it is over; one that failed because it was interrupted says so, whichever way it
  // went. Nothing is shown after it.
  template <class T>
  Result<T> conclude(Result<T> result) {
    finish();
    if (!result && interrupt().raised()) return std::unexpected(interrupted(std::move(result).error()));
    return result;
  }

  [[nodiscard]] const env::Interrupt& interrupt() const { return signals_.interrupt(); }

 private:
  static Error interrupted(Error error);
  void show_line(std::string_view phase, std::uint64_t done, std::uint64_t total, std::string_view unit,
                 std::chrono::steady_clock::duration since_start);

  Session& session_;
  const env::InterruptSignals signals_;
  const bool line_;    // for people
  const bool events_;  // for programs
  const std::chrono::steady_clock::time_point start_;
  std::chrono::steady_clock::time_point next_;
  const env::InputFile* file_ = nullptr;
  bool line_is_there_ = false;
  bool finished_ = false;
};

}  // namespace spl::cli
