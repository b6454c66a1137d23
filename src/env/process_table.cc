#include "env/process_table.h"

#include <linux/kcmp.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <cerrno>
#include <charconv>
#include <climits>
#include <map>

#include "base/encoding.h"
#include "env/proc_files.h"

namespace spl::env {
namespace {

constexpr std::size_t kStatBytesMax = 4096;
constexpr std::size_t kStatusBytesMax = 64u << 10;
constexpr std::size_t kWordsBytesMax = 16u << 20;  // of arguments and environment: the kernel's own limit is below it
constexpr std::size_t kParentField = 4;            // proc(5), counted from 1
constexpr std::size_t kStartField = 22;

std::string of_process(int pid) {
  return "/proc/" + std::to_string(pid);
}

std::string of_thread(int pid, int thread) {
  return of_process(pid) + "/task/" + std::to_string(thread);
}

template <class Number>
bool parse_number(std::string_view text, Number& number) {
  return std::from_chars(text.data(), text.data() + text.size(), number).ec == std::errc();
}

// One process or thread, as its "stat" tells.
struct Stat {
  char state = '\0';
  int parent = 0;
  std::uint64_t start_ticks = 0;
};

bool has_ended(char state) {
  return state == 'Z' || state == 'X' || state == 'x';
}

std::optional<Stat> parse_stat(std::string_view line) {
  // The second field is the program's name in parentheses and may hold anything.
  const std::size_t name_end = line.rfind(')');
  if (name_end == std::string_view::npos || name_end + 2 >= line.size()) return std::nullopt;
  line.remove_prefix(name_end + 2);
  Stat stat;
  stat.state = line.front();
  for (std::size_t field = 3; field <= kStartField; ++field) {
    const std::string_view one = line.substr(0, line.find(' '));
    if (field == kParentField && !parse_number(one, stat.parent)) return std::nullopt;
    if (field == kStartField && parse_number(one, stat.start_ticks)) return stat;
    line.remove_prefix(std::min(line.size(), one.size() + 1));
  }
  return std::nullopt;
}

Result<std::optional<Stat>> stat_of(const std::string& directory) {
  const auto line = TRY(read_proc(directory + "/stat", kStatBytesMax));
  if (!line) return std::nullopt;
  return parse_stat(*line);
}

// The directory in /proc of the process, or of a thread that lives where the first one has ended: with it went what
// /proc shows of memory and files. Nothing where all have ended.
struct Living {
  std::string directory;
  Stat stat;  // of the process
};
Result<std::optional<Living>> living(int pid) {
  const auto stat = TRY(stat_of(of_process(pid)));
  if (!stat) return std::nullopt;
  if (!has_ended(stat->state)) return Living{of_process(pid), *stat};
  for (const int thread : TRY(proc_numbers(of_process(pid) + "/task"))) {
    const auto one = TRY(stat_of(of_thread(pid, thread)));
    if (one && !has_ended(one->state)) return Living{of_thread(pid, thread), *stat};
  }
  return std::nullopt;
}

bool has_entry(std::string_view environment, std::string_view entry) {
  while (!environment.empty()) {
    const std::string_view one = environment.substr(0, environment.find('\0'));
    if (one == entry) return true;
    environment.remove_prefix(std::min(environment.size(), one.size() + 1));
  }
  return false;
}

Result<std::string> environment_in(const std::string& directory) {
  return TRY(read_proc(directory + "/environ", kWordsBytesMax)).value_or("");
}

// Children of what was found are found, until there are no more.
void add_descendants(const std::vector<ProcessEntry>& all, std::map<int, std::size_t>& origin_of) {
  const int own = ::getpid();
  for (bool has_grown = true; has_grown;) {
    has_grown = false;
    for (const ProcessEntry& process : all) {
      const auto parent = origin_of.find(process.parent);
      if (process.pid == own || parent == origin_of.end() || origin_of.contains(process.pid)) continue;
      origin_of.emplace(process.pid, parent->second);
      has_grown = true;
    }
  }
}

}  // namespace

Result<std::optional<ProcessEntry>> process_entry(int pid) {
  const auto found = TRY(living(pid));
  if (!found) return std::nullopt;
  return ProcessEntry{pid, found->stat.parent, found->stat.start_ticks};
}

Result<bool> has_in_environment(int pid, std::string_view environment_entry) {
  const auto found = TRY(living(pid));
  return found && has_entry(TRY(environment_in(found->directory)), environment_entry);
}

Result<std::vector<FoundProcess>> find_processes(const std::vector<ProcessOrigin>& origins) {
  std::vector<ProcessEntry> all;
  std::map<int, std::size_t> origin_of;
  const int own = ::getpid();
  for (const int pid : TRY(proc_numbers("/proc"))) {
    if (pid == own) continue;
    const auto found = TRY(living(pid));
    if (!found) continue;
    all.push_back({pid, found->stat.parent, found->stat.start_ticks});
    const std::string environment = TRY(environment_in(found->directory));
    for (std::size_t i = 0; i < origins.size(); ++i) {
      if (has_entry(environment, origins[i].environment_entry) ||
          std::ranges::find(origins[i].roots, pid) != origins[i].roots.end())
        origin_of.emplace(pid, i);
    }
  }
  add_descendants(all, origin_of);
  std::vector<FoundProcess> found;
  for (const ProcessEntry& process : all) {
    const auto origin = origin_of.find(process.pid);
    if (origin != origin_of.end()) found.push_back({process, origin->second});
  }
  return found;
}

Result<Activity> activity_of(int pid) {
  bool waits = false;
  bool is_traced = false;
  bool is_stopped = false;
  for (const int thread : TRY(proc_numbers(of_process(pid) + "/task"))) {
    const auto stat = TRY(stat_of(of_thread(pid, thread)));
    if (!stat || has_ended(stat->state)) continue;
    if (stat->state == 'D') {
      waits = true;
    } else if (stat->state == 't') {
      is_traced = true;
    } else if (stat->state == 'T') {
      is_stopped = true;
    } else {
      return Activity::kRuns;
    }
  }
  if (waits) return Activity::kWaits;
  if (is_traced) return Activity::kTraced;
  return is_stopped ? Activity::kStopped : Activity::kGone;
}

Result<int> tracer_of(int pid) {
  constexpr std::string_view kName = "TracerPid:\t";
  const auto status = TRY(read_proc(of_process(pid) + "/status", kStatusBytesMax));
  const std::size_t at = status ? status->find(kName) : std::string::npos;
  int tracer = 0;
  if (at != std::string::npos) (void)parse_number(std::string_view(*status).substr(at + kName.size()), tracer);
  return tracer;
}

Result<bool> share_memory(int pid, int other) {
  const long order = ::syscall(SYS_kcmp, pid, other, KCMP_VM, 0, 0);
  if (order >= 0) return order == 0;
  // ENOSYS: a kernel without it. Then nobody is known to share anything.
  if (errno == ESRCH || errno == EPERM || errno == EACCES || errno == ENOSYS) return false;
  return base::fail_errno("cannot compare two processes", errno);
}

Result<bool> works_in(int pid, const std::string& directory) {
  struct stat wanted{};
  struct stat found{};
  for (const auto& [path, status] : {std::pair(directory, &wanted), std::pair(of_process(pid) + "/cwd", &found)}) {
    if (::stat(path.c_str(), status) == 0) continue;
    if (errno == ENOENT || errno == ESRCH || errno == EACCES || errno == EPERM) return false;
    return base::fail_errno("cannot look into " + path, errno);
  }
  return wanted.st_dev == found.st_dev && wanted.st_ino == found.st_ino;
}

Result<std::optional<FileHolder>> holder_below(const std::string& directory) {
  std::string root = directory;
  std::array<char, PATH_MAX> real{};
  if (::realpath(directory.c_str(), real.data()) != nullptr) {
    root = real.data();
  } else if (errno != ENOENT) {
    return base::fail_errno("cannot look into " + directory, errno);
  }
  const auto lies_below = [&root](std::string_view path) {
    return path.starts_with(root) && (path.size() == root.size() || path[root.size()] == '/');
  };
  for (const int pid : TRY(proc_numbers("/proc"))) {
    if (pid == ::getpid()) continue;
    const auto found = TRY(living(pid));
    if (!found) continue;
    const std::string descriptors = found->directory + "/fd";
    const auto names = TRY(proc_names(descriptors));
    for (const std::string& name : names.value_or(std::vector<std::string>())) {
      if (name == "." || name == "..") continue;
      const auto target = TRY(proc_link(descriptors + "/" + name));
      if (target && lies_below(*target)) return FileHolder{pid, *target};
    }
    const auto cwd = TRY(proc_link(found->directory + "/cwd"));
    if (cwd && lies_below(*cwd)) return FileHolder{pid, *cwd};
    std::string mapped;
    (void)TRY(read_proc_lines(found->directory + "/maps", [&](std::string_view line) {
      // No field before the path has a slash.
      const std::string_view path = line.substr(std::min(line.find('/'), line.size()));
      if (lies_below(path)) mapped = path;
      return mapped.empty();
    }));
    if (!mapped.empty()) return FileHolder{pid, mapped};
  }
  return std::nullopt;
}

Result<std::vector<std::string>> command_line(int pid) {
  const std::string line = TRY(read_proc(of_process(pid) + "/cmdline", kWordsBytesMax)).value_or("");
  std::vector<std::string> words;
  for (std::string_view rest = line; !rest.empty();) {
    const std::string_view word = rest.substr(0, rest.find('\0'));
    words.emplace_back(word);
    rest.remove_prefix(std::min(rest.size(), word.size() + 1));
  }
  return words;
}

std::string process_name(int pid) {
  constexpr std::size_t kShown = 200;
  const auto words = command_line(pid);
  std::string line;
  for (const std::string& word : words.value_or(std::vector<std::string>())) line += (line.empty() ? "" : " ") + word;
  return base::escaped(line, kShown);
}

}  // namespace spl::env
