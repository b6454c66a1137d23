// A call to stop waiting that stays raised: what lets one thread end the waits of many others. Any thread; raise() may
// be called from a signal handler. Source: eventfd(2).
#pragma once

#include <atomic>
#include <memory>

#include "base/result.h"
#include "env/descriptor.h"

namespace spl::env {

class Interrupt {
 public:
  static Result<std::unique_ptr<Interrupt>> make();

  void raise();
  [[nodiscard]] bool raised() const { return raised_.load(std::memory_order_acquire); }
  // Readable for ever once it is raised.
  [[nodiscard]] int descriptor() const { return event_.number(); }

 private:
  explicit Interrupt(Descriptor event) : event_(std::move(event)) {}
  Descriptor event_;
  std::atomic<bool> raised_ = false;
};

}  // namespace spl::env
