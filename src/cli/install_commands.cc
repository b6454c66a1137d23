// service install, service catalog.
#include <unistd.h>

#include <algorithm>
#include <set>

#include "base/words.h"
#include "cli/bundle_file.h"
#include "cli/command.h"
#include "cli/keys.h"
#include "cli/session.h"
#include "cli/table.h"
#include "operation/install.h"

namespace spl::cli {
namespace {

using operation::CatalogRow;
using operation::InstalledService;
using operation::InstallReport;
using operation::InstallState;

constexpr int kSomethingIsMissing = static_cast<int>(ErrorCode::kUnavailable);

// The names of the services in a bundle, which has been verified as far as its manifest. Nothing else of it is used.
Result<std::vector<std::string>> services_named_in(Session& session, const Arguments& arguments,
                                                   const std::string& path) {
  const Keys keys = TRY(read_keys(session, arguments));
  const BundleFile bundle = TRY(open_bundle(path, keys, session.progress().interrupt(), Session::workers()));
  std::vector<std::string> names;
  for (const auto& service : bundle.reader->manifest().services) names.push_back(service.name);
  return names;
}

std::string state_text(const InstalledService& service) {
  std::string text(codec::enum_name(service.state));
  if (service.state == InstallState::kInstalled && service.from_catalog) text += ", from the catalog";
  return text;
}

// What was done besides, and what is left to do.
Result<void> print_service(Output& out, const InstalledService& service) {
  std::string line = shown(service.name) + ": " + state_text(service);
  if (!service.message.empty()) line += ": " + shown(service.message);
  TRY(out.line(line));
  const auto more = [&out](const std::string& what, const std::string& value) -> Result<void> {
    return value.empty() ? Result<void>() : out.line("  " + what + shown(value));
  };
  if (service.state == InstallState::kInstalled) TRY(more("directory: ", service.directory));
  TRY(more("packages: ", base::join(service.packages, ", ")));
  TRY(more("user made: ", service.user));
  TRY(more("disabled in systemd, since spl runs the service: ", base::join(service.units_disabled, ", ")));
  return more("enabled in systemd by other packages, and starting with the machine: ",
              base::join(service.units_enabled, ", "));
}

// Asked for one after the other where somebody can type; an empty line leaves one for later.
Result<void> ask_for_secrets(Session& session, operation::Operations& home, std::vector<std::string>& missing) {
  if (missing.empty() || !session.out().text() || ::isatty(STDIN_FILENO) != 1 || !session.out().error_is_terminal())
    return {};
  session.out().note("values that services cannot be without; an empty line leaves one for later");
  std::vector<std::string> left;
  for (const std::string& handle : missing) {
    SecretBytes value = TRY(read_secret_value(session, handle));
    if (value.empty()) {
      left.push_back(handle);
      continue;
    }
    TRY(home.set_secret({handle, std::move(value)}));
  }
  missing = std::move(left);
  return {};
}

Result<int> print_report(Output& out, const InstallReport& report) {
  const bool is_missing = std::ranges::any_of(
      report.services, [](const InstalledService& one) { return one.state == InstallState::kMissing; });
  const int code = is_missing ? kSomethingIsMissing : 0;
  if (!out.text()) {
    TRY(out.document(codec::shape_json(report)));
    return code;
  }
  for (const InstalledService& service : report.services) TRY(print_service(out, service));
  if (report.services.empty()) TRY(out.line("this home declares no services"));
  if (!report.missing_secrets.empty())
    TRY(out.line("secrets that are missing: " + shown(base::join(report.missing_secrets, ", ")) +
                 "; spl secret set gives them their values"));
  return code;
}

Result<int> run_install(Session& session, const Arguments& arguments) {
  operation::InstallRequest request{.name = arguments.at("SERVICE"), .download = arguments.has("--download")};
  const auto bundle = arguments.value("--for");
  if (bundle) {
    if (request.name != "all")
      return fail(ErrorCode::kUsage, "service install: --for names a bundle with services of its own",
                  "spl service all install --for " + shown(*bundle));
    request.also = TRY(services_named_in(session, arguments, *bundle));
  }
  TRY(session.become_owner());
  // On a bare machine the bundle is there before the home is.
  const auto home = bundle ? TRY(session.creating()) : TRY(session.changing());
  auto report = TRY(home->install_services(request, session.progress()));
  TRY(ask_for_secrets(session, *home, report.missing_secrets));
  return print_report(session.out(), report);
}

std::string catalog_state(const CatalogRow& row) {
  if (!row.fault.empty()) return "wrong";
  if (row.installed) return "installed";
  return row.declared ? "declared" : "-";
}

Result<int> run_catalog(Session& session, const Arguments&) {
  TRY(session.act_for_owner());
  auto home = session.looking();
  if (!home && home.error().cause != Cause::kNoInstance) return std::unexpected(std::move(home).error());
  const auto rows =
      home ? TRY((*home)->catalog()) : TRY(operation::catalog_without_home(session.env(), session.paths()));
  Output& out = session.out();
  if (!out.text()) {
    ListOutput list(out);
    for (const CatalogRow& row : rows) TRY(list.item(codec::shape_json(row).text()));
    TRY(list.end());
    return 0;
  }
  std::vector<std::vector<std::string>> table{{"service", "version", "state", "source", "summary"}};
  for (const CatalogRow& row : rows) {
    if (!row.fault.empty()) out.note(Error{ErrorCode::kUsage, row.fault, "nothing is installed from that file"});
    table.push_back({shown(row.name), row.version.empty() ? "-" : shown(row.version), catalog_state(row),
                     row.source.empty() ? "-" : shown(row.source), shown(row.summary)});
  }
  TRY(rows.empty() ? out.line("no catalog declares a service") : print_table(out, table));
  return 0;
}

}  // namespace

Command install_command() {
  Command command{
      .name = "install",
      .summary = "Install the program of a service, and its user, where they are missing",
      .details =
          "A service that the home does not declare is taken from the catalog, with those that it wants. A package of "
          "Debian is installed by apt-get, and its own daemon is neither started nor enabled; an archive is downloaded "
          "by https, checked and unpacked in the home's software/. Without --download nothing is fetched: it says what "
          "would be, and ends with code 6 where something is missing. What is there stays as it is. Of a bundle the "
          "names of its services are used, and nothing else.",
      .options = {{.name = "--download", .value = "", .help = "fetch what is missing"},
                  {.name = "--for",
                   .value = "BUNDLE",
                   .help = "with all: also the services that this bundle has; the home is made where there is none",
                   .names = Names::kFile}},
      .positionals = {{.name = "SERVICE",
                       .help = "a service that the home or the catalog declares, or all that the home declares",
                       .names = Names::kService}},
      .examples = {"spl service redis-server install --download", "spl service all install",
                   "spl service all install --download --for my.spl --age-identity key.txt"},
      .run = run_install,
      .schema = codec::schema_of<InstallReport>};
  for (Option& option : key_options()) command.options.push_back(std::move(option));
  command.subject_first = true;
  return command;
}

Command catalog_command() {
  return {.name = "catalog",
          .summary = "List the services that can be installed",
          .details =
              "A catalog is a directory of declarations: those that catalogs in config.toml names, then the one that "
              "spl brings. The first that has a name is the one that counts.",
          .examples = {"spl service catalog", "spl service catalog -o json"},
          .run = run_catalog,
          .schema = codec::list_schema_of<CatalogRow>};
}

}  // namespace spl::cli
