#include "api/body.h"

#include <strings.h>

#include <algorithm>
#include <cstring>
#include <new>

namespace spl::api {
namespace {

constexpr std::size_t kFirstBytes = 64u << 10;  // of a body whose length is not known

}  // namespace

bool BodyBudget::take(std::size_t bytes) {
  std::size_t left = left_.load(std::memory_order_relaxed);
  do {
    if (left < bytes) return false;
  } while (!left_.compare_exchange_weak(left, left - bytes, std::memory_order_relaxed));
  return true;
}

bool BodyBuffer::grow(std::size_t capacity) {
  if (capacity <= capacity_) return true;
  if (!budget_.take(capacity)) return false;
  std::unique_ptr<char[]> larger;
  try {
    larger = std::make_unique_for_overwrite<char[]>(capacity);
  } catch (const std::bad_alloc&) {
    budget_.give_back(capacity);
    throw;
  }
  if (size_ > 0) std::memcpy(larger.get(), octets_.get(), size_);
  budget_.give_back(capacity_);
  octets_ = std::move(larger);
  capacity_ = capacity;
  return true;
}

Result<BodyBuffer::Fill> BodyBuffer::read(http::Wire& wire, std::size_t bytes_max) {
  size_ = 0;
  if (const auto length = wire.body_length()) {
    if (*length > bytes_max) return Fill::kTooLong;
    if (!grow(static_cast<std::size_t>(*length))) return Fill::kNoBudget;
    while (!wire.body_ended()) size_ += TRY(wire.read_body({octets_.get() + size_, capacity_ - size_}));
    return Fill::kWhole;
  }
  for (;;) {
    if (size_ == capacity_) {
      if (size_ > bytes_max) return Fill::kTooLong;
      if (!grow(std::clamp(2 * capacity_, kFirstBytes, std::max(bytes_max + 1, kFirstBytes)))) return Fill::kNoBudget;
    }
    const std::size_t n = TRY(wire.read_body({octets_.get() + size_, capacity_ - size_}));
    size_ += n;
    if (size_ > bytes_max) return Fill::kTooLong;
    if (n == 0 || wire.body_ended()) return Fill::kWhole;
  }
}

void BodyBuffer::recycle() {
  size_ = 0;
  if (capacity_ <= kBodyKeptBytesMax) return;
  octets_.reset();
  budget_.give_back(capacity_);
  capacity_ = 0;
}

void BodyBuffer::wipe() {
  if (octets_) explicit_bzero(octets_.get(), size_);
  size_ = 0;
}

}  // namespace spl::api
