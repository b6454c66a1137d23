#include "api/exchange.h"

#include <algorithm>
#include <charconv>
#include <chrono>
#include <cstdio>

#include "base/check.h"
#include "base/encoding.h"

namespace spl::api {
namespace {

bool wants_go_on(const http::RequestHead& head) {
  const std::string* expect = http::find_field(head.fields, "expect");
  return expect != nullptr && !head.is_http_1_0;
}

}  // namespace

std::string http_date(std::chrono::system_clock::time_point time) {
  constexpr const char* kDays[] = {"Sun", "Mon", "Tue", "Wed", "Thu", "Fri", "Sat"};
  constexpr const char* kMonths[] = {"Jan", "Feb", "Mar", "Apr", "May", "Jun",
                                     "Jul", "Aug", "Sep", "Oct", "Nov", "Dec"};
  const auto seconds = std::chrono::floor<std::chrono::seconds>(time);
  const auto day = std::chrono::floor<std::chrono::days>(seconds);
  const std::chrono::year_month_day date(day);
  const std::chrono::hh_mm_ss clock(seconds - day);
  char text[64];
  const int length = std::snprintf(text, sizeof text, "%s, %02u %s %04d %02d:%02d:%02d GMT",
                                   kDays[std::chrono::weekday(day).c_encoding()], static_cast<unsigned>(date.day()),
                                   kMonths[static_cast<unsigned>(date.month()) - 1], static_cast<int>(date.year()),
                                   static_cast<int>(clock.hours().count()), static_cast<int>(clock.minutes().count()),
                                   static_cast<int>(clock.seconds().count()));
  return {text, static_cast<std::size_t>(length)};
}

Exchange::Exchange(http::Wire& wire, BodyBuffer& body, env::Clock& clock, http::RequestHead head, http::Target target,
                   Door door)
    : wire_(wire),
      body_(body),
      clock_(clock),
      head_(std::move(head)),
      target_(std::move(target)),
      door_(door),
      progress_(wire.channel()),
      waits_for_go_on_(wants_go_on(head_) && !wire.body_ended()),
      keep_alive_(head_.keep_alive) {}

const std::string* Exchange::parameter(std::string_view name) {
  known_parameters_.emplace_back(name);
  return target_.parameter(name);
}

Result<bool> Exchange::flag(std::string_view name) {
  const std::string* value = parameter(name);
  if (value == nullptr || *value == "0" || *value == "false") return false;
  if (value->empty() || *value == "1" || *value == "true") return true;
  return fail(ErrorCode::kUsage, "parameter " + std::string(name) + " is not true or false");
}

Result<std::uint64_t> Exchange::number(std::string_view name, std::uint64_t otherwise) {
  const std::string* value = parameter(name);
  if (value == nullptr) return otherwise;
  std::uint64_t parsed = 0;
  const auto outcome = std::from_chars(value->data(), value->data() + value->size(), parsed);
  if (outcome.ec != std::errc() || outcome.ptr != value->data() + value->size())
    return fail(ErrorCode::kUsage, "parameter " + std::string(name) + " is not a whole number");
  return parsed;
}

Result<void> Exchange::only_known_parameters() {
  for (const auto& [name, value] : target_.query) {
    if (std::ranges::find(known_parameters_, name) == known_parameters_.end())
      return fail(ErrorCode::kUsage, "parameter \"" + base::escaped(name, 80) + "\" is not known here");
  }
  return {};
}

Result<void> Exchange::go_on() {
  if (!std::exchange(waits_for_go_on_, false)) return {};
  return wire_.channel().write_all({"HTTP/1.1 100 Continue\r\n\r\n"});
}

Result<BodyBuffer::Fill> Exchange::fill_body(std::size_t bytes_max) {
  // One that is known to be too long is not asked for.
  if (const auto length = wire_.body_length(); length && *length > bytes_max) return BodyBuffer::Fill::kTooLong;
  TRY(go_on());
  body_.charge_to(door_ == Door::kUnix ? BodyPayer() : BodyPayer(bearer_ ? bearer_->account : ""));
  return body_.read(wire_, bytes_max);
}

Result<http::Wire*> Exchange::body_wire() {
  TRY(go_on());
  return &wire_;
}

Result<std::string_view> Exchange::body(std::size_t bytes_max) {
  if (has_body_) return body_.view();
  switch (TRY(fill_body(bytes_max))) {
    case BodyBuffer::Fill::kWhole:
      has_body_ = true;
      break;
    case BodyBuffer::Fill::kTooLong:
      return fail(ErrorCode::kUsage, Cause::kTooLarge,
                  "the body is longer than " + std::to_string(bytes_max) + " bytes");
    case BodyBuffer::Fill::kNoBudget:
      return fail(ErrorCode::kUnavailable, "too many large requests at once", "try again");
  }
  return body_.view();
}

Result<codec::Json> Exchange::json_body() {
  return TRY_IN("body", codec::Json::parse(TRY(body())));
}

std::string Exchange::head_text(std::string_view content_type, std::optional<std::size_t> length) {
  http::Fields fields;
  fields.emplace_back("content-type", content_type);
  if (length) {
    fields.emplace_back("content-length", std::to_string(*length));
  } else if (!head_.is_http_1_0) {
    fields.emplace_back("transfer-encoding", "chunked");
  } else {
    keep_alive_ = false;  // the end of the connection is the end of the body
  }
  // What was not read of the body would be taken for the next request.
  if (!wire_.body_ended()) keep_alive_ = false;
  if (!keep_alive_) fields.emplace_back("connection", "close");
  if (keep_alive_ && head_.is_http_1_0) fields.emplace_back("connection", "keep-alive");
  fields.emplace_back("date", http_date(clock_.now()));
  fields.emplace_back("cache-control", cache_control_);
  fields.emplace_back("x-content-type-options", "nosniff");
  fields.insert(fields.end(), fields_.begin(), fields_.end());
  return http::answer_text(status_, fields);
}

// A client that takes an octet now and then does not keep the connection for ever.
Result<void> Exchange::put_out(std::initializer_list<std::string_view> pieces) {
  http::Channel& channel = wire_.channel();
  if (!answer_begun_) answer_begun_ = clock_.steady();
  const std::chrono::milliseconds earned(1000 * sent_bytes_ / wire_.times().answer_bytes_per_second);
  channel.set_deadline(*answer_begun_ + channel.timeout() + earned);
  return channel.write_all(pieces);
}

Result<void> Exchange::send(int status, std::string_view content_type, std::string_view content) {
  SPL_CHECK(state_ == State::kOpen || state_ == State::kBuffering);
  status_ = status;
  if (seal_) {
    http::Fields sealed = seal_(status, content);
    fields_.insert(fields_.end(), sealed.begin(), sealed.end());
  }
  const std::string head = head_text(content_type, content.size());
  // From here on this is the answer; what was thrown before can still be answered with.
  state_ = State::kDone;
  sent_bytes_ = is_head() ? 0 : content.size();
  return put_out({head, content.substr(0, sent_bytes_)});
}

void Exchange::stream(std::string_view content_type, int status) {
  SPL_CHECK(state_ == State::kOpen);
  stream_status_ = status;
  state_ = State::kBuffering;
  content_type_ = content_type;
}

Result<void> Exchange::begin_chunks() {
  if (state_ == State::kStreaming) return {};
  SPL_CHECK(state_ == State::kBuffering);
  status_ = stream_status_;
  const std::string head = head_text(content_type_, std::nullopt);
  state_ = State::kStreaming;
  TRY(put_out({head}));
  if (!is_head()) return {};
  state_ = State::kDone;
  return fail(ErrorCode::kUnavailable, "only the head was asked for");
}

Result<void> Exchange::send_chunk(std::string_view octets) {
  if (octets.empty()) return {};
  sent_bytes_ += octets.size();
  if (head_.is_http_1_0) return put_out({octets});
  char size[20];
  const int length = std::snprintf(size, sizeof size, "%zx\r\n", octets.size());
  return put_out({{size, static_cast<std::size_t>(length)}, octets, "\r\n"});
}

Result<void> Exchange::write(std::string_view octets) {
  if (buffer_.size() + octets.size() < kAnswerBufferBytes) {
    buffer_ += octets;
    return {};
  }
  TRY(begin_chunks());
  TRY(send_chunk(buffer_));
  buffer_.clear();
  if (octets.size() >= kAnswerBufferBytes) return send_chunk(octets);
  buffer_ += octets;
  return {};
}

Result<void> Exchange::flush() {
  if (buffer_.empty()) return {};
  TRY(begin_chunks());
  TRY(send_chunk(buffer_));
  buffer_.clear();
  // Who waits for what comes later is not slow in taking it.
  answer_begun_.reset();
  return {};
}

Result<void> Exchange::finish() {
  if (state_ == State::kBuffering) return send(stream_status_, content_type_, buffer_);
  TRY(send_chunk(buffer_));
  if (!head_.is_http_1_0) TRY(put_out({"0\r\n\r\n"}));
  state_ = State::kDone;
  return {};
}

void Exchange::add_error_member(std::string name, codec::Json value) {
  error_members_.emplace_back(std::move(name), std::move(value));
}

void Exchange::fail_with(const Error& error) {
  if (state_ != State::kOpen && state_ != State::kBuffering) return;
  const http::ChannelEnd end = wire_.channel().end();
  const bool timed_out = end == http::ChannelEnd::kTimedOut;
  Error told = error;
  if (timed_out) told.cause = Cause::kTimeout;
  const int status = timed_out ? status_of(told) : error_status_.value_or(status_of(error));
  if (end != http::ChannelEnd::kNone) keep_alive_ = false;
  if (end == http::ChannelEnd::kClosed || end == http::ChannelEnd::kInterrupted) {
    status_ = status;
    return;
  }
  // The command line asks at the owner's door, and tells its user of flags.
  const std::string* agent = http::find_field(head_.fields, "user-agent");
  const bool is_command_line = door_ == Door::kUnix && agent != nullptr && *agent == kCommandLineAgent;
  codec::Json json = error_json(is_command_line ? told : told_over_http(told));
  for (auto& [name, value] : error_members_) json.add(std::move(name), std::move(value));
  add_field(http::kExitCodeField, std::to_string(static_cast<int>(error.code)));
  if (status == 401) add_field("www-authenticate", "Bearer");
  if (status == 503) add_field("retry-after", "1");
  // Where this cannot be sent either there is nobody to tell.
  if (!send_json(status, json)) keep_alive_ = false;
}

}  // namespace spl::api
