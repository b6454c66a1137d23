#include "api/connection.h"

#include <arpa/inet.h>

#include <algorithm>
#include <chrono>
#include <exception>
#include <new>

#include "base/encoding.h"
#include "base/guarded.h"
#include "federation/whereabouts.h"
#include "http/url.h"

namespace spl::api {
namespace {

// How long a client that was answered early may go on sending before the connection is closed under it.
constexpr std::chrono::seconds kLingerMax{2};
constexpr std::size_t kLingerReadBytes = 64u << 10;
// How long an export may wait for the client's word that it is durable.
constexpr std::chrono::minutes kCommitWait{10};
constexpr std::string_view kNoCoding = "identity";
constexpr std::string_view kGoOn = "100-continue";
constexpr std::size_t kLoggedPathBytesMax = 256;
constexpr std::size_t kLoggedMethodBytesMax = 32;

// RFC 6585, 5: a head that is too large has a status of its own.
constexpr int kHeadTooLargeStatus = 431;
constexpr int kExpectationStatus = 417;

// Whoever can open the owner's socket may be as slow as the pipe that it reads from.
http::WireTimes times_at(Door door, http::WireTimes times) {
  if (door == Door::kUnix) times.body_bytes_per_second = 0;
  return times;
}

bool is_address(const std::string& host) {
  in6_addr address{};
  return ::inet_pton(AF_INET, host.c_str(), &address) == 1 || ::inet_pton(AF_INET6, host.c_str(), &address) == 1;
}

Error error_of(http::HeadFault fault) {
  switch (fault) {
    case http::HeadFault::kTimedOut:
      return {ErrorCode::kUsage, "the request's head did not arrive in time", "", Cause::kTimeout};
    case http::HeadFault::kTooLarge:
      return {ErrorCode::kUsage, "the request's head is longer than 64 KiB", "", Cause::kTooLarge};
    case http::HeadFault::kUnsupported:
      return {ErrorCode::kUsage, "the only transfer coding known here is chunked", "", Cause::kNotImplemented};
    default:
      return {ErrorCode::kUsage, "this is not HTTP/1.1", ""};
  }
}

class Connection {
 public:
  Connection(env::Descriptor socket, Door door, const http::TlsContext* tls, const Surroundings& around,
             ConnectionHold& hold)
      : around_(around),
        hold_(hold),
        tls_(tls),
        env_(around.served.instance.env()),
        door_(door),
        channel_(std::move(socket), env_.clock, &around.cut),
        wire_(channel_, env_.clock, times_at(door, around.times)),
        body_(around.budget) {
    hold_.set_channel(&channel_);
  }
  Connection(const Connection&) = delete;
  Connection& operator=(const Connection&) = delete;
  ~Connection() { hold_.set_channel(nullptr); }

  void run() {
    if (tls_ != nullptr) {
      channel_.set_deadline(env_.clock.steady() + std::min(around_.times.head, around_.times.stranger));
      if (!channel_.accept_tls(*tls_)) return;
    }
    while (serve_next()) {
    }
  }

 private:
  // False when the connection is to be closed.
  bool serve_next() {
    const bool owed = state_.uncommitted != nullptr;
    channel_.set_idle_interrupt(owed ? nullptr : &around_.stop);
    const auto idle = hold_.is_known() ? around_.times.idle : std::min(around_.times.idle, around_.times.stranger);
    auto head = wire_.read_request(owed ? kCommitWait : idle);
    if (!head && wire_.head_fault() == http::HeadFault::kEnded) return false;
    channel_.set_idle_interrupt(nullptr);
    const auto begun = env_.clock.steady();
    const bool came = head.has_value();
    auto target = came ? http::parse_target(head->target) : Result<http::Target>(http::Target{});
    Exchange exchange(wire_, body_, env_.clock, came ? std::move(*head) : http::RequestHead{},
                      target ? std::move(*target) : http::Target{}, door_);
    if (around_.stop.raised()) exchange.close_after();
    const Result<void> outcome = !came     ? refuse_fault(exchange)
                                 : !target ? Result<void>(std::unexpected(target.error()))
                                           : answer_or_lack(exchange);
    if (!outcome) exchange.fail_with(outcome.error());
    try {
      log(exchange, outcome, begun);
    } catch (const std::bad_alloc&) {
      // Out of memory: a line less. What was answered stays answered, and the next request is another.
    }
    body_.recycle();
    // Nothing that it was to keep is kept any more: the daemon ends.
    if (around_.served.instance.store().is_lost()) around_.stop.raise();
    if (exchange.keeps_alive()) return true;
    if (exchange.answered() && !wire_.body_ended()) linger();
    return false;
  }

  Result<void> refuse_fault(Exchange& exchange) {
    exchange.close_after();
    if (wire_.head_fault() == http::HeadFault::kTooLarge) exchange.set_error_status(kHeadTooLargeStatus);
    return std::unexpected(error_of(wire_.head_fault()));
  }

  // Without memory this request fails, and no other: what it had taken is free by then.
  Result<void> answer_or_lack(Exchange& exchange) {
    try {
      return answer(exchange);
    } catch (const std::bad_alloc&) {
      // Most likely there is memory for a hint: it was one large thing that did not fit.
      return std::unexpected(
          base::with_hint(base::out_of_memory(), "ask for less at a time, or give the daemon more memory"));
    }
  }

