#include "env/connect.h"

#include <fcntl.h>
#include <netdb.h>
#include <poll.h>
#include <sys/socket.h>
#include <sys/time.h>
#include <sys/un.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <cerrno>
#include <cstring>
#include <future>
#include <memory>
#include <system_error>
#include <thread>

#include "base/encoding.h"

namespace spl::env {
namespace {

using std::chrono::milliseconds;
using std::chrono::steady_clock;

std::unexpected<Error> silent(std::string_view address, const std::string& why) {
  return fail(ErrorCode::kUnavailable, base::escaped(address, 200) + ": " + why);
}

std::unexpected<Error> cannot_ask(std::string_view address, int error) {
  return base::fail_errno("cannot ask " + base::escaped(address, 200), error);
}

// Whether it says something of the other side, and not of this one.
bool is_answer(int error) {
  constexpr std::array kOurs{EMFILE, ENFILE, ENOMEM, ENOBUFS, EACCES, EPERM, EAFNOSUPPORT};
  return std::ranges::find(kOurs, error) == kOurs.end();
}

using Places = std::unique_ptr<addrinfo, void (*)(addrinfo*)>;
struct Found {
  int error = 0;   // of getaddrinfo
  int system = 0;  // errno, where that says so
  Places places{nullptr, ::freeaddrinfo};
};

Found look_up(const std::string& host, const std::string& port) {
  addrinfo wanted{};
  wanted.ai_socktype = SOCK_STREAM;
  addrinfo* places = nullptr;
  Found found;
  found.error = ::getaddrinfo(host.c_str(), port.c_str(), &wanted, &places);
  found.system = errno;
  found.places.reset(found.error == 0 ? places : nullptr);
  return found;
}

class Question {
 public:
  Question(std::string_view address, milliseconds at_most) : address_(address), end_(steady_clock::now() + at_most) {}

  Result<void> connect() {
    if (address_.starts_with("unix:")) {
      sockaddr_un place{};
      place.sun_family = AF_UNIX;
      const std::string_view path = address_.substr(5);
      if (path.size() >= sizeof place.sun_path) return silent(address_, "a socket's path has at most 107 bytes");
      std::memcpy(&place.sun_path[0], path.data(), path.size());
      return connect_to(AF_UNIX, reinterpret_cast<const sockaddr*>(&place), sizeof place);
    }
    std::string_view rest = address_.substr(address_.starts_with("tcp:") ? 4 : 0);
    const std::size_t colon = rest.rfind(':');
    if (colon == std::string_view::npos) return silent(address_, "is no address");
    std::string host(rest.substr(0, colon));
    if (host.starts_with('[') && host.ends_with(']')) host = host.substr(1, host.size() - 2);
    const Found found = TRY(places_of(host, std::string(rest.substr(colon + 1))));
    if (found.error == EAI_SYSTEM || found.error == EAI_MEMORY)
      return cannot_ask(address_, found.error == EAI_MEMORY ? ENOMEM : found.system);
    if (found.error != 0) return silent(address_, ::gai_strerror(found.error));
    Result<void> connected = silent(address_, "has no address");
    for (const addrinfo* place = found.places.get(); place != nullptr && !connected; place = place->ai_next)
      connected = connect_to(place->ai_family, place->ai_addr, place->ai_addrlen);
    return connected;
  }

  Descriptor take() { return std::move(socket_); }

  Result<void> send(std::string_view octets) {
    while (!octets.empty()) {
      TRY(wait(POLLOUT));
      const ssize_t n = ::send(socket_.number(), octets.data(), octets.size(), MSG_NOSIGNAL);
      if (n < 0 && (errno == EINTR || errno == EAGAIN)) continue;
      if (n < 0) return silent(address_, std::strerror(errno));
      octets.remove_prefix(static_cast<std::size_t>(n));
    }
    return {};
  }

