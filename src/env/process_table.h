// The processes of the machine, as /proc shows them: who carries a word in its environment or descends from one, what a
// process does, who holds files open below a directory. What comes and goes meanwhile may be missed: ask again until
// nothing new appears. A failure to look is an error and never "no process". What this process may not look at
// (another user's, without CAP_SYS_PTRACE) is looked at with that user's rights where this process is root's; where
// that is refused, too, it is passed over if it cannot be what was asked for, and an error of cause kDenied if it can.
// A process whose first thread has ended while others go on lives. Linux only; any thread. Sources: proc(5), ptrace(2)
// (access mode checking), kcmp(2), vfork(2).
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "base/result.h"
#include "env/control_group.h"

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
  // Whose they are; none: this process's own user's. What belongs to another user and cannot be looked at is an error.
  // A process of one's own that forbids looking at itself, as ssh-agent does, is found by its descent alone.
  std::optional<std::uint32_t> user = {};
  // What is in it, and all that descends from that.
  std::optional<ControlGroup> group = {};
};
struct FoundProcess {
  ProcessEntry process;
  std::size_t origin = 0;                    // the number of it in the list
  std::optional<std::size_t> group_of = {};  // the number of the origin in whose group it is
};
// All that are known by one of the origins, and all that descend from those. This process is never among them, and
// nobody is found by descent from it. One that is just becoming another program shows no environment: it is waited for;
// cause kTimeout where that takes too long.
Result<std::vector<FoundProcess>> find_processes(const std::vector<ProcessOrigin>& origins);
// False also where it may not be asked.
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
// Whether its working directory is this one: the same inode, whatever the path. False also where it is another user's
// and may not be asked.
Result<bool> works_in(int pid, const std::string& directory);

struct FileHolder {
  int pid = 0;
  std::string path;
};
// The first that has a file open, mapped or as its directory below `directory`. Of the processes that cannot be looked
// at those of the directory's owner are an error; all others are passed over.
Result<std::optional<FileHolder>> holder_below(const std::string& directory);
// All that have one of these open: "socket:[123]", as the links of descriptors have it.
struct Openers {
  std::vector<int> pids;
  bool is_whole = true;  // false: some processes could not be looked at
};
Result<Openers> openers_of(const std::vector<std::string>& links);

// The words with which it was started, as it shows them now.
Result<std::vector<std::string>> command_line(int pid);
// The first words of its command line, for messages; "" where they cannot be read.
std::string process_name(int pid);

}  // namespace spl::env
