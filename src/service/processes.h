// All processes of services, by the mark in their environment: a double fork does not escape. Any thread.
#pragma once

#include <chrono>
#include <functional>
#include <string>
#include <vector>

#include "base/result.h"
#include "env/env.h"
#include "env/process.h"

namespace spl::service {

struct MarkedProcess {
  int pid = 0;
  env::ProcessHandle handle;
};

// Of all services that have one of the marks; each by a handle that was opened before the mark was seen, so that no
// other process is ever meant.
std::vector<MarkedProcess> processes_of(const std::vector<std::string>& marks);
// Whether it is stopped, by a signal or a tracer.
bool is_stopped(int pid);

// Stops them all until nothing new appears. `before` is told of those that are about to be stopped, some at a time.
// Gives those that it stopped, also after an error: not those that were stopped before. Cause kTimeout where new ones
// appear all the time.
Result<void> stop_all(env::Clock& clock, const std::vector<std::string>& marks, std::chrono::milliseconds at_most,
                      std::vector<MarkedProcess>& stopped,
                      const std::function<Result<void>(const std::vector<MarkedProcess>&)>& before = {});
void continue_all(const std::vector<MarkedProcess>& processes);
// Ends them all, and waits until they are gone.
Result<void> kill_all(env::Clock& clock, const std::string& mark, std::chrono::milliseconds at_most);

}  // namespace spl::service
