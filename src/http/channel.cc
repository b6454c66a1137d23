#include "http/channel.h"

#include <fcntl.h>
#include <poll.h>
#include <sys/socket.h>
#include <sys/uio.h>

#include <algorithm>
#include <array>
#include <cerrno>
#include <limits>

#include "base/check.h"

namespace spl::http {

Channel::Channel(env::Descriptor socket, env::Clock& clock, const env::Interrupt* cut)
    : socket_(std::move(socket)), clock_(&clock), cut_(cut) {
  const int flags = ::fcntl(socket_.number(), F_GETFL);
  SPL_CHECK(flags >= 0 && ::fcntl(socket_.number(), F_SETFL, flags | O_NONBLOCK) == 0);
  int domain = 0;
  socklen_t size = sizeof domain;
  is_tcp_ = ::getsockopt(socket_.number(), SOL_SOCKET, SO_DOMAIN, &domain, &size) == 0 && domain != AF_UNIX;
}

std::unexpected<Error> Channel::failed(ChannelEnd end, std::string_view what) {
  end_ = end;
  return fail(ErrorCode::kUnavailable, "connection: " + std::string(what));
}

std::unexpected<Error> Channel::failed_errno(std::string_view what, int errno_value) {
  const bool closed = errno_value == EPIPE || errno_value == ECONNRESET || errno_value == ENOTCONN;
  Error error = base::fail_errno(what, errno_value).error();
  return failed(closed ? ChannelEnd::kClosed : ChannelEnd::kBroken, error.message);
}

Result<void> Channel::wait(Wanted wanted) {
  const TimePoint begun = clock_->steady();
  TimePoint end = begun + timeout_;
  if (deadline_) end = std::min(end, *deadline_);
  short events = POLLIN;
  if (wanted == Wanted::kWrite) events = POLLOUT;
  if (wanted == Wanted::kWriteOrAnswer) events = POLLIN | POLLOUT;
  for (TimePoint now = begun;; now = clock_->steady()) {
    std::array<pollfd, 3> polled{{{socket_.number(), events, 0},
                                  {cut_ != nullptr ? cut_->descriptor() : -1, POLLIN, 0},
                                  {idle_ != nullptr ? idle_->descriptor() : -1, POLLIN, 0}}};
    const auto left = std::max(std::chrono::ceil<std::chrono::milliseconds>(end - now), std::chrono::milliseconds(0));
    auto pause = std::min<std::chrono::milliseconds::rep>(left.count(), std::numeric_limits<int>::max());
    if (cancelled_) pause = std::min(pause, kWatchInterval.count());
    if (::poll(polled.data(), polled.size(), static_cast<int>(pause)) < 0 && errno != EINTR)
      return failed_errno("poll", errno);
    if (is_cut()) return failed(ChannelEnd::kInterrupted, "cut off");
    if (cancelled_ && cancelled_()) return failed(ChannelEnd::kCancelled, "cancelled");
    if (polled[0].revents != 0) return {};
    if (idle_ != nullptr && idle_->raised()) return failed(ChannelEnd::kInterrupted, "ended");
    if (clock_->steady() >= end) return failed(ChannelEnd::kTimedOut, "timed out");
  }
}

bool Channel::has_input() const {
  if (tls_ && tls_->has_pending()) return true;
  pollfd polled{socket_.number(), POLLIN, 0};
  return ::poll(&polled, 1, 0) > 0;
}

bool Channel::peer_is_gone() const {
  pollfd polled{socket_.number(), static_cast<short>(is_tcp_ ? POLLRDHUP : 0), 0};
  return ::poll(&polled, 1, 0) > 0 && (polled.revents & (POLLHUP | POLLERR | POLLRDHUP)) != 0;
}

Result<std::size_t> Channel::read_some(std::span<char> out) {
  SPL_CHECK(!out.empty());
  if (tls_) return read_tls(out);
  for (;;) {
    if (is_cut()) return failed(ChannelEnd::kInterrupted, "cut off");
    const auto n = ::recv(socket_.number(), out.data(), out.size(), 0);
    if (n >= 0) return static_cast<std::size_t>(n);
    if (errno == EINTR) continue;
    if (errno != EAGAIN) return failed_errno("receive", errno);
    TRY(wait(Wanted::kRead));
  }
}

// Does a step of the session's until it wants to wait for nothing more: kDone, kEnded or kFailed.
template <class Call>
Result<TlsSession::Step> Channel::finish_step(const Call& call) {
  for (;;) {
    if (is_cut()) return failed(ChannelEnd::kInterrupted, "cut off");
    const TlsSession::Step step = call();
    if (step == TlsSession::Step::kWantRead) {
      TRY(wait(Wanted::kRead));
    } else if (step == TlsSession::Step::kWantWrite) {
      TRY(wait(Wanted::kWrite));
    } else {
      return step;
    }
  }
}

Result<std::size_t> Channel::read_tls(std::span<char> out) {
  std::size_t count = 0;
  const auto step = TRY(finish_step([&] { return tls_->read(out, count); }));
  if (step == TlsSession::Step::kFailed) return failed(ChannelEnd::kClosed, "TLS: " + tls_->why());
  return step == TlsSession::Step::kDone ? count : 0;
}

Result<void> Channel::write_tls(std::string_view octets) {
  while (!octets.empty()) {
    std::size_t count = 0;
    const auto step = TRY(finish_step([&] { return tls_->write(octets, count); }));
    if (step != TlsSession::Step::kDone) return failed(ChannelEnd::kClosed, "TLS: " + tls_->why());
    octets.remove_prefix(count);
  }
  return {};
}

Result<bool> Channel::write_pieces(std::initializer_list<std::string_view> pieces, Wanted wanted) {
  SPL_CHECK(pieces.size() <= kGatherMax);
  const bool heed_answer = wanted == Wanted::kWriteOrAnswer;
  if (tls_) {
    if (heed_answer && has_input()) return false;
    for (const std::string_view piece : pieces) TRY(write_tls(piece));
    return true;
  }
  std::array<iovec, kGatherMax> gathered{};
  std::size_t count = 0;
  for (const std::string_view piece : pieces) {
    // sendmsg never writes to what it sends.
    if (!piece.empty()) gathered[count++] = {const_cast<char*>(piece.data()), piece.size()};
  }
  iovec* next = gathered.data();
  while (count > 0) {
    if (is_cut()) return failed(ChannelEnd::kInterrupted, "cut off");
    if (heed_answer && has_input()) return false;
    msghdr message{};
    message.msg_iov = next;
    message.msg_iovlen = count;
    const auto sent = ::sendmsg(socket_.number(), &message, MSG_NOSIGNAL);
    if (sent < 0 && errno == EINTR) continue;
    if (sent < 0 && errno != EAGAIN) {
      if (heed_answer && has_input()) return false;
      return failed_errno("send", errno);
    }
    if (sent < 0) {
      TRY(wait(wanted));
      continue;
    }
    auto left = static_cast<std::size_t>(sent);
    while (count > 0 && left >= next->iov_len) {
      left -= next->iov_len;
      ++next;
      --count;
    }
    if (count > 0) *next = {static_cast<char*>(next->iov_base) + left, next->iov_len - left};
  }
  return true;
}

Result<void> Channel::write_all(std::initializer_list<std::string_view> pieces) {
  TRY(write_pieces(pieces, Wanted::kWrite));
  return {};
}

Result<bool> Channel::write_unless_answered(std::initializer_list<std::string_view> pieces) {
  return write_pieces(pieces, Wanted::kWriteOrAnswer);
}

void Channel::end_writing() {
  if (tls_) tls_->end_writing();
  ::shutdown(socket_.number(), SHUT_WR);
}

void Channel::shut() {
  ::shutdown(socket_.number(), SHUT_RDWR);
}

Result<void> Channel::handshake() {
  const auto step = TRY(finish_step([&] { return tls_->handshake(); }));
  if (step != TlsSession::Step::kDone) return failed(ChannelEnd::kBroken, "TLS: " + tls_->why());
  return {};
}

Result<void> Channel::accept_tls(const TlsContext& context) {
  tls_ = TRY(TlsSession::for_server(context, socket_.number()));
  return handshake();
}

Result<void> Channel::connect_tls(const TlsContext& context, const std::string& host) {
  tls_ = TRY(TlsSession::for_client(context, socket_.number(), host));
  return handshake();
}

}  // namespace spl::http
