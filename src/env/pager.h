// The program in which people page through long output: standard output goes to it while it lives. One thread, and one
// at a time.
#pragma once

#include <sys/types.h>

#include <memory>
#include <string>

#include "env/descriptor.h"

namespace spl::env {

class Pager {
 public:
  // `command` is a line for the shell, and `environment` what it gets, with options for less where it has none. Null
  // where it cannot be started: then nothing has changed.
  static std::unique_ptr<Pager> start(const std::string& command, char** environment);
  Pager(const Pager&) = delete;
  Pager& operator=(const Pager&) = delete;
  // Standard output is the terminal's again, when whoever reads has seen enough.
  ~Pager();

 private:
  Pager(pid_t pid, Descriptor before) : pid_(pid), before_(std::move(before)) {}
  const pid_t pid_;
  const Descriptor before_;
};

}  // namespace spl::env
