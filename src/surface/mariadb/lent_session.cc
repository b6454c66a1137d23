#include "surface/mariadb/lent_session.h"

#include <poll.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <cerrno>
#include <cstring>

#include "base/encoding.h"

namespace spl::surface {
namespace {

constexpr int kLookEveryMs = 200;  // at the patience
constexpr std::size_t kPieceBytes = 64u << 10;
constexpr std::size_t kWaitingBytesMax = 256u << 10;
constexpr std::size_t kLoginBytesMax = 10000;
constexpr std::size_t kHeaderBytes = 4;  // the length of what follows in three octets, and a number
constexpr char kProtocol = 10;
constexpr char kUtf8mb4 = 45;
constexpr char kInAutocommit = 2;
constexpr char kQuit = 1;
constexpr std::size_t kScrambleBytes = 20;
constexpr std::size_t kFirstScrambleBytes = 8;
constexpr std::string_view kPlugin = "mysql_native_password";
// Of the capabilities: those that are not to be offered, and those that say how an answer is written.
constexpr std::uint32_t kCompress = 1u << 5;
constexpr std::uint32_t kTls = 1u << 11;
constexpr std::uint32_t kZstd = 1u << 26;
constexpr std::uint32_t kFormat = 1u << 9 | 1u << 23 | 1u << 24;

void append_little_endian(std::string& out, std::uint64_t value, int bytes) {
  for (int i = 0; i < bytes; ++i) out += static_cast<char>(value >> (8 * i) & 0xff);
}

std::size_t little_endian(std::string_view octets, std::size_t bytes) {
  std::size_t value = 0;
  for (std::size_t i = bytes; i-- > 0;) value = value << 8 | static_cast<unsigned char>(octets[i]);
  return value;
}

std::string packet(int number, std::string_view body) {
  std::string text;
  append_little_endian(text, body.size(), 3);
  text += static_cast<char>(number);
  return text.append(body);
}

bool is_to_be_tried_again(int error) {
  return error == EINTR || error == EAGAIN || error == EWOULDBLOCK;
}

}  // namespace

Result<LentSession> LentSession::make(MariadbSession& session, const std::string& directory) {
  LentSession lent(session, directory, env::Descriptor(::socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0)));
  sockaddr_un address{};
  address.sun_family = AF_UNIX;
  const std::string path = lent.socket_path();
  if (path.size() >= sizeof address.sun_path)
    return fail("the path of a socket is too long: " + base::escaped(path, 200), "put the home at a shorter path");
  std::memcpy(static_cast<char*>(address.sun_path), path.data(), path.size());
  ::unlink(path.c_str());
  if (!lent.listener_.is_open() ||
      ::bind(lent.listener_.number(), reinterpret_cast<const sockaddr*>(&address), sizeof address) != 0 ||
      ::listen(lent.listener_.number(), 1) != 0)
    return base::fail_errno("cannot listen on " + base::escaped(path, 200), errno);
  return lent;
}

LentSession::~LentSession() {
  if (listener_.is_open()) ::unlink(socket_path().c_str());
}

// What a server says first. The capabilities are the server's own, so that the client agrees to what we have agreed to.
std::string LentSession::greeting() const {
  const std::uint32_t offered = session_->offered() & ~(kCompress | kTls | kZstd);
  const std::string scramble(kScrambleBytes, 'x');
  std::string body(1, kProtocol);
  body += session_->greeting_version();
  body += '\0';
  append_little_endian(body, session_->id(), 4);
  body += scramble.substr(0, kFirstScrambleBytes);
  body += '\0';
  append_little_endian(body, offered & 0xffff, 2);
  body += kUtf8mb4;
  append_little_endian(body, kInAutocommit, 2);
  append_little_endian(body, offered >> 16, 2);
  body += static_cast<char>(kScrambleBytes + 1);
  body.append(6, '\0');
  append_little_endian(body, session_->offered_extended(), 4);
  body += scramble.substr(kFirstScrambleBytes);
  body += '\0';
  body += kPlugin;
  body += '\0';
  return packet(0, body);
}

Result<void> LentSession::take_client() {
  const int number = ::accept4(listener_.number(), nullptr, nullptr, SOCK_CLOEXEC | SOCK_NONBLOCK);
  if (number < 0 && !is_to_be_tried_again(errno)) return base::fail_errno("mariadb-dump cannot be answered", errno);
  if (number < 0) return {};
  client_ = env::Descriptor(number);
  to_client_ += greeting();
  return {};
}

// Who it says that it is does not matter: nobody else reaches the socket.
Result<void> LentSession::take_login() {
  if (login_.size() < kHeaderBytes) return {};
  const std::size_t size = little_endian(login_, 3);
  if (size < 4 || size > kLoginBytesMax) return fail("mariadb-dump speaks another protocol");
  if (login_.size() < kHeaderBytes + size) return {};
  const auto wanted = static_cast<std::uint32_t>(little_endian(std::string_view(login_).substr(kHeaderBytes), 4));
  if ((wanted & kFormat) != (session_->agreed() & kFormat))
    return fail(ErrorCode::kUnavailable, "mariadb-dump and the library of MariaDB speak different protocols",
                "install libmariadb3 and mariadb-client of the same version");
  const std::string_view ok("\0\0\0\x02\0\0\0", 7);  // no rows, no number, in autocommit, no warnings
  to_client_ += packet(login_[3] + 1, ok);
  started_ = true;
  forward_packets(std::string_view(login_).substr(kHeaderBytes + size));
  login_.clear();
  return {};
}

