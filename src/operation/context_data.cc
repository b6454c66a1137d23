#include "operation/context_data.h"

#include <algorithm>

#include "base/encoding.h"
#include "operation/export_history.h"
#include "service/engines.h"
#include "surface/drivers.h"
#include "surface/glob.h"
#include "surface/tree_walk.h"

namespace spl::operation {

Result<std::unique_ptr<surface::LiveData>> live_data_of(const ServiceRooms& rooms, const service::PartName& part) {
  const surface::Place place = TRY(rooms.set.place_of(part, rooms.lookup));
  const auto others = TRY(service::other_places(rooms.set, *part.surface, rooms.lookup));
  return surface::live_data(rooms.env, place, others);
}

Result<std::vector<ContextData>> data_in_engines(const ServiceRooms& rooms, const service::Context& context,
                                                 UnknownKinds unknown) {
  std::vector<ContextData> found;
  for (const service::Declaration& service : rooms.set.services()) {
    for (const service::SurfaceDeclaration& surface : service.surfaces) {
      if (!surface.split) continue;
      const service::PartName part{&service, &surface, &context};
      auto data = live_data_of(rooms, part);
      if (!data && data.error().cause == Cause::kNotImplemented && unknown == UnknownKinds::kArePassedOver) continue;
      if (!data) return std::unexpected(std::move(data).error());
      if (TRY_IN(part.text(), (*data)->is_there())) found.push_back({part, std::move(*data)});
    }
  }
  return found;
}

Result<std::vector<std::string>> databases_in(env::FileSystem& fs, const std::string& directory,
                                              std::string_view pattern) {
  std::vector<std::string> found;
  const auto info = TRY(fs.info(directory));
  if (!info || info->type != env::FileType::kDirectory) return found;
  for (std::string& name : TRY(fs.list(directory))) {
    std::string_view database = name;
    for (const std::string_view beside : kBesideDatabase) {
      if (!beside.empty() && database.ends_with(beside)) database.remove_suffix(beside.size());
    }
    if (!database.starts_with(surface::kOwnNamePrefix) && surface::matches_glob(pattern, database))
      found.push_back(std::move(name));
  }
  return found;
}

Result<std::vector<ContextFile>> files_of_context(env::Env env, const service::ServiceSet& set,
                                                  const service::Context& context) {
  const auto others = TRY(places_of_others(set, context));
  std::vector<ContextFile> files;
  for (const service::Declaration& service : set.services()) {
    for (const service::SurfaceDeclaration& surface : service.surfaces) {
      if (!surface.is_split() || surface.path.empty()) continue;
      const std::string path = TRY(service::expand(surface.path, set.values(service, &context)));
      if (surface.kind == service::SurfaceKind::kSqlite) {
        const std::string directory = env::parent_of(path);
        for (const std::string& name : TRY(databases_in(env.fs, directory, path.substr(path.rfind('/') + 1))))
          files.push_back({env::join(directory, name), &service});
        continue;
      }
      if (!TRY(env.fs.info(path))) continue;
      for (const std::string& other : others) {
        if (surface::is_at_or_below(other, path))
          return fail(
              ErrorCode::kRefused,
              base::escaped(path, 200) + " holds " + base::escaped(other, 200) + ", which is not of " + context.name,
              "have that surface elsewhere first");
      }
      files.push_back({path, &service});
    }
  }
  return files;
}

Result<std::vector<std::string>> places_of_others(const service::ServiceSet& set, const service::Context& context) {
  const home::HomePaths& paths = set.paths();
  std::vector<std::string> others = {
      paths.root,       paths.store(),   paths.identity(), paths.config(), paths.contexts(),
      paths.services(), paths.secrets(), paths.data(),     paths.run(),    env::parent_of(paths.log())};
  for (const service::Declaration& service : set.services()) {
    others.push_back(set.data_directory(service.name));
    for (const service::SurfaceDeclaration& surface : service.surfaces) {
      if (surface.path.empty()) continue;
      for (const service::PartName& part : set.parts_of(service, surface, nullptr)) {
        if (part.context != nullptr && part.context->name == context.name) continue;
        others.push_back(TRY(service::expand(surface.path, set.values(service, part.context))));
      }
    }
  }
  return others;
}

Result<void> require_no_previous(RestoreJournals& journals, const std::string& context, std::string_view done) {
  for (const RestoreJournal& journal : TRY(journals.all())) {
    const auto part = std::ranges::find(journal.parts, context, &JournalPart::context);
    if (part == journal.parts.end()) continue;
    return fail(ErrorCode::kRefused,
                "the context cannot be " + std::string(done) + ": a restore of " + part->service +
                    " has kept what it replaced in it",
                "spl service all restore --discard-previous removes it, --previous brings it back");
  }
  return {};
}

Result<void> forget_backups_of(instance::Instance& instance, const service::ServiceSet& set,
                               const std::string& context) {
  std::vector<std::string> services;
  for (const service::Declaration& service : set.services()) services.push_back(service.name);
  return instance.committer().run(
      [&](store::StoreWriter& writer) { return forget_backups(writer, services, context); });
}

Result<bool> any_context_has_data(const ServiceRooms& rooms) {
  for (const service::Context& context : rooms.set.contexts().all()) {
    const auto files = files_of_context(rooms.env, rooms.set, context);
    if (!files && files.error().code != ErrorCode::kRefused) return std::unexpected(files.error());
    if (!files || !files->empty()) return true;
    const auto parts = data_in_engines(rooms, context, UnknownKinds::kArePassedOver);
    if (!parts && parts.error().code != ErrorCode::kUnavailable) return std::unexpected(parts.error());
    if (!parts || !parts->empty()) return true;
  }
  return false;
}

}  // namespace spl::operation
