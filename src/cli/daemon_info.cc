#include "cli/daemon_info.h"

#include <fstream>
#include <limits>
#include <sstream>

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
  const auto start = text_of(*json, "process_start");
  const auto address = text_of(*json, "address");
  const auto store = text_of(*json, "store");
  if (!pid || *pid == 0 || !port || !start || !address || !store) return std::nullopt;
  return DaemonInfo{static_cast<int>(*pid), *start, *address, static_cast<std::uint16_t>(*port), *store};
}

}  // namespace

std::optional<std::string> process_start(int pid) {
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

Result<std::optional<DaemonInfo>> running_daemon(env::Env env, const instance::HomePaths& paths) {
  if (!TRY(env.fs.info(info_path(paths)))) return std::nullopt;
  const auto text = env::read_file(env.fs, info_path(paths), kInfoBytesMax);
  // It may have been removed meanwhile.
  if (!text) return std::nullopt;
  auto info = parse_info(*text);
  if (!info || process_start(info->pid) != info->process_start) return std::nullopt;
  return info;
}

Result<void> write_daemon_info(env::Env env, const instance::HomePaths& paths, const DaemonInfo& info) {
  const Json json = Json::Object{{"pid", info.pid},
                                 {"process_start", info.process_start},
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
