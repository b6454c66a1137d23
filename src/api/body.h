// Request bodies in memory, up to a limit and within a budget that all connections share: memory is bounded however
// many connections there are. What is longer is instance/spooled.h's.
#pragma once

#include <atomic>
#include <cstddef>
#include <cstdint>
#include <memory>
#include <optional>
#include <string_view>

#include "base/result.h"
#include "base/stream.h"
#include "http/wire.h"

namespace spl::api {

inline constexpr std::size_t kBodiesBytesMax = 256u << 20;  // of all connections, in memory
inline constexpr std::size_t kBodyKeptBytesMax = 2u << 20;  // of one connection, kept for its next request

// How much memory bodies may still take. Any thread; outlives its buffers.
class BodyBudget {
 public:
  explicit BodyBudget(std::size_t bytes) : left_(bytes) {}
  [[nodiscard]] bool take(std::size_t bytes);
  void give_back(std::size_t bytes) { left_.fetch_add(bytes, std::memory_order_relaxed); }

 private:
  std::atomic<std::size_t> left_;
};

// The memory of one connection's bodies: it grows by need and is used again, so that a stream of like requests neither
// allocates nor touches new pages. One thread.
class BodyBuffer {
 public:
  explicit BodyBuffer(BodyBudget& budget) : budget_(budget) {}
  BodyBuffer(const BodyBuffer&) = delete;
  BodyBuffer& operator=(const BodyBuffer&) = delete;
  ~BodyBuffer() { budget_.give_back(capacity_); }

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

  BodyBudget& budget_;
  std::unique_ptr<char[]> octets_;
  std::size_t capacity_ = 0;
  std::size_t size_ = 0;
};

}  // namespace spl::api
