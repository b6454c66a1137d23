#include "env/process_table.h"

#include <linux/kcmp.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <cerrno>
#include <charconv>
#include <chrono>
#include <climits>
#include <map>
#include <thread>
#include <utility>

#include "base/encoding.h"
#include "env/acting_user.h"
#include "env/proc_files.h"

namespace spl::env {
namespace {

constexpr std::size_t kStatBytesMax = 4096;
constexpr std::size_t kStatusBytesMax = 1u << 20;  // with as many groups as the kernel allows
constexpr std::size_t kWordsBytesMax = 16u << 20;  // of arguments and environment: the kernel's own limit is below it
constexpr std::size_t kParentField = 4;            // proc(5), counted from 1
constexpr std::size_t kStartField = 22;
constexpr std::size_t kMemoryField = 23;
constexpr std::size_t kCodeField = 26;
constexpr std::size_t kEnvironmentField = 50;
constexpr std::size_t kEnvironmentEndField = 51;
constexpr std::chrono::milliseconds kBecomesAtMost{500};  // a program read from a slow disk takes its time
constexpr std::chrono::milliseconds kLookEvery{1};

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
  std::uint64_t memory_bytes = 0;  // 0: a thread of the kernel's own
  std::uint64_t code = 0;          // where its program begins
  std::uint64_t environment = 0;   // where it begins and ends
  std::uint64_t environment_end = 0;
  // The kernel hands over the new memory first, then lays out arguments and environment, whose end is their beginning
  // while they are counted, and says last where the code is.
  [[nodiscard]] bool is_between_programs() const { return environment_end == 0 || code == 0; }
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
  bool is_whole = false;
  for (std::size_t field = 3; field <= kEnvironmentEndField && !line.empty(); ++field) {
    const std::string_view one = line.substr(0, line.find(' '));
    if (field == kParentField && !parse_number(one, stat.parent)) return std::nullopt;
    if (field == kStartField) is_whole = parse_number(one, stat.start_ticks);
    if (field == kMemoryField) (void)parse_number(one, stat.memory_bytes);
    if (field == kCodeField) (void)parse_number(one, stat.code);
    if (field == kEnvironmentField) (void)parse_number(one, stat.environment);
    if (field == kEnvironmentEndField) (void)parse_number(one, stat.environment_end);
    line.remove_prefix(std::min(line.size(), one.size() + 1));
  }
  return is_whole ? std::optional(stat) : std::nullopt;
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

bool is_refused(const Error& error) {
  return error.cause == Cause::kDenied;
}

// The ids of a process: real, effective, saved.
struct ProcessIds {
  std::array<std::uint32_t, 3> users{};
  std::array<std::uint32_t, 3> groups{};
  [[nodiscard]] bool is_of(std::uint32_t user) const { return std::ranges::find(users, user) != users.end(); }
  [[nodiscard]] bool is_of_any(const std::vector<std::uint32_t>& some) const {
    return std::ranges::any_of(some, [this](std::uint32_t user) { return is_of(user); });
  }
};

bool parse_ids(std::string_view status, std::string_view name, std::array<std::uint32_t, 3>& ids) {
  const std::size_t at = status.find(name);
  if (at == std::string_view::npos) return false;
  status.remove_prefix(at + name.size());
  for (std::uint32_t& id : ids) {
    const auto [end, error] = std::from_chars(status.data(), status.data() + status.size(), id);
    if (error != std::errc()) return false;
    status.remove_prefix(std::min(status.size(), static_cast<std::size_t>(end - status.data()) + 1));
  }
  return true;
}

// Nothing where it has gone.
Result<std::optional<ProcessIds>> ids_of(const std::string& directory) {
  const auto status = TRY(read_proc(directory + "/status", kStatusBytesMax));
  ProcessIds ids;
  if (!status || !parse_ids(*status, "\nUid:\t", ids.users) || !parse_ids(*status, "\nGid:\t", ids.groups))
    return std::nullopt;
  return ids;
}

// Looks; where that is refused, again with the rights of the process's user, as far as this process can have those.
template <class Look>
auto look_with_its_rights(const std::string& directory, const Look& look) -> decltype(look()) {
  auto seen = look();
  if (seen || !is_refused(seen.error()) || own_user_id() != 0) return seen;
  const auto ids = ids_of(directory);
  if (!ids || !*ids) return seen;
  const WithFileAccessOf its_user({(*ids)->users[1], (*ids)->groups[1]});
  return look();
}

// Looks at what matters. Between two programs a process may be hidden even from its own user: then again for a while.
template <class Look>
auto look_until_seen(const Look& look) -> decltype(look()) {
  const auto end = std::chrono::steady_clock::now() + kBecomesAtMost;
  auto seen = look();
  while (!seen && is_refused(seen.error()) && own_user_id() == 0 && std::chrono::steady_clock::now() < end) {
    std::this_thread::sleep_for(kLookEvery);
    seen = look();
  }
  return seen;
}

std::unexpected<Error> cannot_look_at(int pid, const Error& why) {
  Error error = why;
  error.message = "cannot look at process " + std::to_string(pid) + " (" + process_name(pid) + "): " + why.message;
  if (is_refused(why)) error.hint = "run spl as root with CAP_SYS_PTRACE (in a container: --cap-add SYS_PTRACE)";
  return std::unexpected(std::move(error));
}

Result<std::string> read_environment(const std::string& directory) {
  auto text = read_proc(directory + "/environ", kWordsBytesMax);
  // The kernel hands over no larger one: the process itself has put another one in its place.
  if (!text && text.error().cause == Cause::kTooLarge) return "";
  return TRY(std::move(text)).value_or("");
}

// As the process shows it. An empty one may be that of a process that is just becoming another program: then it is
// looked at again, until it has become that; cause kTimeout where that takes long.
Result<std::string> environment_in(const std::string& directory) {
  constexpr int kReadsMax = 20;  // a busy machine puts a new program between the looks several times in a row
  const auto end = std::chrono::steady_clock::now() + kBecomesAtMost;
  for (int reads = 1;; ++reads) {
    std::string text = TRY(look_with_its_rights(directory, [&] { return read_environment(directory); }));
    if (!text.empty()) return text;
    const auto stat = TRY(stat_of(directory));
    if (!stat || has_ended(stat->state) || stat->memory_bytes == 0) return "";
    if (!stat->is_between_programs()) {
      // It may have become a program between the two looks.
      if (stat->environment == stat->environment_end || reads >= kReadsMax) return "";
      continue;
    }
    if (std::chrono::steady_clock::now() > end)
      return fail(Cause::kTimeout, "it has been becoming another program for long");
    std::this_thread::sleep_for(kLookEvery);
  }
}

// The same, for who looks for processes of these users: empty where it cannot be looked at and is none of them.
Result<std::string> environment_of(int pid, const std::string& directory, const std::vector<std::uint32_t>& users) {
  auto text = environment_in(directory);
  const bool is_unseen = !text && (is_refused(text.error()) || text.error().cause == Cause::kTimeout);
  if (!is_unseen) return text;
  const auto ids = TRY(ids_of(directory));
  if (!ids || !ids->is_of_any(users)) return "";
  if (is_refused(text.error()) && ids->is_of(file_access_user())) return "";
  text = look_until_seen([&] { return environment_in(directory); });
  return text ? text : cannot_look_at(pid, text.error());
}

// The number of the origin in whose group the process is, by its directory in /proc: a thread that has ended is in
// none.
Result<std::optional<std::size_t>> group_of(const std::string& directory, const std::vector<ProcessOrigin>& origins) {
  const auto has_group = [](const ProcessOrigin& origin) { return origin.group.has_value(); };
  if (std::ranges::none_of(origins, has_group)) return std::nullopt;
  const std::string groups = TRY(read_proc(directory + "/cgroup", kWordsBytesMax)).value_or("");
  for (std::size_t i = 0; i < origins.size(); ++i) {
    if (origins[i].group && origins[i].group->has(groups)) return i;
  }
  return std::nullopt;
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
  if (!found) return false;
  const auto environment = environment_in(found->directory);
  if (!environment && is_refused(environment.error())) return false;
  return has_entry(TRY(environment), environment_entry);
}

Result<std::vector<FoundProcess>> find_processes(const std::vector<ProcessOrigin>& origins) {
  std::vector<ProcessEntry> all;
  std::map<int, std::size_t> origin_of;
  std::map<int, std::size_t> in_group;
  const int own = ::getpid();
  const std::uint32_t own_user = file_access_user();
  std::vector<std::uint32_t> users;
  for (const ProcessOrigin& origin : origins) users.push_back(origin.user.value_or(own_user));
  for (const int pid : TRY(proc_numbers("/proc"))) {
    if (pid == own) continue;
    const auto found = living(pid);
    // /proc was mounted so that it hides what is another user's.
    const bool is_hidden = !found && is_refused(found.error());
    if (is_hidden && std::ranges::all_of(users, [own_user](std::uint32_t user) { return user == own_user; })) continue;
    const auto process = TRY(found);
    if (!process) continue;
    all.push_back({pid, process->stat.parent, process->stat.start_ticks});
    const std::string environment = TRY(environment_of(pid, process->directory, users));
    for (std::size_t i = 0; i < origins.size(); ++i) {
      if (has_entry(environment, origins[i].environment_entry) ||
          std::ranges::find(origins[i].roots, pid) != origins[i].roots.end())
        origin_of.emplace(pid, i);
    }
    const auto group = TRY(group_of(process->directory, origins));
    if (!group) continue;
    in_group.emplace(pid, *group);
    origin_of.emplace(pid, *group);
  }
  add_descendants(all, origin_of);
  std::vector<FoundProcess> found;
  for (const ProcessEntry& process : all) {
    const auto origin = origin_of.find(process.pid);
    if (origin == origin_of.end()) continue;
    const auto group = in_group.find(process.pid);
    found.push_back({process, origin->second, group == in_group.end() ? std::nullopt : std::optional(group->second)});
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
  if (::stat(directory.c_str(), &wanted) != 0) {
    if (errno == ENOENT) return false;
    return base::fail_errno("cannot look into " + directory, errno);
  }
  const std::string process = of_process(pid);
  const auto seen = look_with_its_rights(process, [&]() -> Result<bool> {
    if (::stat((process + "/cwd").c_str(), &found) == 0) return true;
    if (errno == ENOENT || errno == ESRCH) return false;
    return base::fail_errno("cannot look into " + process + "/cwd", errno);
  });
  if (!seen && is_refused(seen.error())) {
    const auto ids = TRY(ids_of(process));
    if (!ids || !ids->is_of(file_access_user())) return false;
    return cannot_look_at(pid, seen.error());
  }
  return TRY(seen) && wanted.st_dev == found.st_dev && wanted.st_ino == found.st_ino;
}

namespace {

// The places below a directory, by its path without links.
class Below {
 public:
  explicit Below(std::string root) : root_(std::move(root)) {}
  [[nodiscard]] bool has(std::string_view path) const {
    return path.starts_with(root_) && (path.size() == root_.size() || path[root_.size()] == '/');
  }

 private:
  std::string root_;
};

Result<bool> has_open(const std::string& process, const std::vector<std::string>& links) {
  for (const int number : TRY(proc_numbers(process + "/fd"))) {
    const auto target = proc_link(process + "/fd/" + std::to_string(number));
    if (!target && target.error().cause == Cause::kTooLarge) continue;  // of a file
    if (TRY(target) && std::ranges::find(links, **target) != links.end()) return true;
  }
  return false;
}

// What a process has there, if it has something. A path that is too long to be told is an error only where nothing else
// is found.
Result<std::optional<std::string>> held_by(const std::string& process, const Below& below) {
  std::vector<std::string> links{process + "/cwd"};
  const auto names = TRY(proc_names(process + "/fd"));
  for (const std::string& name : names.value_or(std::vector<std::string>()))
    if (name != "." && name != "..") links.push_back(process + "/fd/" + name);
  std::optional<Error> too_long;
  for (const std::string& link : links) {
    const auto target = proc_link(link);
    if (!target && target.error().cause == Cause::kTooLarge) {
      too_long = target.error();
      continue;
    }
    if (TRY(target) && below.has(**target)) return **target;
  }
  std::string mapped;
  (void)TRY(read_proc_lines(process + "/maps", [&](std::string_view line) {
    // No field before the path has a slash.
    const std::string_view path = line.substr(std::min(line.find('/'), line.size()));
    if (below.has(path)) mapped = path;
    return mapped.empty();
  }));
  if (!mapped.empty()) return mapped;
  if (too_long) return std::unexpected(std::move(*too_long));
  return std::nullopt;
}

}  // namespace

Result<std::optional<FileHolder>> holder_below(const std::string& directory) {
  std::string root = directory;
  std::array<char, PATH_MAX> real{};
  if (::realpath(directory.c_str(), real.data()) != nullptr) {
    root = real.data();
  } else if (errno != ENOENT) {
    return base::fail_errno("cannot look into " + directory, errno);
  }
  struct stat info{};
  const std::uint32_t owner = ::stat(root.c_str(), &info) == 0 ? info.st_uid : file_access_user();
  const Below below(root);
  for (const int pid : TRY(proc_numbers("/proc"))) {
    if (pid == ::getpid()) continue;
    const auto look = [&]() -> Result<std::optional<std::string>> {
      const auto found = TRY(living(pid));
      if (!found) return std::nullopt;
      return look_with_its_rights(found->directory, [&] { return held_by(found->directory, below); });
    };
    auto held = look();
    if (!held && (is_refused(held.error()) || held.error().cause == Cause::kTooLarge)) {
      const auto ids = ids_of(of_process(pid));
      const bool may_hold = ids && *ids && (*ids)->is_of(owner);
      if (!may_hold || (is_refused(held.error()) && (*ids)->is_of(file_access_user()))) continue;
      held = look_until_seen(look);
      if (!held) return cannot_look_at(pid, held.error());
    }
    if (TRY(held)) return FileHolder{pid, **held};
  }
  return std::nullopt;
}

Result<Openers> openers_of(const std::vector<std::string>& links) {
  Openers openers;
  if (links.empty()) return openers;
  for (const int pid : TRY(proc_numbers("/proc"))) {
    const auto has_one = [&]() -> Result<bool> {
      const auto found = TRY(living(pid));
      if (!found) return false;
      return look_with_its_rights(found->directory, [&] { return has_open(found->directory, links); });
    }();
    if (!has_one && is_refused(has_one.error())) {
      openers.is_whole = false;
    } else if (TRY(has_one)) {
      openers.pids.push_back(pid);
    }
  }
  return openers;
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