  Result<void> answer(Exchange& exchange) {
    const http::RequestHead& head = exchange.head();
    // RFC 9112, 3.2.
    if (!head.is_http_1_0 && http::find_field(head.fields, "host") == nullptr)
      return fail(ErrorCode::kUsage, "header field host is missing");
    for (const std::string_view once : {"host", "authorization", "content-type", "content-encoding", "expect"}) {
      if (std::ranges::count(head.fields, once, [](const auto& field) { return field.first; }) > 1)
        return fail(ErrorCode::kUsage, "header field " + std::string(once) + " stands twice");
    }
    const std::string* coding = http::find_field(head.fields, "content-encoding");
    if (coding != nullptr && !http::is_word(*coding, kNoCoding))
      return fail(ErrorCode::kUsage, Cause::kUnsupportedMedia, "bodies are taken without a content coding",
                  "send it as it is");
    if (const std::string* expected = http::find_field(head.fields, "expect");
        expected != nullptr && !head.is_http_1_0 && !http::is_word(*expected, kGoOn)) {
      exchange.set_error_status(kExpectationStatus);
      return fail(ErrorCode::kUsage, "header field expect asks for what is not known here", "leave it out");
    }
    TRY(check_host(exchange));
    Call call{around_.served, state_, exchange, hold_};
    return dispatch(call);
  }

  // A page of another host cannot have its reader's browser ask here, under a name that it has given this address. Over
  // TLS the certificate says so.
  Result<void> check_host(Exchange& exchange) {
    const std::string* host = http::find_field(exchange.head().fields, "host");
    if (door_ != Door::kTcp || tls_ != nullptr || host == nullptr || host->empty()) return {};
    const auto asked = http::Url::parse("https://" + *host);
    if (!asked) return fail(ErrorCode::kUsage, "header field host is no address");
    if (is_address(asked->host) || asked->host == "localhost") return {};
    const auto own = http::Url::parse(TRY(federation::own_base_url(around_.served.instance)));
    if (own && own->host == asked->host) return {};
    return fail(ErrorCode::kUsage, Cause::kMisdirected,
                base::escaped(asked->host, kLoggedPathBytesMax) + " is not served here",
                "ask for it by its address, or for the base_url that its configuration names");
  }

  // The client sees the answer, and not a reset because of what it is still sending.
  void linger() {
    const auto end = env_.clock.steady() + kLingerMax;
    channel_.end_writing();
    channel_.set_deadline(end);
    const auto discarded = std::make_unique_for_overwrite<char[]>(kLingerReadBytes);
    while (env_.clock.steady() < end) {
      const auto more = channel_.read_some({discarded.get(), kLingerReadBytes});
      if (!more || *more == 0) return;
    }
  }

  void log(const Exchange& exchange, const Result<void>& outcome, http::Channel::TimePoint begun) {
    std::uint64_t passed_over = 0;
    if (door_ != Door::kUnix && !exchange.is_known() && !around_.stranger_lines.take(begun, passed_over)) return;
    const auto took = std::chrono::duration_cast<std::chrono::microseconds>(env_.clock.steady() - begun);
    env::LogFields fields{{"method", base::escaped(exchange.head().method, kLoggedMethodBytesMax)},
                          {"path", base::escaped(exchange.target().path, kLoggedPathBytesMax)},
                          {"status", exchange.status()},
                          {"bytes", exchange.sent_bytes()},
                          {"ms", took}};
    if (exchange.bearer()) fields.emplace_back("account", exchange.bearer()->account);
    if (passed_over > 0) fields.emplace_back("strangers_not_logged", std::to_string(passed_over));
    // An error that the client has not seen, or that is not the client's.
    const bool unseen = !outcome && (exchange.status() >= 500 || exchange.status() < 400);
    if (unseen) fields.emplace_back("error", outcome.error().message);
    env_.log.write(unseen ? env::LogLevel::kWarn : env::LogLevel::kInfo, "request", fields);
  }

  const Surroundings& around_;
  ConnectionHold& hold_;
  const http::TlsContext* const tls_;
  env::Env env_;
  Door door_;
  http::Channel channel_;
  http::Wire wire_;
  BodyBuffer body_;
  ConnectionState state_;
};

}  // namespace

bool ConnectionHold::end_stranger() {
  const std::scoped_lock lock(mutex_);
  if (is_known_ || was_ended_) return false;
  was_ended_ = true;
  if (channel_ != nullptr) channel_->shut();
  return true;
}

bool ConnectionHold::was_ended() const {
  const std::scoped_lock lock(mutex_);
  return was_ended_;
}

bool ConnectionHold::is_known() const {
  const std::scoped_lock lock(mutex_);
  return is_known_;
}

void ConnectionHold::note_known() {
  const std::scoped_lock lock(mutex_);
  is_known_ = true;
}

void ConnectionHold::set_channel(http::Channel* channel) {
  const std::scoped_lock lock(mutex_);
  channel_ = channel;
  if (channel_ != nullptr && was_ended_) channel_->shut();
}

bool StrangerLines::take(http::Channel::TimePoint now, std::uint64_t& passed_over) {
  const std::scoped_lock lock(mutex_);
  if (!filled_at_) filled_at_ = now;
  if (const auto more = std::max<std::int64_t>((now - *filled_at_) / kEach, 0); more > 0) {
    left_ = std::min(left_ + more, kBurst);
    *filled_at_ += more * kEach;
  }
  if (left_ == 0) {
    ++passed_over_;
    return false;
  }
  --left_;
  passed_over = std::exchange(passed_over_, 0);
  return true;
}

void serve_connection(env::Descriptor socket, Door door, const http::TlsContext* tls, const Surroundings& around,
                      ConnectionHold& hold) noexcept {
  try {
    Connection(std::move(socket), door, tls, around, hold).run();
  } catch (const std::exception& error) {
    // Of the standard library, for want of memory or of threads: this connection ends, the others go on.
    try {
      around.served.instance.env().log.write(env::LogLevel::kError, "connection", {{"error", error.what()}});
    } catch (const std::exception&) {
      // Out of memory: the log has a line less.
    }
  }
}

}  // namespace spl::api
