#include "operation/install.h"

#include <algorithm>
#include <optional>
#include <set>

#include "base/encoding.h"
#include "base/names.h"
#include "base/words.h"
#include "env/users.h"
#include "operation/service_operations.h"
#include "operation/service_recovery.h"
#include "service/catalog.h"
#include "service/packages.h"
#include "service/secrets.h"
#include "service/service_set.h"
#include "service/software.h"
#include "service/system_user.h"

namespace spl::operation {
namespace {

using service::Declaration;

constexpr std::size_t kNamesMax = 10'000;

// What a request means: of the home's services and the catalog's, and those that these stand on.
struct Plan {
  service::ServiceSet set;         // the home's, with what is added
  std::set<std::string> names;     // to be looked at
  std::vector<Declaration> added;  // from the catalog
};

class Planning {
 public:
  Planning(const service::ServiceSet& home, const service::Catalog& catalog) : home_(home), catalog_(catalog) {}

  // The service, and where the home does not declare it, from the catalog, those that it stands on as well.
  Result<void> add(const std::string& name, const std::string& wanted_by) {
    if (!base::is_name(name))
      return fail(ErrorCode::kUsage, Cause::kNotFound, "\"" + base::escaped(name, 80) + "\" is no name of a service");
    if (!names.insert(name).second) return {};
    if (home_.find(name) != nullptr) return {};
    const Declaration* declared = TRY(catalog_.find(name));
    if (declared == nullptr)
      return fail(ErrorCode::kUsage, Cause::kNotFound,
                  "neither this home nor a catalog declares the service " + name +
                      (wanted_by.empty() ? "" : ", which " + wanted_by + " wants"),
                  "declare it in " + home_.paths().services() + "; spl service catalog lists what there is");
    added.push_back(*declared);
    for (const std::string& other : declared->after) {
      if (home_.find(other) == nullptr) TRY(add(other, name));
    }
    return {};
  }
  std::set<std::string> names;
  std::vector<Declaration> added;

 private:
  const service::ServiceSet& home_;
  const service::Catalog& catalog_;
};

Result<Plan> plan_of(env::Env env, const home::HomePaths& paths, const home::Config& config,
                     const InstallRequest& request) {
  if (request.also.size() > kNamesMax) return fail(ErrorCode::kUsage, Cause::kTooLarge, "too many services are named");
  const auto home = TRY(service::ServiceSet::load(env, paths));
  const auto catalog = TRY(service::Catalog::load(env, config));
  Planning planning(home, catalog);
  if (request.name == "all") {
    for (const Declaration& one : home.services()) TRY(planning.add(one.name, ""));
    for (const std::string& name : request.also) TRY(planning.add(name, "the bundle"));
  } else {
    TRY(planning.add(request.name, ""));
  }
  auto set = TRY(service::ServiceSet::load_with(env, paths, planning.added));
  return Plan{std::move(set), std::move(planning.names), std::move(planning.added)};
}

std::string install_log(const home::HomePaths& paths) {
  return env::join(paths.root, "logs/install.log");
}

class Installing {
 public:
  Installing(env::Env env, const home::HomePaths& paths, const Plan& plan, bool downloads, base::Progress& progress)
      : env_(env), paths_(paths), plan_(plan), downloads_(downloads), progress_(progress) {}

  // What a run that was cut off has begun.
  Result<void> finish() {
    finished_ = TRY(service::finish_packages(env_, service::packages_note(paths_), install_log(paths_), progress_));
    return {};
  }

  // First the software, then who runs it, then that the home declares it: a run that ends between has left nothing that
  // is not good for the next.
  Result<InstalledService> install(const Declaration& service) {
    InstalledService done{.name = service.name, .version = service.version, .source = source_of(service)};
    done.from_catalog = is_added(service);
    TRY(install_source(service, done));
    if (done.state == InstallState::kMissing) return done;
    done.user = TRY(service::make_user(plan_.set, service));
    if (done.from_catalog) TRY(declare(service));
    if (!done.user.empty() || done.from_catalog) done.state = InstallState::kInstalled;
    return done;
  }

 private:
  static std::string source_of(const Declaration& service) { return service.install ? service.install->source : ""; }
  [[nodiscard]] bool is_added(const Declaration& service) const {
    return std::ranges::find(plan_.added, service.name, &Declaration::name) != plan_.added.end();
  }

  Result<void> install_source(const Declaration& service, InstalledService& done) {
    for (const std::string& other : service.after) {
      if (!missing_.contains(other)) continue;
      return say_missing(service, done, "it wants " + other + ", which is missing");
    }
    if (!service.install) return {};
    progress_.enter(service.name, "");
    if (service.install->is_archive()) return install_archive(service, done);
    return install_apt(service, done);
  }

  Result<void> install_archive(const Declaration& service, InstalledService& done) {
    done.directory = service::software_directory(paths_, service);
    if (TRY(service::has_software(env_, paths_, service))) return {};
    if (!downloads_)
      return say_missing(service, done, "would download " + service.install->source + " to " + done.directory);
    TRY(service::install_software(env_, paths_, service, progress_));
    done.state = InstallState::kInstalled;
    return {};
  }

  Result<void> install_apt(const Declaration& service, InstalledService& done) {
    const std::vector<std::string> packages = base::split(service.install->package, ' ');
    const std::string named = (packages.size() == 1 ? "the package " : "the packages ") + base::join(packages, " ");
    if (TRY(service::has_packages(packages))) {
      if (finished_ && finished_->wanted == packages) say_installed(done, *std::exchange(finished_, std::nullopt));
      return {};
    }
    const bool is_roots = env::own_user_id() == 0;
    if (!is_roots)
      return say_missing(service, done,
                         "an administrator has to install " + named + ": apt-get install " + base::join(packages, " "));
    if (!downloads_) return say_missing(service, done, "would install " + named + " with apt-get");
    say_installed(done, TRY_IN("service " + service.name,
                               service::install_packages(env_,
                                                         {.packages = packages,
                                                          .kept_unit = service.run ? service.run->unit : "",
                                                          .log = install_log(paths_),
                                                          .note = service::packages_note(paths_)},
                                                         progress_)));
    return {};
  }

