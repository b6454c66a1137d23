#include "env/process_table.h"

#include <dirent.h>
#include <fcntl.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <charconv>
#include <climits>

#include "base/encoding.h"
#include "env/descriptor.h"

namespace spl::env {
namespace {

constexpr std::size_t kEnvironmentBytesMax = 4u << 20;

std::string read_all(const std::string& path, std::size_t bytes_max) {
  const Descriptor file(::open(path.c_str(), O_RDONLY | O_CLOEXEC));
  std::string text;
  if (!file.is_open()) return text;
  std::array<char, 16u << 10> piece{};
  while (text.size() < bytes_max) {
    const ssize_t n = ::read(file.number(), piece.data(), piece.size());
    if (n <= 0) break;
    text.append(piece.data(), static_cast<std::size_t>(n));
  }
  return text;
}

std::vector<std::string> names_in(const std::string& directory) {
  std::vector<std::string> names;
  DIR* stream = ::opendir(directory.c_str());
  if (stream == nullptr) return names;
  while (const dirent* entry = ::readdir(stream)) names.emplace_back(&entry->d_name[0]);
  ::closedir(stream);
  return names;
}

std::vector<int> all_processes() {
  std::vector<int> pids;
  for (const std::string& name : names_in("/proc")) {
    int pid = 0;
    const auto [end, error] = std::from_chars(name.data(), name.data() + name.size(), pid);
    if (error == std::errc() && end == name.data() + name.size()) pids.push_back(pid);
  }
  return pids;
}

std::string of_process(int pid, const char* what) {
  return "/proc/" + std::to_string(pid) + "/" + what;
}

std::string link_target(const std::string& path) {
  std::array<char, PATH_MAX> target{};
  const ssize_t n = ::readlink(path.c_str(), target.data(), target.size());
  return n <= 0 ? std::string() : std::string(target.data(), static_cast<std::size_t>(n));
}

bool has_entry(std::string_view environment, std::string_view entry) {
  while (!environment.empty()) {
    const std::string_view one = environment.substr(0, environment.find('\0'));
    if (one == entry) return true;
    environment.remove_prefix(std::min(environment.size(), one.size() + 1));
  }
  return false;
}

}  // namespace

char process_state(int pid) {
  const std::string stat = read_all(of_process(pid, "stat"), 4096);
  const std::size_t name_end = stat.rfind(')');
  return name_end == std::string::npos || name_end + 2 >= stat.size() ? '\0' : stat[name_end + 2];
}

bool has_in_environment(int pid, const std::vector<std::string>& environment_entries) {
  const std::string environment = read_all(of_process(pid, "environ"), kEnvironmentBytesMax);
  return std::ranges::any_of(environment_entries,
                             [&](const std::string& entry) { return has_entry(environment, entry); });
}

std::vector<int> processes_with(const std::vector<std::string>& environment_entries) {
  std::vector<int> found;
  for (const int pid : all_processes()) {
    if (pid == ::getpid() || !has_in_environment(pid, environment_entries)) continue;
    const char state = process_state(pid);
    if (state != '\0' && state != 'Z' && state != 'X') found.push_back(pid);
  }
  return found;
}

std::optional<FileHolder> holder_below(const std::string& directory) {
  std::string root = directory;
  std::array<char, PATH_MAX> real{};
  if (::realpath(directory.c_str(), real.data()) != nullptr) root = real.data();
  const auto lies_below = [&root](std::string_view path) {
    return path.starts_with(root) && (path.size() == root.size() || path[root.size()] == '/');
  };
  for (const int pid : all_processes()) {
    if (pid == ::getpid()) continue;
    const std::string fds = of_process(pid, "fd");
    for (const std::string& name : names_in(fds)) {
      const std::string target = link_target(fds + "/" + name);
      if (lies_below(target)) return FileHolder{pid, target};
    }
    const std::string cwd = link_target(of_process(pid, "cwd"));
    if (lies_below(cwd)) return FileHolder{pid, cwd};
    const std::string maps = read_all(of_process(pid, "maps"), 16u << 20);
    for (std::size_t at = maps.find(root); at != std::string::npos; at = maps.find(root, at + 1)) {
      const std::string_view path = std::string_view(maps).substr(at, maps.find('\n', at) - at);
      if (at > 0 && maps[at - 1] == ' ' && lies_below(path)) return FileHolder{pid, std::string(path)};
    }
  }
  return std::nullopt;
}

std::string process_name(int pid) {
  constexpr std::size_t kShown = 200;
  std::string line = read_all(of_process(pid, "cmdline"), kShown);
  while (line.ends_with('\0')) line.pop_back();
  std::ranges::replace(line, '\0', ' ');
  return base::escaped(line, kShown);
}

}  // namespace spl::env
