// Request bodies in memory, up to a limit and within a budget that all connections share: memory is bounded however
// many connections there are, and nobody uses up what is another's. What is longer is spool/receive.h's.
#pragma once

#include <cstddef>
#include <cstdint>
#include <map>
#include <memory>
#include <mutex>
#include <optional>
#include <string>
#include <string_view>

#include "base/result.h"
#include "base/stream.h"
#include "http/wire.h"

namespace spl::api {

inline constexpr std::size_t kBodyKeptBytesMax = 256u << 10;  // of one connection, kept for its next request

// Of all bodies that are in memory at one time.
struct BodyLimits {
  std::size_t bytes = 256u << 20;
  std::size_t owners_bytes = 64u << 20;   // of them, for the Unix socket alone
  std::size_t account_bytes = 64u << 20;  // at most, of one account; all without a token are one, too
};

// Whose memory a body takes: nothing is the owner's, "" who has no token, anything else an account.
using BodyPayer = std::optional<std::string>;

// How much memory bodies may still take. Any thread; outlives its buffers.
class BodyBudget {
 public:
  explicit BodyBudget(const BodyLimits& limits) : limits_(limits) {}
  [[nodiscard]] bool take(const BodyPayer& payer, std::size_t bytes);
  void give_back(const BodyPayer& payer, std::size_t bytes) noexcept;

 private:
  const BodyLimits limits_;
  std::mutex mutex_;  // guards all below
  std::size_t taken_ = 0;
  std::size_t taken_by_owner_ = 0;
  std::map<std::string, std::size_t> taken_by_others_;
};

// The memory of one connection's bodies: it grows with what has come and not with what was said to come, and what is
// small is used again, so that a stream of like requests neither allocates nor touches new pages. One thread.
class BodyBuffer {
 public:
  explicit BodyBuffer(BodyBudget& budget) : budget_(budget) {}
  BodyBuffer(const BodyBuffer&) = delete;
  BodyBuffer& operator=(const BodyBuffer&) = delete;
  ~BodyBuffer() { drop(); }

  // Before a body is read; what was kept for another is let go.
  void charge_to(const BodyPayer& payer);

  enum class Fill : std::uint8_t {
    kWhole,     // view() is the body
    kTooLong,   // it has more than `bytes_max`; view() is its beginning, nothing where its length was known
    kNoBudget,  // the memory of all bodies is used up; view() is its beginning
  };
  // Reads the body, into the place where it stays.
  Result<Fill> read(http::Wire& wire, std::size_t bytes_max);
  [[nodiscard]] std::string_view view() const { return {octets_.get(), size_}; }
  // After a request: empties it, and frees what is too much to be kept.
  void recycle();
  // Overwrites what it holds; for bodies with secrets.
  void wipe();

 private:
  [[nodiscard]] bool grow(std::size_t capacity);
  void drop();

  BodyBudget& budget_;
  BodyPayer payer_;
  std::unique_ptr<char[]> octets_;
  std::size_t capacity_ = 0;
  std::size_t size_ = 0;
};

}  // namespace spl::api
