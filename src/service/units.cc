// Services that systemd runs (docs/decisions/D-22-units-and-containers.md). A restore keeps a unit down by a drop-in of
// its own in the operator's directory, which a new start of the machine does not forget: a condition that fails for as
// long as that very file is there. Sources: systemctl(1), systemd.unit(5), systemd.kill(5).
#include <algorithm>

#include "base/both.h"
#include "base/encoding.h"
#include "env/control_group.h"
#include "env/process_table.h"
#include "service/run_ways.h"
#include "service/service_group.h"
#include "service/supervising.h"
#include "service/supervisor.h"

namespace spl::service {
namespace {

using std::chrono::milliseconds;
using GroupState = env::ControlGroup::State;
using namespace std::chrono_literals;

constexpr milliseconds kLookEvery = 100ms;
constexpr milliseconds kStillTimeout = 10s;
constexpr milliseconds kAnswersAtMost = 90s;
constexpr int kLogLines = 300;
constexpr std::size_t kHomeShown = 200;
constexpr std::uint32_t kDirectoryMode = 0755;
constexpr std::uint32_t kDropInMode = 0644;

// "%" begins a specifier in a unit's file.
std::string without_specifiers(std::string_view path) {
  std::string text;
  for (const char c : path) text += c == '%' ? std::string("%%") : std::string(1, c);
  return text;
}

class Units final : public Supervisor {
 public:
  Units(env::Env env, const ServiceSet& set, SecretLookup secrets)
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
  Result<std::string> log(const Declaration& service) override;
  Result<void> shut_down() override { return {}; }

 private:
  [[nodiscard]] std::string drop_in_name() const { return "90-" + group_prefix_of(set_.paths()) + "held.conf"; }
  [[nodiscard]] std::string drop_in_of(const Systemd& systemd, const std::string& unit) const {
    return env::join(systemd.drop_in_directory(unit), drop_in_name());
  }
  static Result<void> check_loaded(const Declaration& service, const FoundUnit& unit);
  Result<void> write_drop_in(const Declaration& service, const FoundUnit& unit);
  Result<void> note_triggers(const FoundUnit& unit, HoldRecord& record);
  Result<void> end(const Declaration& service, const FoundUnit& unit, base::Progress& progress);
  std::string said_last(const FoundUnit& unit);

