#include "env/child_process.h"

#include <fcntl.h>
#include <poll.h>
#include <sys/mman.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <cerrno>
#include <csignal>
#include <utility>

#include "base/encoding.h"
#include "env/program_image.h"

namespace spl::env {
namespace {

using std::chrono::milliseconds;
using std::chrono::steady_clock;

constexpr std::size_t kSaidBytesMax = 64u << 10;
constexpr std::size_t kPieceBytes = 64u << 10;
constexpr milliseconds kLookEvery{200};  // at Progress::cancelled()
constexpr int kCannotRun = 127;
constexpr int kCannotTell = 126;

struct Pipe {
  Descriptor reading;
  Descriptor writing;
};

Result<Pipe> make_pipe() {
  std::array<int, 2> ends{};
  if (::pipe2(ends.data(), O_CLOEXEC) != 0) return base::fail_errno("cannot make a pipe", errno);
  return Pipe{Descriptor(ends[0]), Descriptor(ends[1])};
}

// A file in memory that holds so much and no more, whatever is written to it.
Result<Descriptor> make_limited_file() {
  Descriptor file(::memfd_create("standard error", MFD_CLOEXEC | MFD_ALLOW_SEALING));
  if (!file.is_open() || ::ftruncate(file.number(), kSaidBytesMax) != 0 ||
      ::fcntl(file.number(), F_ADD_SEALS, F_SEAL_GROW | F_SEAL_SHRINK | F_SEAL_SEAL) != 0)
    return base::fail_errno("cannot make a file in memory", errno);
  return file;
}

// While it lives, a write to a pipe that nobody reads is an error of this thread and not a signal.
class WithoutSigpipe {
 public:
  WithoutSigpipe() {
    ::sigemptyset(&pipe_);
    ::sigaddset(&pipe_, SIGPIPE);
    ::pthread_sigmask(SIG_BLOCK, &pipe_, &before_);
  }
  WithoutSigpipe(const WithoutSigpipe&) = delete;
  WithoutSigpipe& operator=(const WithoutSigpipe&) = delete;
  ~WithoutSigpipe() {
    const int error = errno;
    if (::sigismember(&before_, SIGPIPE) == 0) {
      const timespec at_once{};
      while (::sigtimedwait(&pipe_, nullptr, &at_once) < 0 && errno == EINTR) {
      }
    }
    ::pthread_sigmask(SIG_SETMASK, &before_, nullptr);
    errno = error;
  }

 private:
  sigset_t pipe_{};
  sigset_t before_{};
};

// Takes so much of what a program writes and no more.
class LimitedText final : public Sink {
 public:
  LimitedText(std::string whose, std::string& text, std::size_t bytes_max)
      : whose_(std::move(whose)), text_(text), bytes_max_(bytes_max) {}
  Result<void> write(std::string_view octets) override {
    if (text_.size() + octets.size() > bytes_max_)
      return fail(Cause::kTooLarge, whose_ + " writes more than " + std::to_string(bytes_max_) + " bytes");
    text_ += octets;
    return {};
  }

 private:
  const std::string whose_;
  std::string& text_;
  const std::size_t bytes_max_;
};

ChildExit exit_of(int status) {
  if (WIFSIGNALED(status)) return {-1, WTERMSIG(status)};
  return {WEXITSTATUS(status), 0};
}

}  // namespace

std::string ChildExit::text() const {
  return signal != 0 ? "was ended by signal " + std::to_string(signal) : "ended with exit code " + std::to_string(code);
}

class ChildProcess::Impl {
 public:
  Impl(std::string name, pid_t pid) : name_(std::move(name)), pid_(pid), in_(*this), out_(*this) {}
  Impl(const Impl&) = delete;
  Impl& operator=(const Impl&) = delete;
  ~Impl() {
    if (!exit_) (void)reap();
  }

  // Until one of these can be read or written, or the time is over: also of a child that never lets anybody wait.
  Result<void> wait_for(pollfd one, pollfd other = {-1, 0, 0}) {
    waits_ = {one, other};
    for (;;) {
      const int ready = ::poll(waits_.data(), waits_.size(), static_cast<int>(kLookEvery.count()));
      if (progress_ != nullptr && progress_->cancelled()) return base::fail_cancelled(name_ + " was ended");
      if (ready < 0 && errno != EINTR) return base::fail_errno("cannot wait for " + name_, errno);
      if (deadline_ && steady_clock::now() >= *deadline_)
        return fail(Cause::kTimeout, name_ + " took longer than " + std::to_string(at_most_.count()) + " ms");
      if (ready > 0) return {};
    }
  }

