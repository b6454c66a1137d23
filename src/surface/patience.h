// How long somebody is waited for who should be at work: for all of it, and while nothing comes of it. One thread.
#pragma once

#include <chrono>
#include <string>
#include <utility>

#include "base/progress.h"
#include "base/result.h"
#include "env/env.h"

namespace spl::surface {

class Patience {
 public:
  // `whose` is for messages: "pg_dump". `clock` and `progress` outlive this.
  Patience(env::Clock& clock, base::Progress& progress, std::string whose, std::chrono::nanoseconds whole_max,
           std::chrono::nanoseconds silence_max)
      : clock_(clock),
        progress_(progress),
        whose_(std::move(whose)),
        deadline_(clock.since_boot() + whole_max),
        silence_max_(silence_max),
        heard_at_(clock.since_boot()) {}

  // Something has come, or was taken.
  void heard() { heard_at_ = clock_.since_boot(); }
  // An error where it is over: cause kCancelled or kTimeout.
  [[nodiscard]] Result<void> check() const {
    if (progress_.cancelled()) return base::fail_cancelled(whose_ + " was ended");
    const auto now = clock_.since_boot();
    if (now < deadline_ && now - heard_at_ < silence_max_) return {};
    return fail(Cause::kTimeout, whose_ + (now < deadline_ ? " has not gone on for too long" : " took too long"),
                "see whether the server answers, and try again");
  }

 private:
  env::Clock& clock_;
  base::Progress& progress_;
  const std::string whose_;
  const std::chrono::nanoseconds deadline_;
  const std::chrono::nanoseconds silence_max_;
  std::chrono::nanoseconds heard_at_;
};

}  // namespace spl::surface
