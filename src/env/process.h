// Other processes: by a handle that stays with one, what tells it from all others, and who holds a lock. Any thread.
// Sources: pidfd_open(2), proc(5), flock(2), getrlimit(2).
#pragma once

#include <chrono>
#include <cstddef>
#include <optional>
#include <string>

#include "base/result.h"
#include "env/descriptor.h"

namespace spl::env {

// A process by a handle that stays with it, even when its id goes to another one.
class ProcessHandle {
 public:
  // Nothing where there is no such process; an error where it cannot be had, as without a free descriptor.
  static Result<std::optional<ProcessHandle>> open(int pid);

  // False where it has ended; an error where it may not be signalled.
  [[nodiscard]] Result<bool> signal(int number) const;
  // Until it has ended; false where it has not by then.
  [[nodiscard]] bool wait(std::chrono::milliseconds at_most) const;
  // Its pidfd, for who hands it to another process.
  [[nodiscard]] int descriptor() const { return descriptor_.number(); }

 private:
  ProcessHandle(Descriptor descriptor, int pid) : descriptor_(std::move(descriptor)), pid_(pid) {}
  Descriptor descriptor_;
  int pid_;
};

int own_process_id();
// What tells a process from all others that ever have its id: the run of the machine, the namespace of process ids,
// when it began. Nothing where there is no such process, where all of it has ended and nobody has waited for it, and
// where /proc hides it, being another user's; an error where the look fails.
Result<std::optional<std::string>> process_mark(int pid);
// The run of the machine: another one after each start of it.
Result<std::string> boot_id();
// Of process ids, "pid:[4026531836]": in another one the same number is another process.
Result<std::string> process_namespace();

// While it lives, this process may have as many descriptors as its hard limit allows, to 65536, for a pidfd of each
// process of a service. The limit is the whole process's: one at a time.
class ManyDescriptors {
 public:
  ManyDescriptors();
  ManyDescriptors(const ManyDescriptors&) = delete;
  ManyDescriptors& operator=(const ManyDescriptors&) = delete;
  ~ManyDescriptors();

 private:
  std::optional<unsigned long> soft_before_ = {};  // nothing where the limit was not changed
};

// What is in this process's memory goes into no core file, and no other process of its user may read it. What it starts
// may be read again; its limit of core files stays 0 until it raises that.
void keep_memory_private();

// Raises this process's limit of descriptors for good, to `wanted` where its hard limit allows that. How many it may
// have then.
std::size_t allow_descriptors(std::size_t wanted);

// Who holds the advisory lock (flock) on a file, as far as the kernel tells.
std::optional<int> lock_holder(const std::string& path);
// Whether anybody holds it: also where the kernel does not name the holder. Nobody holds a file that is not there.
Result<bool> is_locked(const std::string& path);

}  // namespace spl::env
