// Services that run in a container which podman or docker has made (docs/decisions/D-22-units-and-containers.md). A
// restore keeps one down by taking away its restart policy, which a new start of the machine or of a daemon would
// follow.
#include "base/both.h"
#include "base/encoding.h"
#include "env/control_group.h"
#include "service/run_ways.h"
#include "service/supervising.h"
#include "service/supervisor.h"

namespace spl::service {
namespace {

using std::chrono::milliseconds;
using GroupState = env::ControlGroup::State;
using namespace std::chrono_literals;

constexpr milliseconds kLookEvery = 200ms;
constexpr int kLogLines = 300;

class Containers final : public Supervisor {
 public:
  Containers(env::Env env, const ServiceSet& set, SecretLookup secrets)
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
  static Result<void> check_unit(const Declaration& service, const FoundContainer& found);

  env::Env env_;
  const ServiceSet& set_;
  SecretLookup secrets_;
};

// Two that run one container would undo each other's work.
Result<void> Containers::check_unit(const Declaration& service, const FoundContainer& found) {
  if (found.state.unit.empty()) return {};
  return fail(ErrorCode::kUnavailable,
              "service " + service.name + ": its container is run by the unit " + base::escaped(found.state.unit, 80) +
                  ", which would start it again",
              "say unit, with that name, in the place of container");
}

Result<void> Containers::check(const Declaration& service) {
  const FoundContainer found = TRY(find_container(set_, service));
  TRY(check_unit(service, found));
  if (!found.state.restart.comes_back()) return {};
  // The same one, which changes nothing.
  if (found.container.set_restart(found.state.restart)) return {};
  return fail(ErrorCode::kUnavailable,
              "service " + service.name + ": its container comes back by itself (restart policy " +
                  found.state.restart.name + "), and this " + found.container.tool() +
                  " cannot be told that it is to stay down",
              "make it anew with --restart=on-failure, and have spl service all start start it with the machine");
}

Result<ServiceStatus> Containers::status(const Declaration& service) {
  const FoundContainer found = TRY(find_container(set_, service));
  const auto source = TRY(source_of(set_, service, found));
  ServiceStatus status;
  status.name = service.name;
  status.pid = static_cast<std::uint64_t>(found.state.pid);
  const env::ManyDescriptors many;
  status.processes = TRY(processes_of({source})).size();
  status.held = TRY(is_held_down(env_, set_, service));
  if (found.state.restarts) {
    status.state = ServiceState::kFailing;
  } else if (found.state.runs) {
    const bool is_frozen = source.group && TRY(source.group->state()) == GroupState::kFrozen;
    status.state = found.state.is_paused || is_frozen ? ServiceState::kPaused : ServiceState::kRunning;
  }
  if (status.state == ServiceState::kRunning) status.health = health_of(env_, set_, service, secrets_);
  return status;
}

Result<bool> Containers::is_to_run(const Declaration& service) {
  return TRY(find_container(set_, service)).state.restart.comes_back();
}

Result<void> Containers::start(const Declaration& service, base::Progress& progress) {
  const auto record = TRY(read_hold(env_, set_, service));
  if (record && record->held) return is_kept_down(service);
  const FoundContainer found = TRY(find_container(set_, service));
  TRY(check_unit(service, found));
  progress.update("starting " + service.name, 0, 0, "");
  TRY(initialise(env_, set_, service, secrets_, progress));
  const auto said = [&] {
    const auto text = found.container.log(1);
    return text ? last_line(*text) : std::string();
  };
  const auto go = [&]() -> Result<void> {
    if (found.state.is_paused) TRY(found.container.unpause());
    auto ordered = found.container.start(service.run->start_timeout, progress);
    if (!ordered) return std::unexpected(std::move(ordered).error().in("service " + service.name + " did not start"));
    StartWait wait;
    wait.look_every = kLookEvery;
    wait.look = [&]() -> Result<Started> {
      const ContainerState now = TRY(found.container.ask());
      return Started{now.runs && !now.restarts, now.pid, !now.runs && !now.restarts};
    };
    wait.said = said;
    return wait_until_well(env_, set_, service, secrets_, wait, progress);
  };
  auto well = go();
  if (well) return well;
  base::NoProgress to_its_end;
  return base::both(std::move(well), stop(service, to_its_end));
}

Result<void> Containers::stop(const Declaration& service, base::Progress& progress) {
  const FoundContainer found = TRY(find_container(set_, service));
  progress.update("stopping " + service.name, 0, 0, "");
  const env::ManyDescriptors many;
  const ProcessSource source = TRY(source_of(set_, service, found));
  if (found.state.is_paused) TRY_IN("service " + service.name, found.container.unpause());
  TRY(thaw_all({source}));
  // Also of one that is between two starts.
  if (found.state.runs || found.state.restarts)
    TRY_IN("service " + service.name, found.container.stop(service.run->stop_timeout));
  TRY_IN("service " + service.name, kill_all(env_.clock, source, kKillTimeout));
  const ContainerState now = TRY(found.container.ask());
  if (now.runs || now.restarts)
    return fail("service " + service.name + ": its container was stopped, and runs",
                "something starts it again: end that");
  return check_not_held(env_, set_, service, TRY(file_places_of(set_, service)));
}

Result<void> Containers::pause(const Declaration& service) {
  const FoundContainer found = TRY(find_container(set_, service));
  if (!found.state.runs) return fail("service " + service.name + " does not run: there is nothing to pause");
  if (found.state.is_paused) return {};
  TRY_IN("service " + service.name, found.container.pause());
  return {};
}

Result<void> Containers::resume(const Declaration& service) {
  const FoundContainer found = TRY(find_container(set_, service));
  Result<void> done;
  if (found.state.is_paused) done = found.container.unpause();
  return base::both(std::move(done), thaw_all({TRY(source_of(set_, service, found))}));
}

Result<void> Containers::hold_down(const Declaration& service, base::Progress& progress) {
  const FoundContainer found = TRY(find_container(set_, service));
  TRY(check_unit(service, found));
  HoldRecord record = TRY(read_hold(env_, set_, service)).value_or(HoldRecord{});
  record.held = true;
  if (record.restart.empty() && found.state.restart.comes_back()) {
    record.restart = found.state.restart.name;
    record.tries = found.state.restart.tries;
  }
  TRY(write_hold(env_, set_, service, record));
  if (found.state.restart.comes_back()) TRY_IN("service " + service.name, found.container.set_restart({}));
  return stop(service, progress);
}

Result<void> Containers::let_up(const Declaration& service) {
  const auto record = TRY(read_hold(env_, set_, service));
  if (!record || !record->held) return {};
  if (!record->restart.empty()) {
    const FoundContainer found = TRY(find_container(set_, service));
    TRY_IN("service " + service.name, found.container.set_restart({record->restart, record->tries}));
  }
  return remove_hold(env_, set_, service);
}

Result<std::string> Containers::log(const Declaration& service) {
  return TRY(find_container(set_, service)).container.log(kLogLines);
}

}  // namespace

std::unique_ptr<Supervisor> container_supervisor(env::Env env, const ServiceSet& set, SecretLookup secrets) {
  return std::make_unique<Containers>(env, set, std::move(secrets));
}

}  // namespace spl::service
