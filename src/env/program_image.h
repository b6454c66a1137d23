// What stands between a process and the program that it becomes: all that execve needs, made beforehand, because
// between fork and exec nothing may be allocated. For child_process.cc and program_start.cc. Sources: fork(2),
// execve(2), signal-safety(7).
#pragma once

#include <sys/resource.h>
#include <sys/types.h>

#include <array>
#include <optional>
#include <string>
#include <vector>

#include "env/users.h"

namespace spl::env {

struct ProgramImage {
  enum class Apart : std::uint8_t { kNothing, kGroup, kSession };  // from the one that started it

  // Of a program: a path, or a name that PATH of `environment` leads to. The texts outlive it.
  ProgramImage(const std::vector<std::string>& words, const std::vector<std::string>& variables,
               const std::string& working_directory, const std::optional<UserIds>& as_user);

  std::vector<std::string> paths;  // to be tried in order
  std::vector<char*> arguments;
  std::vector<char*> environment;
  const char* directory;
  std::optional<UserIds> user;
  std::vector<gid_t> groups;
  std::optional<rlimit> memory = {};
  std::optional<rlimit> processor_time = {};
  std::array<int, 3> streams{-1, -1, -1};  // standard input, output and error; -1: as they are
  Apart apart = Apart::kNothing;
  mode_t creation_mask = 077;

  // This process becomes the program, with nothing else inherited and every signal as usual. Comes back where it
  // cannot, with errno. Allocates nothing.
  [[nodiscard]] int become() const;
};

// "cannot run NAME: why", from errno. Code kUnavailable where there is no such program.
Error cannot_run(const std::string& program, int errno_value);

}  // namespace spl::env
