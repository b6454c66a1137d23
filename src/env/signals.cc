#include "env/signals.h"

#include <sys/signalfd.h>
#include <unistd.h>

#include <atomic>

#include "base/check.h"

namespace spl::env {
namespace {

std::atomic<int> received_signal{0};
std::atomic<pid_t> received_from{0};
std::atomic<Interrupt*> raised_interrupt{nullptr};

void on_signal(int signal, siginfo_t* info, void*) {
  // Who typed Ctrl-C is no process.
  received_from = info->si_code == SI_USER || info->si_code == SI_QUEUE ? info->si_pid : 0;
  received_signal = signal;
  if (Interrupt* interrupt = raised_interrupt) interrupt->raise();
}

}  // namespace

InterruptSignals::InterruptSignals() {
  auto made = Interrupt::make();
  SPL_CHECK(made.has_value());
  interrupt_ = std::move(*made);
  received_signal = 0;
  raised_interrupt = interrupt_.get();
  struct sigaction action{};
  action.sa_sigaction = on_signal;
  action.sa_flags = static_cast<int>(SA_RESETHAND | SA_SIGINFO);
  for (std::size_t i = 0; i < kSignals.size(); ++i) {
    ::sigaction(kSignals[i], nullptr, &before_[i]);
    // One that is ignored stays so: nohup means it.
    if (before_[i].sa_handler != SIG_IGN) ::sigaction(kSignals[i], &action, nullptr);
  }
}

InterruptSignals::~InterruptSignals() {
  for (std::size_t i = 0; i < kSignals.size(); ++i) ::sigaction(kSignals[i], &before_[i], nullptr);
  raised_interrupt = nullptr;
}

std::optional<int> InterruptSignals::received() {
  const int signal = received_signal;
  return signal == 0 ? std::nullopt : std::optional(signal);
}

void InterruptSignals::end_as_received() {
  const auto signal = received();
  if (!signal || received_from == ::getppid()) return;
  ::signal(*signal, SIG_DFL);
  ::raise(*signal);
}

DaemonSignals::DaemonSignals() {
  sigset_t signals;
  ::sigemptyset(&signals);
  ::sigaddset(&signals, SIGTERM);  // spl stop sends it
  for (const int signal : {SIGINT, SIGHUP}) {
    struct sigaction before{};
    ::sigaction(signal, nullptr, &before);
    if (before.sa_handler != SIG_IGN) ::sigaddset(&signals, signal);
  }
  ::pthread_sigmask(SIG_BLOCK, &signals, nullptr);
  descriptor_ = Descriptor(::signalfd(-1, &signals, SFD_CLOEXEC | SFD_NONBLOCK));
  SPL_CHECK(descriptor_.is_open());
}

std::optional<DaemonSignals::Wish> DaemonSignals::next() const {
  signalfd_siginfo info{};
  if (::read(descriptor_.number(), &info, sizeof info) != sizeof info) return std::nullopt;
  return info.ssi_signo == SIGHUP ? Wish::kReload : Wish::kEnd;
}

}  // namespace spl::env
