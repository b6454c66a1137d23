#include "cli/interrupt.h"

#include <sys/eventfd.h>
#include <unistd.h>

#include <atomic>
#include <cerrno>
#include <cstdint>

#include "base/check.h"

namespace spl::cli {
namespace {

std::atomic<bool> interrupt_requested{false};
std::atomic<int> interrupt_descriptor{-1};

void on_signal(int) {
  const int errno_before = errno;
  interrupt_requested = true;
  const std::uint64_t one = 1;
  // Only a full counter could refuse it, and then it can be read already.
  [[maybe_unused]] const ssize_t n = ::write(interrupt_descriptor, &one, sizeof one);
  errno = errno_before;
}

}  // namespace

Interrupt::Interrupt() {
  interrupt_requested = false;
  interrupt_descriptor = ::eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK);
  SPL_CHECK(interrupt_descriptor >= 0);
  struct sigaction action{};
  action.sa_handler = on_signal;
  action.sa_flags = static_cast<int>(SA_RESETHAND);
  for (std::size_t i = 0; i < kSignals.size(); ++i) {
    ::sigaction(kSignals[i], nullptr, &before_[i]);
    // One that is ignored stays so: nohup means it.
    if (before_[i].sa_handler != SIG_IGN) ::sigaction(kSignals[i], &action, nullptr);
  }
}

Interrupt::~Interrupt() {
  for (std::size_t i = 0; i < kSignals.size(); ++i) ::sigaction(kSignals[i], &before_[i], nullptr);
  ::close(interrupt_descriptor.exchange(-1));
}

bool Interrupt::requested() const {
  return interrupt_requested;
}

int Interrupt::descriptor() const {
  return interrupt_descriptor;
}

}  // namespace spl::cli
