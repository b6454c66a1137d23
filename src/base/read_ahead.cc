#include "base/read_ahead.h"

#include <algorithm>
#include <cstring>

#include "base/check.h"

namespace spl::base {

ReadAhead::ReadAhead(Source& in, std::size_t block_bytes, std::size_t blocks)
    : in_(in), block_bytes_(block_bytes), ring_(blocks) {
  SPL_CHECK(block_bytes > 0 && blocks > 0);
  for (Block& block : ring_) block.octets = std::make_unique_for_overwrite<char[]>(block_bytes);
  thread_ = std::thread([this] { run(); });
}

ReadAhead::~ReadAhead() {
  {
    const std::scoped_lock lock(mutex_);
    closing_ = true;
  }
  block_free_.notify_one();
  thread_.join();
}

Result<std::size_t> ReadAhead::read(std::span<char> out) {
  Block& block = ring_[taken_blocks_ % ring_.size()];
  {
    std::unique_lock lock(mutex_);
    block_filled_.wait(lock, [this] { return filled_ > 0; });
  }
  if (block.thrown) std::rethrow_exception(block.thrown);
  if (block.error) return std::unexpected(*block.error);
  const std::size_t n = std::min(out.size(), block.size - taken_bytes_);
  if (n == 0) return 0;  // the end: this block stays the reader's
  std::memcpy(out.data(), block.octets.get() + taken_bytes_, n);
  taken_bytes_ += n;
  if (taken_bytes_ == block.size) {
    taken_bytes_ = 0;
    ++taken_blocks_;
    const std::scoped_lock lock(mutex_);
    --filled_;
    block_free_.notify_one();
  }
  return n;
}

void ReadAhead::fill(Block& block) {
  block.size = 0;
  try {
    auto result = in_.read({block.octets.get(), block_bytes_});
    block.size = result.value_or(0);
    if (!result) block.error = std::move(result).error();
  } catch (...) {
    block.thrown = std::current_exception();
  }
}

void ReadAhead::run() {
  for (std::size_t i = 0;; ++i) {
    Block& block = ring_[i % ring_.size()];
    {
      std::unique_lock lock(mutex_);
      block_free_.wait(lock, [this] { return closing_ || filled_ < ring_.size(); });
      if (closing_) return;
    }
    fill(block);
    const bool last = block.size == 0;
    {
      const std::scoped_lock lock(mutex_);
      ++filled_;
    }
    block_filled_.notify_one();
    if (last) return;
  }
}

}  // namespace spl::base
