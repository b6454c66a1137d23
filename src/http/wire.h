// HTTP/1.1 messages (RFC 9112) as they arrive on a channel: heads and bodies, for either side. Boost.Beast parses heads
// and chunks; it and its exceptions stay in wire.cc. One thread at a time.
#pragma once

#include <chrono>
#include <cstdint>
#include <memory>
#include <optional>
#include <span>

#include "base/result.h"
#include "base/stream.h"
#include "http/channel.h"
#include "http/message.h"

namespace spl::http {

inline constexpr std::size_t kHeadBytesMax = 64u << 10;

struct WireTimes {
  std::chrono::milliseconds idle{60'000};      // until a request begins
  std::chrono::milliseconds head{30'000};      // from its first octet to the end of its head
  std::chrono::milliseconds stranger{10'000};  // as idle, and for TLS, where nobody has shown yet who is there
  std::chrono::milliseconds body{60'000};      // without an octet of a body moved
  // What a client must take of an answer, on average and after a first time of grace as long as a wait for one octet.
  std::uint64_t answer_bytes_per_second = 8u << 10;
  // What it must send of a body in each span of time as long as a wait for one octet; 0: any octet will do.
  std::uint64_t body_bytes_per_second = 8u << 10;
};

// Why no head came.
enum class HeadFault : std::uint8_t {
  kNone,
  kEnded,        // the peer closed, nothing began within the idle time, or the channel was cut: no answer is wanted
  kTimedOut,     // it began and did not end
  kMalformed,    // it is not HTTP/1.1
  kTooLarge,     // more than kHeadBytesMax
  kUnsupported,  // a transfer coding that is not "chunked"
};

class Wire {
 public:
  // `channel` and `clock` outlive the wire.
  Wire(Channel& channel, env::Clock& clock, const WireTimes& times);
  ~Wire();
  Wire(const Wire&) = delete;
  Wire& operator=(const Wire&) = delete;

  // The next request's head, waiting for at most `idle` until it begins; nothing where none came, and then head_fault()
  // says why. The body of the one before must have ended.
  std::optional<RequestHead> read_request(std::chrono::milliseconds idle);
  [[nodiscard]] HeadFault head_fault() const { return fault_; }
  // The head of the answer, waiting for at most `patience`. Code kUnavailable.
  Result<AnswerHead> read_answer(std::chrono::milliseconds patience);

  // Of the message whose head was read last:
  [[nodiscard]] std::optional<std::uint64_t> body_length() const;  // 0: none; nothing: not said beforehand
  [[nodiscard]] bool body_ended() const;
  // Some of the body; 0 at its end. An error, code kUnavailable, where the channel ends before or a request's body
  // comes too slowly, and code kUsage where its chunks are malformed or a request's peer has ended its sending before.
  Result<std::size_t> read_body(std::span<char> out);

  [[nodiscard]] Channel& channel() { return channel_; }
  [[nodiscard]] const WireTimes& times() const { return times_; }

 private:
  struct Parsers;
  enum class Framing : std::uint8_t { kNone, kLength, kChunked };
  template <class Parser>
  HeadFault read_head(Parser& parser);
  template <class Parser>
  HeadFault frame(Parser& parser);
  template <class Parser>
  Result<std::size_t> read_chunked(Parser& parser, std::span<char> out);
  Result<std::size_t> read_plain(std::span<char> out);
  void begin_span();
  void came(std::size_t bytes);
  Result<bool> fill();
  [[nodiscard]] std::unexpected<Error> broke_off() const;

  Channel& channel_;
  env::Clock& clock_;
  const WireTimes times_;
  HeadFault fault_ = HeadFault::kNone;
  Framing framing_ = Framing::kNone;
  std::uint64_t length_ = 0;  // of the whole body, where kLength
  std::uint64_t left_ = 0;    // of it
  bool chunks_ended_ = true;
  std::optional<std::uint64_t> span_left_;  // of a request's body, to come before the channel's deadline
  bool is_request_ = true;
  std::unique_ptr<char[]> in_;  // what was received and not taken yet: in_[begin_, end_)
  std::size_t begin_ = 0;
  std::size_t end_ = 0;
  std::unique_ptr<Parsers> parsers_;
};

// The rest of a message's body.
class BodySource final : public Source {
 public:
  explicit BodySource(Wire& wire) : wire_(wire) {}
  Result<std::size_t> read(std::span<char> out) override { return wire_.read_body(out); }

 private:
  Wire& wire_;
};

}  // namespace spl::http
