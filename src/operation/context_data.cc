#include "operation/context_data.h"

#include "service/engines.h"

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

}  // namespace spl::operation
