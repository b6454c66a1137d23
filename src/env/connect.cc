#include "env/connect.h"

#include <netdb.h>
#include <poll.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

#include <array>
#include <cerrno>
#include <cstring>
#include <memory>

#include "base/encoding.h"

namespace spl::env {
namespace {

using std::chrono::milliseconds;
using std::chrono::steady_clock;

std::unexpected<Error> silent(std::string_view address, const std::string& why) {
  return fail(ErrorCode::kUnavailable, base::escaped(address, 200) + ": " + why);
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
    addrinfo wanted{};
    wanted.ai_socktype = SOCK_STREAM;
    addrinfo* found = nullptr;
    if (const int error = ::getaddrinfo(host.c_str(), std::string(rest.substr(colon + 1)).c_str(), &wanted, &found))
      return silent(address_, ::gai_strerror(error));
    const std::unique_ptr<addrinfo, void (*)(addrinfo*)> places(found, ::freeaddrinfo);
    Result<void> connected = silent(address_, "has no address");
    for (const addrinfo* place = found; place != nullptr && !connected; place = place->ai_next)
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
  Result<void> connect_to(int family, const sockaddr* place, socklen_t size) {
    socket_ = Descriptor(::socket(family, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0));
    if (!socket_.is_open()) return silent(address_, std::strerror(errno));
    if (::connect(socket_.number(), place, size) == 0) return {};
    if (errno != EINPROGRESS && errno != EAGAIN) return silent(address_, std::strerror(errno));
    TRY(wait(POLLOUT));
    int error = 0;
    socklen_t length = sizeof error;
    ::getsockopt(socket_.number(), SOL_SOCKET, SO_ERROR, &error, &length);
    return error == 0 ? Result<void>() : silent(address_, std::strerror(error));
  }

  Result<void> wait(short what) {
    for (;;) {
      const auto left = std::chrono::duration_cast<milliseconds>(end_ - steady_clock::now());
      if (left.count() <= 0) return silent(address_, "does not answer in time");
      pollfd one{socket_.number(), what, 0};
      const int ready = ::poll(&one, 1, static_cast<int>(left.count()) + 1);
      if (ready > 0) return {};
      if (ready < 0 && errno != EINTR) return silent(address_, std::strerror(errno));
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
