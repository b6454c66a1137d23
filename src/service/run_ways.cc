#include "service/run_ways.h"

#include "env/process_table.h"
#include "service/program.h"
#include "service/supervising.h"
#include "service/supervisor.h"

namespace spl::service {
namespace {

Result<void> require_own_home(const ServiceSet& set, const Declaration& service, const std::string& what) {
  if (!set.home_owner()) return {};
  return fail(ErrorCode::kRefused,
              "service " + service.name + " is run by " + what + " of root's, and the home is another user's",
              "run spl as its owner, who has units and containers of their own, or say command");
}

Result<const RunDeclaration*> way_of(const Declaration& service) {
  if (service.run) return &*service.run;
  return fail(ErrorCode::kUsage, "service " + service.name + " has no [run]: spl does not run it",
              "its operator starts and stops it");
}

// False where there is no such process.
Result<bool> add_root(ProcessSource& source, int pid) {
  const auto entry = TRY(env::process_entry(pid));
  if (entry) source.roots.push_back({pid, entry->start_ticks});
  return entry.has_value();
}

class ByDeclaration final : public Supervisor {
 public:
  ByDeclaration(env::Env env, const ServiceSet& set, const SecretLookup& secrets)
      : runit_(runit_supervisor(env, set, secrets)),
        units_(unit_supervisor(env, set, secrets)),
        containers_(container_supervisor(env, set, secrets)) {}

  Result<void> check(const Declaration& service) override { return TRY(of(service))->check(service); }
  Result<ServiceStatus> status(const Declaration& service) override {
    if (service.run) return TRY(of(service))->status(service);
    ServiceStatus status;
    status.name = service.name;
    status.state = ServiceState::kOperator;
    return status;
  }
  Result<bool> is_to_run(const Declaration& service) override { return TRY(of(service))->is_to_run(service); }
  Result<void> start(const Declaration& service, base::Progress& progress) override {
    return TRY(of(service))->start(service, progress);
  }
  Result<void> stop(const Declaration& service, base::Progress& progress) override {
    return TRY(of(service))->stop(service, progress);
  }
  Result<void> pause(const Declaration& service) override { return TRY(of(service))->pause(service); }
  Result<void> resume(const Declaration& service) override { return TRY(of(service))->resume(service); }
  Result<void> hold_down(const Declaration& service, base::Progress& progress) override {
    return TRY(of(service))->hold_down(service, progress);
  }
  Result<void> let_up(const Declaration& service) override { return TRY(of(service))->let_up(service); }
  Result<std::string> log(const Declaration& service) override {
    return service.run ? TRY(of(service))->log(service) : Result<std::string>(std::string());
  }
  Result<void> shut_down() override { return runit_->shut_down(); }

 private:
  Result<Supervisor*> of(const Declaration& service) {
    switch (TRY(way_of(service))->way()) {
      case RunWay::kUnit:
        return units_.get();
      case RunWay::kContainer:
        return containers_.get();
      case RunWay::kCommand:
        break;
    }
    return runit_.get();
  }

  std::unique_ptr<Supervisor> runit_;
  std::unique_ptr<Supervisor> units_;
  std::unique_ptr<Supervisor> containers_;
};

}  // namespace

Result<FoundUnit> find_unit(const ServiceSet& set, const Declaration& service) {
  TRY(require_own_home(set, service, "a unit"));
  Systemd systemd = TRY_IN("service " + service.name, Systemd::find());
  UnitState state = TRY_IN("service " + service.name, systemd.ask(service.run->unit));
  if (state.load != "not-found") return FoundUnit{std::move(systemd), std::move(state)};
  return fail(ErrorCode::kUnavailable, "service " + service.name + ": systemd knows no unit " + service.run->unit,
              "spl service " + service.name + " install brings a package that has it; or name the unit that there is");
}

Result<FoundContainer> find_container(const ServiceSet& set, const Declaration& service) {
  TRY(require_own_home(set, service, "a container"));
  auto [container, state] = TRY_IN("service " + service.name, Container::find(service.run->container));
  return FoundContainer{std::move(container), std::move(state)};
}

Result<ProcessSource> source_of(const ServiceSet& set, const Declaration& service, const FoundUnit& unit) {
  ProcessSource source = TRY(marked_source_of(set, service));
  if (unit.state.main_pid > 0) TRY(add_root(source, unit.state.main_pid));
  if (!unit.state.control_group.empty())
    source.group = TRY_IN("service " + service.name, env::ControlGroup::named(unit.state.control_group));
  return source;
}

Result<ProcessSource> source_of(const ServiceSet& set, const Declaration& service, const FoundContainer& found) {
  ProcessSource source = TRY(marked_source_of(set, service));
  const int pid = found.state.pid;
  if (pid <= 0) return source;
  if (TRY(add_root(source, pid))) {
    source.group = TRY(env::ControlGroup::around(pid, found.state.id));
    return source;
  }
  // It may have ended meanwhile.
  if (TRY(found.container.ask()).pid != pid) return source;
  return fail(ErrorCode::kUnavailable, "service " + service.name + ": the processes of its container are not seen here",
              "run spl where its processes are seen: on the machine itself, as the user who runs the container");
}

Result<void> check_found(const ServiceSet& set, const Declaration& service) {
  if (!service.run) return {};
  if (service.run->way() == RunWay::kUnit) TRY(find_unit(set, service));
  if (service.run->way() == RunWay::kContainer) TRY(find_container(set, service));
  return {};
}

Result<bool> is_held_down(env::Env env, const ServiceSet& set, const Declaration& service) {
  if (service.run && service.run->way() != RunWay::kCommand) {
    const auto record = TRY(read_hold(env, set, service));
    return record && record->held;
  }
  return TRY(env.fs.info(env::join(runit_directory_of(set, service.name), "held"))).has_value();
}

std::unique_ptr<Supervisor> supervisor_of(env::Env env, const ServiceSet& set, const SecretLookup& secrets) {
  return std::make_unique<ByDeclaration>(env, set, secrets);
}

}  // namespace spl::service
