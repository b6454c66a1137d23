// Services under runit: each is a directory in run/runit whose `run` is "spl service X run" (so that no secret stands
// in a file), and runsvdir, started with the first of them in a session of its own, keeps them. Sources: runsvdir(8),
// runsv(8), sv(8).
#include <charconv>
#include <csignal>

#include "base/both.h"
#include "base/encoding.h"
#include "base/words.h"
#include "env/process.h"
#include "env/process_table.h"
#include "env/program_start.h"
#include "env/shell_command.h"
#include "service/processes.h"
#include "service/program.h"
#include "service/service_group.h"
#include "service/supervising.h"
#include "service/supervisor.h"

namespace spl::service {
namespace {

using std::chrono::milliseconds;
using namespace std::chrono_literals;

constexpr milliseconds kLookEvery = 20ms;
constexpr milliseconds kSupervisorTimeout = 15s;  // runsvdir looks for new directories every five seconds
constexpr milliseconds kNoticed = 3s;             // runsv sleeps for a second after a service that has ended at once
constexpr milliseconds kStillTimeout = 10s;
constexpr std::size_t kLogShown = 600;
constexpr std::uint64_t kLogBytesMax = 16u << 20;
constexpr std::uint32_t kProgramMode = 0755;

// What sv says of a service.
struct Supervised {
  bool is_supervised = false;
  // As runsv has noted: it may not have looked for a second, and sv tells it nothing that it seems to know.
  bool is_up = false;
  bool is_wanted_up = false;
  bool runs = false;  // its first process has become the service
  int pid = 0;
};

class Runit final : public Supervisor {
 public:
  Runit(env::Env env, const ServiceSet& set, SecretLookup secrets)
      : env_(env), set_(set), secrets_(std::move(secrets)) {}

  Result<void> check(const Declaration& service) override;
  Result<ServiceStatus> status(const Declaration& service) override;
  Result<bool> is_to_run(const Declaration& service) override;
  Result<void> start(const Declaration& service, base::Progress& progress) override;
  Result<void> stop(const Declaration& service, base::Progress& progress) override;
  Result<void> pause(const Declaration& service) override;
  Result<void> resume(const Declaration& service) override;
  Result<void> hold_down(const Declaration& service, base::Progress& progress) override;
  Result<void> let_up(const Declaration& service) override;
  Result<std::string> log(const Declaration& /*service*/) override { return std::string(); }
  Result<void> shut_down() override;

 private:
  Result<std::string> sv(const std::string& action, const std::string& service);
  Result<Supervised> ask(const std::string& name);
  Result<Supervised> look(const Declaration& service);
  Result<void> write_directory(const Declaration& service);
  Result<void> turn_log(const Declaration& service);
  Result<std::optional<int>> supervisor();
  Result<void> ensure_supervisor(const Declaration& service, base::Progress& progress);
  Result<void> mark_down(const Declaration& service, bool down);
  [[nodiscard]] Result<bool> is_service(int pid, const Declaration& service) const;
  std::string end_of_log(const Declaration& service);
  [[nodiscard]] std::string path(const Declaration& service, std::string_view name) const {
    return env::join(runit_directory_of(set_, service.name), name);
  }
  [[nodiscard]] std::string supervisor_file() const { return env::join(set_.paths().run(), "runsvdir.pid"); }

