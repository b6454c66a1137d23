#include "api/open_operations.h"

#include <algorithm>
#include <chrono>

#include "api/remote_operations.h"
#include "base/cause.h"
#include "env/process.h"
#include "home/daemon_mark.h"
#include "operation/local_operations.h"
#include "operation/service_recovery.h"
#include "service/leftovers.h"

namespace spl::api {
namespace {

using namespace std::chrono_literals;
using operation::Operations;

constexpr auto kWaitMax = 30s;
constexpr std::chrono::milliseconds kFirstPause = 20ms;
constexpr std::chrono::milliseconds kPauseMax = 500ms;

}  // namespace

Result<std::unique_ptr<Operations>> open_for_reading(env::Env env, const home::HomePaths& paths,
                                                     base::Progress& progress) {
  // Nothing stays frozen because nobody writes; where it may not be seen to, a writer will.
  if (const auto settled = service::settle_leftovers_unless_locked(env, paths); !settled)
    progress.step(settled.error().message);
  instance::InstanceOptions options{.home = paths.root, .store_url = {}};
  auto daemon = TRY(home::running_daemon(env, paths));
  // A running daemon may have its store elsewhere.
  if (daemon) options.store_url = daemon->store_url;
  progress.step(daemon ? "reading the store of " + paths.root + " beside its daemon, pid " + std::to_string(daemon->pid)
                       : "reading the store of " + paths.root + "; no daemon runs");
  auto opened = TRY(instance::Instance::open(env, options, instance::OpenFor::kReading));
  return std::make_unique<operation::LocalOperations>(std::move(opened), std::move(daemon));
}

Result<std::unique_ptr<Operations>> open_for_changing(env::Env env, const home::HomePaths& paths, instance::OpenFor how,
                                                      base::Progress& progress) {
  const auto end = env.clock.steady() + kWaitMax;
  bool waits = false;
  for (std::chrono::milliseconds pause = kFirstPause;; pause = std::min(2 * pause, kPauseMax)) {
    if (auto remote = TRY(RemoteOperations::connect(env, paths, &progress))) {
      progress.step("asking the daemon of " + paths.root);
      return remote;
    }
    if (!waits) progress.step("opening " + paths.root + "; no daemon runs");
    auto opened = instance::Instance::open(env, {.home = paths.root, .store_url = {}}, how);
    if (opened) {
      auto& instance = **opened;
      auto recovered = operation::recover_services(env, paths, TRY(instance.config()), instance.store(), progress);
      if (!recovered) return std::unexpected(instance::Instance::unmade_after(std::move(*opened), recovered.error()));
      return std::make_unique<operation::LocalOperations>(std::move(*opened), std::nullopt);
    }
    if (opened.error().cause != Cause::kLocked) return std::unexpected(std::move(opened).error());
    if (env.clock.steady() + pause > end) {
      Error error = std::move(opened).error();
      if (const auto pid = env::lock_holder(paths.root)) error.message += " (pid " + std::to_string(*pid) + ")";
      return std::unexpected(std::move(error));
    }
    if (!waits) progress.step("waiting for the other process that works on " + paths.root);
    waits = true;
    if (progress.cancelled()) return base::fail_cancelled("nothing was changed");
    env.clock.sleep_for(pause);
  }
}

Result<std::unique_ptr<Operations>> open_for_export(env::Env env, const home::HomePaths& paths,
                                                    base::Progress& progress) {
  auto opened = open_for_changing(env, paths, instance::OpenFor::kWriting, progress);
  if (opened || !base::cannot_be_written(opened.error())) return opened;
  auto reading = instance::Instance::open(env, {.home = paths.root, .store_url = {}}, instance::OpenFor::kReading);
  if (!reading) return opened;
  progress.step("reading " + paths.root + ", which cannot be written");
  return std::make_unique<operation::LocalOperations>(std::move(*reading), std::nullopt, opened.error().message);
}

Result<void> require_instance(env::Env env, const home::HomePaths& paths) {
  if (TRY(home::running_daemon(env, paths))) return {};
  return instance::Instance::require(env, {.home = paths.root, .store_url = {}});
}

}  // namespace spl::api
