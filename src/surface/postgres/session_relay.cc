#include "surface/postgres/session_relay.h"

#include <fcntl.h>
#include <poll.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

#include <array>
#include <cerrno>
#include <cstring>

#include "base/encoding.h"

namespace spl::surface {
namespace {

constexpr int kLookEveryMs = 200;  // at the patience
constexpr std::size_t kPieceBytes = 64u << 10;
constexpr std::size_t kWaitingBytesMax = 256u << 10;
constexpr std::size_t kStartupBytesMax = 10000;
constexpr std::size_t kHeaderBytes = 5;  // a letter, and the length of what follows with itself
constexpr std::size_t kLengthBytes = 4;
constexpr std::uint32_t kWantsTls = 80877103;
constexpr std::uint32_t kWantsGss = 80877104;
constexpr char kEndsSession = 'X';

std::uint32_t big_endian(std::string_view octets) {
  std::uint32_t value = 0;
  for (const char c : octets.substr(0, kLengthBytes)) value = value << 8 | static_cast<unsigned char>(c);
  return value;
}

void append_big_endian(std::string& out, std::uint32_t value) {
  for (int shift = 24; shift >= 0; shift -= 8) out += static_cast<char>(value >> shift & 0xff);
}

void append_message(std::string& out, char letter, std::string_view body) {
  out += letter;
  append_big_endian(out, static_cast<std::uint32_t>(body.size() + kLengthBytes));
  out += body;
}

bool is_to_be_tried_again(int error) {
  return error == EINTR || error == EAGAIN || error == EWOULDBLOCK;
}

}  // namespace

std::string SessionRelay::socket_path() const {
  return directory_ + "/.s.PGSQL.5432";
}

Result<SessionRelay> SessionRelay::make(ServerConnection& session, const std::string& directory) {
  SessionRelay relay(session, directory, env::Descriptor(::socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0)));
  sockaddr_un address{};
  address.sun_family = AF_UNIX;
  const std::string path = relay.socket_path();
  if (path.size() >= sizeof address.sun_path)
    return fail("the path of a socket is too long: " + base::escaped(path, 200), "put the home at a shorter path");
  std::memcpy(static_cast<char*>(address.sun_path), path.data(), path.size());
  ::unlink(path.c_str());
  if (!relay.listener_.is_open() ||
      ::bind(relay.listener_.number(), reinterpret_cast<const sockaddr*>(&address), sizeof address) != 0 ||
      ::listen(relay.listener_.number(), 1) != 0)
    return base::fail_errno("cannot listen on " + base::escaped(path, 200), errno);
  return relay;
}

SessionRelay::~SessionRelay() {
  if (listener_.is_open()) ::unlink(socket_path().c_str());
}

std::string SessionRelay::argument(const ServerAddress& address) const {
  ServerAddress only;
  only.set("host", directory_);
  only.set("port", "5432");
  only.set("user", address.user());
  only.set("dbname", address.database());
  only.set("sslmode", "disable");
  only.set("gssencmode", "disable");
  return only.argument();
}

// What a server says after a client's first message, where it needs no password.
std::string SessionRelay::greeting() const {
  std::string text;
  append_message(text, 'R', std::string(kLengthBytes, '\0'));
  for (const char* setting :
       {"server_version", "server_encoding", "client_encoding", "is_superuser", "session_authorization", "DateStyle",
        "IntervalStyle", "TimeZone", "integer_datetimes", "standard_conforming_strings"}) {
    std::string body = setting;
    body += '\0';
    body += session_->reported(setting);
    body += '\0';
    append_message(text, 'S', body);
  }
  std::string key;
  append_big_endian(key, static_cast<std::uint32_t>(session_->backend_pid()));
  append_big_endian(key, 0);
  append_message(text, 'K', key);
  append_message(text, 'Z', "T");  // ready, within a transaction
  return text;
}

Result<void> SessionRelay::take_client() {
  const int number = ::accept4(listener_.number(), nullptr, nullptr, SOCK_CLOEXEC | SOCK_NONBLOCK);
  if (number < 0 && !is_to_be_tried_again(errno)) return base::fail_errno("pg_dump cannot be answered", errno);
  if (number >= 0) client_ = env::Descriptor(number);
  return {};
}

Result<void> SessionRelay::take_startup() {
  while (!started_ && startup_.size() >= 2 * kLengthBytes) {
    const std::size_t size = big_endian(startup_);
    const std::uint32_t code = big_endian(std::string_view(startup_).substr(kLengthBytes));
    if (size < 2 * kLengthBytes || size > kStartupBytesMax) return fail("pg_dump speaks another protocol");
    if (startup_.size() < size) return {};
    startup_.erase(0, size);
    if (code == kWantsTls || code == kWantsGss) {
      to_client_ += 'N';
      continue;
    }
    to_client_ += greeting();
    started_ = true;
    forward_messages(startup_);
    startup_.clear();
  }
  return {};
}

