#include "env/interrupt.h"

#include <sys/eventfd.h>

#include <cerrno>
#include <cstdint>

namespace spl::env {

Result<std::unique_ptr<Interrupt>> Interrupt::make() {
  Descriptor event(::eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK));
  if (!event.is_open()) return base::fail_errno("cannot make an event", errno);
  return std::unique_ptr<Interrupt>(new Interrupt(std::move(event)));
}

void Interrupt::raise() {
  const int errno_before = errno;
  raised_.store(true, std::memory_order_release);
  const std::uint64_t one = 1;
  // It can only fail where the counter is full, and then it is readable already.
  [[maybe_unused]] const ssize_t written = ::write(event_.number(), &one, sizeof one);
  errno = errno_before;
}

}  // namespace spl::env
