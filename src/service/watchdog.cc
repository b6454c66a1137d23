#include "service/watchdog.h"

#include <fcntl.h>
#include <linux/close_range.h>
#include <poll.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <sys/syscall.h>
#include <sys/timerfd.h>
#include <sys/wait.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <cerrno>
#include <csignal>
#include <cstring>
#include <utility>

#include "env/descriptor.h"
#include "env/posix_env.h"
#include "env/program_image.h"

namespace spl::service {
namespace {

using std::chrono::milliseconds;

constexpr std::size_t kCommandsMax = 100;  // what it tells of them fits into the socket's buffer
constexpr rlim_t kDescriptorsWanted = 65536;
constexpr milliseconds kAgain{100};  // what was stopped after the deadline is let go so often
constexpr milliseconds kDies{5000};  // how long one that was killed is waited for
constexpr milliseconds kSlack{20000};
// The descriptors of the process that watches: the logs of the commands come next, then the pidfds.
constexpr int kSocket = 3;
constexpr int kTimer = 4;
constexpr int kNothing = 5;
constexpr int kFirstLog = 6;

enum class Word : char {
  kTake = 'T',   // a process, with its pidfd
  kOwe = 'O',    // a command is due
  kCount = 'C',  // how many processes are held?
  kResume = 'R',
  kReady = 'W',  // and these are its answers
  kHeld = 'H',
  kBegun = 'B',
  kEnded = 'E',
  kKilled = 'K',
  kInTime = 'I',
  kLate = 'L',
};

// With a descriptor, where it is not -1.
bool send_octets(int socket, const void* octets, std::size_t size, int descriptor) {
  iovec part{const_cast<void*>(octets), size};
  alignas(cmsghdr) std::array<char, CMSG_SPACE(sizeof(int))> control{};
  msghdr head{};
  head.msg_iov = &part;
  head.msg_iovlen = 1;
  if (descriptor >= 0) {
    head.msg_control = control.data();
    head.msg_controllen = control.size();
    cmsghdr* rights = CMSG_FIRSTHDR(&head);
    rights->cmsg_level = SOL_SOCKET;
    rights->cmsg_type = SCM_RIGHTS;
    rights->cmsg_len = CMSG_LEN(sizeof(int));
    std::memcpy(CMSG_DATA(rights), &descriptor, sizeof descriptor);
  }
  for (;;) {
    const ssize_t n = ::sendmsg(socket, &head, MSG_NOSIGNAL);
    if (n >= 0 || errno != EINTR) return n == static_cast<ssize_t>(size);
  }
}

// False at the end. The descriptor that came with it, or -1.
bool receive_octets(int socket, void* octets, std::size_t size, int& descriptor) {
  iovec part{octets, size};
  alignas(cmsghdr) std::array<char, CMSG_SPACE(sizeof(int))> control{};
  msghdr head{};
  head.msg_iov = &part;
  head.msg_iovlen = 1;
  head.msg_control = control.data();
  head.msg_controllen = control.size();
  ssize_t n = 0;
  // A reset comes before what the other side had sent when it was killed.
  while ((n = ::recvmsg(socket, &head, 0)) < 0 && (errno == EINTR || errno == ECONNRESET)) {
  }
  descriptor = -1;
  for (cmsghdr* rights = CMSG_FIRSTHDR(&head); rights != nullptr; rights = CMSG_NXTHDR(&head, rights)) {
    if (rights->cmsg_level == SOL_SOCKET && rights->cmsg_type == SCM_RIGHTS)
      std::memcpy(&descriptor, CMSG_DATA(rights), sizeof descriptor);
  }
  return n == static_cast<ssize_t>(size);
}

}  // namespace

struct Watchdog::Message {
  Word word = Word::kTake;
  std::uint32_t number = 0;  // of a command, or how many processes
  std::int32_t status = 0;   // of kEnded: as waitpid(2) gives it; of kHeld: 1 where the deadline has passed
};

// The process that watches. It was forked from a program that may have had other threads: it allocates nothing.
class Watchdog::Watching {
 public:
  Watching(const std::vector<env::ProgramImage>& after, const std::vector<DueCommand>& commands)
      : after_(after), commands_(commands), first_(kFirstLog + static_cast<int>(after.size())), next_(first_) {}