// All but the end of the session, which is not the client's to end.
void SessionRelay::forward_messages(std::string_view octets) {
  while (!octets.empty()) {
    if (left_ > 0) {
      const std::size_t n = std::min(left_, octets.size());
      to_server_ += octets.substr(0, n);
      octets.remove_prefix(n);
      left_ -= n;
      continue;
    }
    const std::size_t n = std::min(kHeaderBytes - header_.size(), octets.size());
    header_ += octets.substr(0, n);
    octets.remove_prefix(n);
    if (header_.size() < kHeaderBytes) return;
    const std::size_t length = big_endian(std::string_view(header_).substr(1));
    left_ = length < kLengthBytes ? 0 : length - kLengthBytes;
    if (header_.front() != kEndsSession) to_server_ += header_;
    header_.clear();
  }
}

Result<void> SessionRelay::read_client() {
  std::array<char, kPieceBytes> piece{};
  const ssize_t n = ::recv(client_.number(), piece.data(), piece.size(), 0);
  if (n < 0 && is_to_be_tried_again(errno)) return {};
  if (n <= 0) {
    client_ended_ = true;
    return {};
  }
  const std::string_view octets(piece.data(), static_cast<std::size_t>(n));
  if (started_) {
    forward_messages(octets);
    return {};
  }
  startup_ += octets;
  return take_startup();
}

Result<void> SessionRelay::read_server() {
  std::array<char, kPieceBytes> piece{};
  const ssize_t n = ::recv(session_->plain_socket(), piece.data(), piece.size(), 0);
  if (n < 0 && is_to_be_tried_again(errno)) return {};
  if (n <= 0)
    return fail(ErrorCode::kUnavailable, "the server has ended the session in which it was read",
                "see the server's log, and back up again");
  to_client_.append(piece.data(), static_cast<std::size_t>(n));
  return {};
}

Result<void> SessionRelay::send_some(int socket, std::string& waiting) {
  const ssize_t n = ::send(socket, waiting.data(), waiting.size(), MSG_NOSIGNAL);
  if (n >= 0) {
    waiting.erase(0, static_cast<std::size_t>(n));
  } else if (!is_to_be_tried_again(errno)) {
    return base::fail_errno("pg_dump and the server cannot be brought together", errno);
  }
  return {};
}

// The client's side of a wait.
Result<void> SessionRelay::tend_client(short events) {
  if (!client_.is_open()) return events == 0 ? Result<void>() : take_client();
  if (client_ended_) return {};
  if ((events & (POLLIN | POLLHUP | POLLERR)) != 0) TRY(read_client());
  if ((events & POLLOUT) != 0 && !client_ended_) return send_some(client_.number(), to_client_);
  return {};
}

Result<void> SessionRelay::tend_server(short events) {
  if ((events & (POLLIN | POLLHUP | POLLERR)) != 0) TRY(read_server());
  if ((events & POLLOUT) != 0) return send_some(session_->plain_socket(), to_server_);
  return {};
}

Result<void> SessionRelay::serve(int output, Sink& out, Patience& patience) {
  const auto wanted = [](const std::string& read_into, const std::string& waiting) {
    return static_cast<short>((read_into.size() < kWaitingBytesMax ? POLLIN : 0) | (waiting.empty() ? 0 : POLLOUT));
  };
  std::string piece(kPieceBytes, '\0');
  for (;;) {
    pollfd client{listener_.number(), POLLIN, 0};
    if (client_.is_open()) client = {client_ended_ ? -1 : client_.number(), wanted(to_server_, to_client_), 0};
    std::array<pollfd, 3> all{pollfd{output, POLLIN, 0}, client,
                              pollfd{session_->plain_socket(), wanted(to_client_, to_server_), 0}};
    const int ready = ::poll(all.data(), all.size(), kLookEveryMs);
    if (ready < 0 && errno != EINTR) return base::fail_errno("cannot wait for pg_dump", errno);
    if (ready > 0) patience.heard();
    TRY(patience.check());
    if (all[0].revents != 0) {
      const ssize_t n = ::read(output, piece.data(), piece.size());
      if (n == 0) return {};
      if (n < 0 && !is_to_be_tried_again(errno)) return base::fail_errno("cannot read what pg_dump writes", errno);
      if (n > 0) TRY(out.write(std::string_view(piece.data(), static_cast<std::size_t>(n))));
    }
    TRY(tend_client(all[1].revents));
    TRY(tend_server(all[2].revents));
  }
}

}  // namespace spl::surface
