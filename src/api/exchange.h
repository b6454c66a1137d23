// One request and its answer, as a route sees them. One thread: the connection's.
//
// A route reads the body, if it wants one, and answers once: with send(), send_json(), or stream() and finish(). When
// it returns an error instead, and nothing has been sent, the error is the answer; where something has been sent the
// connection is cut, so that the client sees a body that does not end.
#pragma once

#include <cstdint>
#include <functional>
#include <initializer_list>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "api/body.h"
#include "api/error_json.h"
#include "base/progress.h"
#include "base/result.h"
#include "base/stream.h"
#include "codec/json.h"
#include "door/door.h"
#include "federation/seal.h"
#include "http/message.h"
#include "http/target.h"
#include "http/wire.h"
#include "substrate/accounts.h"

namespace spl::api {

inline constexpr std::size_t kAnswerBufferBytes = 64u << 10;   // of a streamed answer, before it goes out
inline constexpr std::size_t kControlBodyBytesMax = 1u << 20;  // of a JSON request that is no record

inline constexpr std::string_view kCommandLineAgent = "spl";  // its user-agent
inline constexpr std::string_view kJsonType = "application/json";
inline constexpr std::string_view kNdjsonType = "application/x-ndjson";
inline constexpr std::string_view kBundleType = "application/octet-stream";

// Through which socket a request came.
enum class Door : std::uint8_t {
  kUnix,    // the owner's: asks for nothing
  kTcp,     // asks for a token
  kRouter,  // from behind the router: asks for a browser's session, or a token
};

// "Tue, 01 Dec 2026 00:00:00 GMT" (RFC 9110, 5.6.7).
std::string http_date(std::chrono::system_clock::time_point time);

class Exchange final : public Sink {
 public:
  Exchange(http::Wire& wire, BodyBuffer& body, env::Clock& clock, http::RequestHead head, http::Target target,
           Door door);

  // The request.
  [[nodiscard]] const http::RequestHead& head() const { return head_; }
  [[nodiscard]] const http::Target& target() const { return target_; }
  [[nodiscard]] Door door() const { return door_; }
  // What the route's pattern has in braces, in order.
  [[nodiscard]] const std::string& captured(std::size_t index) const { return captured_.at(index); }
  [[nodiscard]] std::size_t captures() const { return captured_.size(); }
  void set_captured(std::vector<std::string> captured) { captured_ = std::move(captured); }
  // Who asks; nothing at the Unix socket and where no token is asked for.
  [[nodiscard]] const std::optional<substrate::Bearer>& bearer() const { return bearer_; }
  void set_bearer(substrate::Bearer bearer) {
    bearer_ = std::move(bearer);
    is_known_ = true;
  }
  // Whether who asks has shown to be somebody that the owner knows: by a token, or as a peer.
  [[nodiscard]] bool is_known() const { return is_known_; }
  void set_known() { is_known_ = true; }

  // The browser's session, where the request came by the router and has one.
  [[nodiscard]] const door::Session* session() const { return session_ ? &*session_ : nullptr; }
  void set_session(door::Session session) { session_ = std::move(session); }

  // The instance that asks, where it has signed its request; null where none has.
  [[nodiscard]] const federation::Caller* caller() const { return caller_ ? &*caller_ : nullptr; }
  // From then on the answer, an error too, gets the fields that `seal` makes of its status and content.
  using Seal = std::function<http::Fields(int status, std::string_view content)>;
  void set_caller(federation::Caller caller, Seal seal) {
    caller_ = std::move(caller);
    seal_ = std::move(seal);
  }

  // A query parameter; each that is looked at is thereby known.
  const std::string* parameter(std::string_view name);
  Result<bool> flag(std::string_view name);  // "", "1" and "true"; "0", "false" and absence
  Result<std::uint64_t> number(std::string_view name, std::uint64_t otherwise);
  // Fails where the query has a parameter that none of the above was called for.
  Result<void> only_known_parameters();

