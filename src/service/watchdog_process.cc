#include "service/watchdog_process.h"

#include <fcntl.h>
#include <linux/close_range.h>
#include <poll.h>
#include <sys/resource.h>
#include <sys/signalfd.h>
#include <sys/socket.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <cerrno>
#include <chrono>
#include <cstring>
#include <string_view>
#include <utility>

#include "env/control_group.h"
#include "env/posix_env.h"

namespace spl::service {

using std::chrono::milliseconds;

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

sigset_t children_signal() {
  sigset_t set;
  ::sigemptyset(&set);
  ::sigaddset(&set, SIGCHLD);
  return set;
}

namespace {

constexpr rlim_t kDescriptorsWanted = 65536;
constexpr milliseconds kAgain{100};  // what was stopped after the deadline is let go so often
constexpr milliseconds kDies{5000};  // how long one that was killed is waited for

// The process that watches. It was forked from a program that may have had other threads: it allocates nothing.
class Watching {
 public:
  Watching(const HookImages& images, const std::vector<HookCommands>& hooks)
      : images_(images), hooks_(hooks), first_(kFirstLog + static_cast<int>(hooks.size())), next_(first_) {}

  // `descriptors`: socket, timer, nothing, children, the logs.
  [[noreturn]] void run(const std::vector<int>& descriptors) {
    ::setsid();
    // What it is meant to outlive may be ended by a signal to all.
    for (const int number : {SIGINT, SIGTERM, SIGHUP, SIGQUIT, SIGPIPE, SIGUSR1, SIGUSR2, SIGTSTP, SIGTTIN, SIGTTOU})
      ::signal(number, SIG_IGN);
    ::signal(SIGCHLD, SIG_DFL);
    const sigset_t only_children = children_signal();
    ::sigprocmask(SIG_SETMASK, &only_children, nullptr);
    if (::chdir("/") != 0 || !arrange(descriptors)) ::_exit(1);
    if (!tell({WatchdogWord::kReady, 0, 0})) ::_exit(1);
    watch();
    ::_exit(0);
  }

 private:
  struct Group {
    int descriptor = -1;
    std::uint32_t version = 0;
  };
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
    std::array<int, kFirstLog + kHooksMax> kept{};
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

  static bool tell(const WatchdogMessage& message) { return send_octets(kSocket, &message, sizeof message, -1); }

  void watch() {
    for (;;) {
      std::array<pollfd, 3> waits{{{kSocket, POLLIN, 0}, {kChildren, POLLIN, 0}, {kTimer, POLLIN, 0}}};
      const int ready = ::poll(waits.data(), is_late_ ? 2 : 3, is_late_ ? static_cast<int>(kAgain.count()) : -1);
      if (ready < 0) continue;
      if (waits[1].revents != 0) {
        signalfd_siginfo told{};
        [[maybe_unused]] const ssize_t taken = ::read(kChildren, &told, sizeof told);
        look_after_before();
      }
      if (waits[0].revents != 0) {
        if (!take_message()) return;
      } else if (!is_late_ && waits[2].revents != 0) {
        is_late_ = true;
        resume();
      } else if (is_late_) {
        // The other side may have been held up between its look at the clock and its stop signal.
        thaw();
      }
    }
  }

  // False at the end.
  bool take_message() {
    WatchdogMessage message;
    int descriptor = -1;
    if (!receive_octets(kSocket, &message, sizeof message, descriptor)) {
      resume();
      return false;
    }
    if (descriptor >= 0) next_ = std::max(next_, descriptor + 1);
    switch (message.word) {
      case WatchdogWord::kTake:
        if (descriptor >= 0) ++held_;
        break;
      case WatchdogWord::kTakeGroup:
        if (descriptor < 0 || group_count_ == groups_.size()) break;
        groups_[group_count_++] = {descriptor, message.number};
        ++held_;
        break;
      case WatchdogWord::kBefore:
        if (!is_late_ && message.number < hooks_.size()) {
          start_before(message.number);
          break;
        }
        [[fallthrough]];
      case WatchdogWord::kCount:
        (void)tell({WatchdogWord::kHeld, held_, is_late_ ? 1 : 0});
        break;
      case WatchdogWord::kResume:
        resume();
        (void)tell({is_late_ ? WatchdogWord::kLate : WatchdogWord::kInTime, 0, 0});
        return false;
      default:
        break;
    }
    return true;
  }

  void thaw() const {
    for (std::size_t i = 0; i < group_count_; ++i) {
      const std::string_view word = env::thaw_word(static_cast<env::GroupVersion>(groups_[i].version));
      [[maybe_unused]] const ssize_t written = ::pwrite(groups_[i].descriptor, word.data(), word.size(), 0);
    }
    // Of those with the switch of a group nothing comes: that is no process.
    for (int process = first_; process < next_; ++process)
      ::syscall(SYS_pidfd_send_signal, process, SIGCONT, nullptr, 0);
  }

