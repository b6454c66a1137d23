// A source that can be looked into before it is taken from, through a buffer of one size. One thread.
#pragma once

#include <cstddef>
#include <cstring>
#include <memory>
#include <span>
#include <utility>

#include "base/check.h"
#include "base/result.h"
#include "base/stream.h"

namespace spl::base {

class PeekBuffer {
 public:
  // `in` outlives it.
  PeekBuffer(Source& in, std::size_t bytes_max)
      : in_(in), octets_(std::make_unique_for_overwrite<char[]>(bytes_max)), bytes_max_(bytes_max) {}

  // At least `wanted` octets (at most bytes_max), or all that are left where the source ends before. They may be
  // written to, and stay where they are until the next call.
  Result<std::span<char>> peek(std::size_t wanted) {
    if (end_ - begin_ < wanted) TRY(fill(wanted));
    return held();
  }
  // What a peek(0) gives.
  [[nodiscard]] std::span<char> held() const { return {octets_.get() + begin_, end_ - begin_}; }
  // The first octets that were peeked at are done with.
  void take(std::size_t octets) { begin_ += octets; }
  // The whole buffer, to be wiped.
  [[nodiscard]] std::span<char> storage() const { return {octets_.get(), bytes_max_}; }

 private:
  Result<void> fill(std::size_t wanted) {
    SPL_CHECK(wanted <= bytes_max_);
    std::memmove(octets_.get(), octets_.get() + begin_, end_ - begin_);
    end_ -= std::exchange(begin_, 0);
    while (end_ < wanted) {
      const std::size_t n = TRY(in_.read({octets_.get() + end_, bytes_max_ - end_}));
      if (n == 0) break;
      end_ += n;
    }
    return {};
  }

  Source& in_;
  const std::unique_ptr<char[]> octets_;
  const std::size_t bytes_max_;
  std::size_t begin_ = 0;  // held: [begin_, end_)
  std::size_t end_ = 0;
};

}  // namespace spl::base
