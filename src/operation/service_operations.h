// What a person can have done to services, contexts and secrets: what each takes and gives, and how it is done on an
// instance that is open in this process. One thread at a time changes services: who calls those that change something
// holds the home's lock.
#pragma once

#include <array>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "base/bytes.h"
#include "base/progress.h"
#include "base/result.h"
#include "codec/shape.h"
#include "instance/instance.h"
#include "operation/findings.h"
#include "operation/rebuilds.h"
#include "service/inventory.h"
#include "service/secrets.h"
#include "service/service_set.h"
#include "service/supervisor.h"

namespace spl::operation {

enum class ServiceAction : std::uint8_t { kStart, kStop, kRestart, kPause, kResume };
constexpr auto names_of(ServiceAction /*type*/) {
  using enum ServiceAction;
  return std::to_array<std::pair<ServiceAction, std::string_view>>(
      {{kStart, "start"}, {kStop, "stop"}, {kRestart, "restart"}, {kPause, "pause"}, {kResume, "resume"}});
}

// A service, or all of them.
struct ServiceName {
  std::string name;  // "all"

  static constexpr auto shape() { return codec::shape(codec::member("name", &ServiceName::name, "a service, or all")); }
};

struct ServiceCommand {
  std::string name;  // "all"
  ServiceAction action = ServiceAction::kStart;

  static constexpr auto shape() {
    return codec::shape(codec::member("name", &ServiceCommand::name, "a service, or all"),
                        codec::member("action", &ServiceCommand::action, "what is done"));
  }
};

struct ServiceStates {
  std::vector<service::ServiceStatus> services;
  std::vector<Rebuild> rebuilds;  // of them, that restores have left

  static constexpr auto shape() {
    return codec::shape(
        codec::member("services", &ServiceStates::services, "how each of them is"),
        codec::member("rebuilds", &ServiceStates::rebuilds, "what restores have left to be rebuilt; missing: nothing",
                      codec::Presence::kOmitted));
  }
};

struct ContextEntry {
  std::string name;
  std::uint64_t id = 0;
  std::string label;

  static constexpr auto shape() {
    return codec::shape(codec::member("name", &ContextEntry::name, "the context"),
                        codec::member("id", &ContextEntry::id, "its number"),
                        codec::member("label", &ContextEntry::label, "for people"));
  }
};
struct NewContext {
  std::string name;
  std::optional<std::uint64_t> id = {};  // none: the smallest that is free
  std::string label;

  static constexpr auto shape() {
    using enum codec::Presence;
    return codec::shape(codec::member("name", &NewContext::name, "the context"),
                        codec::member("id", &NewContext::id, "its number", kOmitted),
                        codec::member("label", &NewContext::label, "for people", kOmitted));
  }
};
struct RemovedContext {
  std::string name;
  bool delete_data = false;
  bool without_backup = false;

  static constexpr auto shape() {
    return codec::shape(codec::member("name", &RemovedContext::name, "the context"),
                        codec::member("delete_data", &RemovedContext::delete_data, "its data goes with it"),
                        codec::member("without_backup", &RemovedContext::without_backup,
                                      "also where no backup of it was made here", codec::Presence::kOmitted));
  }
};
struct RenamedContext {
  std::string name;
  std::string new_name;

  static constexpr auto shape() {
    return codec::shape(codec::member("name", &RenamedContext::name, "the context"),
                        codec::member("new_name", &RenamedContext::new_name, "its name from now on"));
  }
};

struct NewSecret {
  std::string handle;
  SecretBytes value;

  static constexpr auto shape() {
    return codec::shape(codec::member("handle", &NewSecret::handle, "SERVICE/NAME or SERVICE/CONTEXT/NAME"),
                        codec::member("value_base64", &NewSecret::value, "the value"));
  }
};
struct SecretHandle {
  std::string handle;

  static constexpr auto shape() { return codec::shape(codec::member("handle", &SecretHandle::handle, "the secret")); }
};
struct DeletedSecret {
  std::string handle;
  bool deleted = false;

  static constexpr auto shape() {
    return codec::shape(codec::member("handle", &DeletedSecret::handle, "the secret"),
                        codec::member("deleted", &DeletedSecret::deleted, "false: there was none"));
  }
};
// A secret that a service declares.
struct SecretState {
  std::string handle;
  std::string secret_class;
  bool required = false;
  bool there = false;

  static constexpr auto shape() {
    using S = SecretState;
    return codec::shape(codec::member("handle", &S::handle, "the secret"),
                        codec::member("class", &S::secret_class, "portable, regenerate, host-bound or user-supplied"),
                        codec::member("required", &S::required, "its service cannot be without it"),
                        codec::member("there", &S::there, "whether the backend has a value"));
  }
};

struct PreviousRequest {
  std::string service;  // "all"
  std::optional<std::string> context = {};

  static constexpr auto shape() {
    return codec::shape(codec::member("service", &PreviousRequest::service, "a service, or all"),
                        codec::member("context", &PreviousRequest::context, "one of it", codec::Presence::kOmitted));
  }
};
struct PreviousReport {
  std::uint64_t parts = 0;

  static constexpr auto shape() {
    return codec::shape(
        codec::member("parts", &PreviousReport::parts, "of surfaces, that were removed or swapped back"));
  }
};

// What a restore has replaced and what is kept: the newest of each service and context.
struct PreviousState {
  std::string service;
  std::string context;  // "" where it is not split
  std::string at;       // when the restore began

  bool operator==(const PreviousState&) const = default;
};
Result<std::vector<PreviousState>> previous_states(instance::Instance& instance);

Result<std::vector<service::InventoryRow>> inventory_of(instance::Instance& instance, base::Progress& progress);
Result<ServiceStates> states_of(instance::Instance& instance, const ServiceName& service);
// In the order in which services start, or against it. Gives how those are afterwards that were meant.
Result<ServiceStates> command_services(instance::Instance& instance, const ServiceCommand& command,
                                       base::Progress& progress);
// The end of a service's log.
Result<std::string> log_of_service(instance::Instance& instance, const ServiceName& service);
// Becomes the program of a service, as its supervisor wants it; comes back with an error alone.
Error become_service(env::Env env, const home::HomePaths& paths, const std::string& service);

Result<std::vector<ContextEntry>> contexts_of(instance::Instance& instance);
Result<ContextEntry> add_context(instance::Instance& instance, const NewContext& context);

Result<SecretHandle> set_secret(instance::Instance& instance, const NewSecret& secret);
Result<std::vector<std::string>> list_secrets(instance::Instance& instance);
Result<std::vector<SecretState>> check_secrets(instance::Instance& instance);
// Of one service; of those that are a context's each has its own.
Result<std::vector<SecretState>> secret_states_of(const service::ServiceSet& set, service::SecretStore& secrets,
                                                  const service::Declaration& service);
Result<DeletedSecret> delete_secret(instance::Instance& instance, const SecretHandle& secret);

Result<PreviousReport> swap_previous_back(instance::Instance& instance, const PreviousRequest& request,
                                          base::Progress& progress);
Result<PreviousReport> discard_previous_of(instance::Instance& instance, const PreviousRequest& request);

}  // namespace spl::operation
