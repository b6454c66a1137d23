#include "operation/staged_commands.h"

#include <cstring>
#include <map>
#include <set>

#include "service/program.h"

namespace spl::operation {
namespace {

constexpr std::size_t kOutputBytesMax = 64u << 20;
constexpr std::uint32_t kPassedMode = 0711;
constexpr std::uint32_t kShownMode = 0750;
constexpr std::uint32_t kInnerMode = 0755;  // within what others cannot enter
constexpr std::uint32_t kUrlMode = 0640;    // it may have a password

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

// {staging}, and the variables that lead to what is in it.
class StagingDirectory {
 public:
  StagingDirectory(ServiceRooms& rooms, const service::Declaration& service, std::string directory)
      : fs_(rooms.env.fs), rooms_(rooms), service_(service), directory_(std::move(directory)) {}
  StagingDirectory(const StagingDirectory&) = delete;
  StagingDirectory& operator=(const StagingDirectory&) = delete;
  ~StagingDirectory() {
    for (auto& [name, value] : variables_) explicit_bzero(value.data(), value.size());
  }

  Result<void> make() { return make_shown(rooms_, service_, directory_); }
  Result<void> add(const StagedPart& part);
  [[nodiscard]] const std::string& path() const { return directory_; }
  // "SPL_STAGED_FILES=...": may hold a secret.
  [[nodiscard]] std::vector<std::string> environment() const;
  // What took a link's place would be left behind.
  Result<void> check_links(const std::string& command) const;
  Result<void> sync() const;

 private:
  Result<void> add_url(const std::string& path, const SecretBytes& url);

  env::FileSystem& fs_;
  ServiceRooms& rooms_;
  const service::Declaration& service_;
  const std::string directory_;
  std::map<std::string, std::string> variables_;
  std::map<std::string, std::string> links_;
};

Result<void> StagingDirectory::add_url(const std::string& path, const SecretBytes& url) {
  const auto file = TRY(fs_.open(path, env::OpenMode::kCreateNew, kUrlMode));
  const auto info = TRY(fs_.info(path));
  const auto above = TRY(fs_.info(directory_));
  if (info->gid != above->gid) TRY(fs_.set_owner(path, info->uid, above->gid));
  TRY(fs_.set_mode(path, kUrlMode));
  return file->write_at(0, url.reveal());
}

Result<void> StagingDirectory::add(const StagedPart& part) {
  const std::string of_surface = env::join(directory_, part.name.surface->name);
  const std::string of_part =
      part.name.context == nullptr ? of_surface : env::join(of_surface, part.name.context->name);
  std::string& variable = variables_[service::staged_variable(part.name.surface->name)];
  if (const auto url = TRY(part.part->staged_url(part.mark))) {
    TRY(make_inner(fs_, directory_, env::parent_of(of_part)));
    TRY(add_url(of_part, *url));
    variable = of_part == of_surface ? std::string(url->reveal()) : of_surface;
    return {};
  }
  for (const surface::StagedThing& thing : TRY(part.part->staged_at(part.mark))) {
    const std::string link = thing.name.empty() ? of_part : env::join(of_part, thing.name);
    TRY(make_inner(fs_, directory_, env::parent_of(link)));
    TRY(fs_.make_symbolic_link(thing.where, link));
    variable = link == of_surface ? thing.where : of_surface;
    links_.emplace(link, thing.where);
  }
  // Of what the bundle has nothing there is none.
  if (variable.empty()) variables_.erase(service::staged_variable(part.name.surface->name));
  return {};
}

std::vector<std::string> StagingDirectory::environment() const {
  std::vector<std::string> entries;
  for (const auto& [name, value] : variables_) entries.push_back(name + "=" + value);
  return entries;
}

Result<void> StagingDirectory::check_links(const std::string& command) const {
  for (const auto& [link, where] : links_) {
    const auto info = TRY(fs_.info(link));
    if (!info || info->type != env::FileType::kSymlink || TRY(fs_.read_symbolic_link(link)) != where)
      return fail("service " + service_.name + ": " + command + " has replaced " + link,
                  "it must change what is there in place");
  }
  return {};
}

// Every file system on which something is staged.
Result<void> StagingDirectory::sync() const {
  std::set<std::string> written;
  for (const auto& [link, where] : links_) written.insert(env::parent_of(where));
  for (const std::string& below : written) TRY(fs_.sync_all(below));
  return {};
}

}  // namespace

std::vector<StagedCommand> staged_commands_of(const service::Declaration& service, std::uint64_t schema) {
  std::vector<StagedCommand> commands;
  for (const service::MigrationDeclaration* migration : service.migrations_from(schema))
    commands.push_back({&migration->command, "the migration from schema " + std::to_string(migration->from) + " to " +
                                                 std::to_string(migration->to)});
  if (!service.restore.staged.empty()) commands.push_back({&service.restore.staged, "[restore].staged"});
  return commands;
}

Result<void> examine_staged_commands(const service::PartName& name, std::uint64_t schema, surface::RestorePart& part,
                                     std::vector<Finding>& findings) {
  const auto commands = staged_commands_of(*name.service, schema);
  if (commands.empty() || TRY(part.staged_url({}))) return {};
  const auto shown = part.staged_at({});
  if (shown) return {};
  if (shown.error().cause != Cause::kNotImplemented) return std::unexpected(shown.error());
  findings.push_back(
      {"staged", FindingStatus::kStop, name.text(),
       commands.front().name + " is declared, and no command can change what is staged of " +
           (name.surface->kind == bundle::SurfaceKind::kRedis ? "keys that are no database of their own in "
                                                              : "the kind ") +
           std::string(codec::enum_name(name.surface->kind)),
       "leave the service out with --without " + name.service->name});
  return {};
}

Result<void> run_staged_commands(ServiceRooms& rooms, const service::Declaration& service, const std::string& directory,
                                 const std::vector<StagedCommand>& commands, const std::vector<StagedPart>& parts,
                                 base::Progress& progress) {
  StagingDirectory staging(rooms, service, directory);
  TRY(staging.make());
  for (const StagedPart& part : parts) TRY(staging.add(part));
  std::vector<std::string> environment = staging.environment();
  service::PlaceholderValues values = rooms.set.values(service, nullptr);
  values.staging = staging.path();
  const auto run_all = [&]() -> Result<void> {
    for (const StagedCommand& command : commands) {
      progress.update(service.name + ": " + command.name, 0, 0, "");
      TRY_IN(command.name,
             service::run_command_of(rooms.env, rooms.set, service, *command.command, values, rooms.lookup,
                                     {.output_bytes_max = kOutputBytesMax, .progress = &progress}, environment));
      TRY(staging.check_links(command.name));
    }
    return {};
  };
  const auto ran = run_all();
  for (std::string& entry : environment) explicit_bzero(entry.data(), entry.size());
  TRY(ran);
  return staging.sync();
}

}  // namespace spl::operation
