#include "env/control_group.h"

#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <cerrno>
#include <vector>

#include "base/words.h"
#include "env/proc_files.h"

namespace spl::env {
namespace {

constexpr std::size_t kTextBytesMax = 4u << 20;
constexpr std::array kVersions{GroupVersion::kTwo, GroupVersion::kOne};
constexpr mode_t kGroupMode = 0755;  // who may read it sees no more than /proc shows

// A mounted tree of groups: what /proc/PID/cgroup calls `root` stands at `mount`.
struct Hierarchy {
  GroupVersion version = GroupVersion::kTwo;
  std::string root;
  std::string mount;
};

bool has_word(std::string_view list, std::string_view word) {
  return std::ranges::any_of(base::split(list, ','), [word](const std::string& one) { return one == word; });
}

// "\040" is a space.
std::string unescaped(std::string_view text) {
  constexpr std::size_t kDigits = 3;
  std::string out;
  for (std::size_t i = 0; i < text.size(); ++i) {
    if (text[i] == '\\' && i + kDigits < text.size()) {
      out += static_cast<char>((text[i + 1] - '0') * 64 + (text[i + 2] - '0') * 8 + (text[i + 3] - '0'));
      i += kDigits;
    } else {
      out += text[i];
    }
  }
  return out;
}

// "36 35 0:27 ROOT MOUNT OPTIONS shared:1 - cgroup2 cgroup SUPER_OPTIONS".
std::optional<Hierarchy> parse_mount(std::string_view line) {
  constexpr std::string_view kSeparator = " - ";
  const std::size_t at = line.find(kSeparator);
  if (at == std::string_view::npos) return std::nullopt;
  const std::vector<std::string> before = base::split(line.substr(0, at), ' ');
  const std::vector<std::string> after = base::split(line.substr(at + kSeparator.size()), ' ');
  if (before.size() < 5 || after.size() < 3) return std::nullopt;
  const bool is_two = after[0] == "cgroup2";
  if (!is_two && (after[0] != "cgroup" || !has_word(after[2], "freezer"))) return std::nullopt;
  return Hierarchy{is_two ? GroupVersion::kTwo : GroupVersion::kOne, unescaped(before[3]), unescaped(before[4])};
}

Result<std::vector<Hierarchy>> hierarchies() {
  std::vector<Hierarchy> found;
  (void)TRY(read_proc_lines("/proc/self/mountinfo", [&found](std::string_view line) {
    if (auto one = parse_mount(line)) found.push_back(std::move(*one));
    return true;
  }));
  return found;
}

// Whether it is the place or lies below it; "/" is above everything.
bool is_below(std::string_view path, std::string_view place) {
  if (place == "/") return path.starts_with('/');
  return path.starts_with(place) && (path.size() == place.size() || path[place.size()] == '/');
}

std::string joined(std::string_view place, std::string_view below) {
  return std::string(place == "/" ? "" : place) + std::string(below);
}

std::string_view rest_of(std::string_view path, std::string_view place) {
  return place == "/" ? (path == "/" ? "" : path) : path.substr(place.size());
}

// "0::/user.slice" or "6:cpu,freezer:/a": the path of the one that counts; nothing where the process is in none.
std::optional<std::string_view> path_in(std::string_view groups, GroupVersion version) {
  while (!groups.empty()) {
    const std::string_view line = groups.substr(0, groups.find('\n'));
    groups.remove_prefix(std::min(groups.size(), line.size() + 1));
    const std::size_t first = line.find(':');
    const std::size_t second = first == std::string_view::npos ? first : line.find(':', first + 1);
    if (second == std::string_view::npos) continue;
    const std::string_view controllers = line.substr(first + 1, second - first - 1);
    const bool is_it = version == GroupVersion::kTwo ? line.starts_with("0::") : has_word(controllers, "freezer");
    if (is_it) return line.substr(second + 1);
  }
  return std::nullopt;
}

Result<std::string> own_groups() {
  return TRY(read_proc("/proc/self/cgroup", kTextBytesMax)).value_or("");
}

std::unexpected<Error> no_freezer(const std::string& why) {
  return fail(ErrorCode::kUnavailable, "there is no freezer of control groups here: " + why);
}

struct OwnGroup {
  std::string directory;
  std::string path;
};
Result<OwnGroup> own_group(GroupVersion version) {
  const std::string groups = TRY(own_groups());
  const auto path = path_in(groups, version);
  if (!path || path->find("/..") != std::string_view::npos) return no_freezer("this process is in no group");
  for (const Hierarchy& one : TRY(hierarchies())) {
    if (one.version == version && is_below(*path, one.root))
      return OwnGroup{joined(one.mount, rest_of(*path, one.root)), std::string(*path)};
  }
  return no_freezer("it is not mounted");
}

// As open, write and close; the kernel takes such a word as a whole.
Result<void> write_word(const std::string& file, std::string_view word) {
  const Descriptor descriptor(::open(file.c_str(), O_WRONLY | O_CLOEXEC | O_NOFOLLOW));
  if (!descriptor.is_open() || ::write(descriptor.number(), word.data(), word.size()) < 0)
    return base::fail_errno("cannot write " + file, errno);
  return {};
}

}  // namespace

std::string_view thaw_word(GroupVersion version) {
  return version == GroupVersion::kTwo ? "0" : "THAWED";
}

std::string_view group_name(std::string_view directory) {
  return directory.substr(directory.rfind('/') + 1);
}

std::string ControlGroup::switch_file() const {
  return directory_ + (version_ == GroupVersion::kTwo ? "/cgroup.freeze" : "/freezer.state");
}

Result<ControlGroup> ControlGroup::make(GroupVersion version, const std::string& name) {
  const OwnGroup own = TRY(own_group(version));
  ControlGroup group(version, joined(own.directory, "/" + name), joined(own.path, "/" + name));
  const bool is_made = ::mkdir(group.directory_.c_str(), kGroupMode) == 0;
  if (!is_made && errno != EEXIST) return base::fail_errno("cannot make the control group " + name, errno);
  if (::access(group.switch_file().c_str(), F_OK) == 0) return group;
  if (is_made) ::rmdir(group.directory_.c_str());
  return no_freezer("its groups cannot be frozen");
}

Result<std::optional<ControlGroup>> ControlGroup::at(const std::string& directory) {
  const Hierarchy* nearest = nullptr;
  const std::vector<Hierarchy> all = TRY(hierarchies());
  for (const Hierarchy& one : all) {
    if (is_below(directory, one.mount) && (nearest == nullptr || one.mount.size() >= nearest->mount.size()))
      nearest = &one;
  }
  if (nearest == nullptr || directory.find("/..") != std::string::npos)
    return no_freezer("none is mounted above " + directory);
  ControlGroup group(nearest->version, directory, joined(nearest->root, rest_of(directory, nearest->mount)));
  if (TRY(group.is_gone())) return std::nullopt;
  if (::access(group.switch_file().c_str(), F_OK) != 0) return no_freezer(directory + " cannot be frozen");
  return group;
}

Result<std::optional<ControlGroup>> ControlGroup::named(const std::string& path) {
  if (!path.starts_with('/') || path.size() < 2) return no_freezer("no group is called " + path);
  for (const Hierarchy& one : TRY(hierarchies())) {
    if (one.version == GroupVersion::kTwo && is_below(path, one.root))
      return at(joined(one.mount, rest_of(path, one.root)));
  }
  return no_freezer("control groups of version 2 are not mounted");
}

Result<std::optional<ControlGroup>> ControlGroup::around(int pid, std::string_view word) {
  const auto groups = TRY(read_proc("/proc/" + std::to_string(pid) + "/cgroup", kTextBytesMax));
  if (!groups || word.empty()) return std::nullopt;
  for (const Hierarchy& one : TRY(hierarchies())) {
    const auto path = path_in(*groups, one.version);
    const std::size_t at_word = path ? path->find(word) : std::string_view::npos;
    if (at_word == std::string_view::npos || !is_below(*path, one.root)) continue;
    const std::string directory = joined(one.mount, rest_of(path->substr(0, path->find('/', at_word)), one.root));
    const auto found = at(directory);
    if (found && *found) return *found;
    if (!found && found.error().code != ErrorCode::kUnavailable) return std::unexpected(found.error());
  }
  return std::nullopt;
}

bool ControlGroup::has(std::string_view groups_of_process) const {
  const auto path = path_in(groups_of_process, version_);
  return path && is_below(*path, path_);
}

Result<bool> ControlGroup::has_this_process() const {
  return has(TRY(own_groups()));
}

Result<void> ControlGroup::join() const {
  return write_word(directory_ + "/cgroup.procs", "0");
}

Result<bool> ControlGroup::is_gone() const {
  struct stat info{};
  if (::stat(directory_.c_str(), &info) == 0) return false;
  if (errno == ENOENT) return true;
  return base::fail_errno("cannot look into " + directory_, errno);
}

Result<ControlGroup::State> ControlGroup::state() const {
  const bool is_two = version_ == GroupVersion::kTwo;
  const auto look = [&]() -> Result<State> {
    const std::string told = TRY(read_proc(directory_ + (is_two ? "/cgroup.events" : "/freezer.state"), kTextBytesMax))
                                 .value_or(is_two ? "frozen 1" : "FROZEN");
    if (!is_two)
      return told.starts_with("THAWED") ? State::kThawed
                                        : (told.starts_with("FROZEN") ? State::kFrozen : State::kFreezing);
    if (told.find("frozen 1") != std::string::npos) return State::kFrozen;
    const std::string wanted = TRY(read_proc(switch_file(), kTextBytesMax)).value_or("1");
    return wanted.starts_with('1') ? State::kFreezing : State::kThawed;
  };
  auto seen = look();
  if (!seen && TRY(is_gone())) return State::kFrozen;
  return seen;
}

Result<void> ControlGroup::set(std::string_view word) const {
  auto done = write_word(switch_file(), word);
  if (!done && TRY(is_gone())) return {};
  return done;
}

Result<void> ControlGroup::freeze() const {
  return set(version_ == GroupVersion::kTwo ? "1" : "FROZEN");
}

Result<void> ControlGroup::thaw() const {
  return set(thaw_word(version_));
}

Result<Descriptor> ControlGroup::open_switch() const {
  Descriptor descriptor(::open(switch_file().c_str(), O_WRONLY | O_CLOEXEC | O_NOFOLLOW));
  if (!descriptor.is_open()) return base::fail_errno("cannot open " + switch_file(), errno);
  return descriptor;
}

Result<bool> ControlGroup::remove() const {
  const auto names = TRY(proc_names(directory_));
  if (!names) return true;
  for (const std::string& name : *names) {
    struct stat info{};
    const std::string below = directory_ + "/" + name;
    if (name == "." || name == ".." || ::lstat(below.c_str(), &info) != 0 || !S_ISDIR(info.st_mode)) continue;
    if (!TRY(ControlGroup(version_, below, path_ + "/" + name).remove())) return false;
  }
  if (::rmdir(directory_.c_str()) == 0 || errno == ENOENT) return true;
  if (errno == EBUSY) return false;
  return base::fail_errno("cannot remove the control group " + directory_, errno);
}

Result<void> leave_groups(std::string_view name_begins_with) {
  const std::string within = "/" + std::string(name_begins_with);
  for (const GroupVersion version : kVersions) {
    const auto own = own_group(version);
    if (!own) continue;  // where there is none it is in none
    const std::size_t in_path = own->path.find(within);
    if (in_path == std::string::npos) continue;
    // The two end alike, from there on.
    const std::size_t below = own->path.size() - in_path;
    if (below > own->directory.size()) continue;  // the one above is not seen from here
    TRY(write_word(own->directory.substr(0, own->directory.size() - below) + "/cgroup.procs", "0"));
  }
  return {};
}

}  // namespace spl::env
