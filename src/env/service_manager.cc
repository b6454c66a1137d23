#include "env/service_manager.h"

#include <sys/socket.h>
#include <sys/un.h>

#include <cstddef>

#include "env/descriptor.h"

namespace spl::env {

void ServiceManager::ready(const std::string& status) const {
  tell("READY=1\nSTATUS=" + status);
}

void ServiceManager::reloading(std::chrono::steady_clock::time_point now) const {
  const auto us = std::chrono::duration_cast<std::chrono::microseconds>(now.time_since_epoch());
  tell("RELOADING=1\nMONOTONIC_USEC=" + std::to_string(us.count()));
}

void ServiceManager::stopping() const {
  tell("STOPPING=1");
}

void ServiceManager::tell(const std::string& state) const {
  sockaddr_un to{};
  to.sun_family = AF_UNIX;
  if (address_.size() < 2 || address_.size() >= sizeof to.sun_path) return;
  if (address_.front() != '/' && address_.front() != '@') return;
  address_.copy(to.sun_path, sizeof to.sun_path - 1);
  // The name of an abstract socket begins with a NUL and has no end but the address's.
  if (address_.front() == '@') to.sun_path[0] = '\0';
  const auto length = static_cast<socklen_t>(offsetof(sockaddr_un, sun_path) + address_.size());
  const Descriptor socket(::socket(AF_UNIX, SOCK_DGRAM | SOCK_CLOEXEC, 0));
  if (!socket.is_open()) return;
  (void)::sendto(socket.number(), state.data(), state.size(), MSG_NOSIGNAL, reinterpret_cast<const sockaddr*>(&to),
                 length);
}

}  // namespace spl::env
