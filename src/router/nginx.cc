#include "router/nginx.h"

#include <algorithm>
#include <charconv>
#include <csignal>
#include <vector>

#include "base/encoding.h"
#include "env/child_process.h"
#include "env/peer.h"
#include "env/proc_files.h"
#include "env/process.h"
#include "env/process_table.h"
#include "router/nginx_config.h"

namespace spl::router {
namespace {

using namespace std::chrono_literals;

constexpr char kProgram[] = "/usr/sbin/nginx";
constexpr auto kTryAtMost = 30s;
constexpr auto kStopAtMost = 15s;
constexpr auto kPortAnswer = 1s;
constexpr std::size_t kConfigBytesMax = 64u << 20;
constexpr auto kReloadAtMost = 15s;
constexpr auto kReloadLook = 20ms;
constexpr std::string_view kWorkerTitle = "nginx: worker process";

env::ChildOptions nginx(const std::string& config_file, std::vector<std::string> more) {
  env::ChildOptions options;
  options.arguments = {kProgram, "-c", config_file, "-e", "stderr"};
  options.arguments.insert(options.arguments.end(), more.begin(), more.end());
  options.environment = {"PATH=/usr/sbin:/usr/bin:/sbin:/bin", "LC_ALL=C.UTF-8"};
  return options;
}

// What nginx has said, without what is not the reason.
std::string reason_in(const std::string& said) {
  const std::size_t at = said.find("[emerg] ");
  if (at == std::string::npos) return base::escaped(said, 400);
  std::string reason = said.substr(at + 8, said.find('\n', at) - at - 8);
  // "12#12: bind() to ..."
  if (const std::size_t colon = reason.find(": "); colon != std::string::npos && reason.find('#') < colon)
    reason.erase(0, colon + 2);
  return base::escaped(reason, 400);
}

// Those of its workers that take connections: one that is told to end says so in its title.
Result<std::vector<int>> workers_of(int master) {
  std::vector<int> workers;
  for (const int pid : TRY(env::proc_numbers("/proc"))) {
    const auto entry = TRY(env::process_entry(pid));
    if (!entry || entry->parent != master) continue;
    const auto words = env::command_line(pid);
    if (words && !words->empty() && words->front() == kWorkerTitle) workers.push_back(pid);
  }
  return workers;
}

// nginx reads what it is to serve in its own time: until its workers are others the one before answers.
Result<void> wait_until_others_serve(env::Env env, int master, const std::vector<int>& before) {
  const auto end = env.clock.steady() + kReloadAtMost;
  for (;;) {
    const std::vector<int> now = TRY(workers_of(master));
    const bool is_old =
        std::ranges::any_of(now, [&before](int pid) { return std::ranges::find(before, pid) != before.end(); });
    if (!now.empty() && !is_old) return {};
    if (env.clock.steady() > end)
      return fail(ErrorCode::kUnavailable, Cause::kTimeout, "nginx has not taken the configuration",
                  "logs/router.log in the home says why; what was served before still is");
    env.clock.sleep_for(kReloadLook);
  }
}

}  // namespace

std::string Nginx::config_file() const {
  return env::join(run_directory(paths_), "nginx.conf");
}
std::string Nginx::wanted_file() const {
  return env::join(kept_directory(paths_), "wanted");
}

Result<void> Nginx::check() const {
  if (TRY(env_.fs.info(kProgram))) return {};
  return fail(ErrorCode::kUnavailable, "nginx is not installed: there is no " + std::string(kProgram),
              "apt-get install nginx-light");
}

Result<bool> Nginx::is_wanted() const {
  return TRY(env_.fs.info(wanted_file())).has_value();
}

// A number that another process has by now is none: its command line names the configuration.
Result<int> Nginx::process() const {
  const std::string file = env::join(run_directory(paths_), "nginx.pid");
  if (!TRY(env_.fs.info(file))) return 0;
  const std::string text = TRY(env::read_file(env_.fs, file, 64));
  int pid = 0;
  std::from_chars(text.data(), text.data() + text.size(), pid);
  if (pid <= 0 || !TRY(env::process_entry(pid))) return 0;
  const auto words = env::command_line(pid);
  if (!words) return 0;
  // nginx writes one word of its own over them: "nginx: master process /usr/sbin/nginx -c FILE -e stderr".
  const bool is_it = std::ranges::any_of(
      *words, [this](const std::string& word) { return word.find(config_file()) != std::string::npos; });
  return is_it ? pid : 0;
}

Result<bool> Nginx::is_running() const {
  return TRY(process()) != 0;
}

Result<void> Nginx::write(const RouterPlan& plan) {
  const std::string run = run_directory(paths_);
  // Its workers, who are another user, pass through to nothing but what nginx makes for them.
  TRY(env::make_directories(env_.fs, run, 0711));
  TRY(env::make_directories(env_.fs, env::join(run, "tmp"), 0711));
  // nginx lets everybody connect to a socket of its own: its directory is passed by the machine's router alone.
  if (!plan.front.empty()) TRY(env::make_directories(env_.fs, env::parent_of(plan.front), 0710));
  if (!plan.challenge_directory.empty()) TRY(env::make_directories(env_.fs, plan.challenge_directory, 0755));
  TRY(env::make_directories(env_.fs, env::join(paths_.root, "logs")));
  return env::write_file_atomically(env_.fs, config_file() + ".new", nginx_config(plan));
}

Result<void> Nginx::try_out(const std::string& file) {
  const auto tried = TRY(env::run_command(nginx(file, {"-q", "-t"}), "", {.at_most = kTryAtMost}));
  if (tried.exit.ok()) return {};
  return fail(ErrorCode::kUsage, "nginx does not take the router's configuration: " + reason_in(tried.said),
              "what was served before still is; mend [router] in config.toml, or the routes of services");
}

// nginx says that a port is taken, but not by whom, and where it runs already only in its log.
Result<void> Nginx::check_ports(const RouterPlan& plan, bool is_running) const {
  if (!plan.front.empty()) return {};
  const int own = is_running ? TRY(process()) : 0;
  std::vector<std::uint16_t> ports{plan.https};
  if (plan.http != 0) ports.push_back(plan.http);
  for (const RoutedService& service : plan.services) {
    if (service.port != 0) ports.push_back(service.port);
  }
  for (const std::uint16_t port : ports) {
    const auto peers = env::peers_of("tcp:127.0.0.1:" + std::to_string(port), kPortAnswer);
    if (!peers || peers->empty()) continue;
    const int pid = peers->front();
    const auto entry = TRY(env::process_entry(pid));
    if (own != 0 && (pid == own || (entry && entry->parent == own))) continue;
    return fail(ErrorCode::kUnavailable,
                "port " + std::to_string(port) + " is taken by " + base::escaped(env::process_name(pid), 100) +
                    " (pid " + std::to_string(pid) + ")",
                "end it, or give other ports in [router] of config.toml");
  }
  return {};
}

Result<void> Nginx::serve(const RouterPlan& plan, Reload reloads) {
  TRY(check());
  const bool runs = TRY(is_running());
  TRY(write(plan));
  const std::string tried = config_file() + ".new";
  if (runs && reloads == Reload::kWhenChanged && TRY(env_.fs.info(config_file())) &&
      TRY(env::read_file(env_.fs, config_file(), kConfigBytesMax)) ==
          TRY(env::read_file(env_.fs, tried, kConfigBytesMax)))
    return env_.fs.remove(tried);
  TRY(try_out(tried));
  TRY(check_ports(plan, runs));
  TRY(env_.fs.rename(tried, config_file()));
  if (runs) {
    const int master = TRY(process());
    const std::vector<int> before = TRY(workers_of(master));
    const auto handle = TRY(env::ProcessHandle::open(master));
    if (!handle || !TRY(handle->signal(SIGHUP)))
      return fail(ErrorCode::kUnavailable, "nginx has ended meanwhile", "spl router start");
    TRY(wait_until_others_serve(env_, master, before));
  } else {
    // One that was killed has left it.
    if (!plan.front.empty()) TRY(env_.fs.remove(plan.front));
    const auto started = TRY(env::run_command(nginx(config_file(), {}), "", {.at_most = kTryAtMost}));
    if (!started.exit.ok())
      return fail(ErrorCode::kUnavailable, "nginx does not start: " + reason_in(started.said),
                  "see logs/router.log in the home");
  }
  TRY(env::make_directories(env_.fs, kept_directory(paths_)));
  return env::write_file_atomically(env_.fs, wanted_file(), "");
}

Result<bool> Nginx::stop(base::Progress& progress) {
  TRY(env_.fs.remove(wanted_file()));
  const int pid = TRY(process());
  if (pid == 0) return false;
  const auto handle = TRY(env::ProcessHandle::open(pid));
  if (!handle) return false;
  progress.step("stopping nginx");
  TRY(handle->signal(SIGTERM));
  if (!handle->wait(kStopAtMost)) return fail(Cause::kTimeout, "nginx (pid " + std::to_string(pid) + ") does not end");
  return true;
}

}  // namespace spl::router