  // The whole body, again where it was asked for before; valid until the answer is sent. Too long is 413.
  Result<std::string_view> body(std::size_t bytes_max = kControlBodyBytesMax);
  Result<codec::Json> json_body();
  // For routes that take bodies in another way. Both ask the client to go on where it waits for that (RFC
  // 9110, 10.1.1).
  Result<BodyBuffer::Fill> fill_body(std::size_t bytes_max);
  [[nodiscard]] BodyBuffer& body_buffer() { return body_; }
  Result<http::Wire*> body_wire();

  // The answer.
  void add_field(std::string_view name, std::string value) { fields_.emplace_back(name, std::move(value)); }
  Result<void> send(int status, std::string_view content_type, std::string_view content);
  Result<void> send_json(int status, const codec::Json& json) { return send(status, kJsonType, json.text()); }
  // Begins an answer of unknown length: it is what is then written to this sink. Up to kAnswerBufferBytes an error can
  // still become the answer.
  void stream(std::string_view content_type, int status = 200);
  Result<void> write(std::string_view octets) override;
  Result<void> finish();
  // What was written so far goes out now: for streams that say something now and then.
  Result<void> flush();
  // The status of the error's answer where it is not the one that its cause has.
  void set_error_status(int status) { error_status_ = status; }
  // The answer is the same for everybody and for ever: its name changes with it.
  void set_immutable() { cache_control_ = "public, max-age=31536000, immutable"; }
  // What the error's answer says besides.
  void add_error_member(std::string name, codec::Json value);
  // Sends the answer to a request that failed with `error`, if it still can.
  void fail_with(const Error& error);

  // Progress of an operation that ends when nobody waits for it any more or the server stops.
  [[nodiscard]] base::Progress& progress() { return progress_; }

  // After the route, for the connection.
  [[nodiscard]] bool answered() const { return state_ == State::kDone; }
  // The connection may carry another request.
  [[nodiscard]] bool keeps_alive() const { return answered() && keep_alive_ && wire_.body_ended(); }
  void close_after() { keep_alive_ = false; }
  [[nodiscard]] int status() const { return status_; }
  [[nodiscard]] std::uint64_t sent_bytes() const { return sent_bytes_; }  // of content

 private:
  enum class State : std::uint8_t { kOpen, kBuffering, kStreaming, kDone };

  class Watch final : public base::Progress {
   public:
    explicit Watch(http::Channel& channel) : channel_(channel) {}
    void update(std::string_view, std::uint64_t, std::uint64_t, std::string_view) override {}
    bool cancelled() override { return channel_.is_cut() || channel_.peer_is_gone(); }

   private:
    http::Channel& channel_;
  };

  Result<void> go_on();
  Result<void> begin_chunks();
  Result<void> send_chunk(std::string_view octets);
  Result<void> put_out(std::initializer_list<std::string_view> pieces);
  std::string head_text(std::string_view content_type, std::optional<std::size_t> length);
  [[nodiscard]] bool is_head() const { return head_.method == "HEAD"; }

  http::Wire& wire_;
  BodyBuffer& body_;
  env::Clock& clock_;
  http::RequestHead head_;
  http::Target target_;
  Door door_;
  std::vector<std::string> captured_;
  std::optional<substrate::Bearer> bearer_;
  std::optional<door::Session> session_;
  bool is_known_ = false;
  std::optional<federation::Caller> caller_;
  Seal seal_;
  std::vector<std::string> known_parameters_;
  Watch progress_;

  State state_ = State::kOpen;
  http::Fields fields_;
  std::string content_type_;
  int stream_status_ = 200;
  std::string buffer_;  // of a streamed answer
  std::optional<int> error_status_;
  codec::Json::Object error_members_;
  std::string_view cache_control_ = "no-store";
  bool has_body_ = false;  // all of it is in body_
  bool waits_for_go_on_ = false;
  bool keep_alive_;
  int status_ = 0;
  std::uint64_t sent_bytes_ = 0;
  std::optional<http::Channel::TimePoint> answer_begun_;
};

}  // namespace spl::api