  env::Env env_;
  const ServiceSet& set_;
  SecretLookup secrets_;
};

Result<void> Units::check(const Declaration& service) {
  return check_loaded(service, TRY(find_unit(set_, service)));
}

Result<void> Units::check_loaded(const Declaration& service, const FoundUnit& unit) {
  if (unit.state.load == "loaded") return {};
  const std::string& name = unit.state.id;
  return fail(ErrorCode::kUnavailable, "service " + service.name + ": the unit " + name + " is " + unit.state.load,
              unit.state.load == "masked" ? "systemctl unmask " + name : "systemctl status " + name + " says why");
}

Result<ServiceStatus> Units::status(const Declaration& service) {
  const FoundUnit unit = TRY(find_unit(set_, service));
  const auto source = TRY(source_of(set_, service, unit));
  ServiceStatus status;
  status.name = service.name;
  status.pid = static_cast<std::uint64_t>(unit.state.main_pid);
  const env::ManyDescriptors many;
  status.processes = TRY(processes_of({source})).size();
  status.held = TRY(is_held_down(env_, set_, service));
  if (unit.state.active == "failed" || unit.state.restarts()) {
    status.state = ServiceState::kFailing;
  } else if (!unit.state.has_ended()) {
    const bool is_frozen = source.group && TRY(source.group->state()) == GroupState::kFrozen;
    status.state = is_frozen ? ServiceState::kPaused : ServiceState::kRunning;
  }
  if (status.state == ServiceState::kRunning) status.health = health_of(env_, set_, service, secrets_);
  return status;
}

Result<bool> Units::is_to_run(const Declaration& service) {
  const FoundUnit unit = TRY(find_unit(set_, service));
  return unit.state.file == "enabled" || unit.state.file == "enabled-runtime";
}

std::string Units::said_last(const FoundUnit& unit) {
  const auto text = unit.systemd.journal(unit.state.id, 1, Systemd::Whose::kItsOwn);
  return text ? last_line(*text) : "";
}

Result<void> Units::start(const Declaration& service, base::Progress& progress) {
  const auto record = TRY(read_hold(env_, set_, service));
  if (record && record->held) return is_kept_down(service);
  const FoundUnit unit = TRY(find_unit(set_, service));
  TRY(check_loaded(service, unit));
  progress.update("starting " + service.name, 0, 0, "");
  TRY(initialise(env_, set_, service, secrets_, progress));
  // One that has failed often enough would be refused.
  (void)unit.systemd.order({"reset-failed"}, unit.state.id, kAnswersAtMost);
  const auto go = [&]() -> Result<void> {
    // First: a socket is refused whose service runs.
    for (const std::string& trigger : record.value_or(HoldRecord{}).triggers) {
      (void)unit.systemd.order({"reset-failed"}, trigger, kAnswersAtMost);
      TRY_IN("service " + service.name, unit.systemd.order({"start"}, trigger, kAnswersAtMost));
    }
    auto ordered = unit.systemd.order({"start"}, unit.state.id, service.run->start_timeout, &progress);
    if (!ordered) {
      if (ordered.error().cause == Cause::kCancelled) return ordered;
      const std::string said = said_last(unit);
      if (!said.empty()) ordered.error().message += "; it said last: " + said;
      ordered.error().code = ErrorCode::kUnavailable;
      ordered.error().hint = "spl service " + service.name + " logs shows what it said";
      return std::unexpected(Error(std::move(ordered).error()).in("service " + service.name + " did not start"));
    }
    StartWait wait;
    wait.look_every = kLookEvery;
    wait.look = [&]() -> Result<Started> {
      const UnitState now = TRY(unit.systemd.ask(unit.state.id));
      return Started{now.runs(), now.main_pid, now.has_ended()};
    };
    wait.said = [&] { return said_last(unit); };
    return wait_until_well(env_, set_, service, secrets_, wait, progress);
  };
  auto well = go();
  if (!well) {
    base::NoProgress to_its_end;
    return base::both(std::move(well), stop(service, to_its_end));
  }
  return remove_hold(env_, set_, service);
}

// What would start it at the first connection; what was noted before stays so.
Result<void> Units::note_triggers(const FoundUnit& unit, HoldRecord& record) {
  record.name = unit.state.id;
  for (const std::string& trigger : unit.state.triggered_by) {
    if (std::ranges::find(record.triggers, trigger) != record.triggers.end()) continue;
    if (!TRY(unit.systemd.ask(trigger)).has_ended()) record.triggers.push_back(trigger);
  }
  return {};
}

// To its last process, whatever the unit's own KillMode leaves.
Result<void> Units::end(const Declaration& service, const FoundUnit& unit, base::Progress& progress) {
  progress.update("stopping " + service.name, 0, 0, "");
  const env::ManyDescriptors many;
  const ProcessSource source = TRY(source_of(set_, service, unit));
  TRY(thaw_all({source}));
  TRY(continue_all(TRY(processes_of({source}))));
  auto stopped = unit.systemd.order({"stop"}, unit.state.id, service.run->stop_timeout);
  if (!stopped && stopped.error().cause == Cause::kTimeout) {
    TRY(unit.systemd.order({"kill", "--signal=KILL"}, unit.state.id, kAnswersAtMost));
    stopped = unit.systemd.order({"stop"}, unit.state.id, kKillTimeout);
  }
  TRY_IN("service " + service.name, std::move(stopped));
  TRY_IN("service " + service.name, kill_all(env_.clock, source, kKillTimeout));
  (void)unit.systemd.order({"reset-failed"}, unit.state.id, kAnswersAtMost);
  const UnitState now = TRY(unit.systemd.ask(unit.state.id));
  if (!now.has_ended())
    return fail("service " + service.name + ": the unit " + now.id + " was stopped, and is " + now.active,
                "something starts it again: systemctl status " + now.id + " says what");
  return check_not_held(env_, set_, service, TRY(file_places_of(set_, service)));
}

Result<void> Units::stop(const Declaration& service, base::Progress& progress) {
  const FoundUnit unit = TRY(find_unit(set_, service));
  HoldRecord record = TRY(read_hold(env_, set_, service)).value_or(HoldRecord{});
  TRY(note_triggers(unit, record));
  if (record.held || !record.triggers.empty()) TRY(write_hold(env_, set_, service, record));
  for (const std::string& trigger : record.triggers)
    TRY_IN("service " + service.name, unit.systemd.order({"stop"}, trigger, kAnswersAtMost));
  return end(service, unit, progress);
}

Result<void> Units::pause(const Declaration& service) {
  const auto source = TRY(processes_source_of(set_, service));
  if (!source.group) return fail("service " + service.name + " does not run: there is nothing to pause");
  const auto still = [&]() -> Result<void> {
    const auto end = env_.clock.steady() + kStillTimeout;
    TRY(source.group->freeze());
    while (TRY(source.group->state()) != GroupState::kFrozen) {
      if (env_.clock.steady() > end) return fail(Cause::kTimeout, "its processes are not still");
      env_.clock.sleep_for(1ms);
    }
    return {};
  };
  auto done = still();
  if (!done) done = base::both(std::move(done), source.group->thaw());
  TRY_IN("service " + service.name, std::move(done));
  return {};
}

Result<void> Units::resume(const Declaration& service) {
  const env::ManyDescriptors many;
  const auto source = TRY(processes_source_of(set_, service));
  auto thawed = thaw_all({source});
  return base::both(std::move(thawed), continue_all(TRY(processes_of({source}))));
}

Result<void> Units::write_drop_in(const Declaration& service, const FoundUnit& unit) {
  const std::string path = drop_in_of(unit.systemd, unit.state.id);
  if (!TRY(env_.fs.info(path))) {
    TRY(env::make_directories(env_.fs, env::parent_of(path), kDirectoryMode));
    const std::string text =
        "# A restore of the instance in " + base::escaped(set_.paths().root, kHomeShown) +
        " keeps this unit down:\n# its data is being exchanged. spl removes this file. Where that " +
        "home is gone, remove it by\n# hand, and run systemctl daemon-reload.\n[Unit]\n" + "AssertPathExists=!" +
        without_specifiers(path) + "\n";
    TRY(env::write_file_atomically(env_.fs, path, text, kDropInMode));
  }
  TRY(unit.systemd.reload());
  // One that systemd does not see holds nothing down.
  if (TRY(unit.systemd.ask(unit.state.id)).drop_ins.find(drop_in_name()) != std::string::npos) return {};
  return fail(ErrorCode::kUnavailable, "service " + service.name + ": systemd does not take " + path,
              "systemctl status " + unit.state.id + " says what it takes");
}

Result<void> Units::hold_down(const Declaration& service, base::Progress& progress) {
  const FoundUnit unit = TRY(find_unit(set_, service));
  HoldRecord record = TRY(read_hold(env_, set_, service)).value_or(HoldRecord{});
  record.held = true;
  TRY(note_triggers(unit, record));
  TRY(write_hold(env_, set_, service, record));
  TRY(write_drop_in(service, unit));
  return stop(service, progress);
}

// What triggers it is started with it: the record is there until then.
Result<void> Units::let_up(const Declaration& service) {
  auto record = TRY(read_hold(env_, set_, service));
  if (!record || !record->held) return {};
  if (!is_service_unit(record->name))
    return fail("service " + service.name + ": nobody knows which unit a restore keeps down",
                "see what is in " + env::join(set_.paths().root, "held"));
  const Systemd systemd = TRY_IN("service " + service.name, Systemd::find());
  const std::string path = drop_in_of(systemd, record->name);
  TRY(env_.fs.remove(path));
  // One that has others in it stays.
  (void)env_.fs.remove(env::parent_of(path));
  TRY(systemd.reload());
  if (record->triggers.empty()) return remove_hold(env_, set_, service);
  record->held = false;
  return write_hold(env_, set_, service, *record);
}

Result<std::string> Units::log(const Declaration& service) {
  const FoundUnit unit = TRY(find_unit(set_, service));
  return unit.systemd.journal(unit.state.id, kLogLines, Systemd::Whose::kAlsoSystemd);
}

}  // namespace

std::unique_ptr<Supervisor> unit_supervisor(env::Env env, const ServiceSet& set, SecretLookup secrets) {
  return std::make_unique<Units>(env, set, std::move(secrets));
}

}  // namespace spl::service
