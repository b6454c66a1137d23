#include "operation/context_remove.h"

#include <algorithm>
#include <ranges>
#include <set>
#include <string>
#include <vector>

#include "base/encoding.h"
#include "env/process_table.h"
#include "operation/context_data.h"
#include "operation/export_history.h"
#include "operation/service_recovery.h"
#include "operation/service_rooms.h"
#include "service/engines.h"
#include "service/program.h"
#include "surface/drivers.h"
#include "surface/tree_walk.h"

namespace spl::operation {
namespace {

class Removal {
 public:
  Removal(ServiceRooms& rooms, service::Context context) : rooms_(rooms), context_(std::move(context)) {}

  // Whatever speaks against it, before anything is changed.
  Result<void> plan(const RemovedContext& request, store::StoreReader& store) {
    const bool delete_data = request.delete_data;
    TRY(require_no_previous(rooms_.journals, context_.name, "removed"));
    files_ = TRY(files_of_context(rooms_.env, rooms_.set, context_));
    parts_ =
        TRY(data_in_engines(rooms_, context_, delete_data ? UnknownKinds::kAreAnError : UnknownKinds::kArePassedOver));
    TRY(find_secrets());
    if (delete_data && !request.without_backup) TRY(require_backup(store));
    if (delete_data) return find_services();
    if (files_.size() + parts_.size() == 0) return {};
    return fail(ErrorCode::kRefused,
                "the context " + context_.name + " has data: " +
                    (files_.empty() ? parts_.front().part.text() : base::escaped(files_.front().path, 200)) +
                    (files_.size() + parts_.size() > 1 ? ", ..." : ""),
                "back it up with spl export --context " + context_.name + ", then give --delete-data");
  }

  Result<void> run() {
    auto done = stop_services();
    if (done) done = remove_all();
    const auto started = start_services();
    return done ? started : done;
  }

 private:
  Result<void> require_backup(store::StoreReader& store) const {
    std::set<std::string> services;
    for (const ContextFile& file : files_) services.insert(file.service->name);
    for (const ContextData& part : parts_) services.insert(part.part.service->name);
    for (const std::string& service : services) {
      if (!TRY(store.setting(backed_up_setting(service, context_.name))).value_or("").empty()) continue;
      return fail(ErrorCode::kRefused,
                  "no backup was made here of what the service " + service + " has of the context " + context_.name,
                  "make one with spl export --context " + context_.name + ", or give --without-backup");
    }
    return {};
  }

  // Those that may hold its data open, in starting order. What only an engine holds is removed by the engine.
  Result<void> find_services() {
    if (files_.size() + parts_.size() == 0) return {};
    const auto engines = TRY(service::engines_of(rooms_.set, rooms_.lookup));
    for (const service::Declaration& service : rooms_.set.services()) {
      if (!service.run) continue;
      const bool is_engine = std::ranges::find(engines, &service) != engines.end();
      const bool is_meant = std::ranges::any_of(service.surfaces, [is_engine](const auto& surface) {
        return surface.is_split() && (!is_engine || surface::lies_in_files(surface.kind));
      });
      if (!is_meant) continue;
      const auto state = TRY(rooms_.supervisor->status(service)).state;
      if (state != service::ServiceState::kDown) services_.push_back({&service, is_engine});
    }
    return {};
  }

  Result<void> find_secrets() {
    for (const service::Declaration& service : rooms_.set.services()) {
      for (const service::SecretDeclaration& secret : service.secrets) {
        if (!service::names_context(secret.handle)) continue;
        std::string handle = TRY(service::expand(secret.handle, rooms_.set.values(service, &context_)));
        const auto value = rooms_.secrets->get(handle);
        if (value) secrets_.push_back(std::move(handle));
        if (!value && value.error().cause != Cause::kNotFound) return std::unexpected(value.error());
      }
    }
    return {};
  }

  Result<void> stop_services() {
    for (const StoppedService& stopped : std::views::reverse(services_)) {
      if (!stopped.is_engine) TRY_IN("stop " + stopped.service->name, rooms_.supervisor->stop(*stopped.service, calm_));
    }
    return {};
  }

  // One that does not start keeps the others from nothing.
  Result<void> start_services() {
    std::string failed;
    for (const StoppedService& stopped : services_) {
      const auto started = rooms_.supervisor->start(*stopped.service, calm_);
      if (!started) failed += "; " + stopped.service->name + " does not start again: " + started.error().message;
    }
    if (failed.empty()) return {};
    return fail(ErrorCode::kUnavailable, "the context " + context_.name + " is removed" + failed,
                "spl service NAME logs shows what it said");
  }

  Result<void> remove_all() {
    for (const ContextData& part : parts_) TRY_IN(part.part.text(), part.data->remove());
    for (const StoppedService& stopped : services_) {
      if (stopped.is_engine) TRY_IN("stop " + stopped.service->name, rooms_.supervisor->stop(*stopped.service, calm_));
    }
    // As they are now: a service may have made another while it was about to stop.
    const auto files = TRY(files_of_context(rooms_.env, rooms_.set, context_));
    for (const ContextFile& file : files) TRY(check_holder(file.path));
    for (const ContextFile& file : files) TRY(remove_file(file));
    for (const std::string& handle : secrets_) TRY(rooms_.secrets->remove(handle));
    return rooms_.set.contexts().remove(context_.name);
  }

  // Also of services that nobody has declared, or that the operator runs.
  Result<void> check_holder(const std::string& path) const {
    const auto holder = TRY(env::holder_below(path));
    if (!holder) return {};
    return fail(ErrorCode::kRefused,
                "the context " + context_.name + " cannot be removed: process " + std::to_string(holder->pid) + " (" +
                    env::process_name(holder->pid) + ") holds " + base::escaped(holder->path, 200),
                "end that process, or the service that it is of");
  }

  // With the rights of whose it is: whatever links the service has put there, they lead no further than its own.
  Result<void> remove_file(const ContextFile& file) {
    const auto owner = TRY(service::user_of(rooms_.set, *file.service));
    TRY(surface::remove_tree_of(rooms_.env.fs, file.path, owner));
    return rooms_.env.fs.sync_directory(env::parent_of(file.path));
  }

  struct StoppedService {
    const service::Declaration* service = nullptr;
    bool is_engine = false;
  };

  ServiceRooms& rooms_;
  const service::Context context_;
  std::vector<ContextFile> files_;
  std::vector<ContextData> parts_;
  std::vector<std::string> secrets_;
  std::vector<StoppedService> services_;
  base::NoProgress calm_;
};

}  // namespace

Result<ContextEntry> remove_context(instance::Instance& instance, const RemovedContext& request) {
  base::NoProgress calm;
  const auto config = TRY(instance.config());
  TRY(settle_restores(instance.env(), instance.paths(), config, instance.store(), calm));
  const auto rooms = TRY(ServiceRooms::open(instance.env(), instance.paths(), config));
  const service::Context context = *TRY(rooms->set.contexts().require(request.name));
  Removal removal(*rooms, context);
  TRY(removal.plan(request, *TRY(instance.store().reader())));
  TRY(forget_backups_of(instance, rooms->set, context.name));
  TRY(removal.run());
  return ContextEntry{context.name, context.id, context.label};
}

}  // namespace spl::operation
