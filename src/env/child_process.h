// Other programs, run without a shell: with these arguments, this environment and nothing inherited, as this user. A
// child never outlives its ChildProcess. Any thread; one thread a child. Sources: fork(2), execve(2), pidfd_open(2).
#pragma once

#include <chrono>
#include <cstdint>
#include <memory>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "base/progress.h"
#include "base/result.h"
#include "base/stream.h"
#include "env/descriptor.h"
#include "env/users.h"

namespace spl::env {

struct ChildOptions {
  std::vector<std::string> arguments;    // the program first: a path, or a name that PATH of `environment` leads to
  std::vector<std::string> environment;  // "NAME=value"; nothing else is inherited
  std::string working_directory = "/";
  std::optional<UserIds> user = {};                           // none: this process's
  std::optional<std::uint64_t> address_space_bytes_max = {};  // of memory
  std::optional<std::chrono::seconds> processor_time_max = {};
  std::optional<int> output =
      {};  // a descriptor that standard output goes to; none: it is read by ChildProcess::output()
};

// How it ended.
struct ChildExit {
  int code = 0;    // of exit(2); -1 where a signal ended it
  int signal = 0;  // 0 where none did
  [[nodiscard]] bool ok() const { return code == 0 && signal == 0; }
  // "ended with exit code 2", "was ended by signal 9".
  [[nodiscard]] std::string text() const;
};

class ChildProcess {
 public:
  // Code kUnavailable where there is no such program. Standard error is kept, its first 64 KiB.
  static Result<std::unique_ptr<ChildProcess>> start(const ChildOptions& options);
  ChildProcess(const ChildProcess&) = delete;
  ChildProcess& operator=(const ChildProcess&) = delete;
  // Kills it with all that is in its process group, and waits.
  ~ChildProcess();

  // Its standard input; nothing more comes after close_input(). A child that has closed it is an error of write().
  Sink& input();
  void close_input();
  // Its standard output, until it is closed. An error after set_deadline()'s time, or when `progress` is cancelled.
  Source& output();
  // Every wait from now on ends with cause kTimeout after this time, with kCancelled when `progress` (may be null;
  // outlives the waits) says so.
  void limit_waits(std::chrono::milliseconds at_most, base::Progress* progress);
  // Gives it all that `input` gives, closes its standard input, and takes all that it writes: whichever comes first, so
  // that neither waits for the other. What it does not read is no error.
  Result<void> exchange(Source& input, Sink& written);
  Result<void> exchange(std::string_view input, std::string& written, std::size_t written_bytes_max);
  // Until it has ended; standard input and output are closed first. What is left of its process group is killed then.
  Result<ChildExit> wait();
  // What it said on standard error, its last `max_bytes`, trimmed; to be shown escaped.
  [[nodiscard]] std::string said(std::size_t max_bytes = 2000) const;
  [[nodiscard]] int pid() const;

 private:
  class Impl;
  explicit ChildProcess(std::unique_ptr<Impl> impl);
  std::unique_ptr<Impl> impl_;
};

struct CommandLimits {
  std::chrono::milliseconds at_most{std::chrono::minutes(10)};
  std::size_t output_bytes_max = 1u << 20;
  base::Progress* progress = nullptr;
};

struct CommandOutput {
  ChildExit exit;
  std::string output;
  std::string said;  // the end of what came on standard error
};

// Runs it to its end with `input` as its standard input. An exit code other than 0 is no error here.
Result<CommandOutput> run_command(const ChildOptions& options, std::string_view input, const CommandLimits& limits);
// The same, where anything but exit code 0 is an error that shows what it said.
Result<std::string> output_of_command(const ChildOptions& options, std::string_view input, const CommandLimits& limits);

}  // namespace spl::env
