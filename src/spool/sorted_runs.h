// More entries than memory holds, in the order of their keys: sorted piece by piece, the pieces spooled, merged when
// they are read. An external merge sort. One thread at a time.
#pragma once

#include <cstddef>
#include <cstdint>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "spool/spool.h"

namespace spl::spool {

class SortedRuns {
 public:
  // `held_bytes_max`: of entries in memory, before they go to the spool.
  static Result<SortedRuns> make(env::Env env, const SpoolOptions& options, std::size_t held_bytes_max);
  SortedRuns(SortedRuns&&) noexcept;
  SortedRuns& operator=(SortedRuns&&) noexcept;
  SortedRuns(const SortedRuns&) = delete;
  SortedRuns& operator=(const SortedRuns&) = delete;
  ~SortedRuns();

  // Both of at most 4 GiB.
  Result<void> add(std::string_view key, std::string_view content);
  [[nodiscard]] std::uint64_t entries() const { return entries_; }

  // All are there: reading begins, at the first entry; also again.
  Result<void> rewind();
  // The next entry, in the order of the keys' octets; false at the end. The views are good until the next call.
  Result<bool> next(std::string_view& key, std::string_view& content);

 private:
  struct Entry {
    std::size_t at = 0;  // of the key in held_; the content follows
    std::uint32_t key_bytes = 0;
    std::uint32_t content_bytes = 0;
  };
  struct Run {
    std::uint64_t begin = 0;
    std::uint64_t end = 0;
  };
  class RunReader;

  SortedRuns(Spool spool, std::size_t held_bytes_max);
  void sort_held();
  Result<void> spill();
  void sift_down(std::size_t at);

  Spool spool_;
  std::size_t held_bytes_max_;
  std::string held_;
  std::vector<Entry> index_;
  std::vector<Run> runs_;
  std::uint64_t entries_ = 0;
  std::size_t next_held_ = 0;                        // without runs: what rewind() sorted is read from memory
  std::vector<std::unique_ptr<RunReader>> readers_;  // a heap, the least key first
  bool advance_first_ = false;
};

}  // namespace spl::spool
