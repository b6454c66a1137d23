#include "http/wire.h"

#include <algorithm>
#include <boost/beast/http/buffer_body.hpp>
#include <boost/beast/http/error.hpp>
#include <boost/beast/http/fields.hpp>
#include <boost/beast/http/parser.hpp>
#include <cstring>
#include <exception>
#include <limits>

#include "base/check.h"

namespace spl::http {
namespace {

namespace beast = boost::beast;
using BeastRequest = beast::http::request_parser<beast::http::buffer_body>;
using BeastAnswer = beast::http::response_parser<beast::http::buffer_body>;

// Beast wants a head, and the line of a chunk, in one piece.
constexpr std::size_t kBufferBytes = 2 * kHeadBytesMax;
// Reads of a body of known length from this size on go past the buffer.
constexpr std::size_t kDirectReadBytesMin = 16u << 10;
// RFC 9112, 2.2: a server ignores an empty line before a request.
constexpr int kEmptyLinesMax = 4;

template <class Parser>
Fields fields_of(Parser& parser) {
  Fields fields;
  for (const auto& field : parser.get().base()) {
    std::string name(field.name_string().data(), field.name_string().size());
    for (char& c : name) {
      if (c >= 'A' && c <= 'Z') c = static_cast<char>(c - 'A' + 'a');
    }
    fields.emplace_back(std::move(name), std::string(field.value().data(), field.value().size()));
  }
  return fields;
}

std::string_view view_of(beast::string_view text) {
  return {text.data(), text.size()};
}

// Whether a line of a head goes on in the next one (RFC 9112, 5.2). `octets` begin with a head, and may go on after it.
bool is_folded(std::string_view octets) {
  const std::string_view head = octets.substr(0, octets.find("\r\n\r\n"));
  return head.find("\n ") != std::string_view::npos || head.find("\n\t") != std::string_view::npos;
}

std::unexpected<Error> malformed_body() {
  return fail(ErrorCode::kUsage, "the body's chunks are malformed");
}

}  // namespace

// A parser is for one message.
struct Wire::Parsers {
  std::optional<BeastRequest> request;
  std::optional<BeastAnswer> answer;
};

Wire::Wire(Channel& channel, env::Clock& clock, const WireTimes& times)
    : channel_(channel),
      clock_(clock),
      times_(times),
      in_(std::make_unique_for_overwrite<char[]>(kBufferBytes)),
      parsers_(std::make_unique<Parsers>()) {}

Wire::~Wire() = default;

// More octets into the buffer; false where the peer has ended.
Result<bool> Wire::fill() {
  if (begin_ == end_) begin_ = end_ = 0;
  if (end_ == kBufferBytes && begin_ > 0) {
    std::memmove(in_.get(), in_.get() + begin_, end_ - begin_);
    end_ -= begin_;
    begin_ = 0;
  }
  if (end_ == kBufferBytes) return malformed_body();
  const std::size_t n = TRY(channel_.read_some({in_.get() + end_, kBufferBytes - end_}));
  end_ += n;
  return n > 0;
}

template <class Parser>
HeadFault Wire::read_head(Parser& parser) {
  const auto ended = [this] {
    return channel_.end() == ChannelEnd::kTimedOut ? HeadFault::kTimedOut : HeadFault::kEnded;
  };
  try {
    parser.header_limit(static_cast<std::uint32_t>(kHeadBytesMax));
    // Boost 1.74 takes "none" for zero where the length is known.
    parser.body_limit(std::numeric_limits<std::uint64_t>::max());
    while (!parser.is_header_done()) {
      beast::error_code error = beast::http::error::need_more;
      if (begin_ < end_) {
        const std::size_t taken = parser.put(boost::asio::const_buffer(in_.get() + begin_, end_ - begin_), error);
        if (is_request_ && is_folded({in_.get() + begin_, taken})) return HeadFault::kMalformed;
        begin_ += taken;
      }
      if (error == beast::http::error::header_limit) return HeadFault::kTooLarge;
      if (error && error != beast::http::error::need_more) return HeadFault::kMalformed;
      if (error) {
        const auto more = fill();
        if (!more) return channel_.end() == ChannelEnd::kNone ? HeadFault::kTooLarge : ended();
        if (!*more) return HeadFault::kEnded;
      }
    }
    return frame(parser);
  } catch (const std::exception&) {
    // Of Beast: a field that is longer than it can hold.
    return HeadFault::kTooLarge;
  }
}

// How the body is delimited (RFC 9112, 6.3). Beast refuses a message that says it twice.
template <class Parser>
HeadFault Wire::frame(Parser& parser) {
  const auto coding = parser.get().base().find(beast::http::field::transfer_encoding);
  if (coding != parser.get().base().end()) {
    // RFC 9112, 6.1: an older peer does not know what it says.
    if (parser.get().version() < 11) return HeadFault::kMalformed;
    if (!parser.chunked() || !beast::iequals(coding->value(), "chunked")) return HeadFault::kUnsupported;
    framing_ = Framing::kChunked;
    chunks_ended_ = parser.is_done();
    return HeadFault::kNone;
  }
  length_ = parser.content_length() ? *parser.content_length() : 0;
  left_ = length_;
  framing_ = length_ > 0 ? Framing::kLength : Framing::kNone;
  return HeadFault::kNone;
}

std::optional<RequestHead> Wire::read_request(std::chrono::milliseconds idle) {
  SPL_CHECK(body_ended());
  is_request_ = true;
  framing_ = Framing::kNone;
  fault_ = HeadFault::kEnded;
  channel_.set_timeout(idle);
  channel_.set_deadline(std::nullopt);
  for (int octets = 0;;) {
    if (begin_ == end_) {
      const auto more = fill();
      if (!more || !*more) return std::nullopt;
    }
    if (in_[begin_] != '\r' && in_[begin_] != '\n') break;
    ++begin_;
    if (++octets > 2 * kEmptyLinesMax) return std::nullopt;
  }
  channel_.set_timeout(times_.head);
  channel_.set_deadline(clock_.steady() + times_.head);
  parsers_->request.emplace();
  fault_ = read_head(*parsers_->request);
  channel_.set_deadline(std::nullopt);
  channel_.set_timeout(times_.body);
  span_left_.reset();
  if (fault_ != HeadFault::kNone) {
    framing_ = Framing::kNone;
    return std::nullopt;
  }
  auto& message = parsers_->request->get();
  RequestHead head;
  head.method = view_of(message.method_string());
  head.target = view_of(message.target());
  head.is_http_1_0 = message.version() < 11;
  head.keep_alive = parsers_->request->keep_alive();
  head.fields = fields_of(*parsers_->request);
  return head;
}

Result<AnswerHead> Wire::read_answer(std::chrono::milliseconds patience) {
  is_request_ = false;
  framing_ = Framing::kNone;
  channel_.set_timeout(patience);
  parsers_->answer.emplace();
  fault_ = read_head(*parsers_->answer);
  channel_.set_timeout(times_.body);
  if (fault_ != HeadFault::kNone) {
    framing_ = Framing::kNone;
    if (channel_.end() == ChannelEnd::kCancelled) return fail(ErrorCode::kUnavailable, "cancelled");
    return fail(
        ErrorCode::kUnavailable,
        fault_ == HeadFault::kTimedOut ? "the daemon did not answer in time" : "the daemon closed the connection",
        "spl status says whether it runs, logs/spl.log in the home what became of it");
  }
  AnswerHead head{static_cast<int>(parsers_->answer->get().result_int()), fields_of(*parsers_->answer)};
  if (framing_ == Framing::kNone && find_field(head.fields, "content-length") == nullptr)
    return fail(ErrorCode::kUnavailable, "the answer does not say where it ends");
  return head;
}

std::optional<std::uint64_t> Wire::body_length() const {
  if (framing_ == Framing::kChunked) return std::nullopt;
  return framing_ == Framing::kLength ? length_ : 0;
}

bool Wire::body_ended() const {
  if (framing_ == Framing::kChunked) return chunks_ended_;
  return framing_ == Framing::kNone || left_ == 0;
}

Result<std::size_t> Wire::read_body(std::span<char> out) {
  SPL_CHECK(!out.empty());
  if (body_ended()) return 0;
  const bool has_pace = is_request_ && times_.body_bytes_per_second > 0;
  if (has_pace && !span_left_) begin_span();
  const std::size_t n = TRY(framing_ == Framing::kLength ? read_plain(out)
                            : is_request_                ? read_chunked(*parsers_->request, out)
                                                         : read_chunked(*parsers_->answer, out));
  if (has_pace) came(n);
  return n;
}

// Whoever sends an octet now and then does not keep a connection, and what it has sent, for ever; nor does who has sent
// much at first.
void Wire::begin_span() {
  span_left_ = times_.body_bytes_per_second * static_cast<std::uint64_t>(channel_.timeout().count()) / 1000;
  channel_.set_deadline(clock_.steady() + channel_.timeout());
}

void Wire::came(std::size_t bytes) {
  if (body_ended()) {
    channel_.set_deadline(std::nullopt);
    span_left_.reset();
  } else if (bytes < *span_left_) {
    *span_left_ -= bytes;
  } else {
    begin_span();
  }
}

// A request that is shorter than it said is its client's fault.
std::unexpected<Error> Wire::broke_off() const {
  return fail(is_request_ ? ErrorCode::kUsage : ErrorCode::kUnavailable, "the connection ended within a body");
}

Result<std::size_t> Wire::read_plain(std::span<char> out) {
  std::size_t n = static_cast<std::size_t>(std::min<std::uint64_t>(left_, out.size()));
  if (begin_ == end_ && n >= kDirectReadBytesMin) {
    n = TRY(channel_.read_some(out.first(n)));
  } else {
    if (begin_ == end_) TRY(fill());
    n = std::min(n, end_ - begin_);
    std::memcpy(out.data(), in_.get() + begin_, n);
    begin_ += n;
  }
  if (n == 0) return broke_off();
  left_ -= n;
  return n;
}

template <class Parser>
Result<std::size_t> Wire::read_chunked(Parser& parser, std::span<char> out) {
  try {
    for (;;) {
      auto& body = parser.get().body();
      body.data = out.data();
      body.size = out.size();
      body.more = true;
      beast::error_code error = beast::http::error::need_more;
      if (begin_ < end_) begin_ += parser.put(boost::asio::const_buffer(in_.get() + begin_, end_ - begin_), error);
      chunks_ended_ = parser.is_done();
      const std::size_t n = out.size() - body.size;
      const bool goes_on = !error || error == beast::http::error::need_more || error == beast::http::error::need_buffer;
      if (!goes_on) return malformed_body();
      if (n > 0 || chunks_ended_) return n;
      if (error == beast::http::error::need_more && !TRY(fill())) return broke_off();
    }
  } catch (const std::exception&) {
    return malformed_body();
  }
}

}  // namespace spl::http
