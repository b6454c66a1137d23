#include "operation/service_operations.h"

#include <algorithm>
#include <map>
#include <ranges>

#include "base/encoding.h"
#include "operation/secret_lookup.h"
#include "operation/service_recovery.h"
#include "operation/service_restore.h"
#include "service/program.h"

namespace spl::operation {
namespace {

constexpr std::size_t kLogBytesShown = 64u << 10;
constexpr std::size_t kHeldBytesMax = 1u << 20;

Result<std::unique_ptr<ServiceRooms>> rooms_of(instance::Instance& instance) {
  return ServiceRooms::open(instance.env(), instance.paths(), TRY(instance.config()));
}

// In starting order; those that spl runs, where all are meant.
Result<std::vector<const service::Declaration*>> chosen(const service::ServiceSet& set, const std::string& name) {
  std::vector<const service::Declaration*> services;
  if (name != "all") {
    services.push_back(TRY(set.require(name)));
    return services;
  }
  for (const service::Declaration& service : set.services()) services.push_back(&service);
  return services;
}

// Of a text whose beginning was cut off.
std::string whole_lines(std::string text) {
  text.erase(0, text.find('\n') == std::string::npos ? 0 : text.find('\n') + 1);
  return text;
}

std::string end_of(const std::string& text) {
  return text.size() <= kLogBytesShown ? text : whole_lines(text.substr(text.size() - kLogBytesShown));
}

std::optional<std::string> unless_all(const std::string& name) {
  return name == "all" ? std::nullopt : std::optional(name);
}

}  // namespace

Result<std::vector<service::InventoryRow>> inventory_of(instance::Instance& instance, base::Progress& progress) {
  const auto rooms = TRY(rooms_of(instance));
  std::string random(8, '\0');
  instance.env().random.fill(random);
  const std::string scratch = env::join(instance.paths().run(), "b-" + base::to_hex(random));
  TRY(env::make_directories(instance.env().fs, scratch));
  auto rows =
      service::inventory(instance.env(), rooms->set, rooms->lookup,
                         {instance.paths().run(), spool::Secrecy::kEncrypted, kHeldBytesMax}, scratch, progress);
  TRY(env::remove_tree(instance.env().fs, scratch));
  return rows;
}

Result<ServiceStates> states_of(instance::Instance& instance, const ServiceName& service) {
  const auto rooms = TRY(rooms_of(instance));
  ServiceStates states;
  for (const service::Declaration* declared : TRY(chosen(rooms->set, service.name)))
    states.services.push_back(TRY(rooms->supervisor->status(*declared)));
  states.rebuilds = TRY(Rebuilds(instance.env(), instance.paths()).all());
  if (service.name != "all")
    std::erase_if(states.rebuilds, [&](const Rebuild& rebuild) { return rebuild.service != service.name; });
  return states;
}

Result<ServiceStates> command_services(instance::Instance& instance, const ServiceCommand& command,
                                       base::Progress& progress) {
  // Also within a daemon, which has looked when it began.
  if (command.action == ServiceAction::kResume)
    TRY(settle_restores(instance.env(), instance.paths(), TRY(instance.config()), instance.store(), progress));
  const auto rooms = TRY(rooms_of(instance));
  const bool all = command.name == "all";
  auto services = TRY(chosen(rooms->set, command.name));
  if (all) std::erase_if(services, [](const service::Declaration* one) { return !one->run; });
  const auto each = [&](bool backwards, const auto& act) -> Result<void> {
    if (!backwards) {
      for (const service::Declaration* service : services) TRY(act(*service));
    } else {
      for (const service::Declaration* service : std::views::reverse(services)) TRY(act(*service));
    }
    return {};
  };
  const auto start = [&](const service::Declaration& service) { return rooms->supervisor->start(service, progress); };
  const auto stop = [&](const service::Declaration& service) { return rooms->supervisor->stop(service, progress); };
  switch (command.action) {
    case ServiceAction::kStart:
      TRY(each(false, start));
      break;
    case ServiceAction::kStop:
      TRY(each(true, stop));
      if (all) TRY(rooms->supervisor->shut_down());
      break;
    case ServiceAction::kRestart:
      TRY(each(true, stop));
      TRY(each(false, start));
      break;
    case ServiceAction::kPause:
      TRY(each(true, [&](const service::Declaration& service) { return rooms->supervisor->pause(service); }));
      break;
    case ServiceAction::kResume:
      TRY(each(false, [&](const service::Declaration& service) { return rooms->supervisor->resume(service); }));
      break;
  }
  ServiceStates states;
  for (const service::Declaration* service : services)
    states.services.push_back(TRY(rooms->supervisor->status(*service)));
  return states;
}

Result<std::string> log_of_service(instance::Instance& instance, const ServiceName& service) {
  const auto rooms = TRY(rooms_of(instance));
  const service::Declaration* declared = TRY(rooms->set.require(service.name));
  const std::string kept = TRY(rooms->supervisor->log(*declared));
  if (!kept.empty()) return end_of(kept);
  const std::string path = service::log_of(rooms->set, *declared);
  if (!TRY(instance.env().fs.info(path))) return std::string();
  const auto file = TRY(instance.env().fs.open(path, env::OpenMode::kRead));
  const std::uint64_t size = TRY(file->size());
  const std::uint64_t from = size > kLogBytesShown ? size - kLogBytesShown : 0;
  std::string text(static_cast<std::size_t>(size - from), '\0');
  text.resize(TRY(file->read_at(from, text)));
  return from > 0 ? whole_lines(std::move(text)) : text;
}

Error become_service(env::Env env, const home::HomePaths& paths, const std::string& service) {
  const auto prepare = [&]() -> Result<void> {
    const auto config = TRY(home::load_config(env, paths));
    const auto set = TRY(service::ServiceSet::load(env, paths));
    const service::Declaration* declared = TRY(set.require(service));
    if (TRY(service::is_held_down(env, set, *declared)))
      return fail(ErrorCode::kRefused, "service " + service + " is kept down by a restore that has not ended");
    return std::unexpected(service::become_service(env, set, *declared, secret_lookup(env, paths, config)));
  };
  return prepare().error();
}

Result<std::vector<ContextEntry>> contexts_of(instance::Instance& instance) {
  const auto contexts = TRY(service::Contexts::load(instance.env(), instance.paths()));
  std::vector<ContextEntry> entries;
  for (const service::Context& context : contexts.all()) entries.push_back({context.name, context.id, context.label});
  return entries;
}

Result<ContextEntry> add_context(instance::Instance& instance, const NewContext& context) {
  base::NoProgress calm;
  TRY(settle_restores(instance.env(), instance.paths(), TRY(instance.config()), instance.store(), calm));
  auto set = TRY(service::ServiceSet::load(instance.env(), instance.paths()));
  const service::Context added{context.name, context.id.value_or(set.contexts().free_id()), context.label};
  TRY(set.contexts().add(added));
  // A name may make two splits meet, or an identifier too long.
  if (auto fits = set.check(); !fits) {
    TRY(set.contexts().remove(added.name));
    return std::unexpected(std::move(fits).error());
  }
  return ContextEntry{added.name, added.id, added.label};
}

Result<SecretHandle> set_secret(instance::Instance& instance, const NewSecret& secret) {
  if (secret.value.size() > service::kSecretBytesMax)
    return fail(ErrorCode::kUsage, Cause::kTooLarge, "a secret is at most 64 KiB long");
  const auto secrets = service::open_secrets(instance.env(), instance.paths(), TRY(instance.config()).secrets);
  TRY(secrets->set(secret.handle, secret.value));
  return SecretHandle{secret.handle};
}

Result<std::vector<std::string>> list_secrets(instance::Instance& instance) {
  return service::open_secrets(instance.env(), instance.paths(), TRY(instance.config()).secrets)->list();
}

Result<std::vector<SecretState>> secret_states_of(const service::ServiceSet& set, service::SecretStore& secrets,
                                                  const service::Declaration& service) {
  std::vector<SecretState> states;
  for (const service::SecretDeclaration& secret : service.secrets) {
    std::vector<const service::Context*> contexts{nullptr};
    if (service::names_context(secret.handle)) {
      contexts.clear();
      for (const service::Context& context : set.contexts().all()) contexts.push_back(&context);
    }
    for (const service::Context* context : contexts) {
      const std::string handle = TRY(service::expand(secret.handle, set.values(service, context)));
      const auto value = secrets.get(handle);
      if (!value && value.error().cause != Cause::kNotFound) return std::unexpected(value.error());
      states.push_back(
          {handle, std::string(codec::enum_name(secret.secret_class)), secret.required, value.has_value()});
    }
  }
  return states;
}

Result<std::vector<SecretState>> check_secrets(instance::Instance& instance) {
  const auto rooms = TRY(rooms_of(instance));
  std::vector<SecretState> states;
  for (const service::Declaration& service : rooms->set.services()) {
    const auto of_service = TRY(secret_states_of(rooms->set, *rooms->secrets, service));
    states.insert(states.end(), of_service.begin(), of_service.end());
  }
  return states;
}

Result<DeletedSecret> delete_secret(instance::Instance& instance, const SecretHandle& secret) {
  const auto secrets = service::open_secrets(instance.env(), instance.paths(), TRY(instance.config()).secrets);
  return DeletedSecret{secret.handle, TRY(secrets->remove(secret.handle))};
}

Result<std::vector<PreviousState>> previous_states(instance::Instance& instance) {
  std::map<std::pair<std::string, std::string>, std::string> newest;
  for (const RestoreJournal& journal : TRY(RestoreJournals(instance.env(), instance.paths()).all())) {
    if (journal.phase != RestorePhase::kPrevious) continue;
    for (const JournalPart& part : journal.parts) {
      std::string& at = newest[{part.service, part.context}];
      at = std::max(at, journal.began_at);
    }
  }
  std::vector<PreviousState> states;
  for (const auto& [of, at] : newest) states.push_back({of.first, of.second, at});
  return states;
}

Result<PreviousReport> swap_previous_back(instance::Instance& instance, const PreviousRequest& request,
                                          base::Progress& progress) {
  TRY(settle_restores(instance.env(), instance.paths(), TRY(instance.config()), instance.store(), progress));
  const auto rooms = TRY(rooms_of(instance));
  if (request.service != "all") TRY(rooms->set.require(request.service));
  TRY(restore_previous(*rooms, instance.store(), unless_all(request.service), progress));
  return PreviousReport{1};
}

Result<PreviousReport> discard_previous_of(instance::Instance& instance, const PreviousRequest& request) {
  base::NoProgress calm;
  TRY(settle_restores(instance.env(), instance.paths(), TRY(instance.config()), instance.store(), calm));
  const auto rooms = TRY(rooms_of(instance));
  if (request.service != "all") TRY(rooms->set.require(request.service));
  return PreviousReport{TRY(discard_previous(*rooms, unless_all(request.service), request.context))};
}

}  // namespace spl::operation
