#include "operation/service_remove.h"

#include <algorithm>

#include "base/encoding.h"
#include "env/process_table.h"
#include "operation/rebuilds.h"
#include "operation/service_recovery.h"
#include "operation/service_rooms.h"
#include "service/program.h"
#include "surface/drivers.h"
#include "surface/tree_walk.h"

namespace spl::operation {
namespace {

using service::Declaration;

std::unexpected<Error> refused(const Declaration& service, const std::string& why, std::string hint) {
  return fail(ErrorCode::kRefused, "the service " + service.name + " cannot be removed: " + why, std::move(hint));
}

Result<void> require_nobody_needs(const ServiceRooms& rooms, const Declaration& service) {
  for (const Declaration& other : rooms.set.services()) {
    if (&other == &service) continue;
    if (std::ranges::find(other.after, service.name) != other.after.end())
      return refused(service, other.name + " comes after it", "remove " + other.name + " first");
    for (const service::SurfaceDeclaration& surface : other.surfaces) {
      if (rooms.set.engine_of(other, surface) == &service)
        return refused(service, other.name + "/" + surface.name + " is kept in it", "remove " + other.name + " first");
    }
  }
  return {};
}

Result<void> require_no_previous_of(RestoreJournals& journals, const Declaration& service) {
  for (const RestoreJournal& journal : TRY(journals.all())) {
    if (std::ranges::find(journal.parts, service.name, &JournalPart::service) != journal.parts.end())
      return refused(service, "what the restore of " + journal.began_at + " has replaced of it is kept",
                     "spl service " + service.name + " restore --discard-previous removes that");
  }
  return {};
}

// What lies elsewhere may be others' as well.
Result<void> require_all_below(const ServiceRooms& rooms, const Declaration& service, const std::string& data) {
  for (const service::SurfaceDeclaration& surface : service.surfaces) {
    for (const service::PartName& part : rooms.set.parts_of(service, surface, nullptr)) {
      const auto place = rooms.set.place_of(part, rooms.lookup);
      if (place && surface::lies_in_files(surface.kind) && place->path.starts_with(data + "/")) continue;
      if (place && surface::lies_in_files(surface.kind) && place->path == data) continue;
      return refused(service, "its data " + part.text() + " does not lie below " + base::escaped(data, 200),
                     "remove it without its data, and that data by hand");
    }
  }
  return {};
}

Result<void> delete_data_of(ServiceRooms& rooms, const Declaration& service, const std::string& data) {
  if (const auto holder = TRY(env::holder_below(data)))
    return refused(service,
                   "process " + std::to_string(holder->pid) + " (" + env::process_name(holder->pid) + ") holds " +
                       base::escaped(holder->path, 200),
                   "end that process");
  // With the rights of whose it is: links lead no further than its own.
  TRY(surface::remove_tree_of(rooms.env.fs, data, TRY(service::user_of(rooms.set, service))));
  return rooms.env.fs.sync_directory(env::parent_of(data));
}

Result<void> delete_secrets_of(ServiceRooms& rooms, const Declaration& service) {
  for (const service::SecretDeclaration& secret : service.secrets) {
    std::vector<const service::Context*> contexts{nullptr};
    if (service::names_context(secret.handle)) {
      contexts.clear();
      for (const service::Context& context : rooms.set.contexts().all()) contexts.push_back(&context);
    }
    for (const service::Context* context : contexts)
      TRY(rooms.secrets->remove(TRY(service::expand(secret.handle, rooms.set.values(service, context)))));
  }
  return {};
}

}  // namespace

Result<RemovedService> remove_service(instance::Instance& instance, const RemoveRequest& request,
                                      base::Progress& progress) {
  const auto config = TRY(instance.config());
  TRY(settle_restores(instance.env(), instance.paths(), config, instance.store(), progress));
  const auto rooms = TRY(ServiceRooms::open(instance.env(), instance.paths(), config));
  const Declaration& service = *TRY(rooms->set.require(request.service));
  const std::string data = rooms->set.data_directory(service.name);
  const bool has_data = TRY(rooms->env.fs.info(data)).has_value();
  TRY(require_nobody_needs(*rooms, service));
  TRY(require_no_previous_of(rooms->journals, service));
  if (request.delete_data) TRY(require_all_below(*rooms, service, data));
  if (service.run) {
    progress.step("stopping " + service.name);
    TRY(rooms->supervisor->stop(service, progress));
  }
  if (request.delete_data) {
    progress.step("removing the data of " + service.name);
    if (has_data) TRY(delete_data_of(*rooms, service, data));
    TRY(delete_secrets_of(*rooms, service));
  }
  Rebuilds rebuilds(rooms->env, instance.paths());
  for (const Rebuild& rebuild : TRY(rebuilds.all())) {
    if (rebuild.service == service.name) TRY(rebuilds.remove(rebuild));
  }
  // Last: until then it can be asked for again.
  const std::string declaration = service.at.file;
  TRY(rooms->env.fs.remove(declaration));
  TRY(rooms->env.fs.sync_directory(env::parent_of(declaration)));
  return RemovedService{service.name, request.delete_data, has_data && !request.delete_data ? data : ""};
}

}  // namespace spl::operation
