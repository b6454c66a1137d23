#include "service/service_group.h"

#include <chrono>

#include "base/encoding.h"
#include "env/directory_id.h"
#include "env/proc_files.h"
#include "service/program.h"

namespace spl::service {
namespace {

using std::chrono::milliseconds;

constexpr std::size_t kPathBytesMax = 8192;
constexpr milliseconds kEmptiesAtMost{2000};  // the kernel counts one that has just ended for a moment
constexpr milliseconds kLookEvery{5};

std::string record_of(const ServiceSet& set, const Declaration& service) {
  return env::join(runit_directory_of(set, service.name), "group");
}

std::string name_of(const ServiceSet& set, const Declaration& service) {
  return group_prefix_of(set.paths()) + service.name;
}

// "" where there is none.
Result<std::string> recorded(const ServiceSet& set, const Declaration& service) {
  return TRY(env::read_proc(record_of(set, service), kPathBytesMax)).value_or("");
}

// Written before it is joined: what is in it is found.
Result<void> enter(env::Env env, const ServiceSet& set, const Declaration& service, env::GroupVersion version) {
  const auto group = TRY(env::ControlGroup::make(version, name_of(set, service)));
  auto done = [&]() -> Result<void> {
    if (TRY(recorded(set, service)) != group.directory())
      TRY(env::write_file_atomically(env.fs, record_of(set, service), group.directory()));
    return group.join();
  }();
  if (!done) (void)group.remove();
  return done;
}

}  // namespace

std::string group_prefix_of(const home::HomePaths& paths) {
  const auto id = env::directory_id(paths.root).value_or(env::DirectoryId{});
  return "spl-" + std::to_string(id.device) + "-" + std::to_string(id.inode) + ".";
}

void enter_group(env::Env env, const ServiceSet& set, const Declaration& service,
                 std::span<const env::GroupVersion> versions) {
  const auto directory = env.fs.info(runit_directory_of(set, service.name));
  if (!directory || !*directory) return;  // no supervisor starts it
  for (const env::GroupVersion version : versions) {
    if (enter(env, set, service, version)) return;
  }
  (void)env.fs.remove(record_of(set, service));
}

Result<std::optional<env::ControlGroup>> group_of(const ServiceSet& set, const Declaration& service) {
  const std::string directory = TRY(recorded(set, service));
  // A copy of a home has the file, too, and a group of its own at its next start.
  if (env::group_name(directory) != name_of(set, service)) return std::nullopt;
  auto group = env::ControlGroup::at(directory);
  if (!group && group.error().code == ErrorCode::kUnavailable) return std::nullopt;
  return group;
}

Result<void> remove_group(env::Env env, const ServiceSet& set, const Declaration& service) {
  const auto group = TRY(group_of(set, service));
  if (group) {
    const auto end = env.clock.steady() + kEmptiesAtMost;
    while (!TRY(group->remove())) {
      if (env.clock.steady() > end) return {};
      env.clock.sleep_for(kLookEvery);
    }
  }
  return env.fs.remove(record_of(set, service));
}

}  // namespace spl::service
