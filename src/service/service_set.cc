#include "service/service_set.h"

#include <algorithm>
#include <map>
#include <set>

#include "base/encoding.h"
#include "base/words.h"
#include "bundle/layout.h"
#include "service/program.h"
#include "surface/drivers.h"
#include "surface/glob.h"
#include "surface/tree_walk.h"

namespace spl::service {
namespace {

constexpr std::string_view kSuffix = ".toml";
constexpr std::size_t kSocketPathBytesMax = 107;
// A context that no one can have, for instances that have none yet: it stands in for any.
const Context kAnyContext{"any", 0, {}};

std::string without_end_slashes(std::string path) {
  while (path.size() > 1 && path.ends_with('/')) path.pop_back();
  return path;
}

std::string percent_decoded(std::string_view text) {
  std::string decoded;
  for (std::size_t i = 0; i < text.size(); ++i) {
    std::string digits(text[i] == '%' ? text.substr(i + 1, 2) : "");
    std::ranges::transform(digits, digits.begin(), [](char c) { return c >= 'A' && c <= 'F' ? c - 'A' + 'a' : c; });
    const auto octet = digits.size() == 2 ? base::from_hex(digits) : Result<std::string>("");
    if (octet && octet->size() == 1) {
      decoded += *octet;
      i += 2;
    } else {
      decoded += text[i];
    }
  }
  return decoded;
}

std::string query_value(std::string_view url, std::string_view key) {
  const std::size_t question = url.find('?');
  if (question == std::string_view::npos) return "";
  for (const std::string& pair : base::split(url.substr(question + 1), '&')) {
    if (pair.starts_with(std::string(key) + "=")) return percent_decoded(std::string_view(pair).substr(key.size() + 1));
  }
  return "";
}

// Of "scheme://user:password@host:port/name?query".
std::string authority_of(std::string_view url) {
  const std::size_t begin = url.find("://");
  if (begin == std::string_view::npos) return "";
  std::string_view rest = url.substr(begin + 3);
  rest = rest.substr(0, rest.find_first_of("/?#"));
  const std::size_t at = rest.rfind('@');
  return std::string(at == std::string_view::npos ? rest : rest.substr(at + 1));
}

std::string with_port(const std::string& authority, std::string_view port) {
  if (authority.empty()) return "";
  const std::size_t bracket = authority.rfind(']');  // of an IPv6 address
  const bool has_port = authority.find(':', bracket == std::string::npos ? 0 : bracket) != std::string::npos;
  return "tcp:" + authority + (has_port ? "" : ":" + std::string(port));
}

}  // namespace

namespace {

struct NamedCommand {
  const Command* command;
  bool of_program;  // its arguments do not count
};

std::vector<NamedCommand> commands_of(const Declaration& service) {
  std::vector<NamedCommand> commands{{&service.quiesce.before, false},
                                     {&service.quiesce.after, false},
                                     {&service.restore.staged, false},
                                     {&service.restore.after, false}};
  if (service.run) {
    commands.push_back({&service.run->command, false});
    commands.push_back({&service.run->init, true});
    if (service.run->health_is_command) commands.push_back({&service.run->health, false});
  }
  for (const SurfaceDeclaration& surface : service.surfaces) {
    for (const Command* command : {&surface.rebuild, &surface.dump, &surface.restore, &surface.check})
      commands.push_back({command, false});
  }
  for (const MigrationDeclaration& migration : service.migrations) commands.push_back({&migration.command, false});
  for (const SecretDeclaration& secret : service.secrets) commands.push_back({&secret.generate, false});
  return commands;
}

}  // namespace

namespace {

Result<Declaration> read_declaration(env::Env env, const std::string& file) {
  return parse_declaration(file, TRY(env::read_followed(env.fs, file, kDeclarationBytesMax)));
}

}  // namespace

Result<std::optional<env::UserIds>> foreign_owner_of(env::Env env, const home::HomePaths& paths) {
  const auto info = TRY(env.fs.info(paths.root));
  if (!info || info->uid == 0 || env::own_user_id() != 0) return std::optional<env::UserIds>();
  return std::optional(env::UserIds{info->uid, info->gid});
}

std::string address_of_url(SurfaceKind kind, std::string_view url) {
  if (url.starts_with("unix:")) return std::string(url.substr(0, url.find('?')));
  if (kind == SurfaceKind::kRedis) return with_port(authority_of(url), "6379");
  std::string host = query_value(url, "host");
  std::string port = query_value(url, "port");
  const bool is_postgres = kind == SurfaceKind::kPostgres;
  if (port.empty()) port = is_postgres ? "5432" : "3306";
  if (!is_postgres) {
    const std::string socket = query_value(url, "socket");
    if (!socket.empty()) return "unix:" + socket;
    if (host.empty()) host = percent_decoded(authority_of(url));
    // As the driver takes it, and MariaDB's own programs.
    const bool names_port = !query_value(url, "port").empty();
    if (!names_port && (host.empty() || host == "localhost")) return "unix:/run/mysqld/mysqld.sock";
  }
  if (host.empty()) host = percent_decoded(authority_of(url));
  if (host.starts_with('/')) return "unix:" + host + "/.s.PGSQL." + port;
  return with_port(host, port);
}

std::string PartName::text() const {
  return service->name + "/" + surface->name + (context == nullptr ? "" : " of " + context->name);
}

std::string PartName::section() const {
  return std::string(bundle::kServicesPrefix) + service->name + "/" + surface->name + "/" +
         (context == nullptr ? std::string(bundle::kWholeInstance) : context->name) + "/";
}

Result<ServiceSet> ServiceSet::load(env::Env env, const home::HomePaths& paths) {
  return load_with(env, paths, {});
}

Result<ServiceSet> ServiceSet::load_with(env::Env env, const home::HomePaths& paths, std::vector<Declaration> added) {
  std::vector<SetFault> faults;
  ServiceSet set = TRY(load_readable(env, paths, faults, std::move(added)));
  if (!faults.empty()) return std::unexpected(std::move(faults.front().error));
  return set;
}

Result<ServiceSet> ServiceSet::load_readable(env::Env env, const home::HomePaths& paths, std::vector<SetFault>& faults,
                                             std::vector<Declaration> added) {
  auto contexts = Contexts::load(env, paths);
  if (!contexts) faults.push_back({paths.contexts(), contexts.error()});
  ServiceSet set(paths, contexts ? std::move(*contexts) : Contexts::none(env, paths));
  set.home_owner_ = TRY(foreign_owner_of(env, paths));
  std::map<std::string, std::string> files;  // by name of the service
  if (TRY(env.fs.info(paths.services()))) {
    for (const std::string& name : TRY(env.fs.list(paths.services()))) {
      if (!name.ends_with(kSuffix) || name.starts_with('.')) continue;
      const std::string file = env::join(paths.services(), name);
      auto service = read_declaration(env, file);
      if (!service) {
        faults.push_back({file, std::move(service).error()});
        continue;
      }
      const auto [before, is_new] = files.emplace(service->name, file);
      if (is_new) {
        set.services_.push_back(std::move(*service));
      } else {
        const auto twice = wrong_at(service->at, "name is " + service->name + ", as in " + before->second);
        faults.push_back({file, twice.error()});
      }
    }
  }
  for (Declaration& service : added) set.services_.push_back(std::move(service));
  auto settled = set.settle(env);
  // A file that is left out would make others wrong that are not.
  if (!settled && faults.empty()) faults.push_back({paths.services(), std::move(settled).error()});
  return set;
}

// What they are together.
Result<void> ServiceSet::settle(env::Env env) {
  TRY(order());
  TRY(check());
  TRY(check_own_files(env));
  file_places_ = TRY(files_of(nullptr));
  return {};
}

Result<ServiceSet> ServiceSet::none(env::Env env, const home::HomePaths& paths) {
  return ServiceSet(paths, TRY(Contexts::load(env, paths)));
}

const Declaration* ServiceSet::find(std::string_view name) const {
  const auto found = std::ranges::find(services_, name, &Declaration::name);
  return found == services_.end() ? nullptr : &*found;
}

Result<const Declaration*> ServiceSet::require(std::string_view name) const {
  if (const Declaration* service = find(name)) return service;
  std::string known;
  for (const Declaration& service : services_) known += (known.empty() ? "" : ", ") + service.name;
  return fail(ErrorCode::kUsage, Cause::kNotFound, "this home declares no service \"" + base::escaped(name, 80) + "\"",
              known.empty() ? "declare services in " + paths_.services() : "its services are: " + known);
}

std::string ServiceSet::data_directory(std::string_view service) const {
  return env::join(paths_.data(), service);
}

std::string ServiceSet::run_directory(std::string_view service) const {
  return env::join(paths_.run(), "services/" + std::string(service));
}

PlaceholderValues ServiceSet::values(const Declaration& service, const Context* context) const {
  return {paths_.root, data_directory(service.name), run_directory(service.name), context, {}};
}

const Declaration* ServiceSet::engine_of(const Declaration& service, const SurfaceDeclaration& surface) const {
  if (!is_database(surface.kind)) return nullptr;
  // What a URL hides in a secret is no address.
  const SecretLookup hidden = [](std::string_view) -> Result<SecretBytes> { return SecretBytes("hidden"); };
  const auto url = expand_secret(surface.url, values(service, nullptr), hidden);
  if (!url) return nullptr;
  const std::string address = address_of_url(surface.kind, url->reveal());
  if (address.empty()) return nullptr;
  for (const Declaration& candidate : services_) {
    if (!candidate.run) continue;
    if (address.starts_with("unix:") && surface::is_at_or_below(address.substr(5), run_directory(candidate.name)))
      return &candidate;
    for (const std::string& listened : candidate.run->listen) {
      const auto expanded = expand(listened, values(candidate, nullptr));
      if (expanded && *expanded == address) return &candidate;
    }
  }
  return nullptr;
}

bool ServiceSet::is_engine(const Declaration& service) const {
  if (!service.run) return false;
  return std::ranges::any_of(services_, [&](const Declaration& other) {
    return std::ranges::any_of(other.surfaces, [&](const SurfaceDeclaration& surface) {
      const Declaration* engine = engine_of(other, surface);
      return engine != nullptr && engine->name == service.name;
    });
  });
}

// Engines first; within, by `after`, and by name where that says nothing.
Result<void> ServiceSet::order() {
  std::ranges::sort(services_, {}, &Declaration::name);
  std::vector<Declaration> ordered;
  std::set<std::string, std::less<>> placed;
  std::vector<bool> engines;
  for (const Declaration& service : services_) {
    engines.push_back(is_engine(service));
    for (const std::string& other : service.after) {
      if (find(other) == nullptr)
        return wrong_at(service.at, "after names the service " + base::escaped(other) + ", which is not declared");
    }
  }
  std::vector<bool> taken(services_.size());
  while (ordered.size() < services_.size()) {
    std::optional<std::size_t> next;
    for (std::size_t i = 0; i < services_.size(); ++i) {
      if (taken[i]) continue;
      const bool ready =
          std::ranges::all_of(services_[i].after, [&](const std::string& other) { return placed.contains(other); });
      if (!ready) continue;
      if (!next || (engines[i] && !engines[*next])) next = i;
    }
    if (!next) {
      const auto stuck = std::ranges::find(taken, false) - taken.begin();
      return wrong_at(services_[static_cast<std::size_t>(stuck)].at, "after goes round in a circle");
    }
    taken[*next] = true;
    placed.insert(services_[*next].name);
    ordered.push_back(services_[*next]);
  }
  services_ = std::move(ordered);
  return {};
}

std::vector<PartName> ServiceSet::parts_of(const Declaration& service, const SurfaceDeclaration& surface,
                                           const Context* only) const {
  std::vector<PartName> parts;
  if (!surface.is_split()) {
    if (only == nullptr) parts.push_back({&service, &surface, nullptr});
  } else if (only != nullptr) {
    parts.push_back({&service, &surface, only});
  } else {
    for (const Context& context : contexts_.all()) parts.push_back({&service, &surface, &context});
    std::ranges::sort(parts, {}, [](const PartName& part) { return part.context->name; });
  }
  return parts;
}

Result<surface::Place> ServiceSet::place_of(const PartName& part, const SecretLookup& secrets) const {
  const SurfaceDeclaration& surface = *part.surface;
  const PlaceholderValues known = values(*part.service, part.context);
  surface::Place place;
  place.kind = surface.kind;
  place.subject = part.text();
  if (!surface.path.empty()) place.path = without_end_slashes(TRY(expand(surface.path, known)));
  place.exclude = surface.exclude;
  if (surface.kind == SurfaceKind::kFiles || surface.kind == SurfaceKind::kGit) {
    const auto add_inner = [&place](const std::vector<std::string>& others) {
      for (const std::string& other : others) {
        if (other != place.path && surface::is_at_or_below(other, place.path)) place.inner.push_back(other);
      }
    };
    add_inner(file_places_);
    const bool is_new = part.context != nullptr && contexts_.find(part.context->name) == nullptr;
    if (is_new) add_inner(TRY(files_of(part.context)));
  }
  if (!surface.hooks_template.empty()) place.hooks_template = TRY(expand(surface.hooks_template, known));
  if (surface.kind == SurfaceKind::kCommand) place.commands = TRY(part_commands_of(*this, part, secrets));
  if (!surface.url.empty()) place.url = TRY_IN(place.subject + ": url", expand_secret(surface.url, known, secrets));
  if (!surface.admin_url.empty())
    place.admin_url = TRY_IN(place.subject + ": admin_url", expand_secret(surface.admin_url, known, secrets));
  if (surface.split) {
    std::string name = TRY(expand(surface.split->pattern, known));
    switch (surface.split->how) {
      case Split::How::kDatabase:
        place.database = std::move(name);
        if (surface.kind != SurfaceKind::kRedis) break;
        for (const Context& other : contexts_.all())
          place.other_databases.push_back(TRY(expand(surface.split->pattern, values(*part.service, &other))));
        break;
      case Split::How::kSchema:
        place.schema = std::move(name);
        break;
      case Split::How::kPrefix:
        place.key_prefix = std::move(name);
        break;
    }
  }
  return place;
}

// Where all parts that lie in files are, or those of one context; of a SQLite database also the files that stand beside
// it.
Result<std::vector<std::string>> ServiceSet::files_of(const Context* only) const {
  std::vector<std::string> places;
  for (const Declaration& service : services_) {
    for (const SurfaceDeclaration& surface : service.surfaces) {
      if (!surface::lies_in_files(surface.kind)) continue;
      for (const PartName& part : parts_of(service, surface, only)) {
        const std::string path = without_end_slashes(TRY(expand(surface.path, values(service, part.context))));
        places.push_back(path);
        if (surface.kind != SurfaceKind::kSqlite) continue;
        for (const char* beside : {"-wal", "-shm", "-journal"}) places.push_back(path + beside);
      }
    }
  }
  return places;
}

Result<void> ServiceSet::check() const {
  TRY(check_identifiers());
  TRY(check_meeting());
  TRY(check_listening());
  return check_freezing();
}

// Names that PostgreSQL would cut off, sockets that cannot be bound.
Result<void> ServiceSet::check_identifiers() const {
  for (const Declaration& service : services_) {
    for (const SurfaceDeclaration& surface : service.surfaces) {
      if (!surface.split || surface.kind == SurfaceKind::kRedis) continue;
      for (const Context& context : contexts_.all()) {
        const std::string name = TRY(expand(surface.split->pattern, values(service, &context)));
        if (name.size() > kIdentifierBytesMax)
          return wrong_at(surface.at, "surface.split: " + name + " is longer than 63 bytes");
      }
    }
    if (!service.run) continue;
    for (const std::string& listened : service.run->listen) {
      const std::string address = TRY(expand(listened, values(service, nullptr)));
      if (address.starts_with("unix:") && address.size() - 5 > kSocketPathBytesMax)
        return wrong_at(service.at, "run.listen: a socket's path has at most 107 bytes: " + address.substr(5));
    }
  }
  return {};
}

Result<void> ServiceSet::check_listening() const {
  std::map<std::string, const Declaration*> bound;
  std::map<std::string, const Declaration*> routes;
  for (const Declaration& service : services_) {
    if (!service.run) continue;
    for (const std::string& listened : service.run->listen) {
      const std::string address = TRY(expand(listened, values(service, nullptr)));
      const auto [before, is_new] = bound.emplace(address, &service);
      if (!is_new && before->second != &service)
        return wrong_at(service.at, "run.listen: " + address + " is bound by " + before->second->name + " as well");
    }
    if (service.run->route.empty()) continue;
    const auto [before, is_new] = routes.emplace(service.run->route, &service);
    if (!is_new) return wrong_at(service.at, "run.route: " + service.run->route + " is " + before->second->name + "'s");
  }
  return {};
}

Result<void> ServiceSet::check_freezing() const {
  for (const Declaration& service : services_) {
    if (service.quiesce.method == Quiesce::kFreeze && is_engine(service))
      return wrong_at(service.at,
                      "quiesce.method is freeze, and " + service.name + " serves databases: an engine is never frozen");
  }
  return {};
}

// No two parts hold the same state, but for one that lies inside another's tree.
Result<void> ServiceSet::check_meeting() const {
  struct Held {
    const SurfaceDeclaration* surface;
    const Declaration* service;
    std::string where;
  };
  std::vector<Held> held;
  const SecretLookup hidden = [](std::string_view) -> Result<SecretBytes> { return SecretBytes("hidden"); };
  const auto contexts = contexts_.all().empty() ? std::vector<Context>{kAnyContext} : contexts_.all();
  for (const Declaration& service : services_) {
    for (const SurfaceDeclaration& surface : service.surfaces) {
      if (surface.kind == SurfaceKind::kCommand) continue;
      const std::size_t parts = surface.is_split() ? contexts.size() : 1;
      for (std::size_t i = 0; i < parts; ++i) {
        const PlaceholderValues known = values(service, surface.is_split() ? &contexts[i] : nullptr);
        std::string where;
        if (surface::lies_in_files(surface.kind)) {
          where = without_end_slashes(TRY(expand(surface.path, known)));
        } else {
          where = std::string(TRY(expand_secret(surface.url, known, hidden)).reveal()) + " " +
                  (surface.split ? TRY(expand(surface.split->pattern, known)) : std::string());
        }
        held.push_back({&surface, &service, std::move(where)});
      }
    }
  }
  for (std::size_t i = 0; i < held.size(); ++i) {
    for (std::size_t j = i + 1; j < held.size(); ++j) {
      const Held& one = held[i];
      const Held& other = held[j];
      if (surface::lies_in_files(one.surface->kind) != surface::lies_in_files(other.surface->kind)) continue;
      const bool meets =
          one.where == other.where ||
          (one.surface->kind == SurfaceKind::kSqlite && other.surface->kind == SurfaceKind::kSqlite &&
           (surface::matches_glob(one.where, other.where) || surface::matches_glob(other.where, one.where)));
      if (!meets) continue;
      return wrong_at(other.surface->at, "surface " + other.surface->name + " meets " + one.service->name + "/" +
                                             one.surface->name + ": both hold " + base::escaped(one.where, 200));
    }
  }
  return {};
}

// What a restore of a surface would put in the place of spl itself, or of a program that it runs.
Result<void> ServiceSet::check_own_files(env::Env env) const {
  const Context& any = contexts_.all().empty() ? kAnyContext : contexts_.all().front();
  for (const Declaration& service : services_) {
    for (const SurfaceDeclaration& surface : service.surfaces) {
      if (!surface::lies_in_files(surface.kind)) continue;
      const std::string path =
          without_end_slashes(TRY(expand(surface.path, values(service, surface.is_split() ? &any : nullptr))));
      for (const std::string& own :
           {paths_.identity(), paths_.secrets(), paths_.run(), paths_.services(), paths_.software()}) {
        if (surface::is_at_or_below(own, path) || surface::is_at_or_below(path, own))
          return wrong_at(surface.at, "surface " + surface.name + " contains " + own + ", which is spl's own");
      }
      if (surface::is_at_or_below(paths_.store(), path))
        return wrong_at(surface.at, "surface " + surface.name + " contains " + paths_.store() + ", which is spl's own");
      for (const Declaration& other : services_) TRY(check_programs(env, surface, path, other));
    }
  }
  return {};
}

// That the surface does not hold what a command of the service names.
Result<void> ServiceSet::check_programs(env::Env env, const SurfaceDeclaration& surface, const std::string& path,
                                        const Declaration& service) const {
  for (const NamedCommand& named : commands_of(service)) {
    const std::size_t words =
        named.of_program ? std::min<std::size_t>(named.command->size(), 1) : named.command->size();
    for (std::size_t i = 0; i < words; ++i) {
      const Context* any = contexts_.all().empty() ? &kAnyContext : &contexts_.all().front();
      const auto word = expand((*named.command)[i], values(service, any));
      if (!word || !word->starts_with('/') || !surface::is_at_or_below(*word, path)) continue;
      if (surface.kind == SurfaceKind::kSqlite && *word == path) continue;
      const auto info = env.fs.info(*word);
      const bool is_file = info && *info && (*info)->type == env::FileType::kFile;
      if (i > 0 && !is_file) continue;
      return wrong_at(surface.at, "surface " + surface.name + " contains " + *word + ", which a command of " +
                                      service.name + " names: a bundle could change what is run");
    }
  }
  return {};
}

}  // namespace spl::service
