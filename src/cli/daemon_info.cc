#include "cli/daemon_info.h"

#include <fcntl.h>
#include <sys/file.h>
#include <unistd.h>

#include <array>
#include <cerrno>
#include <fstream>
#include <limits>
#include <sstream>

#include "cli/gateway.h"
#include "codec/json.h"

namespace spl::cli {
namespace {

using codec::Json;

constexpr std::size_t kInfoBytesMax = 64u << 10;
constexpr int kStartField = 22;  // proc(5), counted from 1

std::string info_path(const instance::HomePaths& paths) {
  return env::join(paths.run(), "daemon.json");
}

std::optional<std::string> text_of(const Json& json, std::string_view name) {
  const Json* member = json.find(name);
  return member == nullptr || member->string() == nullptr ? std::nullopt : std::optional(*member->string());
}

std::optional<std::uint64_t> number_of(const Json& json, std::string_view name, std::uint64_t max) {
  const Json* member = json.find(name);
  if (member == nullptr) return std::nullopt;
  const auto number = member->whole_number();
  return number && *number <= max ? std::optional(*number) : std::nullopt;
}

// Nothing where the file is not one that write_daemon_info made.
std::optional<DaemonInfo> parse_info(std::string_view text) {
  const auto json = Json::parse(text);
  if (!json) return std::nullopt;
  const auto pid = number_of(*json, "pid", std::numeric_limits<int>::max());
  const auto port = number_of(*json, "port", std::numeric_limits<std::uint16_t>::max());
  const auto mark = text_of(*json, "process_mark");
  const auto address = text_of(*json, "address");
  const auto store = text_of(*json, "store");
  if (!pid || *pid == 0 || !port || !mark || !address || !store) return std::nullopt;
  return DaemonInfo{static_cast<int>(*pid), *mark, *address, static_cast<std::uint16_t>(*port), *store};
}

// When a process began, in ticks since the machine did (proc(5)).
std::optional<std::string> start_of(int pid) {
  std::ifstream file("/proc/" + std::to_string(pid) + "/stat");
  std::string line;
  if (!std::getline(file, line)) return std::nullopt;
  // The second field is the program's name in parentheses and may hold anything.
  const std::size_t name_end = line.rfind(')');
  if (name_end == std::string::npos) return std::nullopt;
  std::istringstream rest(line.substr(name_end + 1));
  std::string state;
  std::string field;
  rest >> state;
  if (state == "Z" || state == "X") return std::nullopt;
  for (int i = 3; i < kStartField && rest >> field;) ++i;
  return field.empty() ? std::nullopt : std::optional(field);
}

std::string boot_id() {
  std::ifstream file("/proc/sys/kernel/random/boot_id");
  std::string id;
  std::getline(file, id);
  return id;
}

// "pid:[4026531836]": elsewhere the same number is another process.
std::string pid_namespace() {
  std::array<char, 64> name{};
  const ssize_t n = ::readlink("/proc/self/ns/pid", name.data(), name.size());
  return n > 0 ? std::string(name.data(), static_cast<std::size_t>(n)) : std::string();
}

bool is_locked(const std::string& path) {
  const int file = ::open(path.c_str(), O_RDONLY | O_CLOEXEC | O_NOFOLLOW);
  if (file < 0) return false;
  const bool locked = ::flock(file, LOCK_SH | LOCK_NB) != 0 && errno == EWOULDBLOCK;
  ::close(file);
  return locked;
}

}  // namespace

std::optional<std::string> process_mark(int pid) {
  auto start = start_of(pid);
  if (!start) return std::nullopt;
  return boot_id() + " " + pid_namespace() + " " + *start;
}

bool is_alive(const DaemonInfo& info, const instance::HomePaths& paths) {
  if (process_mark(info.pid) != info.process_mark) return false;
  // The kernel does not name the holder of every lock: on some file systems it tells only that there is one.
  const auto holder = lock_holder(paths.lock());
  return holder ? *holder == info.pid : is_locked(paths.lock());
}

Result<std::optional<DaemonInfo>> running_daemon(env::Env env, const instance::HomePaths& paths) {
  if (!TRY(env.fs.info(info_path(paths)))) return std::nullopt;
  const auto text = env::read_file(env.fs, info_path(paths), kInfoBytesMax);
  // It may have been removed meanwhile.
  if (!text) return std::nullopt;
  auto info = parse_info(*text);
  if (!info || !is_alive(*info, paths)) return std::nullopt;
  return info;
}

Result<void> write_daemon_info(env::Env env, const instance::HomePaths& paths, const DaemonInfo& info) {
  const Json json = Json::Object{{"pid", info.pid},
                                 {"process_mark", info.process_mark},
                                 {"address", info.address},
                                 {"port", info.port},
                                 {"store", info.store_url}};
  TRY(env::write_file_atomically(env.fs, info_path(paths), json.text() + "\n"));
  return env::write_file_atomically(env.fs, paths.pid(), std::to_string(info.pid) + "\n");
}

void remove_daemon_info(env::Env env, const instance::HomePaths& paths) {
  // What stays is seen to be stale.
  (void)env.fs.remove(paths.pid());
  (void)env.fs.remove(info_path(paths));
}

}  // namespace spl::cli