  static void say_installed(InstalledService& done, service::InstalledPackages installed) {
    done.state = InstallState::kInstalled;
    done.packages = std::move(installed.packages);
    done.units_disabled = std::move(installed.units_disabled);
    done.units_enabled = std::move(installed.units_enabled);
  }

  Result<void> say_missing(const Declaration& service, InstalledService& done, std::string why) {
    done.state = InstallState::kMissing;
    done.message = std::move(why);
    missing_.insert(service.name);
    return {};
  }

  Result<void> declare(const Declaration& service) {
    const std::string file = env::join(paths_.services(), service.name + ".toml");
    if (TRY(env_.fs.info(file)))
      return fail(ErrorCode::kRefused, Cause::kFileExists, file + " is in the way: it declares another service");
    return env::write_file_atomically(env_.fs, file, service.text);
  }

  const env::Env env_;
  const home::HomePaths& paths_;
  const Plan& plan_;
  const bool downloads_;
  base::Progress& progress_;
  std::optional<service::InstalledPackages> finished_;
  std::set<std::string> missing_;
};

// What is required and has no value, of the services that are declared by now.
Result<std::vector<std::string>> missing_secrets_of(env::Env env, const home::HomePaths& paths,
                                                    const home::Config& config, const std::set<std::string>& names) {
  const auto set = TRY(service::ServiceSet::load(env, paths));
  const auto secrets = service::open_secrets(env, paths, config.secrets);
  std::vector<std::string> missing;
  for (const Declaration& service : set.services()) {
    if (!names.contains(service.name)) continue;
    for (const SecretState& state : TRY(secret_states_of(set, *secrets, service))) {
      if (state.required && !state.there) missing.push_back(state.handle);
    }
  }
  return missing;
}

// Whether its program is there already.
Result<bool> has_source(env::Env env, const home::HomePaths& paths, const Declaration& service) {
  if (!service.install) return true;
  if (!service.install->is_archive()) return service::has_packages(base::split(service.install->package, ' '));
  auto there = service::has_software(env, paths, service);
  if (!there && there.error().cause == Cause::kFileExists) return false;
  return there;
}

Result<CatalogRow> row_of(env::Env env, const service::CatalogEntry& entry, const service::ServiceSet* home,
                          service::SecretStore* secrets) {
  CatalogRow row;
  row.name = entry.name;
  row.file = entry.file;
  const Declaration* own = home == nullptr ? nullptr : home->find(entry.name);
  row.declared = own != nullptr;
  if (own != nullptr) row.installed = TRY(has_source(env, home->paths(), *own));
  if (row.installed) row.download_bytes = 0;
  if (!entry.declaration) {
    row.fault = entry.fault ? entry.fault->message : "";
    return row;
  }
  const Declaration& service = *entry.declaration;
  row.version = service.version;
  row.summary = service.summary;
  row.source = service.install ? service.install->source : "";
  row.after = service.after;
  for (const service::SecretDeclaration& secret : service.secrets) {
    CatalogSecret wanted{secret.handle, std::string(codec::enum_name(secret.secret_class)), secret.required};
    if (secrets != nullptr && !service::names_context(secret.handle)) {
      const auto value = secrets->get(secret.handle);
      if (!value && value.error().cause != Cause::kNotFound) return std::unexpected(value.error());
      wanted.present = value.has_value();
    }
    row.secrets.push_back(std::move(wanted));
  }
  return row;
}

Result<std::vector<CatalogRow>> rows_of(env::Env env, const home::Config& config, const service::ServiceSet* home,
                                        service::SecretStore* secrets) {
  const auto catalog = TRY(service::Catalog::load(env, config));
  std::vector<CatalogRow> rows;
  for (const service::CatalogEntry& entry : catalog.entries()) rows.push_back(TRY(row_of(env, entry, home, secrets)));
  return rows;
}

}  // namespace

Result<InstallReport> install_services(instance::Instance& instance, const InstallRequest& request,
                                       base::Progress& progress) {
  const env::Env env = instance.env();
  const home::HomePaths& paths = instance.paths();
  const home::Config config = TRY(instance.config());
  TRY(settle_restores(env, paths, config, instance.store(), progress));
  const Plan plan = TRY(plan_of(env, paths, config, request));
  Installing installing(env, paths, plan, request.download, progress);
  TRY(installing.finish());
  InstallReport report;
  for (const Declaration& service : plan.set.services()) {
    if (!plan.names.contains(service.name)) continue;
    if (progress.cancelled()) return base::fail_cancelled("what was installed before stays");
    report.services.push_back(TRY(installing.install(service)));
  }
  report.missing_secrets = TRY(missing_secrets_of(env, paths, config, plan.names));
  return report;
}

Result<std::vector<CatalogRow>> catalog_of(instance::Instance& instance) {
  const home::Config config = TRY(instance.config());
  const auto home = TRY(service::ServiceSet::load(instance.env(), instance.paths()));
  const auto secrets = service::open_secrets(instance.env(), instance.paths(), config.secrets);
  return rows_of(instance.env(), config, &home, secrets.get());
}

Result<std::vector<CatalogRow>> catalog_without_home(env::Env env, const home::HomePaths& paths) {
  return rows_of(env, TRY(home::load_config(env, paths)), nullptr, nullptr);
}

}  // namespace spl::operation
