// The signals that ask a process to end.
#pragma once

#include <array>
#include <csignal>
#include <memory>
#include <optional>

#include "env/descriptor.h"
#include "env/interrupt.h"

namespace spl::env {

// Ctrl-C, SIGTERM and SIGHUP as a wish that a long command grants when it has taken everything back: they raise an
// Interrupt. The second one ends the process at once. At most one lives at a time; its questions may come from any
// thread. Source: sigaction(2), signal-safety(7), https://www.cons.org/cracauer/sigint.html.
class InterruptSignals {
 public:
  InterruptSignals();
  InterruptSignals(const InterruptSignals&) = delete;
  InterruptSignals& operator=(const InterruptSignals&) = delete;
  ~InterruptSignals();  // the signals do again what they did before

  [[nodiscard]] const Interrupt& interrupt() const { return *interrupt_; }
  // The signal that came; nothing where none has.
  [[nodiscard]] static std::optional<int> received();
  // Ends the process as that signal would have, so that a shell ends the loop that the command stands in: to an exit
  // code alone it would not listen. Returns where the parent process sent the signal itself, and needs no telling: its
  // exit code is to be 128 and the signal's number.
  static void end_as_received();

 private:
  static constexpr std::array kSignals{SIGINT, SIGTERM, SIGHUP};
  std::unique_ptr<Interrupt> interrupt_;
  std::array<struct sigaction, kSignals.size()> before_{};
};

// The signals that a daemon heeds, read from a descriptor. SIGTERM and SIGINT end it, SIGHUP has it read its files
// anew. SIGINT and SIGHUP that were ignored when the process began (nohup, a shell's background) stay so. To be made
// before any other thread is, so that all block them; what comes when nobody reads any more is too late and changes
// nothing. Source: signalfd(2).
class DaemonSignals {
 public:
  enum class Wish : bool { kReload, kEnd };
  DaemonSignals();
  // Readable while a signal waits.
  [[nodiscard]] int descriptor() const { return descriptor_.number(); }
  // What came first; nothing where none waits.
  [[nodiscard]] std::optional<Wish> next() const;

 private:
  Descriptor descriptor_;
};

}  // namespace spl::env
