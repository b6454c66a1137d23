// A source read ahead by a thread of its own, so that reading and what is done with the octets go
// on at the same time. At most blocks * block_bytes octets are held.
//
// One thread reads from it. `in` is used by the inner thread alone from construction to
// destruction, and outlives it. Destruction waits for no more than the one read of `in` that is
// going on.
#pragma once

#include <condition_variable>
#include <cstddef>
#include <exception>
#include <memory>
#include <mutex>
#include <optional>
#include <span>
#include <thread>
#include <vector>

#include "base/result.h"
#include "base/stream.h"

namespace spl::base {

class ReadAhead final : public Source {
 public:
  ReadAhead(Source& in, std::size_t block_bytes, std::size_t blocks);
  ReadAhead(const ReadAhead&) = delete;
  ReadAhead& operator=(const ReadAhead&) = delete;
  ~ReadAhead() override;

  // An error of `in`, or what it throws, comes after all octets that were read before it, and then at every later read.
  Result<std::size_t> read(std::span<char> out) override;

 private:
  struct Block {
    std::unique_ptr<char[]> octets;
    std::size_t size = 0;  // 0 at the end and at an error
    std::optional<Error> error;
    std::exception_ptr thrown;
  };

  void run();
  void fill(Block& block);

  Source& in_;
  const std::size_t block_bytes_;
  std::vector<Block> ring_;
  std::size_t taken_blocks_ = 0;  // the reader's: its block is ring_[taken_blocks_ % ring_.size()]
  std::size_t taken_bytes_ = 0;   // the reader's: of that block

  std::mutex mutex_;  // guards all below; a block is the inner thread's until it is counted in filled_
  std::condition_variable block_filled_;
  std::condition_variable block_free_;
  std::size_t filled_ = 0;  // blocks that hold what the reader has not taken whole
  bool closing_ = false;
  std::thread thread_;  // last: it uses all above
};

}  // namespace spl::base

namespace spl {
using base::ReadAhead;
}  // namespace spl