  // `descriptors`: socket, timer, nothing, the logs.
  [[noreturn]] void run(const std::vector<int>& descriptors) {
    ::setsid();
    // What it is meant to outlive may be ended by a signal to all.
    for (const int number : {SIGINT, SIGTERM, SIGHUP, SIGQUIT, SIGPIPE, SIGUSR1, SIGUSR2, SIGTSTP, SIGTTIN, SIGTTOU})
      ::signal(number, SIG_IGN);
    ::signal(SIGCHLD, SIG_DFL);
    sigset_t only_children;
    ::sigemptyset(&only_children);
    ::sigaddset(&only_children, SIGCHLD);
    ::sigprocmask(SIG_SETMASK, &only_children, nullptr);
    if (::chdir("/") != 0 || !arrange(descriptors)) ::_exit(1);
    if (!tell({Word::kReady, 0, 0})) ::_exit(1);
    watch();
    ::_exit(0);
  }

 private:
  struct Run {
    pid_t pid = 0;
    std::chrono::nanoseconds end{0};  // since the machine was started
    bool is_killed = false;
  };

  [[nodiscard]] bool arrange(const std::vector<int>& descriptors) const {
    rlimit limit{};
    ::getrlimit(RLIMIT_NOFILE, &limit);
    limit.rlim_cur = std::min(kDescriptorsWanted, limit.rlim_max);
    ::setrlimit(RLIMIT_NOFILE, &limit);
    // Out of the way first: each may have the number that another one is to get.
    std::array<int, kFirstLog + kCommandsMax> kept{};
    for (std::size_t i = 0; i < descriptors.size(); ++i) {
      kept[i] = ::fcntl(descriptors[i], F_DUPFD, first_);
      if (kept[i] < 0) return false;
    }
    for (std::size_t i = 0; i < descriptors.size(); ++i) {
      if (::dup2(kept[i], kSocket + static_cast<int>(i)) < 0) return false;
    }
    for (const int stream : {STDIN_FILENO, STDOUT_FILENO, STDERR_FILENO}) ::dup2(kNothing, stream);
    // No lock and no pipe of the other side stays held here.
    return ::close_range(static_cast<unsigned>(first_), ~0U, 0) == 0;
  }

  static bool tell(const Message& message) { return send_octets(kSocket, &message, sizeof message, -1); }

  void watch() {
    for (;;) {
      std::array<pollfd, 2> waits{{{kSocket, POLLIN, 0}, {kTimer, POLLIN, 0}}};
      const int ready = ::poll(waits.data(), is_late_ ? 1 : 2, is_late_ ? static_cast<int>(kAgain.count()) : -1);
      if (ready < 0) continue;
      if (waits[0].revents != 0) {
        if (!take_message()) return;
      } else if (!is_late_) {
        is_late_ = true;
        resume();
      } else {
        // The other side may have been held up between its look at the clock and its stop signal.
        thaw();
      }
    }
  }

  // False at the end.
  bool take_message() {
    Message message;
    int descriptor = -1;
    if (!receive_octets(kSocket, &message, sizeof message, descriptor)) {
      resume();
      return false;
    }
    if (descriptor >= 0) next_ = std::max(next_, descriptor + 1);
    switch (message.word) {
      case Word::kTake:
        if (descriptor >= 0) ++held_;
        break;
      case Word::kOwe:
        if (!is_late_ && message.number < after_.size()) owed_[message.number] = true;
        [[fallthrough]];
      case Word::kCount:
        (void)tell({Word::kHeld, held_, is_late_ ? 1 : 0});
        break;
      case Word::kResume:
        resume();
        (void)tell({is_late_ ? Word::kLate : Word::kInTime, 0, 0});
        return false;
      default:
        break;
    }
    return true;
  }

  void thaw() const {
    for (int process = first_; process < next_; ++process)
      ::syscall(SYS_pidfd_send_signal, process, SIGCONT, nullptr, 0);
  }

  void resume() {
    thaw();
    for (std::uint32_t i = 0; i < after_.size(); ++i) {
      if (std::exchange(owed_[i], false)) start(i);
    }
    while (any_runs()) {
      timespec pause{0, kAgain.count() * 1000000};
      sigset_t children;
      ::sigemptyset(&children);
      ::sigaddset(&children, SIGCHLD);
      (void)::sigtimedwait(&children, nullptr, &pause);
      if (is_late_) thaw();
    }
  }

  void start(std::uint32_t command) {
    const pid_t pid = ::fork();
    if (pid == 0) {
      // Told by the command's own process, which holds the socket until it has become the command: so the other side,
      // which reads to the end, knows exactly what has begun, wherever this process is killed.
      (void)tell({Word::kBegun, command, 0});
      (void)after_[command].become();
      ::_exit(127);
    }
    if (pid < 0) {
      constexpr int kCannotStart = 126 << 8;  // as of an exit code
      (void)tell({Word::kEnded, command, kCannotStart});
      return;
    }
    ::setpgid(pid, pid);  // the child does so too: whoever is first
    runs_[command] = {pid, clock_.since_boot() + commands_[command].at_most, false};
  }