  Result<void> write(std::string_view octets) {
    while (!octets.empty()) {
      TRY(wait_for({ends_.input.number(), POLLOUT, 0}));
      octets.remove_prefix(TRY(write_some(octets)));
    }
    return {};
  }

  Result<std::size_t> write_some(std::string_view octets) {
    const WithoutSigpipe without;
    const ssize_t n = ::write(ends_.input.number(), octets.data(), octets.size());
    if (n < 0 && (errno == EINTR || errno == EAGAIN)) return 0;
    if (n < 0) return base::fail_errno("cannot write to " + name_, errno);
    return static_cast<std::size_t>(n);
  }

  Result<std::size_t> read(std::span<char> out) {
    if (!ends_.output.is_open()) return 0;
    for (;;) {
      TRY(wait_for({ends_.output.number(), POLLIN, 0}));
      const ssize_t n = ::read(ends_.output.number(), out.data(), out.size());
      if (n < 0 && (errno == EINTR || errno == EAGAIN)) continue;
      if (n < 0) return base::fail_errno("cannot read what " + name_ + " writes", errno);
      return static_cast<std::size_t>(n);
    }
  }

  Result<ChildExit> wait() {
    ends_.input.close();
    ends_.output.close();
    if (exit_) return *exit_;
    TRY(wait_for({ends_.handle.number(), POLLIN, 0}));
    return reap();
  }

  // What it does not read to the end is its own affair; one that has closed its output may still read.
  Result<void> exchange(Source& input, Sink& written) {
    std::string given(kPieceBytes, '\0');
    std::string taken(kPieceBytes, '\0');
    std::string_view rest;
    for (bool writes = true; writes || ends_.input.is_open();) {
      if (rest.empty() && ends_.input.is_open()) {
        rest = std::string_view(given).substr(0, TRY(input.read(given)));
        if (rest.empty()) {
          ends_.input.close();
          continue;
        }
      }
      TRY(wait_for({writes ? ends_.output.number() : -1, POLLIN, 0}, {ends_.input.number(), POLLOUT, 0}));
      if (waits_[1].revents != 0) {
        const auto n = write_some(rest);
        rest.remove_prefix(n ? *n : rest.size());
        if (!n) ends_.input.close();
      }
      if (waits_[0].revents == 0) continue;
      const std::size_t n = TRY(read(taken));
      writes = n > 0;
      TRY(written.write(std::string_view(taken).substr(0, n)));
    }
    return {};
  }

  [[nodiscard]] std::string said(std::size_t max_bytes) const {
    std::string text(kSaidBytesMax, '\0');
    const ssize_t n = ::pread(ends_.said.number(), text.data(), text.size(), 0);
    text.resize(n < 0 ? 0 : static_cast<std::size_t>(n));
    text.resize(text.find_last_not_of(std::string_view("\0 \n\r\t", 5)) + 1);
    if (text.size() > max_bytes) text.erase(0, text.size() - max_bytes);
    return text;
  }

  // What this process holds of it.
  struct Ends {
    Descriptor handle;
    Descriptor input;
    Descriptor output;
    Descriptor said;
  };
  void take(Ends ends) { ends_ = std::move(ends); }
  void close_input() { ends_.input.close(); }
  void limit_waits(milliseconds at_most, base::Progress* progress) {
    at_most_ = at_most;
    deadline_ = steady_clock::now() + at_most;
    progress_ = progress;
  }
  [[nodiscard]] Sink& input() { return in_; }
  [[nodiscard]] Source& output() { return out_; }
  [[nodiscard]] int pid() const { return pid_; }
  [[nodiscard]] const std::string& name() const { return name_; }

 private:
  class In final : public Sink {
   public:
    explicit In(Impl& impl) : impl_(impl) {}
    Result<void> write(std::string_view octets) override { return impl_.write(octets); }

   private:
    Impl& impl_;
  };
  class Out final : public Source {
   public:
    explicit Out(Impl& impl) : impl_(impl) {}
    Result<std::size_t> read(std::span<char> out) override { return impl_.read(out); }

   private:
    Impl& impl_;
  };

  // Its group is killed first: as long as nobody has waited for the leader its number is nobody else's.
  ChildExit reap() {
    ::kill(-pid_, SIGKILL);
    int status = 0;
    while (::waitpid(pid_, &status, 0) < 0 && errno == EINTR) {
    }
    exit_ = exit_of(status);
    return *exit_;
  }

