// What a context has in engines. Internal to what removes and renames contexts. One thread.
#pragma once

#include <memory>
#include <vector>

#include "base/result.h"
#include "operation/service_restore.h"
#include "service/service_set.h"
#include "surface/live_data.h"

namespace spl::operation {

// What a part that lies in an engine holds, apart from what is other surfaces' there.
Result<std::unique_ptr<surface::LiveData>> live_data_of(const ServiceRooms& rooms, const service::PartName& part);

struct ContextData {
  service::PartName part;
  std::unique_ptr<surface::LiveData> data;
};
enum class UnknownKinds : bool { kArePassedOver, kAreAnError };
// The parts of a context in engines that hold something, and what of kinds that this version cannot look into. Code
// kUnavailable where an engine does not answer.
Result<std::vector<ContextData>> data_in_engines(const ServiceRooms& rooms, const service::Context& context,
                                                 UnknownKinds unknown);

}  // namespace spl::operation
