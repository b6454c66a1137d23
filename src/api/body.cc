#include "api/body.h"

#include <strings.h>

#include <algorithm>
#include <cstring>
#include <new>
#include <utility>

namespace spl::api {
namespace {

constexpr std::size_t kFirstBytes = 64u << 10;

}  // namespace

bool BodyBudget::take(const BodyPayer& payer, std::size_t bytes) {
  const std::scoped_lock lock(mutex_);
  if (bytes > limits_.bytes - taken_) return false;
  if (!payer) {
    taken_by_owner_ += bytes;
  } else {
    const std::size_t of_all_others = taken_ - taken_by_owner_;
    if (bytes > limits_.bytes - limits_.owners_bytes - of_all_others) return false;
    std::size_t& of_this_one = taken_by_others_[*payer];
    if (bytes > limits_.account_bytes - of_this_one) return false;
    of_this_one += bytes;
  }
  taken_ += bytes;
  return true;
}

void BodyBudget::give_back(const BodyPayer& payer, std::size_t bytes) noexcept {
  if (bytes == 0) return;
  const std::scoped_lock lock(mutex_);
  taken_ -= bytes;
  if (!payer) {
    taken_by_owner_ -= bytes;
    return;
  }
  const auto of_this_one = taken_by_others_.find(*payer);
  of_this_one->second -= bytes;
  if (of_this_one->second == 0) taken_by_others_.erase(of_this_one);
}

void BodyBuffer::charge_to(const BodyPayer& payer) {
  if (payer == payer_) return;
  drop();
  payer_ = payer;
}

bool BodyBuffer::grow(std::size_t capacity) {
  if (capacity <= capacity_) return true;
  if (!budget_.take(payer_, capacity)) return false;
  std::unique_ptr<char[]> larger;
  try {
    larger = std::make_unique_for_overwrite<char[]>(capacity);
  } catch (const std::bad_alloc&) {
    budget_.give_back(payer_, capacity);
    throw;
  }
  if (size_ > 0) std::memcpy(larger.get(), octets_.get(), size_);
  budget_.give_back(payer_, capacity_);
  octets_ = std::move(larger);
  capacity_ = capacity;
  return true;
}

Result<BodyBuffer::Fill> BodyBuffer::read(http::Wire& wire, std::size_t bytes_max) {
  size_ = 0;
  const auto length = wire.body_length();
  if (length && *length > bytes_max) return Fill::kTooLong;
  // One more than is taken tells whether there is more.
  const std::size_t wanted = length ? static_cast<std::size_t>(*length) : bytes_max + 1;
  while (!wire.body_ended()) {
    if (size_ > bytes_max) return Fill::kTooLong;
    if (size_ == capacity_ && !grow(std::min(std::max(2 * capacity_, kFirstBytes), wanted))) return Fill::kNoBudget;
    size_ += TRY(wire.read_body({octets_.get() + size_, capacity_ - size_}));
  }
  return size_ > bytes_max ? Fill::kTooLong : Fill::kWhole;
}

void BodyBuffer::drop() {
  octets_.reset();
  budget_.give_back(payer_, std::exchange(capacity_, 0));
  size_ = 0;
}

void BodyBuffer::recycle() {
  size_ = 0;
  if (capacity_ > kBodyKeptBytesMax) drop();
}

void BodyBuffer::wipe() {
  if (octets_) explicit_bzero(octets_.get(), size_);
  size_ = 0;
}

}  // namespace spl::api
