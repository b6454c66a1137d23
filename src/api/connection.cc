#include "api/connection.h"

#include <algorithm>
#include <chrono>
#include <exception>
#include <new>

#include "base/encoding.h"
#include "base/guarded.h"

namespace spl::api {
namespace {

// How long a client that was answered early may go on sending before the connection is closed under it.
constexpr std::chrono::seconds kLingerMax{2};
constexpr std::size_t kLingerReadBytes = 64u << 10;
// How long an export may wait for the client's word that it is durable.
constexpr std::chrono::minutes kCommitWait{10};
constexpr std::string_view kNoCoding = "identity";
constexpr std::size_t kLoggedPathBytesMax = 256;
constexpr std::size_t kLoggedMethodBytesMax = 32;

// RFC 6585, 5: a head that is too large has a status of its own.
constexpr int kHeadTooLargeStatus = 431;

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
  Connection(env::Descriptor socket, Door door, const http::TlsContext* tls, const Surroundings& around)
      : around_(around),
        tls_(tls),
        env_(around.served.instance.env()),
        door_(door),
        channel_(std::move(socket), env_.clock, &around.cut),
        wire_(channel_, env_.clock, around.times),
        body_(around.budget) {}

  void run() {
    if (tls_ != nullptr) {
      channel_.set_deadline(env_.clock.steady() + around_.times.head);
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
    auto head = wire_.read_request(owed ? kCommitWait : around_.times.idle);
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
    if (coding != nullptr && !(coding->size() == kNoCoding.size() && http::begins_with(*coding, kNoCoding)))
      return fail(ErrorCode::kUsage, Cause::kUnsupportedMedia, "bodies are taken without a content coding",
                  "send it as it is");
    Call call{around_.served, state_, exchange};
    return dispatch(call);
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
    const auto took = std::chrono::duration_cast<std::chrono::microseconds>(env_.clock.steady() - begun);
    char ms[32];
    std::snprintf(ms, sizeof ms, "%.3f", static_cast<double>(took.count()) / 1000.0);
    env::LogFields fields{{"method", base::escaped(exchange.head().method, kLoggedMethodBytesMax)},
                          {"path", base::escaped(exchange.target().path, kLoggedPathBytesMax)},
                          {"status", std::to_string(exchange.status())},
                          {"bytes", std::to_string(exchange.sent_bytes())},
                          {"ms", ms}};
    if (exchange.bearer()) fields.emplace_back("account", exchange.bearer()->account);
    // An error that the client has not seen, or that is not the client's.
    const bool unseen = !outcome && (exchange.status() >= 500 || exchange.status() < 400);
    if (unseen) fields.emplace_back("error", outcome.error().message);
    env_.log.write(unseen ? env::LogLevel::kWarn : env::LogLevel::kInfo, "request", fields);
  }

  const Surroundings& around_;
  const http::TlsContext* const tls_;
  env::Env env_;
  Door door_;
  http::Channel channel_;
  http::Wire wire_;
  BodyBuffer body_;
  ConnectionState state_;
};

}  // namespace

void serve_connection(env::Descriptor socket, Door door, const http::TlsContext* tls,
                      const Surroundings& around) noexcept {
  try {
    Connection(std::move(socket), door, tls, around).run();
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
