// The machine's own clock and random numbers, and a log that keeps nothing. Any thread.
#pragma once

#include <chrono>
#include <span>

#include "env/env.h"

namespace spl::env {

class SystemClock final : public Clock {
 public:
  std::chrono::system_clock::time_point now() override;
  std::chrono::steady_clock::time_point steady() override;
  std::chrono::nanoseconds since_boot() override;  // CLOCK_BOOTTIME
  void sleep_for(std::chrono::nanoseconds duration) override;
};

// getrandom(2): waits until the kernel's generator is seeded; ends the process where it fails.
class SystemRandom final : public Random {
 public:
  void fill(std::span<char> out) override;
};

class NullLog final : public Log {
 public:
  void write(LogLevel, std::string_view, const LogFields&) override {}
};

}  // namespace spl::env
