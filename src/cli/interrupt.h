// Ctrl-C, SIGTERM and SIGHUP as a wish that a long command grants when it has taken everything back. The second one
// ends the process at once. At most one Interrupt lives at a time; its questions may come from any thread.
#pragma once

#include <array>
#include <csignal>

namespace spl::cli {

class Interrupt {
 public:
  Interrupt();
  Interrupt(const Interrupt&) = delete;
  Interrupt& operator=(const Interrupt&) = delete;
  ~Interrupt();  // the signals do again what they did before

  [[nodiscard]] bool requested() const;
  // Can be read as soon as the wish is there: for poll(2).
  [[nodiscard]] int descriptor() const;

 private:
  static constexpr std::array kSignals{SIGINT, SIGTERM, SIGHUP};
  std::array<struct sigaction, kSignals.size()> before_{};
};

}  // namespace spl::cli
