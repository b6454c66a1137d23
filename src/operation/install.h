// Software, users and declarations of services, put where they are missing (docs/decisions/D-18-install.md). What can
// be installed is what the home or a catalog declares, and nothing else: a bundle and a request give names alone. Who
// calls what changes something holds the home's lock. One thread.
#pragma once

#include <array>
#include <cstdint>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "base/progress.h"
#include "base/result.h"
#include "codec/shape.h"
#include "instance/instance.h"

namespace spl::operation {

struct InstallRequest {
  std::string name;                    // "all": those that the home declares
  std::vector<std::string> also = {};  // with all: services by name, as a bundle has them
  bool download = false;

  static constexpr auto shape() {
    using R = InstallRequest;
    return codec::shape(codec::member("name", &R::name, "a service, or all that the home declares"),
                        codec::member("also", &R::also, "with all: more of them, by name", codec::Presence::kOmitted),
                        codec::member("download", &R::download, "what is missing may be fetched"));
  }
};

enum class InstallState : std::uint8_t { kThere, kInstalled, kMissing };
constexpr auto names_of(InstallState /*type*/) {
  using enum InstallState;
  return std::to_array<std::pair<InstallState, std::string_view>>(
      {{kThere, "there"}, {kInstalled, "installed"}, {kMissing, "missing"}});
}

struct InstalledService {
  std::string name;
  std::string version;
  std::string source;  // as it is declared; "" where it declares none
  InstallState state = InstallState::kThere;
  bool from_catalog = false;               // the home did not declare it
  std::string user = {};                   // that was made
  std::string directory = {};              // of an archive
  std::vector<std::string> packages = {};  // that came
  std::vector<std::string> units_disabled = {};
  std::vector<std::string> units_enabled = {};
  std::string message = {};  // why it is missing, and what to do

  static constexpr auto shape() {
    using S = InstalledService;
    using enum codec::Presence;
    return codec::shape(
        codec::member("name", &S::name, "the service"), codec::member("version", &S::version, "its version"),
        codec::member("source", &S::source, "where its program comes from; empty where it does not say"),
        codec::member("state", &S::state, "there: nothing was to be done; installed: now; missing: it is not there"),
        codec::member("from_catalog", &S::from_catalog, "the home did not declare it; it does now, unless missing"),
        codec::member("user", &S::user, "the system user that was made for it", kOmitted),
        codec::path_member("directory", &S::directory, "where an archive is unpacked", kOmitted),
        codec::member("packages", &S::packages, "packages that were installed", kOmitted),
        codec::member("units_disabled", &S::units_disabled,
                      "units of systemd that the package would have started at the machine's next start", kOmitted),
        codec::member("units_enabled", &S::units_enabled,
                      "such units of other packages that came with it: they are left as they are", kOmitted),
        codec::member("message", &S::message, "why it is missing and what to do", kOmitted));
  }
};

struct InstallReport {
  std::vector<InstalledService> services;
  std::vector<std::string> missing_secrets;  // of these services; required ones

  static constexpr auto shape() {
    using R = InstallReport;
    return codec::shape(codec::member("services", &R::services, "in the order in which they start"),
                        codec::member("missing_secrets", &R::missing_secrets,
                                      "secrets that they cannot be without and that have no value"));
  }
};

struct CatalogSecret {
  std::string handle;
  std::string secret_class;
  bool required = false;
  bool present = false;

  static constexpr auto shape() {
    using S = CatalogSecret;
    return codec::shape(codec::member("handle", &S::handle, "the secret"),
                        codec::member("class", &S::secret_class, "portable, regenerate, host-bound or user-supplied"),
                        codec::member("required", &S::required, "its service cannot be without it"),
                        codec::member("present", &S::present, "whether the backend has a value"));
  }
};

// A service that a catalog declares.
struct CatalogRow {
  std::string name;
  std::string version;
  std::string summary;
  std::string source;
  bool declared = false;                             // by the home
  bool installed = false;                            // its software is there, and the home declares it
  std::optional<std::uint64_t> download_bytes = {};  // nothing where nobody can tell before it is asked for
  std::vector<std::string> after;
  std::vector<CatalogSecret> secrets;
  std::string file;
  std::string fault = {};  // what is wrong with the file; then there is no more than its name

  static constexpr auto shape() {
    using R = CatalogRow;
    return codec::shape(
        codec::member("name", &R::name, "the service"), codec::member("version", &R::version, "its version"),
        codec::member("summary", &R::summary, "what it is"),
        codec::member("source", &R::source, "where its program comes from"),
        codec::member("declared", &R::declared, "the home declares it"),
        codec::member("installed", &R::installed, "the home declares it, and its program is there"),
        codec::member("download_bytes", &R::download_bytes, "what is fetched for it; null: nobody can tell yet"),
        codec::member("after", &R::after, "services that come with it"),
        codec::member("secrets", &R::secrets, "that it wants"), codec::path_member("file", &R::file, "the declaration"),
        codec::member("fault", &R::fault, "what is wrong with it", codec::Presence::kOmitted));
  }
};

Result<InstallReport> install_services(instance::Instance& instance, const InstallRequest& request,
                                       base::Progress& progress);
Result<std::vector<CatalogRow>> catalog_of(instance::Instance& instance);
// The same where there is no instance yet.
Result<std::vector<CatalogRow>> catalog_without_home(env::Env env, const home::HomePaths& paths);

}  // namespace spl::operation
