// How a service's programs run: as which user, in which directory, with which environment, and by what its processes
// are known afterwards. Any thread.
#pragma once

#include <optional>
#include <string>
#include <vector>

#include "base/progress.h"
#include "base/result.h"
#include "env/child_process.h"
#include "env/env.h"
#include "env/program_start.h"
#include "env/users.h"
#include "service/processes.h"
#include "service/service_set.h"

namespace spl::service {

// The entry of the environment that each process of the service has, and every child of it, whatever it forks:
// "SPL_SERVICE=notes@/var/lib/spl". The home's path is without links, or it would be another mark by another way to it.
std::string mark_of(const ServiceSet& set, const Declaration& service);
// By what all of them are found: by that entry, as descendants of what runit started, and by their control group. Of a
// unit or a container its manager is asked, as it is now; code kUnavailable where that, or the group of a unit, is not
// there.
Result<ProcessSource> processes_source_of(const ServiceSet& set, const Declaration& service);
// By that entry alone.
Result<ProcessSource> marked_source_of(const ServiceSet& set, const Declaration& service);
// Where runit keeps the service.
std::string runit_directory_of(const ServiceSet& set, std::string_view service);
// The file that takes what its programs say.
std::string log_of(const ServiceSet& set, const Declaration& service);

// [run].user and group, or the home's owner; nothing where it is this process's own, or this process is not root's.
// Code kUnavailable where there is no such user, kRefused where the home's owner names another.
Result<std::optional<env::UserIds>> user_of(const ServiceSet& set, const Declaration& service);

// As whom the router answers where spl is root's: user and group.
inline constexpr const char* kRouterGroup = "spl-router";
// Whether the router leads to it.
inline bool is_routed(const Declaration& service) {
  return service.run && !service.run->route.empty();
}

// data/<service> and run/services/<service>, 0750 and its user's; what is there keeps owner and mode. Where spl is
// root's and the router leads to the service its run directory is 2710 and the router's group's.
Result<void> make_directories_of(env::Env env, const ServiceSet& set, const Declaration& service);

// The environment of [run].env, with secrets; wiped when it goes.
class ServiceEnvironment {
 public:
  static Result<ServiceEnvironment> of(const ServiceSet& set, const Declaration& service, const SecretLookup& secrets);
  ServiceEnvironment(ServiceEnvironment&&) = default;
  ServiceEnvironment& operator=(ServiceEnvironment&&) = delete;
  ~ServiceEnvironment();
  [[nodiscard]] const std::vector<std::string>& entries() const { return entries_; }

 private:
  ServiceEnvironment() = default;
  std::vector<std::string> entries_;  // "NAME=value"
};

// A command of the declaration as it is to be run: in workdir, or in "/" where that is missing, as the service's user,
// with its environment, which has secrets. `command` has its placeholders still.
Result<env::ProgramStart> program_of(env::Env env, const ServiceSet& set, const Declaration& service,
                                     const Command& command, const PlaceholderValues& values,
                                     const SecretLookup& secrets);
// Overwrites the environment, which has secrets.
void wipe(env::ProgramStart& program);

// Runs a command of the declaration to its end, in workdir, as its user; what it says goes to the service's log. An
// exit code other than 0 is an error, which shows the end of what it said. `command` has its placeholders still;
// `more_environment` ("NAME=value") goes before what the declaration says.
Result<void> run_command_of(env::Env env, const ServiceSet& set, const Declaration& service, const Command& command,
                            const PlaceholderValues& values, const SecretLookup& secrets,
                            const env::CommandLimits& limits, const std::vector<std::string>& more_environment = {});

// The commands of a command surface's part, for its driver. `set` outlives them.
Result<surface::PartCommands> part_commands_of(const ServiceSet& set, const PartName& part,
                                               const SecretLookup& secrets);

// This process becomes the service's program, as its supervisor wants it; comes back with an error alone.
Error become_service(env::Env env, const ServiceSet& set, const Declaration& service, const SecretLookup& secrets);

}  // namespace spl::service