  const std::string name_;  // for messages
  const pid_t pid_;
  Ends ends_;
  std::array<pollfd, 2> waits_{};
  std::optional<ChildExit> exit_;
  milliseconds at_most_{0};
  std::optional<steady_clock::time_point> deadline_;
  base::Progress* progress_ = nullptr;
  In in_;
  Out out_;
};

ChildProcess::ChildProcess(std::unique_ptr<Impl> impl) : impl_(std::move(impl)) {}
ChildProcess::~ChildProcess() = default;

Result<std::unique_ptr<ChildProcess>> ChildProcess::start(const ChildOptions& options) {
  constexpr std::size_t kNameBytesShown = 200;
  const std::string name = base::escaped(options.arguments.front(), kNameBytesShown);
  Pipe in = TRY(make_pipe());
  Pipe out = TRY(make_pipe());
  Pipe failure = TRY(make_pipe());
  Descriptor said = TRY(make_limited_file());
  ProgramImage image(options.arguments, options.environment, options.working_directory, options.user);
  image.apart = ProgramImage::Apart::kGroup;
  if (options.address_space_bytes_max)
    image.memory = rlimit{*options.address_space_bytes_max, *options.address_space_bytes_max};
  if (options.processor_time_max) {
    const auto seconds = static_cast<rlim_t>(options.processor_time_max->count());
    image.processor_time = rlimit{seconds, seconds};
  }
  image.streams = {in.reading.number(), options.output.value_or(out.writing.number()), said.number()};
  const pid_t pid = ::fork();
  if (pid < 0) return base::fail_errno("cannot start " + name, errno);
  if (pid == 0) {
    const int error = image.become();
    const ssize_t told = ::write(failure.writing.number(), &error, sizeof error);
    ::_exit(told == sizeof error ? kCannotRun : kCannotTell);
  }
  auto impl = std::make_unique<Impl>(name, pid);
  ::setpgid(pid, pid);  // the child does so too: whoever is first
  failure.writing.close();
  int error = 0;
  ssize_t n = 0;
  while ((n = ::read(failure.reading.number(), &error, sizeof error)) < 0 && errno == EINTR) {
  }
  if (n == sizeof error) return std::unexpected(cannot_run(options.arguments.front(), error));
  Impl::Ends ends;
  ends.handle = Descriptor(static_cast<int>(::syscall(SYS_pidfd_open, pid, 0)));
  if (!ends.handle.is_open()) return base::fail_errno("cannot follow " + name, errno);
  ends.input = std::move(in.writing);
  if (::fcntl(ends.input.number(), F_SETFL, O_NONBLOCK) != 0) return base::fail_errno("cannot write to " + name, errno);
  if (!options.output) ends.output = std::move(out.reading);
  ends.said = std::move(said);
  impl->take(std::move(ends));
  return std::unique_ptr<ChildProcess>(new ChildProcess(std::move(impl)));
}

Sink& ChildProcess::input() {
  return impl_->input();
}
void ChildProcess::close_input() {
  impl_->close_input();
}
Source& ChildProcess::output() {
  return impl_->output();
}
void ChildProcess::limit_waits(milliseconds at_most, base::Progress* progress) {
  impl_->limit_waits(at_most, progress);
}
Result<void> ChildProcess::exchange(std::string_view input, std::string& written, std::size_t written_bytes_max) {
  base::StringSource from(input);
  LimitedText to(impl_->name(), written, written_bytes_max);
  return impl_->exchange(from, to);
}
Result<void> ChildProcess::exchange(Source& input, Sink& written) {
  return impl_->exchange(input, written);
}
Result<ChildExit> ChildProcess::wait() {
  return impl_->wait();
}
std::string ChildProcess::said(std::size_t max_bytes) const {
  return impl_->said(max_bytes);
}
int ChildProcess::pid() const {
  return impl_->pid();
}

Result<CommandOutput> run_command(const ChildOptions& options, std::string_view input, const CommandLimits& limits) {
  const auto child = TRY(ChildProcess::start(options));
  child->limit_waits(limits.at_most, limits.progress);
  CommandOutput result;
  TRY(child->exchange(input, result.output, limits.output_bytes_max));
  result.exit = TRY(child->wait());
  result.said = child->said();
  return result;
}

Result<std::string> output_of_command(const ChildOptions& options, std::string_view input,
                                      const CommandLimits& limits) {
  constexpr std::size_t kNameBytesShown = 200;
  constexpr std::size_t kSaidBytesShown = 1000;
  CommandOutput result = TRY(run_command(options, input, limits));
  if (result.exit.ok()) return std::move(result.output);
  return fail(base::escaped(options.arguments.front(), kNameBytesShown) + " " + result.exit.text() +
              (result.said.empty() ? "" : ": " + base::escaped(result.said, kSaidBytesShown)));
}

}  // namespace spl::env