// All but the end of the session, which is not the client's to end.
void LentSession::forward_packets(std::string_view octets) {
  while (!octets.empty()) {
    if (left_ > 0) {
      const std::size_t n = std::min(left_, octets.size());
      to_server_ += octets.substr(0, n);
      octets.remove_prefix(n);
      left_ -= n;
      continue;
    }
    const std::size_t n = std::min(kHeaderBytes + 1 - header_.size(), octets.size());
    header_ += octets.substr(0, n);
    octets.remove_prefix(n);
    if (header_.size() < kHeaderBytes) return;
    const std::size_t length = little_endian(header_, 3);
    if (length == 0 || header_.size() > kHeaderBytes) {
      const bool is_quit = length == 1 && header_[3] == 0 && header_.back() == kQuit;
      // Of an empty packet the octet is the next one's.
      const std::string next = length == 0 ? header_.substr(kHeaderBytes) : "";
      left_ = length == 0 ? 0 : length - 1;
      if (!is_quit) to_server_ += header_.substr(0, header_.size() - next.size());
      header_ = next;
    }
  }
}

Result<void> LentSession::read_client() {
  std::array<char, kPieceBytes> piece{};
  const ssize_t n = ::recv(client_.number(), piece.data(), piece.size(), 0);
  if (n < 0 && is_to_be_tried_again(errno)) return {};
  if (n <= 0) {
    client_ended_ = true;
    return {};
  }
  const std::string_view octets(piece.data(), static_cast<std::size_t>(n));
  if (started_) {
    forward_packets(octets);
    return {};
  }
  login_ += octets;
  return take_login();
}

Result<void> LentSession::read_server() {
  std::array<char, kPieceBytes> piece{};
  const ssize_t n = ::recv(session_->socket(), piece.data(), piece.size(), MSG_DONTWAIT);
  if (n < 0 && is_to_be_tried_again(errno)) return {};
  if (n <= 0)
    return fail(ErrorCode::kUnavailable, "the server has ended the session in which it was read",
                "see the server's log, and back up again");
  to_client_.append(piece.data(), static_cast<std::size_t>(n));
  return {};
}

Result<void> LentSession::send_some(int socket, std::string& waiting) {
  const ssize_t n = ::send(socket, waiting.data(), waiting.size(), MSG_NOSIGNAL | MSG_DONTWAIT);
  if (n >= 0) {
    waiting.erase(0, static_cast<std::size_t>(n));
  } else if (!is_to_be_tried_again(errno)) {
    return base::fail_errno("mariadb-dump and the server cannot be brought together", errno);
  }
  return {};
}

// The client's side of a wait.
Result<void> LentSession::tend_client(short events) {
  if (!client_.is_open()) return events == 0 ? Result<void>() : take_client();
  if (client_ended_) return {};
  if ((events & (POLLIN | POLLHUP | POLLERR)) != 0) TRY(read_client());
  if ((events & POLLOUT) != 0 && !client_ended_) return send_some(client_.number(), to_client_);
  return {};
}

Result<void> LentSession::tend_server(short events) {
  if ((events & (POLLIN | POLLHUP | POLLERR)) != 0) TRY(read_server());
  if ((events & POLLOUT) != 0) return send_some(session_->socket(), to_server_);
  return {};
}

Result<void> LentSession::serve(int output, Sink& out, Patience& patience) {
  const auto wanted = [](const std::string& read_into, const std::string& waiting) {
    return static_cast<short>((read_into.size() < kWaitingBytesMax ? POLLIN : 0) | (waiting.empty() ? 0 : POLLOUT));
  };
  std::string piece(kPieceBytes, '\0');
  for (;;) {
    pollfd client{listener_.number(), POLLIN, 0};
    if (client_.is_open()) client = {client_ended_ ? -1 : client_.number(), wanted(to_server_, to_client_), 0};
    std::array<pollfd, 3> all{pollfd{output, POLLIN, 0}, client,
                              pollfd{session_->socket(), wanted(to_client_, to_server_), 0}};
    const int ready = ::poll(all.data(), all.size(), kLookEveryMs);
    if (ready < 0 && errno != EINTR) return base::fail_errno("cannot wait for mariadb-dump", errno);
    if (ready > 0) patience.heard();
    TRY(patience.check());
    if (all[0].revents != 0) {
      const ssize_t n = ::read(output, piece.data(), piece.size());
      if (n == 0) return {};
      if (n < 0 && !is_to_be_tried_again(errno)) return base::fail_errno("cannot read what mariadb-dump writes", errno);
      if (n > 0) TRY(out.write(std::string_view(piece.data(), static_cast<std::size_t>(n))));
    }
    TRY(tend_client(all[1].revents));
    TRY(tend_server(all[2].revents));
  }
}

}  // namespace spl::surface
