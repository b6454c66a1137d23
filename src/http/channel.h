// A connected stream socket, Unix or TCP, plain or TLS, whose every wait ends: by a timeout, by a deadline, by an
// Interrupt, by the owner's wish. One thread at a time; only is_cut(), peer_is_gone() and shut() may be called while
// another thread reads. Sources: poll(2), recv(2), sendmsg(2).
#pragma once

#include <chrono>
#include <functional>
#include <initializer_list>
#include <memory>
#include <optional>
#include <span>
#include <string_view>

#include "base/result.h"
#include "env/descriptor.h"
#include "env/env.h"
#include "env/interrupt.h"
#include "http/tls.h"

namespace spl::http {

inline constexpr std::chrono::milliseconds kChannelTimeout{60'000};  // without a byte moved, where nobody says more
inline constexpr std::chrono::milliseconds kWatchInterval{100};      // how often a wait asks whether it is cancelled
inline constexpr std::size_t kGatherMax = 4;                         // pieces of one write

// Why a channel is of no more use.
enum class ChannelEnd : std::uint8_t {
  kNone,
  kClosed,       // the peer closed or reset it
  kTimedOut,     // no byte moved for the timeout, or the deadline passed
  kInterrupted,  // an Interrupt was raised
  kCancelled,    // the owner's watch said so
  kBroken,       // anything else
};

class Channel {
 public:
  using TimePoint = std::chrono::steady_clock::time_point;

  // `cut`, where it is not null, ends every wait and every transfer once it is raised; it and the clock outlive the
  // channel. The socket is made non-blocking.
  Channel(env::Descriptor socket, env::Clock& clock, const env::Interrupt* cut);
  Channel(Channel&&) = default;
  ~Channel() = default;

  // TLS from now on; before anything is read or written.
  Result<void> accept_tls(const TlsContext& context);
  // `host` is the name or address that the peer's certificate must be for.
  Result<void> connect_tls(const TlsContext& context, const std::string& host);

  // Some octets; 0 when the peer has ended its sending. All errors have code kUnavailable.
  Result<std::size_t> read_some(std::span<char> out);
  // All of the pieces, at most kGatherMax.
  Result<void> write_all(std::initializer_list<std::string_view> pieces);
  // The same, but gives up with false as soon as the peer has sent something (or closed): it wants no more.
  Result<bool> write_unless_answered(std::initializer_list<std::string_view> pieces);
  // Tells the peer that nothing more will be written.
  void end_writing();
  // Ends both directions, and with them every wait.
  void shut();

  // How long a wait may take in which no byte moves.
  void set_timeout(std::chrono::milliseconds timeout) { timeout_ = timeout; }
  [[nodiscard]] std::chrono::milliseconds timeout() const { return timeout_; }
  // When every wait ends whatever moves.
  void set_deadline(std::optional<TimePoint> deadline) { deadline_ = deadline; }
  // Ends waits, but not where the socket is ready. May be null.
  void set_idle_interrupt(const env::Interrupt* interrupt) { idle_ = interrupt; }
  // Asked every kWatchInterval of a wait; true ends it.
  void set_watch(std::function<bool()> cancelled) { cancelled_ = std::move(cancelled); }

  [[nodiscard]] ChannelEnd end() const { return end_; }
  // True where the peer has closed both directions, and over TCP, where that cannot be told, the one that it sends in:
  // nobody waits for an answer.
  [[nodiscard]] bool peer_is_gone() const;
  [[nodiscard]] bool is_cut() const { return cut_ != nullptr && cut_->raised(); }

 private:
  enum class Wanted : std::uint8_t { kRead, kWrite, kWriteOrAnswer };
  Result<void> wait(Wanted wanted);
  std::unexpected<Error> failed(ChannelEnd end, std::string_view what);
  std::unexpected<Error> failed_errno(std::string_view what, int errno_value);
  Result<void> handshake();
  template <class Call>
  Result<TlsSession::Step> finish_step(const Call& call);
  Result<std::size_t> read_tls(std::span<char> out);
  Result<bool> write_pieces(std::initializer_list<std::string_view> pieces, Wanted wanted);
  Result<void> write_tls(std::string_view octets);
  [[nodiscard]] bool has_input() const;

  env::Descriptor socket_;
  env::Clock* clock_;
  const env::Interrupt* cut_;
  const env::Interrupt* idle_ = nullptr;
  bool is_tcp_ = false;
  std::function<bool()> cancelled_;
  std::chrono::milliseconds timeout_ = kChannelTimeout;
  std::optional<TimePoint> deadline_;
  std::optional<TlsSession> tls_;
  ChannelEnd end_ = ChannelEnd::kNone;
};

}  // namespace spl::http