  Result<std::string> receive(std::size_t bytes_max) {
    std::string text;
    std::array<char, 4096> piece{};
    while (text.size() < bytes_max) {
      TRY(wait(POLLIN));
      const ssize_t n = ::recv(socket_.number(), piece.data(), std::min(piece.size(), bytes_max - text.size()), 0);
      if (n < 0 && (errno == EINTR || errno == EAGAIN)) continue;
      if (n < 0) return silent(address_, std::strerror(errno));
      if (n == 0) break;
      text.append(piece.data(), static_cast<std::size_t>(n));
      if (text.find('\n') != std::string::npos) break;
    }
    return text;
  }

 private:
  // A server of names answers when it likes: it is asked by a thread that is left alone at the end.
  Result<Found> places_of(const std::string& host, const std::string& port) {
    std::promise<Found> promise;
    std::future<Found> found = promise.get_future();
    try {
      std::thread([host, port, promise = std::move(promise)]() mutable {
        promise.set_value(look_up(host, port));
      }).detach();
    } catch (const std::system_error& error) {
      return cannot_ask(address_, error.code().value());
    }
    if (found.wait_until(end_) != std::future_status::ready)
      return silent(address_, "no server of names answers in time");
    return found.get();
  }

  Result<void> connect_to(int family, const sockaddr* place, socklen_t size) {
    // That of a Unix socket waits in connect() for room among those that the server has not accepted yet, and in no
    // other way.
    const bool is_unix = family == AF_UNIX;
    socket_ = Descriptor(::socket(family, SOCK_STREAM | SOCK_CLOEXEC | (is_unix ? 0 : SOCK_NONBLOCK), 0));
    if (!socket_.is_open()) return cannot_ask(address_, errno);
    if (is_unix) return connect_waiting(place, size);
    if (::connect(socket_.number(), place, size) == 0) return {};
    if (errno != EINPROGRESS) return refused(errno);
    TRY(wait(POLLOUT));
    int error = 0;
    socklen_t length = sizeof error;
    ::getsockopt(socket_.number(), SOL_SOCKET, SO_ERROR, &error, &length);
    return error == 0 ? Result<void>() : refused(error);
  }

  Result<void> connect_waiting(const sockaddr* place, socklen_t size) {
    for (;;) {
      const auto left = std::chrono::duration_cast<std::chrono::microseconds>(end_ - steady_clock::now());
      if (left.count() <= 0) return silent(address_, "does not answer in time");
      const timeval limit{left.count() / 1000000, left.count() % 1000000};
      if (::setsockopt(socket_.number(), SOL_SOCKET, SO_SNDTIMEO, &limit, sizeof limit) != 0)
        return cannot_ask(address_, errno);
      if (::connect(socket_.number(), place, size) == 0) break;
      if (errno != EINTR && errno != EAGAIN) return refused(errno);
    }
    if (::fcntl(socket_.number(), F_SETFL, O_NONBLOCK) != 0) return cannot_ask(address_, errno);
    return {};
  }

  [[nodiscard]] std::unexpected<Error> refused(int error) const {
    return is_answer(error) ? silent(address_, std::strerror(error)) : cannot_ask(address_, error);
  }

  Result<void> wait(short what) {
    for (;;) {
      const auto left = std::chrono::duration_cast<milliseconds>(end_ - steady_clock::now());
      if (left.count() <= 0) return silent(address_, "does not answer in time");
      pollfd one{socket_.number(), what, 0};
      const int ready = ::poll(&one, 1, static_cast<int>(left.count()) + 1);
      if (ready > 0) return {};
      if (ready < 0 && errno != EINTR) return cannot_ask(address_, errno);
    }
  }

  std::string_view address_;
  steady_clock::time_point end_;
  Descriptor socket_;
};

}  // namespace

Result<std::string> ask_address(std::string_view address, std::string_view question, std::size_t bytes_max,
                                milliseconds at_most) {
  Question asked(address, at_most);
  TRY(asked.connect());
  TRY(asked.send(question));
  return bytes_max == 0 ? Result<std::string>("") : asked.receive(bytes_max);
}

Result<Descriptor> connect_address(std::string_view address, milliseconds at_most) {
  Question asked(address, at_most);
  TRY(asked.connect());
  return asked.take();
}

}  // namespace spl::env
