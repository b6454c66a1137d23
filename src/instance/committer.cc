#include "instance/committer.h"

#include <exception>
#include <string>
#include <vector>

namespace spl::instance {

namespace {

// What a library throws is an outcome like others: the rest of the group waits for it.
template <class Work>
Result<void> guarded(const Work& work) {
  try {
    return work();
  } catch (const std::exception& error) {
    return fail(std::string("the write did not come about: ") + error.what());
  }
}

}  // namespace

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
  std::vector<Waiting*> group;
  group.reserve(kCommitUnitsMax);
  leading_ = true;
  while (!queue_.empty() && group.size() < kCommitUnitsMax) {
    group.push_back(queue_.front());
    queue_.pop_front();
  }
  lock.unlock();
  const auto work = [&]() -> Result<void> {
    const auto writer = TRY(store_.writer());
    for (Waiting* waiting : group) {
      TRY(writer->mark());
      waiting->outcome = guarded([&] { return (*waiting->unit)(*writer); });
      if (!waiting->outcome) TRY(writer->rollback_to_mark());
    }
    return writer->commit();
  };
  const Result<void> committed = guarded(work);
  lock.lock();
  for (Waiting* waiting : group) {
    if (!committed && waiting->outcome) waiting->outcome = std::unexpected(committed.error());
    waiting->done = true;
  }
  leading_ = false;
  changed_.notify_all();
}

}  // namespace spl::instance
