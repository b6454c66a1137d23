#include "service/watchdog.h"

#include <fcntl.h>
#include <poll.h>
#include <sys/signalfd.h>
#include <sys/socket.h>
#include <sys/timerfd.h>
#include <sys/wait.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <cerrno>
#include <csignal>
#include <utility>

#include "env/posix_env.h"
#include "env/program_image.h"
#include "service/watchdog_process.h"

namespace spl::service {
namespace {

using std::chrono::milliseconds;

constexpr milliseconds kSlack{20000};
constexpr milliseconds kAnswers{5000};  // how long one that lets everything go on may take to say so
constexpr milliseconds kGrace{500};     // for an answer at the deadline
constexpr milliseconds kDies{5000};     // how long one that was killed is waited for

std::unexpected<Error> watchdog_gone() {
  return fail("the watchdog of the pause is gone", "whatever it was to resume is resumed by this command itself");
}

// A log that cannot be written is no reason to fail.
env::Descriptor open_log(const std::string& path) {
  env::Descriptor log(::open(path.c_str(), O_WRONLY | O_APPEND | O_CLOEXEC));
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

Result<Watchdog> Watchdog::arm(std::chrono::nanoseconds deadline, const std::vector<HookCommands>& hooks) {
  if (hooks.size() > kHooksMax)
    return fail("more than " + std::to_string(kHooksMax) + " services have hooks to be run after the pause");
  std::array<int, 2> ends{};
  if (::socketpair(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0, ends.data()) != 0)
    return base::fail_errno("cannot make a socket for the watchdog", errno);
  env::Descriptor own(ends[0]);
  const env::Descriptor others(ends[1]);
  const env::Descriptor timer = TRY(make_timer(deadline));
  const env::Descriptor nothing(::open("/dev/null", O_RDWR | O_CLOEXEC));
  const sigset_t child_ends = children_signal();
  const env::Descriptor children(::signalfd(-1, &child_ends, SFD_CLOEXEC | SFD_NONBLOCK));
  std::vector<int> descriptors{others.number(), timer.number(), nothing.number(), children.number()};
  HookImages images;
  std::vector<env::Descriptor> logs;
  for (const HookCommands& hook : hooks) {
    const int log = kFirstLog + static_cast<int>(logs.size());
    for (const auto& [program, list] :
         {std::pair(&hook.before, &images.before), std::pair(&hook.after, &images.after)}) {
      list->emplace_back(program->arguments, program->environment, program->working_directory, program->user);
      list->back().apart = env::ProgramImage::Apart::kGroup;
      list->back().streams = {kNothing, log, log};
    }
    logs.push_back(open_log(hook.log));
    descriptors.push_back(logs.back().number());
  }
  for (const int descriptor : descriptors) {
    if (descriptor < 0) return base::fail_errno("cannot open what the watchdog needs", EMFILE);
  }
  const pid_t pid = ::fork();
  if (pid < 0) return base::fail_errno("cannot start the watchdog", errno);
  if (pid == 0) run_watchdog(images, hooks, descriptors);
  Watchdog watchdog(std::move(own), pid, deadline, hooks);
  watchdog.handle_ = TRY(env::ProcessHandle::open(pid));
  const auto answer = watchdog.receive(kSlack);
  if (!answer || answer->word != WatchdogWord::kReady)
    return fail("the watchdog of the pause cannot begin", "it needs a few free descriptors: see ulimit -n");
  return watchdog;
}

Watchdog::Watchdog(env::Descriptor socket, int pid, std::chrono::nanoseconds deadline,
                   const std::vector<HookCommands>& hooks)
    : socket_(std::move(socket)),
      pid_(pid),
      deadline_(deadline),
      patience_(kSlack),
      after_(hooks.size()),
      begun_(hooks.size()) {
  milliseconds longest{0};
  for (const HookCommands& hook : hooks) {
    longest = std::max(longest, hook.after_at_most);
    programs_.push_back(hook.before.arguments.empty() ? "" : hook.before.arguments.front());
  }
  patience_ += longest;
}

Watchdog::Watchdog(Watchdog&& other) noexcept
    : socket_(std::move(other.socket_)),
      pid_(std::exchange(other.pid_, 0)),
      handle_(std::move(other.handle_)),
      deadline_(other.deadline_),
      patience_(other.patience_),
      given_(other.given_),
      has_let_go_(other.has_let_go_),
      after_(std::move(other.after_)),
      begun_(std::move(other.begun_)),
      programs_(std::move(other.programs_)),
      before_error_(other.before_error_),
      before_pid_(std::exchange(other.before_pid_, 0)),
      before_handle_(std::move(other.before_handle_)) {}

Watchdog::~Watchdog() {
  socket_.close();
  wait_for_end(patience_);
}

void Watchdog::wait_for_end(milliseconds at_most) {
  if (pid_ == 0) return;
  if (!handle_ || !handle_->wait(at_most)) {
    ::kill(pid_, SIGKILL);
    if (handle_) (void)handle_->wait(kDies);
  }
  ::waitpid(pid_, nullptr, WNOHANG);
  pid_ = 0;
}

void Watchdog::note_begun(const WatchdogMessage& message, env::Descriptor handle) {
  begun_[message.number] = true;
  before_pid_ = message.status;
  before_handle_ = std::move(handle);
  before_error_ = 0;
}

// The next answer to a question; what it tells of commands meanwhile is kept.
Result<WatchdogMessage> Watchdog::receive(milliseconds at_most) {
  for (;;) {
    pollfd wait{socket_.number(), POLLIN, 0};
    int ready = 0;
    while ((ready = ::poll(&wait, 1, static_cast<int>(at_most.count()))) < 0 && errno == EINTR) {
    }
    if (ready == 0) return fail(Cause::kTimeout, "the watchdog of the pause does not answer");
    WatchdogMessage message;
    int received = -1;
    if (!receive_octets(socket_.number(), &message, sizeof message, received)) return watchdog_gone();
    env::Descriptor descriptor(received);
    const bool is_known = message.number < after_.size();
    using State = CommandOutcome::State;
    switch (message.word) {
      case WatchdogWord::kLetGo:
        has_let_go_ = true;
        break;
      case WatchdogWord::kBeforeBegun:
        if (is_known) note_begun(message, std::move(descriptor));
        break;
      case WatchdogWord::kBeforeFailed:
        before_error_ = message.status;
        break;
      case WatchdogWord::kBegun:
        if (is_known) after_[message.number] = {State::kBegun, 0};
        break;
      case WatchdogWord::kEnded:
        if (is_known) after_[message.number] = {State::kEnded, message.status};
        break;
      case WatchdogWord::kKilled:
        if (is_known) after_[message.number] = {State::kKilledAtLimit, message.status};
        break;
      case WatchdogWord::kBeforeEnded:
      case WatchdogWord::kBeforeKilled:
        before_pid_ = 0;
        before_handle_.close();
        return message;
      default:
        return message;
    }
    if (message.word == WatchdogWord::kLetGo) return message;
  }
}

milliseconds Watchdog::until_deadline() const {
  constexpr milliseconds kMax = std::chrono::hours(24);  // poll(2) counts no further
  const auto left = std::chrono::duration_cast<milliseconds>(deadline_ - env::SystemClock().since_boot());
  return std::clamp(left, milliseconds(0), kMax);
}

Result<void> Watchdog::give(const WatchdogMessage& message, int descriptor) {
  if (!send_octets(socket_.number(), &message, sizeof message, descriptor)) return watchdog_gone();
  ++given_;
  return {};
}

Result<void> Watchdog::await_count() {
  const WatchdogMessage question{WatchdogWord::kCount, 0, 0};
  if (!send_octets(socket_.number(), &question, sizeof question, -1)) return watchdog_gone();
  for (;;) {
    // After the deadline the pause has failed in any case.
    const WatchdogMessage answer = TRY(receive(std::min(until_deadline() + kGrace, kSlack)));
    if (answer.word == WatchdogWord::kLetGo) continue;
    if (answer.word != WatchdogWord::kHeld) return watchdog_gone();
    if (answer.status != 0) return fail(Cause::kTimeout, "the limit of the pause has passed before all was still");
    if (answer.number == given_) return {};
    return fail("the watchdog of the pause cannot hold all processes: it has too few descriptors",
                "raise the limit of open files: see ulimit -n");
  }
}

Result<void> Watchdog::take(const std::vector<ServiceProcess>& processes) {
  for (const ServiceProcess& process : processes) TRY(give({WatchdogWord::kTake, 0, 0}, process.handle.descriptor()));
  return await_count();
}

Result<void> Watchdog::take_groups(const std::vector<env::ControlGroup>& groups) {
  for (const env::ControlGroup& group : groups) {
    const env::Descriptor freezer = TRY(group.open_switch());
    TRY(give({WatchdogWord::kTakeGroup, static_cast<std::uint32_t>(group.version()), 0}, freezer.number()));
  }
  return await_count();
}

Result<CommandOutcome> Watchdog::run_before(std::size_t hook) {
  const WatchdogMessage message{WatchdogWord::kBefore, static_cast<std::uint32_t>(hook), 0};
  if (!send_octets(socket_.number(), &message, sizeof message, -1)) return watchdog_gone();
  for (;;) {
    // It may take until the deadline, and is killed then.
    const WatchdogMessage answer = TRY(receive(until_deadline() + kGrace + kDies));
    using State = CommandOutcome::State;
    switch (answer.word) {
      case WatchdogWord::kLetGo:
        break;
      case WatchdogWord::kHeld:
        return fail(Cause::kTimeout, "the limit of the pause has passed before all was still");
      case WatchdogWord::kBeforeKilled:
        return CommandOutcome{State::kKilledAtLimit, answer.status};
      case WatchdogWord::kBeforeEnded:
        if (before_error_ != 0) return std::unexpected(env::cannot_run(programs_[hook], before_error_));
        return CommandOutcome{State::kEnded, answer.status};
      default:
        return watchdog_gone();
    }
  }
}

// Of a `before` that the watchdog, which is lost, has left behind.
void Watchdog::end_before() {
  if (before_pid_ == 0 || !before_handle_.is_open()) return;
  pollfd ended{before_handle_.number(), POLLIN, 0};
  if (::poll(&ended, 1, 0) == 0) {
    // As long as it lives the number of its group is nobody else's.
    ::kill(-before_pid_, SIGKILL);
    while (::poll(&ended, 1, static_cast<int>(kDies.count())) < 0 && errno == EINTR) {
    }
  }
  before_pid_ = 0;
  before_handle_.close();
}

// What is late of the answers to earlier questions is passed over.
Result<WatchdogMessage> Watchdog::last_word(milliseconds at_most) {
  for (;;) {
    const WatchdogMessage answer = TRY(receive(at_most));
    const bool is_last = answer.word == WatchdogWord::kInTime || answer.word == WatchdogWord::kLate;
    if (is_last) return answer;
    if (answer.word == WatchdogWord::kLetGo) at_most = patience_;
  }
}

WatchdogEnd Watchdog::resume() {
  WatchdogEnd end;
  const WatchdogMessage message{WatchdogWord::kResume, 0, 0};
  // Where it is gone it may have told something before: that is read in any case.
  (void)send_octets(socket_.number(), &message, sizeof message, -1);
  auto answer = last_word(has_let_go_ ? patience_ : kAnswers);
  if (!answer && answer.error().cause == Cause::kTimeout) {
    // It hangs. Once it is gone it is certain what it has begun.
    ::kill(pid_, SIGKILL);
    answer = last_word(kSlack);
  }
  end.is_taken = answer.has_value();
  end.is_late = end.is_taken && answer->word == WatchdogWord::kLate;
  socket_.close();
  wait_for_end(kDies);
  end_before();
  end.after = after_;
  return end;
}

}  // namespace spl::service
