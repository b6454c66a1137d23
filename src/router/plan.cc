#include "router/plan.h"

#include <algorithm>

#include "codec/json.h"
#include "env/users.h"
#include "router/names.h"
#include "service/placeholders.h"

namespace spl::router {
namespace {

using codec::Json;
using home::CertificateKind;
using home::ServiceOrigins;

constexpr std::size_t kPortsBytesMax = 1u << 20;

using Ports = std::map<std::string, std::uint16_t>;

std::string ports_file(const home::HomePaths& paths) {
  return env::join(kept_directory(paths), "ports.json");
}

// Of each route that ever had one.
Result<Ports> read_ports(env::Env env, const home::HomePaths& paths) {
  Ports ports;
  if (!TRY(env.fs.info(ports_file(paths)))) return ports;
  const Json kept =
      TRY_IN(ports_file(paths), Json::parse(TRY(env::read_file(env.fs, ports_file(paths), kPortsBytesMax))));
  if (kept.object() == nullptr)
    return fail(ports_file(paths) + " is no JSON object", "take it away: ports are given anew");
  for (const auto& [route, port] : *kept.object()) {
    const auto number = port.whole_number();
    if (number && *number > 0 && *number <= 65535) ports[route] = static_cast<std::uint16_t>(*number);
  }
  return ports;
}

Result<void> write_ports(env::Env env, const home::HomePaths& paths, const Ports& ports) {
  Json kept = Json::Object{};
  for (const auto& [route, port] : ports) kept.add(route, std::uint64_t{port});
  TRY(env::make_directories(env.fs, kept_directory(paths)));
  return env::write_file_atomically(env.fs, ports_file(paths), kept.text() + "\n");
}

Result<void> give_ports(env::Env env, const home::PortRange& range, RouterPlan& plan, NewPorts ports) {
  Ports kept = TRY(read_ports(env, plan.paths));
  const Ports before = kept;
  const auto in_range = [&range](std::uint16_t port) { return port >= range.first && port <= range.last; };
  for (RoutedService& service : plan.services) {
    const auto at = kept.find(service.route);
    if (at != kept.end() && in_range(at->second)) {
      service.port = at->second;
      continue;
    }
    const auto is_taken = [&kept](int port) {
      return std::ranges::any_of(kept, [port](const auto& one) { return one.second == port; });
    };
    int port = range.first;
    while (port <= range.last && is_taken(port)) ++port;
    // A route that is gone gives its port back only when there is no other.
    if (port > range.last) {
      const auto gone = std::ranges::find_if(kept, [&](const auto& one) {
        return in_range(one.second) &&
               std::ranges::find(plan.services, one.first, &RoutedService::route) == plan.services.end();
      });
      if (gone == kept.end())
        return fail(ErrorCode::kUnavailable, "service " + service.service + ": router.ports has no port left for it",
                    "make the range in config.toml larger");
      port = gone->second;
      kept.erase(gone);
    }
    service.port = static_cast<std::uint16_t>(port);
    kept[service.route] = service.port;
  }
  if (ports == NewPorts::kShown || kept == before) return {};
  return write_ports(env, plan.paths, kept);
}

}  // namespace

std::string door_socket(const home::HomePaths& paths) {
  return env::join(paths.run(), "door.sock");
}
std::string kept_directory(const home::HomePaths& paths) {
  return env::join(paths.root, "router");
}
std::string run_directory(const home::HomePaths& paths) {
  return env::join(paths.run(), "router");
}

std::string front_socket(const home::HomePaths& paths) {
  return env::join(run_directory(paths), "front/front.sock");
}

std::string RouterPlan::origin_of(const std::string& name, std::uint16_t port) const {
  return "https://" + in_url(name) + (port == 443 ? "" : ":" + std::to_string(port));
}

std::string RouterPlan::address_of(const RoutedService& service) const {
  switch (origins) {
    case ServiceOrigins::kPort:
      return origin_of(names.front(), service.port) + "/";
    case ServiceOrigins::kName:
      return origin_of(service.route + "." + names.front(), https) + "/";
    case ServiceOrigins::kPath:
      break;
  }
  return panel_origin() + "/" + service.route + "/";
}

Result<RouterPlan> make_plan(env::Env env, const service::ServiceSet& set, const home::RouterConfig& config,
                             NewPorts ports) {
  RouterPlan plan;
  plan.paths = set.paths();
  plan.as_root = env::own_user_id() == 0 && !set.home_owner();
  plan.ipv6 = has_ipv6();
  plan.names = config.names.empty() ? names_of_machine() : config.names;
  std::ranges::transform(plan.names, plan.names.begin(), canonical_name);
  plan.https = config.https.value_or(plan.as_root ? 443 : 8443);
  plan.http = config.http.value_or(plan.as_root ? 80 : 8080);
  plan.origins = config.services;
  plan.trusted_proxies = config.trusted_proxies;
  plan.certificate_file = config.certificate == CertificateKind::kFiles
                              ? config.certificate_file
                              : env::join(kept_directory(plan.paths), "certificate.pem");
  plan.key_file = config.certificate == CertificateKind::kFiles ? config.key_file
                                                                : env::join(kept_directory(plan.paths), "key.pem");
  if (config.certificate == CertificateKind::kAcme)
    plan.challenge_directory = env::join(run_directory(plan.paths), "challenges");
  if (plan.origins == ServiceOrigins::kName && is_address(plan.names.front()))
    return fail(ErrorCode::kUsage, "router.services is name, and the panel's first name is an address",
                "give names in [router] of config.toml, or services = \"port\"");
  for (const service::Declaration& service : set.services()) {
    if (!service.run || service.run->route.empty()) continue;
    const std::string address = TRY(service::expand(service.run->routed_address(), set.values(service, nullptr)));
    plan.services.push_back({service.name, service.run->route, address, service.run->access, 0});
    if (plan.origins == ServiceOrigins::kName && service.run->route.find('_') != std::string::npos)
      return fail(ErrorCode::kUsage,
                  "service " + service.name + ": its route " + service.run->route + " is no host's name",
                  "give it one without _, or services = \"port\" in [router]");
  }
  if (plan.origins == ServiceOrigins::kPort) TRY(give_ports(env, config.ports, plan, ports));
  return plan;
}

}  // namespace spl::router
