#include "service/systemd.h"

#include <unistd.h>

#include <algorithm>
#include <array>
#include <charconv>
#include <map>

#include "base/encoding.h"
#include "base/words.h"
#include "env/child_process.h"
#include "env/users.h"
#include "service/own_environment.h"

namespace spl::service {
namespace {

using std::chrono::milliseconds;
using namespace std::chrono_literals;

constexpr std::size_t kNameBytesMax = 255;
constexpr std::size_t kSaidBytesShown = 300;
constexpr milliseconds kAnswersAtMost = 30s;
constexpr milliseconds kReloadsAtMost = 90s;
constexpr std::size_t kJournalBytesMax = 4u << 20;
constexpr std::string_view kServiceSuffix = ".service";
constexpr std::array kProperties{"Id",      "LoadState",    "ActiveState", "SubState",   "UnitFileState",
                                 "MainPID", "ControlGroup", "TriggeredBy", "DropInPaths"};

bool is_name_of_unit(std::string_view name) {
  static constexpr std::string_view kMarks = ":-_.\\@";
  if (name.empty() || name.size() > kNameBytesMax || name.front() == '-' || name.front() == '.') return false;
  return std::ranges::all_of(name, [](char c) {
    return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') ||
           kMarks.find(c) != std::string_view::npos;
  });
}

bool is_the_machines() {
  return env::own_user_id() == 0;
}

std::unexpected<Error> not_understood(const std::string& why) {
  return fail(ErrorCode::kUnavailable, "what systemctl says cannot be understood: " + why,
              "systemctl show UNIT says it; spl knows systemd from 247 on");
}

// Where a program of it is missing, that is said as for all that is missing.
Result<env::CommandOutput> run(std::vector<std::string> words, const env::CommandLimits& limits) {
  auto ran = env::run_command({.arguments = std::move(words), .environment = own_environment()}, "", limits);
  if (!ran && ran.error().code == ErrorCode::kUnavailable)
    ran.error().hint = "a service that says unit is run by systemd: install it, or say command";
  return ran;
}

std::vector<std::string> systemctl() {
  std::vector<std::string> words{"systemctl", "--no-pager", "--no-ask-password"};
  if (!is_the_machines()) words.emplace_back("--user");
  return words;
}

std::unexpected<Error> failed(const std::string& what, const env::CommandOutput& output) {
  return fail(ErrorCode::kUnavailable,
              what + " " + output.exit.text() +
                  (output.said.empty() ? "" : ": " + base::escaped(output.said, kSaidBytesShown)));
}

}  // namespace

bool is_service_unit(std::string_view name) {
  if (!is_name_of_unit(name) || !name.ends_with(kServiceSuffix)) return false;
  const std::string_view stem = name.substr(0, name.size() - kServiceSuffix.size());
  return !stem.empty() && !stem.starts_with('@') && !stem.ends_with('@');
}

Result<UnitState> parse_unit_state(std::string_view shown) {
  std::map<std::string, std::string, std::less<>> values;
  if (shown.find('\0') != std::string_view::npos) return not_understood("it has a NUL in it");
  while (!shown.empty()) {
    const std::string_view line = shown.substr(0, shown.find('\n'));
    shown.remove_prefix(std::min(shown.size(), line.size() + 1));
    if (line.empty()) continue;
    const std::size_t equals = line.find('=');
    const std::string_view key = line.substr(0, equals);
    if (equals == std::string_view::npos || std::ranges::find(kProperties, key) == kProperties.end())
      return not_understood("\"" + base::escaped(line, 80) + "\" was not asked for");
    if (!values.emplace(key, line.substr(equals + 1)).second)
      return not_understood(std::string(key) + " is there twice");
  }
  for (const char* key : {"Id", "LoadState", "ActiveState", "SubState"}) {
    if (!values.contains(key) || values[key].empty()) return not_understood(std::string(key) + " is missing");
  }
  UnitState state;
  state.id = values["Id"];
  if (!is_name_of_unit(state.id)) return not_understood("its Id is no name of a unit: " + base::escaped(state.id, 80));
  state.load = values["LoadState"];
  state.active = values["ActiveState"];
  state.sub = values["SubState"];
  state.file = values["UnitFileState"];
  const std::string& pid = values["MainPID"];
  const auto read = std::from_chars(pid.data(), pid.data() + pid.size(), state.main_pid);
  if (!pid.empty() && (read.ec != std::errc() || read.ptr != pid.data() + pid.size() || state.main_pid < 0))
    return not_understood("its MainPID is no number");
  state.control_group = values["ControlGroup"];
  const bool is_path = state.control_group.starts_with('/') && state.control_group.size() > 1 &&
                       state.control_group.find("/..") == std::string::npos;
  if (!state.control_group.empty() && !is_path)
    return not_understood("its ControlGroup is no path: " + base::escaped(state.control_group, 80));
  for (const std::string& name : base::split(values["TriggeredBy"], ' ')) {
    if (name.empty()) continue;
    if (!is_name_of_unit(name)) return not_understood("TriggeredBy has " + base::escaped(name, 80));
    state.triggered_by.push_back(name);
  }
  state.drop_ins = values["DropInPaths"];
  return state;
}

Result<Systemd> Systemd::find() {
  if (is_the_machines()) {
    if (::access("/run/systemd/system", F_OK) == 0) return Systemd("/etc/systemd/system");
    return fail(ErrorCode::kUnavailable, "systemd does not run this machine, and a service says unit",
                "say command, which spl runs by itself, or leave the service out");
  }
  const auto account = TRY(env::find_user(env::own_user_id()));
  if (!account || ::access((own_run_directory() + "/systemd").c_str(), F_OK) != 0)
    return fail(ErrorCode::kUnavailable, "no systemd runs for this user, and a service says unit",
                "loginctl enable-linger USER starts it with the machine; as root spl asks the machine's own");
  return Systemd(account->directory + "/.config/systemd/user");
}

Result<UnitState> Systemd::ask(const std::string& unit) const {
  std::vector<std::string> words = systemctl();
  words.emplace_back("show");
  for (const char* property : kProperties) words.push_back(std::string("--property=") + property);
  words.insert(words.end(), {"--", unit});
  const env::CommandOutput output = TRY(run(std::move(words), {.at_most = kAnswersAtMost}));
  if (!output.exit.ok()) return failed("systemctl show " + unit, output);
  return parse_unit_state(output.output);
}

Result<void> Systemd::order(const std::vector<std::string>& verb, const std::string& unit, milliseconds at_most,
                            base::Progress* progress) const {
  std::vector<std::string> words = systemctl();
  words.insert(words.end(), verb.begin(), verb.end());
  words.insert(words.end(), {"--", unit});
  const env::CommandOutput output = TRY(run(std::move(words), {.at_most = at_most, .progress = progress}));
  return output.exit.ok() ? Result<void>() : failed("systemctl " + verb.front() + " " + unit, output);
}

Result<void> Systemd::reload() const {
  std::vector<std::string> words = systemctl();
  words.emplace_back("daemon-reload");
  const env::CommandOutput output = TRY(run(std::move(words), {.at_most = kReloadsAtMost}));
  return output.exit.ok() ? Result<void>() : failed("systemctl daemon-reload", output);
}

Result<std::string> Systemd::journal(const std::string& unit, int lines, Whose whose) const {
  std::vector<std::string> words{"journalctl", "--no-pager", "--quiet", "--lines=" + std::to_string(lines)};
  if (whose == Whose::kItsOwn) {
    words.insert(words.end(), {"--output=cat", (is_the_machines() ? "_SYSTEMD_UNIT=" : "_SYSTEMD_USER_UNIT=") + unit});
  } else {
    words.insert(words.end(), {"--output=short-iso", (is_the_machines() ? "--unit=" : "--user-unit=") + unit});
  }
  const env::CommandOutput output =
      TRY(run(std::move(words), {.at_most = kAnswersAtMost, .output_bytes_max = kJournalBytesMax}));
  if (!output.exit.ok()) return failed("journalctl", output);
  return output.output;
}

std::string Systemd::drop_in_directory(const std::string& unit_id) const {
  return units_ + "/" + unit_id + ".d";
}

}  // namespace spl::service
