// Runs the program, or a shell, on a terminal of its own: what a person sees and types. Source: pty(7).
#pragma once

#include <sys/types.h>

#include <chrono>
#include <string>
#include <string_view>

#include "cli_harness.h"

namespace spl::cli_test {

struct TerminalOptions {
  unsigned short columns = 80;
  std::string term = "xterm";
  std::string locale = "C.UTF-8";
  std::string input = {};  // a path that becomes standard input; "" is the terminal
};

class Terminal {
 public:
  // `words[0]` is the program, by its path.
  explicit Terminal(const Words& words, const TerminalOptions& options = {});
  Terminal(const Terminal&) = delete;
  Terminal& operator=(const Terminal&) = delete;
  ~Terminal();  // ends it

  void type(std::string_view text);
  // Until `text` has been shown since the last call; false where that does not happen in ten seconds.
  bool wait_for(std::string_view text);
  // All that was shown.
  [[nodiscard]] const std::string& shown() const { return shown_; }
  // To its end; its exit code, or 128 and the number of the signal that ended it.
  int wait();
  // Whether it was a signal.
  [[nodiscard]] bool ended_by_signal() const { return ended_by_signal_; }

 private:
  // False at the end, and where nothing comes in time.
  bool read_some(std::chrono::milliseconds at_most);
  pid_t pid_ = -1;
  int master_ = -1;
  std::string shown_;
  std::size_t seen_ = 0;
  bool ended_by_signal_ = false;
};

}  // namespace spl::cli_test
