#include "service/declaration.h"

#include <algorithm>
#include <set>

#include "base/names.h"
#include "service/container_tool.h"
#include "service/health.h"
#include "service/placeholders.h"
#include "service/systemd.h"
#include "service/toml_table.h"

namespace spl::service {
namespace {

constexpr std::uint64_t kMillisecondsMax = 24ull * 3600 * 1000;
constexpr std::uint64_t kSchemaMax = (std::uint64_t{1} << 53) - 1;
constexpr std::size_t kHandlePartsMax = 3;

Result<std::chrono::milliseconds> milliseconds(TomlTable& table, std::string_view key,
                                               std::chrono::milliseconds otherwise) {
  const auto number = TRY(table.whole_number(key));
  if (!number) return otherwise;
  if (*number == 0 || static_cast<std::uint64_t>(*number) > kMillisecondsMax)
    return table.wrong(key, "is not between 1 and " + std::to_string(kMillisecondsMax));
  return std::chrono::milliseconds(*number);
}

Result<void> check_placeholders(const TomlTable& table, std::string_view key, std::string_view text, Allowed allowed) {
  const auto checked = service::check_placeholders(text, allowed);
  if (!checked) return table.wrong(key, checked.error().message);
  return {};
}

Result<std::string> text_with(TomlTable& table, std::string_view key, Allowed allowed) {
  std::string text = TRY(table.text(key)).value_or("");
  TRY(check_placeholders(table, key, text, allowed));
  return text;
}

Result<Command> command_with(TomlTable& table, std::string_view key, Allowed allowed) {
  const auto words = TRY(table.texts(key));
  if (!words) return Command{};
  if (words->empty() || words->front().empty()) return table.wrong(key, "names no program");
  for (const std::string& word : *words) {
    if (word.find('\0') != std::string::npos) return table.wrong(key, "has an argument with a NUL in it");
    TRY(check_placeholders(table, key, word, allowed));
  }
  return *words;
}

Result<std::string> name_in(TomlTable& table, std::string_view key) {
  std::string name = TRY(table.required_text(key));
  if (!base::is_name(name))
    return table.wrong(key, "is no name: lowercase letters, digits, _ and -, at most 63, not beginning with _ or -");
  return name;
}

// "tcp:HOST:PORT" or "unix:PATH".
Result<void> check_address(const TomlTable& table, std::string_view key, std::string_view address) {
  if (address.starts_with("unix:") && address.size() > 5) return {};
  if (address.starts_with("tcp:") && address.rfind(':') > 4) return {};
  return table.wrong(key, "is neither unix:PATH nor tcp:HOST:PORT: " + std::string(address));
}

Result<void> check_health(const TomlTable& table, std::string_view address) {
  for (const std::string_view scheme : {"http://", "https://", "tcp:", "unix:"}) {
    if (address.starts_with(scheme) && address.size() > scheme.size()) return {};
  }
  return table.wrong("health", "is none of unix:PATH:/URL, http://..., tcp:HOST:PORT and a command");
}

Result<std::string> signal_in(TomlTable& table, std::string_view key, std::string otherwise) {
  auto name = TRY(table.text(key));
  if (!name) return otherwise;
  static const std::set<std::string, std::less<>> kSignals{"TERM", "INT", "QUIT", "HUP", "USR1", "USR2", "KILL"};
  if (!kSignals.contains(*name)) return table.wrong(key, "is none of TERM, INT, QUIT, HUP, USR1, USR2, KILL");
  return std::move(*name);
}

Result<void> check_route(const TomlTable& table, const RunDeclaration& run) {
  if (run.route.empty()) return {};
  if (!base::is_name(run.route)) return table.wrong("route", "is no name");
  if (run.route == "v1" || run.route == "health")
    return table.wrong("route", "is the instance's own: choose another than v1 and health");
  if (run.routed_address().empty())
    return table.wrong("route", "leads nowhere: neither listen nor health says where the service is");
  return {};
}

Result<RunDeclaration> parse_run(TomlTable table) {
  RunDeclaration run;
  run.command = TRY(command_with(table, "command", Allowed::kCommand));
  run.unit = TRY(table.text("unit")).value_or("");
  run.container = TRY(table.text("container")).value_or("");
  if (int{!run.command.empty()} + int{!run.unit.empty()} + int{!run.container.empty()} != 1)
    return wrong_at(table.place(), "run wants one of command, unit and container");
  if (!run.unit.empty() && !is_service_unit(run.unit))
    return table.wrong("unit", "is no service unit: letters, digits and : - _ . \\ @, as in notes.service");
  if (!run.container.empty() && !is_container_name(run.container))
    return table.wrong("container",
                       "is no name of a container: letters, digits, _ . and -, beginning with a letter or digit");
  run.user = TRY(table.text("user")).value_or("");
  run.group = TRY(table.text("group")).value_or("");
  run.workdir = TRY(text_with(table, "workdir", Allowed::kCommand));
  if (const auto env = TRY(table.texts_by_name("env"))) {
    for (const auto& [name, value] : *env) {
      if (name.empty() || name.find_first_of(std::string("=\0", 2)) != std::string::npos)
        return table.wrong("env", "has a name that no variable can have: " + name);
      TRY(check_placeholders(table, "env", value, Allowed::kSecrets));
    }
    run.env = *env;
  }
  run.init = TRY(command_with(table, "init", Allowed::kCommand));
  run.stop_signal = TRY(signal_in(table, "stop_signal", std::move(run.stop_signal)));
  run.stop_timeout = TRY(milliseconds(table, "stop_timeout_ms", run.stop_timeout));
  run.start_timeout = TRY(milliseconds(table, "start_timeout_ms", run.start_timeout));
  if (const auto health = TRY(table.text_or_texts("health"))) {
    run.health_is_command = table.is_array("health");
    run.health = *health;
    if (run.health.empty()) return table.wrong("health", "names no program");
    for (const std::string& word : run.health) TRY(check_placeholders(table, "health", word, Allowed::kCommand));
    if (!run.health_is_command) TRY(check_health(table, run.health.front()));
  }
  if (const auto listen = TRY(table.texts("listen"))) {
    for (const std::string& address : *listen) {
      TRY(check_address(table, "listen", address));
      TRY(check_placeholders(table, "listen", address, Allowed::kCommand));
    }
    run.listen = *listen;
  }
  run.route = TRY(table.text("route")).value_or("");
  run.access = TRY(table.choice<RouteAccess>("access")).value_or(run.access);
  TRY(check_route(table, run));
  TRY(table.end());
  return run;
}

Result<QuiesceDeclaration> parse_quiesce(TomlTable table) {
  QuiesceDeclaration quiesce;
  quiesce.method = TRY(table.choice<Quiesce>("method"));
  quiesce.before = TRY(command_with(table, "before", Allowed::kCommand));
  quiesce.after = TRY(command_with(table, "after", Allowed::kCommand));
  quiesce.timeout = TRY(milliseconds(table, "timeout_ms", quiesce.timeout));
  const bool has_hooks = !quiesce.before.empty() || !quiesce.after.empty();
  if (quiesce.method == Quiesce::kHook && (quiesce.before.empty() || quiesce.after.empty()))
    return table.wrong("method", "is hook, which wants before and after");
  if (has_hooks && quiesce.method != Quiesce::kHook)
    return wrong_at(table.place(), "quiesce has before or after, and its method is not hook");
  TRY(table.end());
  return quiesce;
}

Result<std::optional<Split>> parse_split(TomlTable& surface, SurfaceKind kind) {
  auto table = TRY(surface.table("split"));
  if (!table) return std::optional<Split>();
  using How = Split::How;
  std::optional<Split> split;
  for (const auto& [key, how] :
       {std::pair("database", How::kDatabase), std::pair("schema", How::kSchema), std::pair("prefix", How::kPrefix)}) {
    const auto pattern = TRY(table->text(key));
    if (!pattern) continue;
    if (split) return wrong_at(table->place(), "split has more than one of database, schema and prefix");
    const bool fits = how == How::kDatabase || (how == How::kSchema && kind == SurfaceKind::kPostgres) ||
                      (how == How::kPrefix && kind == SurfaceKind::kRedis);
    if (!fits) return table->wrong(key, "cannot be a split of the kind " + std::string(codec::enum_name(kind)));
    TRY(check_placeholders(*table, key, *pattern, Allowed::kContext));
    TRY_IN(table->place_of(key).file + ":" + std::to_string(table->place_of(key).line) + ": split." + key,
           check_split(*pattern, how == How::kPrefix           ? Matching::kBeginnings
                                 : kind == SurfaceKind::kRedis ? Matching::kNumbers
                                                               : Matching::kIdentifiers));
    split = Split{how, *pattern};
  }
  TRY(table->end());
  if (!split) return wrong_at(table->place(), "split has none of database, schema and prefix");
  return split;
}

// What a kind must have, and what it cannot have.
Result<void> check_members(const TomlTable& table, const SurfaceDeclaration& surface) {
  using enum SurfaceKind;
  const SurfaceKind kind = surface.kind;
  const bool has_path = kind == kFiles || kind == kGit || kind == kSqlite;
  struct Member {
    const char* key;
    bool is_there;
    bool is_allowed;
    bool is_wanted;
  };
  for (const Member& member :
       {Member{"path", !surface.path.empty(), has_path, has_path},
        Member{"exclude", !surface.exclude.empty(), kind == kFiles, false},
        Member{"template", !surface.hooks_template.empty(), kind == kGit, false},
        Member{"url", !surface.url.empty(), is_database(kind), is_database(kind)},
        Member{"admin_url", !surface.admin_url.empty(), kind == kPostgres || kind == kMariadb, false},
        Member{"split", surface.split.has_value(), is_database(kind), false},
        Member{"dump", !surface.dump.empty(), kind == kCommand, kind == kCommand},
        Member{"restore", !surface.restore.empty(), kind == kCommand, kind == kCommand},
        Member{"check", !surface.check.empty(), kind == kCommand, false}}) {
    const std::string of_kind = " of the kind " + std::string(codec::enum_name(kind));
    if (member.is_there && !member.is_allowed) return table.wrong(member.key, "is no key of a surface" + of_kind);
    if (!member.is_there && member.is_wanted)
      return wrong_at(table.place(),
                      std::string("surface.") + member.key + " is missing: a surface" + of_kind + " wants it");
  }
  return {};
}

Result<void> check_url(const TomlTable& table, std::string_view key, SurfaceKind kind, std::string_view url) {
  if (url.empty()) return {};
  using enum SurfaceKind;
  const auto begins = [url](std::string_view scheme) { return url.starts_with(scheme); };
  switch (kind) {
    case kPostgres:
      if (begins("postgresql://") || begins("postgres://")) return {};
      return table.wrong(key, "does not begin with postgresql://");
    case kMariadb:
      if (begins("mariadb://") || begins("mysql://")) return {};
      return table.wrong(key, "does not begin with mariadb://");
    case kRedis:
      if (begins("unix:") || begins("redis://")) return {};
      return table.wrong(key, "begins with neither unix: nor redis://");
    default:
      return {};
  }
}

Result<void> check_path(const TomlTable& table, const SurfaceDeclaration& surface) {
  if (surface.path.empty()) return {};
  if (!surface.path.starts_with('/') && !surface.path.starts_with("{home}") && !surface.path.starts_with("{data}"))
    return table.wrong("path", "is not absolute: it begins with none of /, {data} and {home}");
  const std::size_t slash = surface.path.rfind('/');
  const std::size_t star = surface.path.find('*');
  if (star == std::string::npos) return {};
  if (surface.kind != SurfaceKind::kSqlite) return table.wrong("path", "has a *, which only a sqlite surface may have");
  if (star < slash) return table.wrong("path", "has a * in a directory's name");
  const auto clear = check_split_with_star(std::string_view(surface.path).substr(slash + 1));
  if (!clear) return table.wrong("path", clear.error().message);
  return {};
}

// What is dumped for each context must be loaded for each, and nothing else.
Result<void> check_command_split(const TomlTable& table, const SurfaceDeclaration& surface) {
  if (surface.kind != SurfaceKind::kCommand) return {};
  const auto is_split = [](const Command& command) {
    return std::ranges::any_of(command, [](const std::string& word) { return names_context(word); });
  };
  if (is_split(surface.dump) != is_split(surface.restore))
    return wrong_at(table.place(), "surface.dump and surface.restore must both name {context}, or neither");
  if (is_split(surface.check) && !is_split(surface.dump))
    return table.wrong("check", "names {context}, and dump does not");
  return {};
}

Result<SurfaceDeclaration> parse_surface(TomlTable table) {
  SurfaceDeclaration surface;
  surface.at = table.place();
  surface.name = TRY(name_in(table, "name"));
  const auto kind = TRY(table.choice<SurfaceKind>("kind"));
  if (!kind) return wrong_at(table.place(), "surface.kind is missing");
  surface.kind = *kind;
  surface.surface_class = TRY(table.choice<SurfaceClass>("class")).value_or(SurfaceClass::kSource);
  surface.path = TRY(text_with(table, "path", Allowed::kContext));
  if (const auto exclude = TRY(table.texts("exclude"))) surface.exclude = *exclude;
  surface.hooks_template = TRY(text_with(table, "template", Allowed::kCommand));
  surface.url = TRY(text_with(table, "url", Allowed::kSecrets));
  surface.admin_url = TRY(text_with(table, "admin_url", Allowed::kSecrets));
  surface.split = TRY(parse_split(table, surface.kind));
  surface.dump = TRY(command_with(table, "dump", Allowed::kContext));
  surface.restore = TRY(command_with(table, "restore", Allowed::kContext));
  surface.check = TRY(command_with(table, "check", Allowed::kContext));
  surface.rebuild = TRY(command_with(table, "rebuild", Allowed::kCommand));
  TRY(table.end());
  TRY(check_members(table, surface));
  TRY(check_command_split(table, surface));
  TRY(check_path(table, surface));
  TRY(check_url(table, "url", surface.kind, surface.url));
  TRY(check_url(table, "admin_url", surface.kind, surface.admin_url));
  if (!surface.rebuild.empty() && surface.surface_class == SurfaceClass::kSource)
    return table.wrong("rebuild", "is no key of a surface of the class source: nothing can rebuild it");
  return surface;
}

// "<service>/<name>" or "<service>/<context>/<name>".
Result<void> check_handle(const TomlTable& table, std::string_view key, std::string_view service,
                          std::string_view handle) {
  std::vector<std::string_view> parts;
  for (std::string_view rest = handle;;) {
    const std::size_t slash = rest.find('/');
    parts.push_back(rest.substr(0, slash));
    if (slash == std::string_view::npos) break;
    rest.remove_prefix(slash + 1);
  }
  if (parts.size() < 2 || parts.size() > kHandlePartsMax || parts[0] != service)
    return table.wrong(key,
                       "is neither " + std::string(service) + "/NAME nor " + std::string(service) + "/CONTEXT/NAME");
  for (std::size_t i = 1; i < parts.size(); ++i) {
    const bool may_be_context = i == 1 && parts.size() == kHandlePartsMax;
    if (!base::is_name(parts[i]) && !(may_be_context && parts[i] == "{context}"))
      return table.wrong(key, "has a part that is no name: " + std::string(parts[i]));
  }
  return {};
}

Result<SecretDeclaration> parse_secret(TomlTable table, std::string_view service) {
  SecretDeclaration secret;
  secret.at = table.place();
  secret.handle = TRY(table.required_text("handle"));
  TRY(check_handle(table, "handle", service, secret.handle));
  secret.secret_class = TRY(table.choice<SecretClass>("class")).value_or(SecretClass::kPortable);
  secret.required = TRY(table.boolean("required")).value_or(false);
  secret.generate = TRY(command_with(table, "generate", Allowed::kCommand));
  if (!secret.generate.empty() && secret.secret_class != SecretClass::kRegenerate)
    return table.wrong("generate", "is only for the class regenerate");
  TRY(table.end());
  return secret;
}

Result<MigrationDeclaration> parse_migration(TomlTable table) {
  MigrationDeclaration migration;
  migration.at = table.place();
  const auto from = TRY(table.whole_number("from"));
  const auto to = TRY(table.whole_number("to"));
  if (!from || !to || *to <= *from) return wrong_at(table.place(), "migration wants from and to, and to is the larger");
  migration.from = static_cast<std::uint64_t>(*from);
  migration.to = static_cast<std::uint64_t>(*to);
  migration.command = TRY(command_with(table, "command", Allowed::kStaging));
  if (migration.command.empty()) return wrong_at(table.place(), "migration.command is missing");
  TRY(table.end());
  return migration;
}

Result<void> parse_lists(TomlTable& root, Declaration& service) {
  for (TomlTable& table : TRY(root.tables("surface"))) {
    SurfaceDeclaration surface = TRY(parse_surface(std::move(table)));
    if (service.surface(surface.name) != nullptr)
      return wrong_at(surface.at, "surface.name is there twice: " + surface.name);
    service.surfaces.push_back(std::move(surface));
  }
  for (TomlTable& table : TRY(root.tables("secret"))) {
    SecretDeclaration secret = TRY(parse_secret(std::move(table), service.name));
    if (std::ranges::find(service.secrets, secret.handle, &SecretDeclaration::handle) != service.secrets.end())
      return wrong_at(secret.at, "secret.handle is there twice: " + secret.handle);
    service.secrets.push_back(std::move(secret));
  }
  for (TomlTable& table : TRY(root.tables("migration")))
    service.migrations.push_back(TRY(parse_migration(std::move(table))));
  return {};
}

Result<void> check_freeze(const Declaration& service) {
  const bool by_default = !service.quiesce.method && service.run;
  if (service.quiesce.method != Quiesce::kFreeze && !by_default) return {};
  if (!service.run)
    return wrong_at(service.at, "quiesce.method is freeze, and without [run] there is nothing to freeze");
  for (const SurfaceDeclaration& surface : service.surfaces) {
    if (surface.kind == SurfaceKind::kCommand)
      return wrong_at(surface.at, std::string("quiesce.method is ") +
                                      (by_default ? "missing, and so freeze" : "freeze") +
                                      ", and the dump of surface " + surface.name +
                                      " would ask a frozen process: say hook or none");
  }
  return {};
}

// From each schema that a migration begins at, just one way leads to the service's own.
Result<void> check_migrations(const Declaration& service) {
  std::set<std::uint64_t> from;
  for (const MigrationDeclaration& migration : service.migrations) {
    const std::string schema = std::to_string(migration.from);
    if (!from.insert(migration.from).second)
      return wrong_at(migration.at,
                      "migration.from is " + schema + " twice: nobody could tell which of the two is meant");
    if (migration.to > service.schema)
      return wrong_at(migration.at, "migration.to is " + std::to_string(migration.to) +
                                        ", beyond the service's schema " + std::to_string(service.schema));
  }
  for (const MigrationDeclaration& migration : service.migrations) {
    if (migration.to != service.schema && !from.contains(migration.to))
      return wrong_at(migration.at, "migration.to is " + std::to_string(migration.to) +
                                        ", from which no migration leads to the service's schema " +
                                        std::to_string(service.schema));
  }
  return {};
}

Result<void> check_staged(const Declaration& service) {
  if (service.restore.staged.empty() && service.migrations.empty()) return {};
  std::set<std::string> variables;
  for (const SurfaceDeclaration& surface : service.surfaces) {
    const std::string variable = staged_variable(surface.name);
    if (!variables.insert(variable).second)
      return wrong_at(surface.at, "surface.name: " + surface.name + " and another surface would both be " + variable +
                                      " for what is run on the staged copy");
  }
  return {};
}

}  // namespace

std::string staged_variable(std::string_view surface) {
  std::string name = "SPL_STAGED_";
  for (const char c : surface) name += c >= 'a' && c <= 'z' ? static_cast<char>(c - 'a' + 'A') : c == '-' ? '_' : c;
  return name;
}

bool SurfaceDeclaration::is_split() const {
  if (split) return true;
  if (names_context(path)) return true;
  return std::ranges::any_of(dump, [](const std::string& word) { return names_context(word); });
}

std::string SurfaceDeclaration::split_text() const {
  if (!is_split()) return "";
  if (!split) return kind == SurfaceKind::kCommand ? "command" : "path";
  switch (split->how) {
    case Split::How::kDatabase:
      return "database " + split->pattern;
    case Split::How::kSchema:
      return "schema " + split->pattern;
    case Split::How::kPrefix:
      return "prefix " + split->pattern;
  }
  return "";
}

std::string RunDeclaration::routed_address() const {
  if (!listen.empty()) return listen.front();
  if (health.empty() || health_is_command) return "";
  const std::string address = health_question(health.front()).address;
  return address.starts_with("unix:") || address.starts_with("tcp:") ? address : "";
}

const SurfaceDeclaration* Declaration::surface(std::string_view surface_name) const {
  const auto found = std::ranges::find(surfaces, surface_name, &SurfaceDeclaration::name);
  return found == surfaces.end() ? nullptr : &*found;
}

std::vector<const MigrationDeclaration*> Declaration::migrations_from(std::uint64_t older_schema) const {
  std::vector<const MigrationDeclaration*> chain;
  while (older_schema != schema) {
    const auto next = std::ranges::find(migrations, older_schema, &MigrationDeclaration::from);
    if (next == migrations.end()) return {};
    chain.push_back(&*next);
    older_schema = next->to;
  }
  return chain;
}

Result<Declaration> parse_declaration(const std::string& file, const std::string& text) {
  const auto parsed = codec::parse_toml(text);
  if (!parsed) return wrong_at({file, parsed.error().line}, parsed.error().why);
  TomlTable root(*parsed, file, "");
  Declaration service;
  service.text = text;
  service.name = TRY(name_in(root, "name"));
  service.at = root.place_of("name");
  if (service.name == "all" || service.name == "backup" || service.name == "catalog")
    return root.wrong("name", "cannot be " + service.name + ": the command line has that word for itself");
  service.version = TRY(root.text("version")).value_or("");
  if (const auto schema = TRY(root.whole_number("schema"))) {
    if (static_cast<std::uint64_t>(*schema) > kSchemaMax) return root.wrong("schema", "is too large");
    service.schema = static_cast<std::uint64_t>(*schema);
  }
  service.summary = TRY(root.text("summary")).value_or("");
  if (const auto after = TRY(root.texts("after"))) service.after = *after;
  if (auto table = TRY(root.table("install"))) service.install = TRY(parse_install(std::move(*table), service.version));
  if (auto table = TRY(root.table("run"))) service.run = TRY(parse_run(std::move(*table)));
  if (auto table = TRY(root.table("quiesce"))) service.quiesce = TRY(parse_quiesce(std::move(*table)));
  if (auto table = TRY(root.table("restore"))) {
    service.restore.staged = TRY(command_with(*table, "staged", Allowed::kStaging));
    service.restore.after = TRY(command_with(*table, "after", Allowed::kCommand));
    TRY(table->end());
  }
  TRY(parse_lists(root, service));
  TRY(root.end());
  TRY(check_freeze(service));
  TRY(check_migrations(service));
  TRY(check_staged(service));
  return service;
}

}  // namespace spl::service
