// What a test hands to the program in place of the machine: a clock that stands until it is moved, random numbers that
// are the same each time, a log that can be looked at. Any thread. Never a seed of these in a program that is run.
#pragma once

#include <algorithm>
#include <chrono>
#include <cstdint>
#include <mutex>
#include <random>
#include <span>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "env/env.h"

namespace spl::testing {

class FakeClock final : public env::Clock {
 public:
  // 2026-01-31T12:00:00Z.
  static constexpr std::chrono::system_clock::time_point kStart{std::chrono::seconds(1769860800)};

  explicit FakeClock(std::chrono::system_clock::time_point now = kStart) : now_(now) {}

  std::chrono::system_clock::time_point now() override {
    const std::scoped_lock lock(mutex_);
    return now_;
  }
  std::chrono::steady_clock::time_point steady() override {
    const std::scoped_lock lock(mutex_);
    return steady_;
  }
  std::chrono::nanoseconds since_boot() override { return steady().time_since_epoch(); }
  // Nobody waits: both clocks go on.
  void sleep_for(std::chrono::nanoseconds duration) override {
    advance(std::chrono::duration_cast<std::chrono::system_clock::duration>(duration));
  }

  // Both clocks go on.
  void advance(std::chrono::system_clock::duration by) {
    const std::scoped_lock lock(mutex_);
    now_ += by;
    steady_ += by;
  }
  // The time for people jumps, back or forth; the steady clock does not.
  void set(std::chrono::system_clock::time_point now) {
    const std::scoped_lock lock(mutex_);
    now_ = now;
  }

 private:
  std::mutex mutex_;
  std::chrono::system_clock::time_point now_;
  std::chrono::steady_clock::time_point steady_{};
};

class SeededRandom final : public env::Random {
 public:
  explicit SeededRandom(std::uint64_t seed = 1) : generator_(seed) {}

  void fill(std::span<char> out) override {
    const std::scoped_lock lock(mutex_);
    std::uint64_t held = 0;
    for (std::size_t i = 0; i < out.size(); ++i) {
      if (i % sizeof held == 0) held = generator_();
      out[i] = static_cast<char>(held & 0xFF);
      held >>= 8;
    }
  }

 private:
  std::mutex mutex_;
  std::mt19937_64 generator_;
};

class MemoryLog final : public env::Log {
 public:
  struct Event {
    env::LogLevel level;
    std::string name;
    std::vector<std::pair<std::string, std::string>> fields;
  };

  void write(env::LogLevel level, std::string_view event, const env::LogFields& fields) override {
    const std::scoped_lock lock(mutex_);
    Event kept{level, std::string(event), {}};
    for (const auto& [name, value] : fields) kept.fields.emplace_back(name, value.text());
    events_.push_back(std::move(kept));
  }

  [[nodiscard]] std::vector<Event> events() const {
    const std::scoped_lock lock(mutex_);
    return events_;
  }
  [[nodiscard]] bool has(std::string_view event) const {
    const std::scoped_lock lock(mutex_);
    return std::ranges::any_of(events_, [&](const Event& e) { return e.name == event; });
  }

 private:
  mutable std::mutex mutex_;
  std::vector<Event> events_;
};

}  // namespace spl::testing
