// Group commit: units of work from many threads share transactions, so that one fsync acknowledges many of them. Each
// unit is all or nothing by itself. The first thread to come does the work of all that are waiting (the leader and
// followers of LevelDB's write queue); there is no thread of its own. Any thread.
#pragma once

#include <condition_variable>
#include <cstdint>
#include <deque>
#include <functional>
#include <mutex>

#include "base/result.h"
#include "store/record_store.h"

namespace spl::instance {

inline constexpr std::size_t kCommitUnitsMax = 256;  // in one transaction

class Committer {
 public:
  using Unit = std::function<Result<void>(store::StoreWriter&)>;
  explicit Committer(store::RecordStore& store) : store_(store) {}

  // Runs the unit in a transaction and returns when it is durable. Where the unit fails nothing of it remains. The unit
  // may run on another thread than the caller's, and runs at most once.
  Result<void> run(const Unit& unit);

 private:
  struct Waiting {
    const Unit* unit;
    Result<void> outcome;
    bool done = false;
  };
  void lead(std::unique_lock<std::mutex>& lock) noexcept;

  store::RecordStore& store_;
  std::mutex mutex_;  // guards all below
  std::condition_variable changed_;
  std::deque<Waiting*> queue_;
  bool leading_ = false;
};

}  // namespace spl::instance
