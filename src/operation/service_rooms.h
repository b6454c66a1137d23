// What a home has for its services, opened together: their declarations, secrets and supervisor, and the journals of
// restores. One thread.
#pragma once

#include <memory>
#include <string>

#include "base/progress.h"
#include "base/result.h"
#include "operation/restore_journal.h"
#include "operation/staged_restore.h"
#include "service/secrets.h"
#include "service/service_set.h"
#include "service/supervisor.h"

namespace spl::operation {

// What runs services, as a restore asks it to.
class SupervisorControl final : public ServiceControl {
 public:
  SupervisorControl(service::ServiceSet& set, service::Supervisor& supervisor) : set_(set), supervisor_(supervisor) {}
  Result<void> hold_down(const std::string& service) override;
  Result<void> let_up(const std::string& service) override;
  Result<void> start(const std::string& service, base::Progress& progress) override;

 private:
  service::ServiceSet& set_;
  service::Supervisor& supervisor_;
};

struct ServiceRooms {
  static Result<std::unique_ptr<ServiceRooms>> open(env::Env env, const home::HomePaths& paths,
                                                    const home::Config& config);
  ServiceRooms(env::Env machine, service::ServiceSet services, const home::HomePaths& paths,
               const home::SecretsConfig& config);
  ServiceRooms(const ServiceRooms&) = delete;
  ServiceRooms& operator=(const ServiceRooms&) = delete;
  ~ServiceRooms() = default;

  env::Env env;
  service::ServiceSet set;
  std::shared_ptr<service::SecretStore> secrets;
  service::SecretLookup lookup;
  std::unique_ptr<service::Supervisor> supervisor;
  SupervisorControl control;
  RestoreJournals journals;
};

// The journal's restore with what adds and removes its contexts; `rooms` outlives it.
StagedRestoreOptions restore_options(ServiceRooms& rooms, RestoreJournal journal);

}  // namespace spl::operation
