// What a daemon tells the one that started it: systemd's readiness protocol, a datagram to a Unix socket. Any thread.
// Source: sd_notify(3).
#pragma once

#include <chrono>
#include <string>

namespace spl::env {

class ServiceManager {
 public:
  // `address` is what $NOTIFY_SOCKET says: an absolute path, or "@" and the name of an abstract socket. "" and whatever
  // else is no address: nobody is told anything.
  explicit ServiceManager(std::string address) : address_(std::move(address)) {}

  void ready(const std::string& status) const;
  // `now` is of the steady clock, which is CLOCK_MONOTONIC. ready() ends it.
  void reloading(std::chrono::steady_clock::time_point now) const;
  void stopping() const;

 private:
  // Where nobody listens nothing is said.
  void tell(const std::string& state) const;
  const std::string address_;
};

}  // namespace spl::env
