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

#include <array>
#include <cerrno>
#include <csignal>
#include <cstring>
#include <utility>

#include "env/descriptor.h"
#include "env/program_image.h"

namespace spl::service {
namespace {

constexpr std::size_t kCommandsMax = 256;
constexpr rlim_t kDescriptorsWanted = 65536;
// The descriptors of the process that watches.
constexpr int kSocket = 3;
constexpr int kTimer = 4;
constexpr int kFirstProcess = 5;

enum class Word : char { kTake = 'T', kOwe = 'O', kResume = 'R', kInTime = 'I', kLate = 'L' };

struct Message {
  Word word = Word::kTake;
  std::uint32_t command = 0;
};

// With a descriptor, where it is not -1.
bool send_message(int socket, const Message& message, int descriptor) {
  Message copy = message;
  iovec part{&copy, sizeof copy};
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
    if (n >= 0 || errno != EINTR) return n == static_cast<ssize_t>(sizeof copy);
  }
}

// False at the end. The descriptor that came with it, or -1.
bool receive_message(int socket, Message& message, int& descriptor) {
  iovec part{&message, sizeof message};
  alignas(cmsghdr) std::array<char, CMSG_SPACE(sizeof(int))> control{};
  msghdr head{};
  head.msg_iov = &part;
  head.msg_iovlen = 1;
  head.msg_control = control.data();
  head.msg_controllen = control.size();
  ssize_t n = 0;
  while ((n = ::recvmsg(socket, &head, 0)) < 0 && errno == EINTR) {
  }
  descriptor = -1;
  for (cmsghdr* rights = CMSG_FIRSTHDR(&head); rights != nullptr; rights = CMSG_NXTHDR(&head, rights)) {
    if (rights->cmsg_level == SOL_SOCKET && rights->cmsg_type == SCM_RIGHTS)
      std::memcpy(&descriptor, CMSG_DATA(rights), sizeof descriptor);
  }
  return n == static_cast<ssize_t>(sizeof message);
}

// The process that watches. It was forked from a program that may have had other threads: it allocates nothing.
class Watching {
 public:
  explicit Watching(const std::vector<env::ProgramImage>& after) : after_(after) {}

  [[noreturn]] void run(int socket, int timer) {
    ::setsid();
    // What it is meant to outlive may be ended by a signal to all.
    for (const int number : {SIGINT, SIGTERM, SIGHUP, SIGQUIT, SIGPIPE, SIGUSR1, SIGUSR2}) ::signal(number, SIG_IGN);
    const int kept_socket = ::fcntl(socket, F_DUPFD, kFirstProcess + 2);
    const int kept_timer = ::fcntl(timer, F_DUPFD, kFirstProcess + 2);
    ::dup2(kept_socket, kSocket);
    ::dup2(kept_timer, kTimer);
    // No lock and no pipe of the other side stays held here.
    ::close_range(kFirstProcess, ~0U, 0);
    rlimit descriptors{};
    ::getrlimit(RLIMIT_NOFILE, &descriptors);
    descriptors.rlim_cur = std::min(kDescriptorsWanted, descriptors.rlim_max);
    ::setrlimit(RLIMIT_NOFILE, &descriptors);
    watch();
    ::_exit(0);
  }

 private:
  void watch() {
    bool late = false;
    for (;;) {
      std::array<pollfd, 2> waits{{{kSocket, POLLIN, 0}, {kTimer, POLLIN, 0}}};
      if (::poll(waits.data(), late ? 1 : 2, -1) < 0) continue;
      if (waits[0].revents != 0) {
        Message message;
        int descriptor = -1;
        if (!receive_message(kSocket, message, descriptor)) break;
        if (descriptor >= 0 && descriptor > last_) last_ = descriptor;
        if (message.word == Word::kOwe && message.command < after_.size()) owed_[message.command] = true;
        // What comes too late is let go at once: it is not stopped yet, or will be resumed by whoever sent it.
        if (message.word == Word::kResume) {
          resume();
          (void)send_message(kSocket, {late ? Word::kLate : Word::kInTime, 0}, -1);
          return;
        }
      } else if (!late) {
        late = true;
        resume();
      }
    }
    resume();
  }

  void resume() {
    for (int process = kFirstProcess; process <= last_; ++process)
      ::syscall(SYS_pidfd_send_signal, process, SIGCONT, nullptr, 0);
    for (std::size_t i = 0; i < after_.size(); ++i) {
      if (!std::exchange(owed_[i], false)) continue;
      const pid_t pid = ::fork();
      if (pid == 0) {
        (void)after_[i].become();
        ::_exit(127);
      }
    }
    while (::wait(nullptr) > 0 || errno == EINTR) {
    }
  }

  const std::vector<env::ProgramImage>& after_;
  std::array<bool, kCommandsMax> owed_{};
  int last_ = kFirstProcess - 1;  // the pidfds have the numbers from kFirstProcess on
};

std::unexpected<Error> watchdog_gone() {
  return fail("the watchdog of the pause is gone", "whatever it was to resume is resumed by this command itself");
}

}  // namespace

Result<Watchdog> Watchdog::arm(std::chrono::nanoseconds deadline, const std::vector<env::ProgramStart>& after) {
  if (after.size() > kCommandsMax) return fail("more than 256 services have hooks");
  std::vector<env::ProgramImage> images;
  for (const env::ProgramStart& command : after) {
    images.emplace_back(command.arguments, command.environment, command.working_directory, command.user);
    images.back().apart = env::ProgramImage::Apart::kGroup;
  }
  std::array<int, 2> ends{};
  if (::socketpair(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0, ends.data()) != 0)
    return base::fail_errno("cannot make a socket for the watchdog", errno);
  env::Descriptor own(ends[0]);
  const env::Descriptor others(ends[1]);
  const env::Descriptor timer(::timerfd_create(CLOCK_BOOTTIME, TFD_CLOEXEC));
  const auto seconds = std::chrono::duration_cast<std::chrono::seconds>(deadline);
  itimerspec when{};
  when.it_value.tv_sec = seconds.count();
  when.it_value.tv_nsec = (deadline - seconds).count();
  if (!timer.is_open() || ::timerfd_settime(timer.number(), TFD_TIMER_ABSTIME, &when, nullptr) != 0)
    return base::fail_errno("cannot make the timer of the watchdog", errno);
  const pid_t pid = ::fork();
  if (pid < 0) return base::fail_errno("cannot start the watchdog", errno);
  if (pid == 0) {
    ::close(own.number());
    Watching(images).run(others.number(), timer.number());
  }
  return Watchdog(std::move(own), pid);
}

Watchdog::Watchdog(Watchdog&& other) noexcept : socket_(std::move(other.socket_)), pid_(std::exchange(other.pid_, 0)) {}

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

Result<void> Watchdog::take(const std::vector<MarkedProcess>& processes) {
  for (const MarkedProcess& process : processes) {
    if (!send_message(socket_.number(), {Word::kTake, 0}, process.handle.descriptor())) return watchdog_gone();
  }
  return {};
}

Result<void> Watchdog::owe(std::size_t command) {
  if (!send_message(socket_.number(), {Word::kOwe, static_cast<std::uint32_t>(command)}, -1)) return watchdog_gone();
  return {};
}

Result<bool> Watchdog::resume() {
  if (!send_message(socket_.number(), {Word::kResume, 0}, -1)) return watchdog_gone();
  Message answer;
  int descriptor = -1;
  if (!receive_message(socket_.number(), answer, descriptor)) return watchdog_gone();
  wait_for_end();
  return answer.word == Word::kInTime;
}

}  // namespace spl::service
