// The processes of the machine, as /proc shows them: who carries a word in its environment or descends from one, what a
// process does, who holds files open below a directory. What comes and goes meanwhile may be missed: ask again until
// nothing new appears. A failure to look is an error and never "no process": only what has gone, or may not be looked
// at, is passed over. A process whose first thread has ended while others go on lives. Linux only; any thread.
// Sources: proc(5), kcmp(2), vfork(2).
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "base/result.h"

namespace spl::env {

struct ProcessEntry {
  int pid = 0;
  int parent = 0;
  std::uint64_t start_ticks = 0;  // since the machine began: with the number it tells the process from all others
};
// Nothing where it has ended, also where nobody has waited for it.
Result<std::optional<ProcessEntry>> process_entry(int pid);

// By what the processes of one service are known.
struct ProcessOrigin {
  std::string environment_entry;  // "NAME=value": those that began with it, and their children, however often they fork
  std::vector<int> roots = {};    // these, and all that descend from them, whatever became of their environment
};
struct FoundProcess {
  ProcessEntry process;
  std::size_t origin = 0;  // the number of it in the list
};
// All that are known by one of the origins, and all that descend from those. This process is never among them, and
// nobody is found by descent from it.
Result<std::vector<FoundProcess>> find_processes(const std::vector<ProcessOrigin>& origins);
Result<bool> has_in_environment(int pid, std::string_view environment_entry);

// What a process does, over all its threads: one that runs makes the process one that runs.
enum class Activity : std::uint8_t {
  kGone,
  kRuns,
  kWaits,    // none runs, and one waits where no signal reaches it: for a disk, or for its child after vfork
  kTraced,   // its tracer holds it, and may let it go on
  kStopped,  // by a signal: job control, or a freeze
};
Result<Activity> activity_of(int pid);
// Who traces it; 0: nobody.
Result<int> tracer_of(int pid);
// Whether both have one memory, as the two sides of vfork. False also where it may not be asked.
Result<bool> share_memory(int pid, int other);
// Whether its working directory is this one: the same inode, whatever the path. False also where it may not be asked.
Result<bool> works_in(int pid, const std::string& directory);

struct FileHolder {
  int pid = 0;
  std::string path;
};
// The first that has a file open, mapped or as its directory below `directory`; of the processes that may be looked at.
Result<std::optional<FileHolder>> holder_below(const std::string& directory);

// The words with which it was started, as it shows them now.
Result<std::vector<std::string>> command_line(int pid);
// The first words of its command line, for messages; "" where they cannot be read.
std::string process_name(int pid);

}  // namespace spl::env
