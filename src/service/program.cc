#include "service/program.h"

#include <cstring>

#include "base/encoding.h"
#include "env/program_start.h"
#include "service/run_ways.h"
#include "service/service_group.h"

namespace spl::service {
namespace {

constexpr std::uint32_t kServiceDirectoryMode = 0750;
constexpr std::uint32_t kPassedMode = 0711;
constexpr std::uint32_t kRoutedMode = 02710;

// Made where it is missing, and given to the service's user.
Result<void> make_directory_for(env::FileSystem& fs, const std::string& path, const std::optional<env::UserIds>& user) {
  if (TRY(fs.info(path))) return {};
  TRY(env::make_directories(fs, env::parent_of(path), kPassedMode));
  TRY(fs.make_directory(path, kServiceDirectoryMode));
  TRY(fs.set_mode(path, kServiceDirectoryMode));
  if (user) TRY(fs.set_owner(path, user->uid, user->gid));
  return fs.sync_directory(env::parent_of(path));
}

Result<std::string> directory_for(const ServiceSet& set, const Declaration& service) {
  if (!service.run || service.run->workdir.empty()) return set.data_directory(service.name);
  return expand(service.run->workdir, set.values(service, nullptr));
}

Result<Command> expanded(const Command& command, const PlaceholderValues& values) {
  Command words;
  for (const std::string& word : command) words.push_back(TRY(expand(word, values)));
  return words;
}

// Whatever goes wrong with the log is no reason to fail.
void append_to_log(env::Env env, const std::string& path, std::string_view text) {
  if (text.empty()) return;
  (void)env::make_directories(env.fs, env::parent_of(path));
  auto file = env.fs.open(path, env::OpenMode::kCreate);
  if (!file) return;
  const auto size = (*file)->size();
  if (size) (void)(*file)->write_at(*size, std::string(text) + (text.ends_with('\n') ? "" : "\n"));
}

}  // namespace

std::string mark_of(const ServiceSet& set, const Declaration& service) {
  return "SPL_SERVICE=" + service.name + "@" + set.paths().root;
}

std::string runit_directory_of(const ServiceSet& set, std::string_view service) {
  return env::join(set.paths().run(), "runit/" + std::string(service));
}

Result<ProcessSource> processes_source_of(const ServiceSet& set, const Declaration& service) {
  const RunWay way = service.run ? service.run->way() : RunWay::kCommand;
  if (way == RunWay::kUnit) return source_of(set, service, TRY(find_unit(set, service)));
  if (way == RunWay::kContainer) return source_of(set, service, TRY(find_container(set, service)));
  ProcessSource source = TRY(marked_source_of(set, service));
  source.runit_directory = runit_directory_of(set, service.name);
  source.group = TRY(group_of(set, service));
  return source;
}

Result<ProcessSource> marked_source_of(const ServiceSet& set, const Declaration& service) {
  ProcessSource source{mark_of(set, service)};
  const auto user = user_of(set, service);
  // As a user that does not exist, or may not be used, nothing runs.
  const bool is_settled =
      user || user.error().code == ErrorCode::kUnavailable || user.error().code == ErrorCode::kRefused;
  if (!is_settled) return std::unexpected(user.error());
  if (user && *user) source.user = (*user)->uid;
  return source;
}

std::string log_of(const ServiceSet& set, const Declaration& service) {
  return env::join(set.paths().root, "logs/services/" + service.name + ".log");
}

Result<std::optional<env::UserIds>> user_of(const ServiceSet& set, const Declaration& service) {
  if (env::own_user_id() != 0) return std::optional<env::UserIds>();
  if (!service.run || service.run->user.empty()) return set.home_owner();
  const auto account = TRY(env::find_user(service.run->user));
  if (!account)
    return fail(ErrorCode::kUnavailable, "service " + service.name + ": there is no user " + service.run->user,
                "make it, with adduser --system --group " + service.run->user);
  env::UserIds ids = account->ids;
  // Who may write the declarations gets no other user's rights by them.
  if (set.home_owner() && ids.uid != set.home_owner()->uid)
    return fail(ErrorCode::kRefused,
                "service " + service.name + " is to run as " + service.run->user + ", and the home is another user's",
                "in a home that is not root's services run as its owner: leave user out");
  if (!service.run->group.empty()) {
    const auto group = TRY(env::find_group(service.run->group));
    if (!group)
      return fail(ErrorCode::kUnavailable, "service " + service.name + ": there is no group " + service.run->group,
                  "make it, with addgroup --system " + service.run->group);
    ids.gid = *group;
  }
  return std::optional(ids);
}

// Where spl is root's: the router is another user, and passes through to the sockets of what it serves. They get the
// directory's group.
Result<void> let_router_through(env::FileSystem& fs, const ServiceSet& set, const Declaration& service) {
  if (env::own_user_id() != 0 || set.home_owner() || !is_routed(service)) return {};
  const auto group = TRY(env::find_group(kRouterGroup));
  if (!group) return {};
  const std::string directory = set.run_directory(service.name);
  const auto info = TRY(fs.info(directory));
  if (!info || (info->gid == *group && info->mode == kRoutedMode)) return {};
  TRY(fs.set_owner(directory, info->uid, *group));
  return fs.set_mode(directory, kRoutedMode);
}

Result<void> make_directories_of(env::Env env, const ServiceSet& set, const Declaration& service) {
  const auto user = TRY(user_of(set, service));
  TRY(make_directory_for(env.fs, set.data_directory(service.name), user));
  TRY(make_directory_for(env.fs, set.run_directory(service.name), user));
  return let_router_through(env.fs, set, service);
}

Result<ServiceEnvironment> ServiceEnvironment::of(const ServiceSet& set, const Declaration& service,
                                                  const SecretLookup& secrets) {
  ServiceEnvironment made;
  const auto user = TRY(user_of(set, service));
  const auto account = TRY(env::find_user(user ? user->uid : env::own_user_id()));
  made.entries_.push_back(mark_of(set, service));
  made.entries_.emplace_back("PATH=/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin");
  made.entries_.emplace_back("LANG=C.UTF-8");
  made.entries_.push_back("HOME=" + (account ? account->directory : set.data_directory(service.name)));
  if (account) {
    made.entries_.push_back("USER=" + account->name);
    made.entries_.push_back("LOGNAME=" + account->name);
  }
  if (!service.run) return made;
  const PlaceholderValues values = set.values(service, nullptr);
  for (const auto& [name, text] : service.run->env) {
    const SecretBytes value = TRY_IN("service " + service.name + ": env " + name, expand_secret(text, values, secrets));
    std::erase_if(made.entries_, [&name](const std::string& entry) { return entry.starts_with(name + "="); });
    made.entries_.push_back(name + "=" + std::string(value.reveal()));
  }
  return made;
}

ServiceEnvironment::~ServiceEnvironment() {
  for (std::string& entry : entries_) explicit_bzero(entry.data(), entry.size());
}

Result<env::ProgramStart> program_of(env::Env env, const ServiceSet& set, const Declaration& service,
                                     const Command& command, const PlaceholderValues& values,
                                     const SecretLookup& secrets) {
  env::ProgramStart program;
  program.arguments = TRY(expanded(command, values));
  program.working_directory = TRY(directory_for(set, service));
  if (!TRY(env.fs.info(program.working_directory))) program.working_directory = "/";
  program.user = TRY(user_of(set, service));
  program.environment = TRY(ServiceEnvironment::of(set, service, secrets)).entries();
  return program;
}

void wipe(env::ProgramStart& program) {
  for (std::string& entry : program.environment) explicit_bzero(entry.data(), entry.size());
}

Result<void> run_command_of(env::Env env, const ServiceSet& set, const Declaration& service, const Command& command,
                            const PlaceholderValues& values, const SecretLookup& secrets,
                            const env::CommandLimits& limits, const std::vector<std::string>& more_environment) {
  env::ProgramStart program = TRY(program_of(env, set, service, command, values, secrets));
  for (const std::string& entry : more_environment) {
    const std::string name = entry.substr(0, entry.find('=') + 1);
    std::erase_if(program.environment, [&name](const std::string& other) { return other.starts_with(name); });
    program.environment.push_back(entry);
  }
  env::ChildOptions options{.arguments = program.arguments,
                            .environment = std::move(program.environment),
                            .working_directory = program.working_directory,
                            .user = program.user};
  const auto ended = env::run_command(options, "", limits);
  for (std::string& entry : options.environment) explicit_bzero(entry.data(), entry.size());
  const env::CommandOutput output = TRY_IN("service " + service.name, ended);
  append_to_log(env, log_of(set, service), output.output);
  append_to_log(env, log_of(set, service), output.said);
  if (output.exit.ok()) return {};
  constexpr std::size_t kShown = 300;
  std::string said = base::escaped(output.said.empty() ? output.output : output.said, kShown);
  return fail("service " + service.name + ": " + base::escaped(options.arguments.front(), 200) + " " +
                  output.exit.text() + (said.empty() ? "" : ": " + said),
              "spl service " + service.name + " logs shows what it said");
}

Result<surface::PartCommands> part_commands_of(const ServiceSet& set, const PartName& part,
                                               const SecretLookup& secrets) {
  const PlaceholderValues values = set.values(*part.service, part.context);
  surface::PartCommands commands;
  commands.dump = TRY(expanded(part.surface->dump, values));
  commands.restore = TRY(expanded(part.surface->restore, values));
  commands.check = TRY(expanded(part.surface->check, values));
  commands.surroundings = [&set, service = part.service, secrets](env::Env env) -> Result<env::ChildOptions> {
    env::ProgramStart program = TRY(program_of(env, set, *service, {}, {}, secrets));
    return env::ChildOptions{.arguments = {},
                             .environment = std::move(program.environment),
                             .working_directory = program.working_directory,
                             .user = program.user};
  };
  commands.log = [path = log_of(set, *part.service)](env::Env env, std::string_view text) {
    append_to_log(env, path, text);
  };
  return commands;
}

Error become_service(env::Env env, const ServiceSet& set, const Declaration& service, const SecretLookup& secrets) {
  const auto try_it = [&]() -> Result<void> {
    if (!service.run || service.run->command.empty())
      return fail(ErrorCode::kUsage, "service " + service.name + " has no [run] command");
    TRY(make_directories_of(env, set, service));
    const ServiceEnvironment environment = TRY(ServiceEnvironment::of(set, service, secrets));
    env::ProgramStart start{TRY(expanded(service.run->command, set.values(service, nullptr))), environment.entries(),
                            TRY(directory_for(set, service)), TRY(user_of(set, service))};
    // The router connects to its sockets by their group; strangers do not.
    if (env::own_user_id() == 0 && is_routed(service)) start.creation_mask = 0007;
    enter_group(env, set, service);
    return std::unexpected(env::become(start));
  };
  return try_it().error();
}

}  // namespace spl::service
