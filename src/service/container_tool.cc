#include "service/container_tool.h"

#include <unistd.h>

#include <algorithm>
#include <array>

#include "base/encoding.h"
#include "base/words.h"
#include "codec/json.h"
#include "env/child_process.h"
#include "env/users.h"
#include "service/own_environment.h"

namespace spl::service {
namespace {

using codec::Json;
using std::chrono::milliseconds;
using namespace std::chrono_literals;

constexpr std::size_t kNameBytesMax = 255;
constexpr std::size_t kSaidBytesShown = 300;
constexpr std::size_t kInspectBytesMax = 4u << 20;
constexpr std::size_t kLogBytesMax = 16u << 20;
constexpr std::size_t kIdDigits = 64;
constexpr std::uint64_t kPidMax = 1u << 22;  // the kernel's own limit
constexpr milliseconds kAnswersAtMost = 120s;

bool is_plain(char c) {
  return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9');
}

bool is_id(std::string_view text) {
  return text.size() == kIdDigits && text.find_first_not_of("0123456789abcdef") == std::string_view::npos;
}

std::unexpected<Error> not_understood(const std::string& why) {
  return fail(ErrorCode::kUnavailable, "what is said of the container cannot be understood: " + why);
}

std::vector<std::string> environment_for(const std::string& tool) {
  std::vector<std::string> entries = own_environment();
  if (tool != "docker") return entries;
  // Never one of another machine: its processes would not be seen from here.
  const std::string socket = own_run_directory() + "/docker.sock";
  const bool has_own = env::own_user_id() != 0 && ::access(socket.c_str(), F_OK) == 0;
  entries.push_back(has_own ? "DOCKER_HOST=unix://" + socket : "DOCKER_CONTEXT=default");
  return entries;
}

Result<env::CommandOutput> run(const std::string& tool, std::vector<std::string> words,
                               const env::CommandLimits& limits) {
  words.insert(words.begin(), tool);
  return env::run_command({.arguments = std::move(words), .environment = environment_for(tool)}, "", limits);
}

std::string what_failed(const std::string& tool, std::string_view verb, const env::CommandOutput& output) {
  return tool + " " + std::string(verb) + " " + output.exit.text() +
         (output.said.empty() ? "" : ": " + base::escaped(output.said, kSaidBytesShown));
}

Result<env::CommandOutput> inspect(const std::string& tool, const std::string& name) {
  return run(tool, {"inspect", "--type", "container", name},
             {.at_most = kAnswersAtMost, .output_bytes_max = kInspectBytesMax});
}

// As a regular expression: the name and nothing else. docker puts a slash before it.
std::string filter_of(const std::string& name) {
  std::string pattern = "name=^/?";
  for (const char c : name) pattern += c == '.' ? std::string("[.]") : std::string(1, c);
  return pattern + "$";
}

const Json* member(const Json& object, std::initializer_list<const char*> path) {
  const Json* at = &object;
  for (const char* name : path) at = at == nullptr ? nullptr : at->find(name);
  return at;
}

Result<bool> truth_of(const Json& container, const char* name) {
  const Json* value = member(container, {"State", name});
  if (value == nullptr || value->boolean() == nullptr)
    return not_understood(std::string("State.") + name + " is no truth value");
  return *value->boolean();
}

Result<RestartPolicy> restart_of(const Json& container) {
  constexpr std::array kKnown{"no", "always", "on-failure", "unless-stopped"};
  RestartPolicy policy;
  const Json* value = member(container, {"HostConfig", "RestartPolicy"});
  const Json* name = value == nullptr ? nullptr : value->find("Name");
  if (name == nullptr || name->string() == nullptr) return not_understood("it has no RestartPolicy");
  if (!name->string()->empty()) policy.name = *name->string();
  if (std::ranges::find(kKnown, policy.name) == kKnown.end())
    return not_understood("its RestartPolicy is " + base::escaped(policy.name, 80));
  const Json* tries = value->find("MaximumRetryCount");
  const auto number = tries == nullptr ? Result<std::uint64_t>(0) : tries->whole_number();
  if (!number) return not_understood("MaximumRetryCount is no whole number");
  if (policy.name == "on-failure") policy.tries = *number;
  return policy;
}

}  // namespace

bool is_container_name(std::string_view name) {
  if (name.empty() || name.size() > kNameBytesMax || !is_plain(name.front())) return false;
  return std::ranges::all_of(name, [](char c) { return is_plain(c) || c == '_' || c == '.' || c == '-'; });
}

Result<ContainerState> parse_container_state(std::string_view inspected) {
  const auto parsed = Json::parse(inspected);
  if (!parsed) return not_understood(parsed.error().message);
  if (parsed->array() == nullptr || parsed->array()->size() != 1) return not_understood("it is not one container");
  const Json& container = parsed->array()->front();
  ContainerState state;
  const Json* id = container.find("Id");
  if (id == nullptr || id->string() == nullptr || !is_id(*id->string())) return not_understood("its Id is none");
  state.id = *id->string();
  const Json* name = container.find("Name");
  if (name == nullptr || name->string() == nullptr) return not_understood("it has no Name");
  state.name = name->string()->starts_with('/') ? name->string()->substr(1) : *name->string();
  if (!is_container_name(state.name)) return not_understood("its Name is " + base::escaped(state.name, 80));
  state.is_paused = TRY(truth_of(container, "Paused"));
  // To podman one that is paused does not run.
  state.runs = TRY(truth_of(container, "Running")) || state.is_paused;
  state.restarts = TRY(truth_of(container, "Restarting"));
  const Json* pid = member(container, {"State", "Pid"});
  const auto number = pid == nullptr ? not_understood("it has no Pid") : pid->whole_number();
  if (!number || *number > kPidMax) return not_understood("its Pid is no process");
  state.pid = static_cast<int>(*number);
  state.restart = TRY(restart_of(container));
  const Json* unit = member(container, {"Config", "Labels", "PODMAN_SYSTEMD_UNIT"});
  if (unit != nullptr && unit->string() != nullptr) state.unit = *unit->string();
  return state;
}

Result<std::optional<std::string>> parse_container_id(std::string_view listed) {
  std::optional<std::string> found;
  for (const std::string& line : base::split(listed, '\n')) {
    if (line.empty()) continue;
    if (!is_id(line)) return not_understood("\"" + base::escaped(line, 80) + "\" is no id");
    if (found) return not_understood("there are two of one name");
    found = line;
  }
  return found;
}

Result<std::pair<Container, ContainerState>> Container::find(const std::string& name) {
  std::vector<std::string> tools{"docker", "podman"};
  if (env::own_user_id() != 0) std::ranges::reverse(tools);
  std::vector<std::string> known;
  std::string failed;
  for (const std::string& tool : tools) {
    const auto inspected = inspect(tool, name);
    if (!inspected && inspected.error().code == ErrorCode::kUnavailable) continue;  // it is not installed
    if (TRY(inspected).exit.ok()) {
      ContainerState state = TRY_IN(tool, parse_container_state(inspected->output));
      // What is no name of any may be the beginning of an id.
      if (state.name == name) return std::pair(Container(tool, state.id), std::move(state));
    }
    // It is not there, or nobody could look: that says no exit code.
    const env::CommandOutput listed =
        TRY(run(tool, {"ps", "--all", "--no-trunc", "--filter", filter_of(name), "--format", "{{.ID}}"},
                {.at_most = kAnswersAtMost}));
    if (!listed.exit.ok()) {
      failed += "; " + what_failed(tool, "ps", listed);
    } else if (TRY_IN(tool, parse_container_id(listed.output))) {
      failed += "; " + what_failed(tool, "inspect", *inspected);
    } else {
      known.push_back(tool);
    }
  }
  if (known.empty() && failed.empty())
    return fail(ErrorCode::kUnavailable, "neither podman nor docker is installed, and a service says container",
                "install one of them, with apt-get install podman, and make the container " + name);
  if (known.empty())
    return fail(ErrorCode::kUnavailable, "the container " + name + " cannot be looked for" + failed,
                "see whether its daemon runs, and whether this user may ask it");
  return fail(ErrorCode::kUnavailable,
              "there is no container " + name + " that " + base::join(known, " or ") + " knows" + failed,
              "make it: spl runs it and never makes it; " + known.front() + " ps --all shows all");
}

Result<ContainerState> Container::ask() const {
  const env::CommandOutput output = TRY(inspect(tool_, id_));
  if (!output.exit.ok()) return fail(ErrorCode::kUnavailable, what_failed(tool_, "inspect", output));
  ContainerState state = TRY_IN(tool_, parse_container_state(output.output));
  if (state.id != id_) return not_understood("it is another container");
  return state;
}

Result<void> Container::order(const std::vector<std::string>& words, milliseconds at_most,
                              base::Progress* progress) const {
  std::vector<std::string> all = words;
  all.push_back(id_);
  const env::CommandOutput output = TRY(run(tool_, std::move(all), {.at_most = at_most, .progress = progress}));
  if (output.exit.ok()) return {};
  return fail(ErrorCode::kUnavailable, what_failed(tool_, words.front(), output));
}

Result<void> Container::start(milliseconds at_most, base::Progress& progress) const {
  return order({"start"}, at_most, &progress);
}

Result<void> Container::stop(milliseconds after) const {
  const auto seconds = std::chrono::ceil<std::chrono::seconds>(after);
  return order({"stop", "-t", std::to_string(seconds.count())}, after + kAnswersAtMost);
}

Result<void> Container::pause() const {
  return order({"pause"}, kAnswersAtMost);
}

Result<void> Container::unpause() const {
  return order({"unpause"}, kAnswersAtMost);
}

Result<void> Container::set_restart(const RestartPolicy& policy) const {
  return order({"update", "--restart=" + policy.text()}, kAnswersAtMost);
}

Result<std::string> Container::log(int lines) const {
  const auto child = TRY(env::ChildProcess::start(
      {.arguments = {tool_, "logs", "--tail", std::to_string(lines), id_}, .environment = environment_for(tool_)}));
  child->limit_waits(kAnswersAtMost, nullptr);
  env::CommandOutput output;
  TRY(child->exchange("", output.output, kLogBytesMax));
  output.exit = TRY(child->wait());
  output.said = child->said(kLogBytesMax);
  if (!output.exit.ok()) return fail(ErrorCode::kUnavailable, what_failed(tool_, "logs", output));
  if (!output.said.empty() && !output.said.ends_with('\n')) output.said += '\n';
  return output.output + output.said;
}

}  // namespace spl::service
