// The processes of the machine, as /proc shows them: who carries a word in its environment, who holds files open below
// a directory. What comes and goes meanwhile may be missed: ask again until nothing new appears. Linux only; any
// thread. Source: proc(5).
#pragma once

#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "base/result.h"
#include "env/process.h"

namespace spl::env {

// Those that began with one of these, "NAME=value", in their environment; their children have it, too, however often
// they fork. Zombies are left out. This process is never among them.
std::vector<int> processes_with(const std::vector<std::string>& environment_entries);
bool has_in_environment(int pid, const std::vector<std::string>& environment_entries);

struct FileHolder {
  int pid = 0;
  std::string path;
};
// The first that has a file open, mapped or as its directory below `directory`; of the processes that may be looked at.
std::optional<FileHolder> holder_below(const std::string& directory);

// 'R', 'S', 'T', ... of proc(5); 0 where it has ended.
char process_state(int pid);
// The first words of its command line.
std::string process_name(int pid);

}  // namespace spl::env