  void resume() {
    thaw();
    (void)tell({WatchdogWord::kLetGo, 0, 0});
    kill_before();
    for (std::uint32_t i = 0; i < hooks_.size(); ++i) {
      if (std::exchange(owed_[i], false)) start(i);
    }
    while (any_runs()) wait_a_while();
  }

  void wait_a_while() const {
    const timespec pause{0, kAgain.count() * 1000000};
    const sigset_t children = children_signal();
    (void)::sigtimedwait(&children, nullptr, &pause);
    if (is_late_) thaw();
  }

  void start_before(std::uint32_t hook) {
    const pid_t pid = ::fork();
    if (pid == 0) {
      // Told by the command's own process, as that of `after` is.
      const int handle = static_cast<int>(::syscall(SYS_pidfd_open, ::getpid(), 0));
      const WatchdogMessage begun{WatchdogWord::kBeforeBegun, hook, ::getpid()};
      (void)send_octets(kSocket, &begun, sizeof begun, handle);
      (void)tell({WatchdogWord::kBeforeFailed, hook, images_.before[hook].become()});
      ::_exit(127);
    }
    if (pid < 0) {
      (void)tell({WatchdogWord::kBeforeEnded, hook, kCannotStart});
      return;
    }
    ::setpgid(pid, pid);  // the child does so too: whoever is first
    owed_[hook] = true;
    before_ = {pid, {}, false};
    before_hook_ = hook;
  }

  void look_after_before() {
    int status = 0;
    if (before_.pid == 0 || !has_ended(before_)) return;
    reap(before_, status);
    (void)tell({WatchdogWord::kBeforeEnded, before_hook_, status});
  }

  // Nothing of it does anything any more when the first `after` begins.
  void kill_before() {
    look_after_before();
    if (before_.pid == 0) return;
    ::kill(-before_.pid, SIGKILL);
    const auto end = clock_.since_boot() + kDies;
    while (!has_ended(before_) && clock_.since_boot() < end) wait_a_while();
    int status = 0;
    reap(before_, status);
    (void)tell({WatchdogWord::kBeforeKilled, before_hook_, status});
  }

  void start(std::uint32_t hook) {
    const pid_t pid = ::fork();
    if (pid == 0) {
      // Told by the command's own process, which holds the socket until it has become the command: so the other side,
      // which reads to the end, knows exactly what has begun, wherever this process is killed.
      (void)tell({WatchdogWord::kBegun, hook, 0});
      (void)images_.after[hook].become();
      ::_exit(127);
    }
    if (pid < 0) {
      (void)tell({WatchdogWord::kEnded, hook, kCannotStart});
      return;
    }
    ::setpgid(pid, pid);
    runs_[hook] = {pid, clock_.since_boot() + hooks_[hook].after_at_most, false};
  }

  static bool has_ended(const Run& run) {
    siginfo_t info{};
    return ::waitid(P_PID, static_cast<id_t>(run.pid), &info, WEXITED | WNOHANG | WNOWAIT) == 0 &&
           info.si_pid == run.pid;
  }

  // Its group goes with it: as long as nobody has waited for the leader its number is nobody else's.
  static void reap(Run& run, int& status) {
    ::kill(-run.pid, SIGKILL);
    ::waitpid(run.pid, &status, WNOHANG);
    run.pid = 0;
  }

  // Looks after those that run; false where none is left.
  bool any_runs() {
    bool any = false;
    for (std::uint32_t i = 0; i < hooks_.size(); ++i) {
      Run& run = runs_[i];
      if (run.pid == 0) continue;
      const bool is_over = clock_.since_boot() >= run.end;
      if (has_ended(run) || (is_over && run.is_killed)) {
        int status = 0;
        reap(run, status);
        (void)tell({run.is_killed ? WatchdogWord::kKilled : WatchdogWord::kEnded, i, status});
      } else if (is_over) {
        ::kill(-run.pid, SIGKILL);
        run.is_killed = true;
        run.end = clock_.since_boot() + kDies;
      }
      any = any || run.pid != 0;
    }
    return any;
  }

  static constexpr int kCannotStart = 126 << 8;  // as of an exit code
  env::SystemClock clock_;
  const HookImages& images_;
  const std::vector<HookCommands>& hooks_;
  std::array<bool, kHooksMax> owed_{};
  std::array<Run, kHooksMax> runs_{};
  Run before_{};  // one at a time
  std::uint32_t before_hook_ = 0;
  bool is_late_ = false;
  std::uint32_t held_ = 0;
  std::array<Group, kFreezersMax> groups_{};
  std::size_t group_count_ = 0;
  const int first_;  // pidfd or switch of a group; they have the numbers from it on
  int next_;
};

}  // namespace

void run_watchdog(const HookImages& images, const std::vector<HookCommands>& hooks,
                  const std::vector<int>& descriptors) {
  Watching(images, hooks).run(descriptors);
}

}  // namespace spl::service