  env::Env env_;
  const ServiceSet& set_;
  SecretLookup secrets_;
};

// The number with which the text begins; 0 where there is none.
int number_in(std::string_view text) {
  int number = 0;
  std::from_chars(text.data(), text.data() + text.size(), number);
  return number;
}

constexpr std::string_view kPath = "/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin";
constexpr char kInstallHint[] = "install runit, with apt-get install runit";

std::vector<std::string> plain_environment() {
  return {"PATH=" + std::string(kPath), "LANG=C"};
}

// Of this program, for `spl service X run`: the key of the secrets and a keyring are found by it. The service itself
// gets none of it.
std::vector<std::string> whole_environment(env::Env env) {
  std::vector<std::string> entries;
  if (env.variables == nullptr) return plain_environment();
  for (const std::string& name : env.variables->names()) {
    const auto value = env.variables->get(name);
    if (value && name != "SPL_SERVICE") entries.push_back(name + "=" + *value);
  }
  return entries;
}

Result<std::string> Runit::sv(const std::string& action, const std::string& service) {
  const env::ChildOptions options{.arguments = {"sv", action, runit_directory_of(set_, service)},
                                  .environment = plain_environment()};
  auto output = env::run_command(options, "", {.at_most = kSupervisorTimeout});
  if (!output && output.error().code == ErrorCode::kUnavailable) output.error().hint = kInstallHint;
  return TRY(std::move(output)).output;
}

// "run: DIR: (pid 12) 3s", "run: DIR: (pid 12) 3s, paused", "down: DIR: 3s, normally up", "fail: DIR: ...".
// Without `runs`.
Result<Supervised> Runit::ask(const std::string& name) {
  Supervised found;
  if (!TRY(env_.fs.info(env::join(runit_directory_of(set_, name), "supervise")))) return found;
  const std::string said = TRY(sv("status", name));
  found.is_supervised = said.starts_with("run: ") || said.starts_with("down: ") || said.starts_with("finish: ");
  found.is_up = said.starts_with("run: ");
  found.is_wanted_up =
      said.find(", want up") != std::string::npos || (found.is_up && said.find("want down") == std::string::npos);
  const std::size_t pid = said.find("(pid ");
  if (found.is_up && pid != std::string::npos) found.pid = number_in(std::string_view(said).substr(pid + 5));
  return found;
}

Result<Supervised> Runit::look(const Declaration& service) {
  Supervised found = TRY(ask(service.name));
  found.runs = found.pid > 0 && TRY(is_service(found.pid, service));
  return found;
}

// Whether the process, which runsv has started, has become the service: it has its mark, or has overwritten that since,
// and is neither the script nor the program that becomes the service.
Result<bool> Runit::is_service(int pid, const Declaration& service) const {
  if (TRY(env::has_in_environment(pid, mark_of(set_, service)))) return true;
  if (!TRY(env::process_entry(pid))) return false;
  const std::vector<std::string> words = TRY(env::command_line(pid));
  if (words.empty()) return false;
  // runsv itself, before it has become the script; "/bin/sh ./run"; "spl --home H service X run".
  if (words.front() == "runsv" || (words.size() == 2 && words.back() == "./run")) return false;
  return words.size() < 3 || words[words.size() - 3] != "service" || words[words.size() - 2] != service.name ||
         words.back() != "run";
}

Result<void> Runit::check(const Declaration& /*service*/) {
  for (const std::string_view program : {"runsvdir", "runsv", "sv"}) {
    bool found = false;
    for (const std::string& directory : base::split(kPath, ':'))
      found = found || TRY(env_.fs.info(env::join(directory, program))).has_value();
    if (!found)
      return fail(ErrorCode::kUnavailable, "runit is not installed: there is no " + std::string(program), kInstallHint);
  }
  return {};
}

// What is there is marked as down until it has started well, and again from the beginning of a stop.
Result<bool> Runit::is_to_run(const Declaration& service) {
  if (!TRY(env_.fs.info(path(service, "run")))) return false;
  return !TRY(env_.fs.info(path(service, "down"))).has_value();
}

Result<ServiceStatus> Runit::status(const Declaration& service) {
  ServiceStatus status;
  status.name = service.name;
  const Supervised found = TRY(look(service));
  const env::ManyDescriptors many;
  const auto source = TRY(processes_source_of(set_, service));
  const auto processes = TRY(processes_of({source}));
  status.pid = static_cast<std::uint64_t>(found.pid);
  status.processes = processes.size();
  status.held = TRY(is_held_down(env_, set_, service));
  const bool wanted = found.is_supervised && !TRY(env_.fs.info(path(service, "down")));
  if (found.runs) {
    const env::Activity activity = TRY(env::activity_of(found.pid));
    const bool is_frozen = source.group && TRY(source.group->state()) == env::ControlGroup::State::kFrozen;
    status.state = is_frozen || activity == env::Activity::kStopped ? ServiceState::kPaused : ServiceState::kRunning;
  } else if (wanted) {
    status.state = ServiceState::kFailing;
  }
  if (status.state == ServiceState::kRunning) status.health = health_of(env_, set_, service, secrets_);
  return status;
}

Result<void> Runit::mark_down(const Declaration& service, bool down) {
  const std::string file = path(service, "down");
  if (!down) return env_.fs.remove(file);
  return env::write_file_atomically(env_.fs, file, "");
}

Result<void> Runit::write_directory(const Declaration& service) {
  const std::string directory = runit_directory_of(set_, service.name);
  TRY(env::make_directories(env_.fs, directory));
  const std::string log = log_of(set_, service);
  TRY(env::make_directories(env_.fs, env::parent_of(log)));
  if (!TRY(env_.fs.info(path(service, "supervise")))) TRY(mark_down(service, true));
  const std::string home = set_.paths().root;
  // What names the home or the program may hold anything: it is quoted.
  const std::string run = "#!/bin/sh\nexec " + env::shell_quoted(TRY(env::own_program())) + " --home " +
                          env::shell_quoted(home) + " service " + env::shell_quoted(service.name) + " run >> " +
                          env::shell_quoted(log) + " 2>&1\n";
  TRY(env::write_file_atomically(env_.fs, path(service, "run"), run, kProgramMode));
  // runsv ends a service by TERM, unless this ends it in another way.
  const std::string control = path(service, "control");
  if (service.run->stop_signal == "TERM") return env::remove_tree(env_.fs, control);
  TRY(env::make_directories(env_.fs, control));
  return env::write_file_atomically(env_.fs, env::join(control, "t"),
                                    "#!/bin/sh\nexec kill -" + service.run->stop_signal + " \"$(cat supervise/pid)\"\n",
                                    kProgramMode);
}

// A log that has grown large is put aside; the one before that goes.
Result<void> Runit::turn_log(const Declaration& service) {
  const std::string log = log_of(set_, service);
  const auto info = TRY(env_.fs.info(log));
  if (!info || info->size_bytes < kLogBytesMax) return {};
  return env_.fs.rename(log, log + ".1");
}

// "PID MARK" of a supervisor that runs.
Result<std::optional<int>> Runit::supervisor() {
  if (!TRY(env_.fs.info(supervisor_file()))) return std::optional<int>();
  const std::string text = TRY(env::read_file(env_.fs, supervisor_file(), 4096));
  const std::size_t space = text.find(' ');
  const int pid = number_in(text);
  if (pid <= 0 || space == std::string::npos) return std::optional<int>();
  return TRY(env::process_mark(pid)) == text.substr(space + 1) ? std::optional(pid) : std::nullopt;
}

Result<void> Runit::ensure_supervisor(const Declaration& service, base::Progress& progress) {
  if (!TRY(supervisor())) {
    // What a supervisor that has gone left up is not started behind anybody's back.
    const std::string directory = env::join(set_.paths().run(), "runit");
    // It is no service's, also where one has asked for it.
    TRY(env::leave_groups(group_prefix_of(set_.paths())));
    for (const std::string& name : TRY(env_.fs.list(directory)))
      TRY(env::write_file_atomically(env_.fs, env::join(directory, name + "/down"), ""));
    auto started = env::start_detached({.arguments = {"runsvdir", "-P", directory},
                                        .environment = whole_environment(env_),
                                        .user = set_.home_owner()});
    if (!started && started.error().code == ErrorCode::kUnavailable) started.error().hint = kInstallHint;
    const int pid = TRY(std::move(started));
    const auto supervisor_mark = TRY(env::process_mark(pid));
    TRY(env::write_file_atomically(env_.fs, supervisor_file(),
                                   std::to_string(pid) + " " + supervisor_mark.value_or("")));
  }
  const auto end = env_.clock.steady() + kSupervisorTimeout;
  while (!TRY(look(service)).is_supervised) {
    if (progress.cancelled()) return base::fail_cancelled("service " + service.name + " was not started");
    if (env_.clock.steady() > end)
      return fail(ErrorCode::kUnavailable, "service " + service.name + ": runsvdir does not take it up",
                  "see whether runsvdir runs, and what it says");
    env_.clock.sleep_for(kLookEvery);
  }
  return {};
}

std::string Runit::end_of_log(const Declaration& service) {
  const auto file = env_.fs.open(log_of(set_, service), env::OpenMode::kRead);
  if (!file) return "";
  const auto size = (*file)->size();
  std::string text(kLogShown, '\0');
  const std::uint64_t from = size && *size > kLogShown ? *size - kLogShown : 0;
  const auto n = (*file)->read_at(from, text);
  text.resize(n ? *n : 0);
  return last_line(std::move(text));
}

Result<void> Runit::start(const Declaration& service, base::Progress& progress) {
  if (TRY(is_held_down(env_, set_, service))) return is_kept_down(service);
  progress.update("starting " + service.name, 0, 0, "");
  TRY(initialise(env_, set_, service, secrets_, progress));
  TRY(write_directory(service));
  TRY(turn_log(service));
  TRY(ensure_supervisor(service, progress));
  // What a stop that was cut off left; what runsv has just started is none of that.
  if (const Supervised found = TRY(look(service)); !found.runs) {
    const env::ManyDescriptors many;
    ProcessSource marked = TRY(processes_source_of(set_, service));
    marked.runit_directory.clear();
    if (found.is_up) marked.group.reset();
    TRY(kill_all(env_.clock, marked, kKillTimeout));
  }
  TRY(sv("up", service.name));
  StartWait wait;
  wait.look_every = kLookEvery;
  wait.look = [&]() -> Result<Started> {
    const Supervised found = TRY(look(service));
    return Started{found.runs, found.pid, false};
  };
  wait.said = [&] { return end_of_log(service); };
  auto well = wait_until_well(env_, set_, service, secrets_, wait, progress);
  if (!well) {
    base::NoProgress to_its_end;
    return base::both(std::move(well), stop(service, to_its_end));
  }
  return mark_down(service, false);
}

Result<void> Runit::stop(const Declaration& service, base::Progress& progress) {
  const env::ManyDescriptors many;
  const ProcessSource source = TRY(processes_source_of(set_, service));
  if (TRY(env_.fs.info(runit_directory_of(set_, service.name)))) TRY(mark_down(service, true));
  if (TRY(look(service)).is_supervised) {
    progress.update("stopping " + service.name, 0, 0, "");
    TRY(thaw_all({source}));
    TRY(sv("down", service.name));
    TRY(continue_all(TRY(processes_of({source}))));
    const auto began = env_.clock.steady();
    const auto goes_on = [&](const Supervised& found) {
      const auto passed = env_.clock.steady() - began;
      return (found.is_up && passed < service.run->stop_timeout) || (found.is_wanted_up && passed < kNoticed);
    };
    while (goes_on(TRY(look(service)))) env_.clock.sleep_for(kLookEvery);
  }
  TRY_IN("service " + service.name, kill_all(env_.clock, source, kKillTimeout));
  TRY(remove_group(env_, set_, service));
  return check_not_held(env_, set_, service);
}

Result<void> Runit::pause(const Declaration& service) {
  const env::ManyDescriptors many;
  std::vector<ServiceProcess> stopped;
  StopOrder order;
  order.sources.push_back(TRY(processes_source_of(set_, service)));
  order.at_most = kStillTimeout;
  auto done = stop_all(env_.clock, order, stopped);
  if (!done) done = base::both(std::move(done), continue_all(stopped));
  TRY_IN("service " + service.name, std::move(done));
  return {};
}

Result<void> Runit::resume(const Declaration& service) {
  const env::ManyDescriptors many;
  const auto source = TRY(processes_source_of(set_, service));
  auto thawed = thaw_all({source});
  return base::both(std::move(thawed), continue_all(TRY(processes_of({source}))));
}

Result<void> Runit::hold_down(const Declaration& service, base::Progress& progress) {
  TRY(env::make_directories(env_.fs, runit_directory_of(set_, service.name)));
  TRY(env::write_file_atomically(env_.fs, path(service, "held"), ""));
  return stop(service, progress);
}

Result<void> Runit::let_up(const Declaration& service) {
  TRY(env_.fs.remove(path(service, "held")));
  return {};
}

Result<void> Runit::shut_down() {
  const std::string directory = env::join(set_.paths().run(), "runit");
  if (!TRY(env_.fs.info(directory))) return {};
  for (const std::string& name : TRY(env_.fs.list(directory))) {
    if (TRY(env_.fs.info(env::join(directory, name + "/supervise")))) TRY(sv("exit", name));
  }
  const auto pid = TRY(supervisor());
  if (!pid) return {};
  if (const auto handle = TRY(env::ProcessHandle::open(*pid))) {
    TRY(handle->signal(SIGHUP));
    if (!handle->wait(kSupervisorTimeout)) return fail(Cause::kTimeout, "runsvdir does not end");
  }
  TRY(env_.fs.remove(supervisor_file()));
  // One that is still about to end would take the next start's word for its own.
  const auto end = env_.clock.steady() + kSupervisorTimeout;
  for (const std::string& name : TRY(env_.fs.list(directory))) {
    while (TRY(ask(name)).is_supervised) {
      if (env_.clock.steady() > end) return fail(Cause::kTimeout, "runsv of " + name + " does not end");
      env_.clock.sleep_for(kLookEvery);
    }
  }
  return {};
}

}  // namespace

std::unique_ptr<Supervisor> runit_supervisor(env::Env env, const ServiceSet& set, SecretLookup secrets) {
  return std::make_unique<Runit>(env, set, std::move(secrets));
}

}  // namespace spl::service
