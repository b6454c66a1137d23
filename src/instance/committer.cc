#include "instance/committer.h"

#include <vector>

namespace spl::instance {

Result<void> Committer::run(const Unit& unit) {
  Waiting waiting{&unit, {}, false};
  std::unique_lock lock(mutex_);
  queue_.push_back(&waiting);
  changed_.wait(lock, [&] { return waiting.done || !leading_; });
  while (!waiting.done) lead(lock);
  return std::move(waiting.outcome);
}

// Does the work of those that wait now, this thread's own among them or at least ahead of it.
void Committer::lead(std::unique_lock<std::mutex>& lock) {
  leading_ = true;
  std::vector<Waiting*> group;
  while (!queue_.empty() && group.size() < kCommitUnitsMax) {
    group.push_back(queue_.front());
    queue_.pop_front();
  }
  lock.unlock();
  const auto work = [&]() -> Result<void> {
    const auto writer = TRY(store_.writer());
    for (Waiting* waiting : group) {
      TRY(writer->mark());
      waiting->outcome = (*waiting->unit)(*writer);
      if (!waiting->outcome) TRY(writer->rollback_to_mark());
    }
    return writer->commit();
  };
  const Result<void> committed = work();
  lock.lock();
  for (Waiting* waiting : group) {
    if (!committed && waiting->outcome) waiting->outcome = std::unexpected(committed.error());
    waiting->done = true;
  }
  leading_ = false;
  changed_.notify_all();
}

}  // namespace spl::instance
