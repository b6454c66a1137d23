// Programs that go on without the one that started them, and the program that takes this process's place. Any thread.
// Sources: fork(2), setsid(2), execve(2).
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "base/result.h"
#include "env/users.h"

namespace spl::env {

struct ProgramStart {
  std::vector<std::string> arguments;    // the program first: a path, or a name that PATH of `environment` leads to
  std::vector<std::string> environment;  // "NAME=value"; nothing else is inherited
  std::string working_directory = "/";
  std::optional<UserIds> user = {};   // with the groups that the user database gives it; none: this process's
  std::uint32_t creation_mask = 022;  // of become(): what nobody may do with what it makes
};

// In a session of its own, child of nobody here, standard input from and output to nothing. Gives its process id when
// the program runs. Code kUnavailable where there is no such program.
Result<int> start_detached(const ProgramStart& program);
// Does not come back but with an error. Standard input, output and error
// stay; nothing else is inherited.
Error become(const ProgramStart& program);
// The program that this process runs, for this process to start it again: also where its file is gone.
inline constexpr const char* kThisProgram = "/proc/self/exe";
// Its file, for what is started when this process may have ended. Where a package has replaced it, its successor.
Result<std::string> own_program();

}  // namespace spl::env
