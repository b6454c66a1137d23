// A parallel map that keeps order: jobs go in, workers run them at the same time, results come out in the order in
// which the jobs went in. At most `in_flight_max` jobs are held, and no further one once they cost `cost_max` together,
// so memory is bounded. The owner's thread pushes and
// pops; `work` runs on the workers' threads and must be safe to run at the same time on different jobs. What it throws
// is thrown by the pop() of its job. A push() that throws has taken nothing. Where the system gives fewer threads than
// are asked for, those do; std::system_error or std::bad_alloc where it gives none.
#pragma once

#include <condition_variable>
#include <cstddef>
#include <deque>
#include <exception>
#include <functional>
#include <limits>
#include <memory>
#include <mutex>
#include <thread>
#include <utility>
#include <vector>

#include "base/check.h"

namespace spl::base {

template <class Job, class Output>
class OrderedPool {
 public:
  OrderedPool(std::size_t workers, std::size_t in_flight_max, std::function<Output(Job&&)> work,
              std::size_t cost_max = std::numeric_limits<std::size_t>::max())
      : in_flight_max_(in_flight_max), cost_max_(cost_max), work_(std::move(work)) {
    SPL_CHECK(workers > 0 && in_flight_max > 0);
    threads_.reserve(workers);
    for (std::size_t i = 0; i < workers; ++i) {
      try {
        threads_.emplace_back([this] { run(); });
      } catch (const std::exception&) {
        // The system gives no more threads, or no memory for one: those that there are do the work.
        if (threads_.empty()) throw;
        break;
      }
    }
  }
  OrderedPool(const OrderedPool&) = delete;
  OrderedPool& operator=(const OrderedPool&) = delete;
  // Jobs that have begun are ended; the others are dropped.
  ~OrderedPool() {
    {
      const std::scoped_lock lock(mutex_);
      closing_ = true;
    }
    work_ready_.notify_all();
    for (std::thread& thread : threads_) thread.join();
  }

  // True while no more jobs fit: pop first.
  [[nodiscard]] bool full() const { return in_flight_.size() >= in_flight_max_ || cost_ >= cost_max_; }
  [[nodiscard]] bool empty() const { return in_flight_.empty(); }

  // `cost` is the caller's measure, such as bytes.
  void push(Job job, std::size_t cost = 0) {
    SPL_CHECK(!full());
    auto slot = std::make_shared<Slot>(std::move(job), cost);
    in_flight_.push_back(slot);
    try {
      const std::scoped_lock lock(mutex_);
      queue_.push_back(std::move(slot));
    } catch (...) {
      in_flight_.pop_back();  // nobody would work on it
      throw;
    }
    cost_ += cost;
    work_ready_.notify_one();
  }

  // Waits for the oldest job's result.
  Output pop() {
    SPL_CHECK(!in_flight_.empty());
    const std::shared_ptr<Slot> slot = std::move(in_flight_.front());
    in_flight_.pop_front();
    cost_ -= slot->cost;
    std::unique_lock lock(mutex_);
    result_ready_.wait(lock, [&] { return slot->is_done(); });
    if (slot->thrown) std::rethrow_exception(slot->thrown);
    return std::move(*slot->output);
  }

  // True where pop() would not wait.
  [[nodiscard]] bool ready() {
    if (in_flight_.empty()) return false;
    const std::scoped_lock lock(mutex_);
    return in_flight_.front()->is_done();
  }

 private:
  struct Slot {
    Slot(Job j, std::size_t c) : job(std::move(j)), cost(c) {}
    Job job;
    const std::size_t cost;
    [[nodiscard]] bool is_done() const { return output != nullptr || thrown; }
    std::unique_ptr<Output> output;
    std::exception_ptr thrown;
  };

  void run() {
    std::unique_lock lock(mutex_);
    for (;;) {
      work_ready_.wait(lock, [this] { return closing_ || !queue_.empty(); });
      if (closing_) return;
      const std::shared_ptr<Slot> slot = std::move(queue_.front());
      queue_.pop_front();
      lock.unlock();
      std::unique_ptr<Output> output;
      std::exception_ptr thrown;
      try {
        output = std::make_unique<Output>(work_(std::move(slot->job)));
      } catch (...) {
        thrown = std::current_exception();
      }
      lock.lock();
      slot->output = std::move(output);
      slot->thrown = std::move(thrown);
      result_ready_.notify_all();
    }
  }

  const std::size_t in_flight_max_;
  const std::size_t cost_max_;
  const std::function<Output(Job&&)> work_;
  std::deque<std::shared_ptr<Slot>> in_flight_;  // the owner's
  std::size_t cost_ = 0;                         // of those; the owner's

  std::mutex mutex_;  // guards all below, and every slot's outcome
  std::condition_variable work_ready_;
  std::condition_variable result_ready_;
  std::deque<std::shared_ptr<Slot>> queue_;
  bool closing_ = false;
  std::vector<std::thread> threads_;
};

}  // namespace spl::base
