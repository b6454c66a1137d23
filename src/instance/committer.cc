#include "instance/committer.h"

#include <array>
#include <span>
#include <string_view>

#include "base/guarded.h"

namespace spl::instance {

namespace {

constexpr std::string_view kWhat = "the write did not come about";

}  // namespace

Result<void> Committer::run(const Unit& unit) {
  Waiting waiting{&unit, {}, false};
  std::unique_lock lock(mutex_);
  queue_.push_back(&waiting);
  changed_.wait(lock, [&] { return waiting.done || !leading_; });
  while (!waiting.done) lead(lock);
  return std::move(waiting.outcome);
}

// Does the work of those that wait now, this thread's own among them or at least ahead of it. Allocates nothing itself:
// what is taken out of the queue gets its outcome.
void Committer::lead(std::unique_lock<std::mutex>& lock) noexcept {
  std::array<Waiting*, kCommitUnitsMax> places{};
  std::size_t count = 0;
  leading_ = true;
  for (; !queue_.empty() && count < places.size(); queue_.pop_front()) places[count++] = queue_.front();
  const std::span group(places.data(), count);
  lock.unlock();
  const auto work = [&]() -> Result<void> {
    const auto writer = TRY(store_.writer());
    for (Waiting* waiting : group) {
      TRY(writer->mark());
      waiting->outcome = base::guarded(kWhat, [&] { return (*waiting->unit)(*writer); });
      if (!waiting->outcome) TRY(writer->rollback_to_mark());
    }
    return writer->commit();
  };
  const Result<void> committed = base::guarded(kWhat, work);
  lock.lock();
  for (Waiting* waiting : group) {
    if (!committed && waiting->outcome) waiting->outcome = std::unexpected(base::copy_of(committed.error()));
    waiting->done = true;
  }
  leading_ = false;
  changed_.notify_all();
}

}  // namespace spl::instance
