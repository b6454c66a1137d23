// What a context has, in engines and in files. Internal to what removes and renames contexts. One thread.
#pragma once

#include <array>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "base/result.h"
#include "instance/instance.h"
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

// What SQLite keeps beside a database, and belongs to it.
inline constexpr std::array<std::string_view, 4> kBesideDatabase{"", "-wal", "-shm", "-journal"};
// Of names in a directory those of databases that a pattern means, with what stands beside them.
Result<std::vector<std::string>> databases_in(env::FileSystem& fs, const std::string& directory,
                                              std::string_view pattern);

struct ContextFile {
  std::string path;
  const service::Declaration* service = nullptr;
};
// The trees and databases of a context that are there. Code kRefused where one holds what is not the context's.
Result<std::vector<ContextFile>> files_of_context(env::Env env, const service::ServiceSet& set,
                                                  const service::Context& context);
// The places of all that is not the context's: other parts, and what is spl's own.
Result<std::vector<std::string>> places_of_others(const service::ServiceSet& set, const service::Context& context);

// Code kRefused where a restore has kept what it replaced in the context: that stands beside what would be `done` to it
// ("renamed").
Result<void> require_no_previous(RestoreJournals& journals, const std::string& context, std::string_view done);

// No backup that was made here counts for what comes under this name from now on.
Result<void> forget_backups_of(instance::Instance& instance, const service::ServiceSet& set,
                               const std::string& context);
// Whether any context of the home has something, in files or in engines. One whose engine does not answer counts as if.
Result<bool> any_context_has_data(const ServiceRooms& rooms);

}  // namespace spl::operation
