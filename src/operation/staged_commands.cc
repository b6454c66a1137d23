#include "operation/staged_commands.h"

#include <map>
#include <set>

#include "service/program.h"

namespace spl::operation {
namespace {

constexpr std::size_t kOutputBytesMax = 64u << 20;
constexpr std::uint32_t kPassedMode = 0711;
constexpr std::uint32_t kShownMode = 0750;
constexpr std::uint32_t kInnerMode = 0755;  // within what others cannot enter

// Directories of `path` that are missing below `directory`.
Result<void> make_inner(env::FileSystem& fs, const std::string& directory, const std::string& path) {
  for (std::size_t slash = directory.size(); slash != std::string::npos; slash = path.find('/', slash + 1)) {
    const std::string one = path.substr(0, path.find('/', slash + 1));
    if (TRY(fs.info(one))) continue;
    TRY(fs.make_directory(one, kInnerMode));
  }
  return {};
}

// For the service's user to read, and nobody else; whoever owns it could lead this process elsewhere.
Result<void> make_shown(ServiceRooms& rooms, const service::Declaration& service, const std::string& directory) {
  env::FileSystem& fs = rooms.env.fs;
  TRY(env::make_directories(fs, directory));
  const auto user = TRY(service::user_of(rooms.set, service));
  if (!user) return {};
  const auto info = TRY(fs.info(directory));
  if (info->gid != user->gid) TRY(fs.set_owner(directory, info->uid, user->gid));
  TRY(fs.set_mode(directory, kShownMode));
  for (const std::string& above : {env::parent_of(directory), env::parent_of(env::parent_of(directory))})
    TRY(fs.set_mode(above, kPassedMode));
  return {};
}

}  // namespace

Result<void> examine_staged_command(const service::PartName& name, surface::RestorePart& part,
                                    std::vector<Finding>& findings) {
  if (name.service->restore.staged.empty()) return {};
  const auto shown = part.staged_at({});
  if (shown) return {};
  if (shown.error().cause != Cause::kNotImplemented) return std::unexpected(shown.error());
  findings.push_back(
      {"staged", FindingStatus::kStop, name.text(),
       "[restore].staged is declared, and this version lets no command change what is staged of the kind " +
           std::string(codec::enum_name(name.surface->kind)),
       "leave the service out with --without " + name.service->name});
  return {};
}

Result<void> run_staged_command(ServiceRooms& rooms, const service::Declaration& service, const std::string& directory,
                                const std::vector<StagedPart>& parts, base::Progress& progress) {
  env::FileSystem& fs = rooms.env.fs;
  TRY(make_shown(rooms, service, directory));
  std::map<std::string, std::string> variables;
  std::map<std::string, std::string> links;
  for (const StagedPart& part : parts) {
    const std::string of_surface = env::join(directory, part.name.surface->name);
    const std::string of_part =
        part.name.context == nullptr ? of_surface : env::join(of_surface, part.name.context->name);
    for (const surface::StagedThing& thing : TRY(part.part->staged_at(part.mark))) {
      const std::string link = thing.name.empty() ? of_part : env::join(of_part, thing.name);
      TRY(make_inner(fs, directory, env::parent_of(link)));
      TRY(fs.make_symbolic_link(thing.where, link));
      variables[service::staged_variable(part.name.surface->name)] = link == of_surface ? thing.where : of_surface;
      links.emplace(link, thing.where);
    }
  }
  std::vector<std::string> environment;
  for (const auto& [name, value] : variables) environment.push_back(name + "=" + value);
  service::PlaceholderValues values = rooms.set.values(service, nullptr);
  values.staging = directory;
  TRY(service::run_command_of(rooms.env, rooms.set, service, service.restore.staged, values, rooms.lookup,
                              {.output_bytes_max = kOutputBytesMax, .progress = &progress}, environment));
  std::set<std::string> written;  // directories on whose file systems something is staged
  for (const auto& [link, where] : links) {
    // What took a link's place would be left behind.
    const auto info = TRY(fs.info(link));
    if (!info || info->type != env::FileType::kSymlink || TRY(fs.read_symbolic_link(link)) != where)
      return fail("service " + service.name + ": [restore].staged has replaced " + link,
                  "it must change what is there in place");
    written.insert(env::parent_of(where));
  }
  for (const std::string& below : written) TRY(fs.sync_all(below));
  return {};
}

}  // namespace spl::operation
