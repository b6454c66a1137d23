#include "operation/service_rooms.h"

namespace spl::operation {

Result<void> SupervisorControl::hold_down(const std::string& service) {
  const service::Declaration* declared = TRY(set_.require(service));
  if (!declared->run) return {};
  base::NoProgress progress;
  return supervisor_.hold_down(*declared, progress);
}

Result<void> SupervisorControl::let_up(const std::string& service) {
  const service::Declaration* declared = TRY(set_.require(service));
  return declared->run ? supervisor_.let_up(*declared) : Result<void>();
}

Result<void> SupervisorControl::start(const std::string& service, base::Progress& progress) {
  const service::Declaration* declared = TRY(set_.require(service));
  return declared->run ? supervisor_.start(*declared, progress) : Result<void>();
}

ServiceRooms::ServiceRooms(env::Env machine, service::ServiceSet services, const home::HomePaths& paths,
                           const home::SecretsConfig& config)
    : env(machine),
      set(std::move(services)),
      secrets(service::open_secrets(machine, paths, config)),
      lookup([store = secrets](std::string_view handle) { return store->get(std::string(handle)); }),
      supervisor(service::supervisor_of(machine, set, lookup)),
      control(set, *supervisor),
      journals(machine, paths) {}

Result<std::unique_ptr<ServiceRooms>> ServiceRooms::open(env::Env env, const home::HomePaths& paths,
                                                         const home::Config& config) {
  return std::make_unique<ServiceRooms>(env, TRY(service::ServiceSet::load(env, paths)), paths, config.secrets);
}

StagedRestoreOptions restore_options(ServiceRooms& rooms, RestoreJournal journal) {
  StagedRestoreOptions options;
  for (const std::string& name : journal.services) {
    const service::Declaration* service = rooms.set.find(name);
    if (service != nullptr && rooms.set.is_engine(*service)) options.engines.push_back(name);
  }
  options.journal = std::move(journal);
  options.add_context = [&rooms](const RestoreJournal& of) -> Result<void> {
    for (const JournalContext& context : of.added_contexts) {
      if (rooms.set.contexts().find(context.name) == nullptr)
        TRY(rooms.set.contexts().add({context.name, context.id, {}}));
    }
    return {};
  };
  options.remove_context = [&rooms](const RestoreJournal& of) -> Result<void> {
    for (const JournalContext& context : of.added_contexts) {
      if (rooms.set.contexts().find(context.name) != nullptr) TRY(rooms.set.contexts().remove(context.name));
    }
    return {};
  };
  return options;
}

}  // namespace spl::operation