  // Looks after those that run; false where none is left.
  bool any_runs() {
    bool any = false;
    for (std::uint32_t i = 0; i < after_.size(); ++i) {
      Run& run = runs_[i];
      if (run.pid == 0) continue;
      siginfo_t info{};
      const bool has_ended = ::waitid(P_PID, static_cast<id_t>(run.pid), &info, WEXITED | WNOHANG | WNOWAIT) == 0 &&
                             info.si_pid == run.pid;
      const bool is_over = clock_.since_boot() >= run.end;
      if (!has_ended && is_over && !run.is_killed) {
        ::kill(-run.pid, SIGKILL);
        run.is_killed = true;
        run.end = clock_.since_boot() + kDies;
      }
      if (has_ended || (is_over && run.is_killed && clock_.since_boot() >= run.end)) {
        int status = 0;
        // Its group goes with it: as long as nobody has waited for the leader its number is nobody else's.
        ::kill(-run.pid, SIGKILL);
        ::waitpid(run.pid, &status, WNOHANG);
        (void)tell({run.is_killed ? Word::kKilled : Word::kEnded, i, status});
        run.pid = 0;
      }
      any = any || run.pid != 0;
    }
    return any;
  }

  env::SystemClock clock_;
  const std::vector<env::ProgramImage>& after_;
  const std::vector<DueCommand>& commands_;
  std::array<bool, kCommandsMax> owed_{};
  std::array<Run, kCommandsMax> runs_{};
  bool is_late_ = false;
  std::uint32_t held_ = 0;
  const int first_;  // pidfd; they have the numbers from it on
  int next_;
};

namespace {

std::unexpected<Error> watchdog_gone() {
  return fail("the watchdog of the pause is gone", "whatever it was to resume is resumed by this command itself");
}

// A log that cannot be written is no reason to fail.
env::Descriptor open_log(const std::string& path) {
  env::Descriptor log(::open(path.c_str(), O_WRONLY | O_APPEND | O_NOFOLLOW | O_CLOEXEC));
  return log.is_open() ? std::move(log) : env::Descriptor(::open("/dev/null", O_RDWR | O_CLOEXEC));
}

Result<env::Descriptor> make_timer(std::chrono::nanoseconds deadline) {
  env::Descriptor timer(::timerfd_create(CLOCK_BOOTTIME, TFD_CLOEXEC));
  const auto seconds = std::chrono::duration_cast<std::chrono::seconds>(deadline);
  itimerspec when{};
  when.it_value.tv_sec = seconds.count();
  when.it_value.tv_nsec = (deadline - seconds).count();
  if (!timer.is_open() || ::timerfd_settime(timer.number(), TFD_TIMER_ABSTIME, &when, nullptr) != 0)
    return base::fail_errno("cannot make the timer of the watchdog", errno);
  return timer;
}

}  // namespace

Result<Watchdog> Watchdog::arm(std::chrono::nanoseconds deadline, const std::vector<DueCommand>& after) {
  if (after.size() > kCommandsMax)
    return fail("more than " + std::to_string(kCommandsMax) + " services have hooks to be run after the pause");
  std::array<int, 2> ends{};
  if (::socketpair(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0, ends.data()) != 0)
    return base::fail_errno("cannot make a socket for the watchdog", errno);
  env::Descriptor own(ends[0]);
  const env::Descriptor others(ends[1]);
  const env::Descriptor timer = TRY(make_timer(deadline));
  const env::Descriptor nothing(::open("/dev/null", O_RDWR | O_CLOEXEC));
  std::vector<int> descriptors{others.number(), timer.number(), nothing.number()};
  std::vector<env::ProgramImage> images;
  std::vector<env::Descriptor> logs;
  for (const DueCommand& command : after) {
    const env::ProgramStart& program = command.program;
    images.emplace_back(program.arguments, program.environment, program.working_directory, program.user);
    images.back().apart = env::ProgramImage::Apart::kGroup;
    const int log = kFirstLog + static_cast<int>(logs.size());
    images.back().streams = {kNothing, log, log};
    logs.push_back(open_log(command.log));
    descriptors.push_back(logs.back().number());
  }
  for (const int descriptor : descriptors) {
    if (descriptor < 0) return base::fail_errno("cannot open what the watchdog needs", EMFILE);
  }
  const pid_t pid = ::fork();
  if (pid < 0) return base::fail_errno("cannot start the watchdog", errno);
  if (pid == 0) Watching(images, after).run(descriptors);
  Watchdog watchdog(std::move(own), pid, after);
  const auto answer = watchdog.receive(kSlack);
  if (!answer || answer->word != Word::kReady)
    return fail("the watchdog of the pause cannot begin", "it needs a few free descriptors: see ulimit -n");
  return watchdog;
}

Watchdog::Watchdog(env::Descriptor socket, int pid, const std::vector<DueCommand>& after)
    : socket_(std::move(socket)), pid_(pid), patience_(kSlack), commands_(after.size()) {
  milliseconds longest{0};
  for (const DueCommand& command : after) longest = std::max(longest, command.at_most);
  patience_ += longest;
}

Watchdog::Watchdog(Watchdog&& other) noexcept
    : socket_(std::move(other.socket_)),
      pid_(std::exchange(other.pid_, 0)),
      patience_(other.patience_),
      given_(other.given_),
      commands_(std::move(other.commands_)) {}

Watchdog::~Watchdog() {
  socket_.close();
  wait_for_end();
}

void Watchdog::wait_for_end() {
  if (pid_ == 0) return;
  while (::waitpid(pid_, nullptr, 0) < 0 && errno == EINTR) {
  }
  pid_ = 0;
}

// The next answer to a question; what it tells of commands meanwhile is kept.
Result<Watchdog::Message> Watchdog::receive(milliseconds at_most) {
  for (;;) {
    pollfd wait{socket_.number(), POLLIN, 0};
    int ready = 0;
    while ((ready = ::poll(&wait, 1, static_cast<int>(at_most.count()))) < 0 && errno == EINTR) {
    }
    if (ready == 0) return fail(Cause::kTimeout, "the watchdog of the pause does not answer");
    Message message;
    int descriptor = -1;
    if (!receive_octets(socket_.number(), &message, sizeof message, descriptor)) return watchdog_gone();
    if (message.word != Word::kBegun && message.word != Word::kEnded && message.word != Word::kKilled) return message;
    if (message.number >= commands_.size()) continue;
    using State = CommandOutcome::State;
    const State ended = message.word == Word::kEnded ? State::kEnded : State::kKilledAtLimit;
    commands_[message.number] = {message.word == Word::kBegun ? State::kBegun : ended, message.status};
  }
}

Result<void> Watchdog::await_count() {
  const auto answer = receive(patience_);
  if (!answer || answer->word != Word::kHeld) return watchdog_gone();
  if (answer->status != 0) return fail(Cause::kTimeout, "the limit of the pause has passed before all was still");
  if (answer->number != given_)
    return fail("the watchdog of the pause cannot hold all processes: it has too few descriptors",
                "raise the limit of open files: see ulimit -n");
  return {};
}

Result<void> Watchdog::take(const std::vector<ServiceProcess>& processes) {
  for (const ServiceProcess& process : processes) {
    const Message message{Word::kTake, 0, 0};
    if (!send_octets(socket_.number(), &message, sizeof message, process.handle.descriptor())) return watchdog_gone();
    ++given_;
  }
  const Message question{Word::kCount, 0, 0};
  if (!send_octets(socket_.number(), &question, sizeof question, -1)) return watchdog_gone();
  return await_count();
}

Result<void> Watchdog::owe(std::size_t command) {
  const Message message{Word::kOwe, static_cast<std::uint32_t>(command), 0};
  if (!send_octets(socket_.number(), &message, sizeof message, -1)) return watchdog_gone();
  return await_count();
}

WatchdogEnd Watchdog::resume() {
  WatchdogEnd end;
  const Message message{Word::kResume, 0, 0};
  // Where it is gone it may have told something before: that is read in any case.
  (void)send_octets(socket_.number(), &message, sizeof message, -1);
  auto answer = receive(patience_);
  if (!answer && answer.error().cause == Cause::kTimeout) {
    // It hangs. Once it is gone it is certain what it has begun.
    ::kill(pid_, SIGKILL);
    answer = receive(kSlack);
  }
  end.is_taken = answer && (answer->word == Word::kInTime || answer->word == Word::kLate);
  end.is_late = end.is_taken && answer->word == Word::kLate;
  socket_.close();
  wait_for_end();
  end.commands = commands_;
  return end;
}

}  // namespace spl::service
