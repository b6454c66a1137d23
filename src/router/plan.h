// What the router is to serve: where the owner's door is, and each service that has a route. Made from the
// configuration and the declarations; a value. Any thread.
#pragma once

#include <cstdint>
#include <map>
#include <optional>
#include <string>
#include <vector>

#include "base/result.h"
#include "env/env.h"
#include "home/home.h"
#include "service/program.h"
#include "service/service_set.h"

namespace spl::router {

inline constexpr const char* kRouterUser = service::kRouterGroup;  // as whom it answers, where spl is root's

// Where the daemon takes what the router brings: asks for a session, a token or a signature.
std::string door_socket(const home::HomePaths& paths);
// What is kept of the router: the authority, the ports. In no bundle.
std::string kept_directory(const home::HomePaths& paths);
// What it runs with: nginx.conf, its process's id.
std::string run_directory(const home::HomePaths& paths);

struct RoutedService {
  std::string service;
  std::string route;
  std::string address;  // "unix:/run/x.sock", "tcp:127.0.0.1:8080"
  service::RouteAccess access = service::RouteAccess::kOwner;
  std::uint16_t port = 0;  // of its origin; 0: it has none of its own
};

// Where a tenant's own router takes what the machine's passes on.
std::string front_socket(const home::HomePaths& paths);

// A tenant of the machine: its host, and what is below it, is passed to its own router where that runs, else to its
// door.
struct RoutedTenant {
  std::string name;
  std::string host;
  std::string front;  // the sockets' paths
  std::string door;
};

struct RouterPlan {
  home::HomePaths paths;
  std::vector<std::string> names;  // the panel's first
  std::uint16_t https = 443;
  std::uint16_t http = 80;  // 0: none
  home::ServiceOrigins origins = home::ServiceOrigins::kPort;
  std::string certificate_file;
  std::string key_file;
  std::string challenge_directory;  // of ACME; "": none
  std::vector<std::string> trusted_proxies;
  std::vector<RoutedService> services;
  std::vector<RoutedTenant> tenants;
  std::string front;     // of a tenant's: it listens there, and on no port; "": on ports
  bool as_root = false;  // it answers as kRouterUser
  bool ipv6 = false;

  // "https://box.example.org", with the port where it is not 443.
  [[nodiscard]] std::string origin_of(const std::string& name, std::uint16_t port) const;
  [[nodiscard]] std::string panel_origin() const { return origin_of(names.front(), https); }
  // Where people open the service, at the panel's first name.
  [[nodiscard]] std::string address_of(const RoutedService& service) const;
};

// What a port that is given becomes: who only looks writes nothing.
enum class NewPorts : std::uint8_t { kShown, kNoted };

// A service keeps its port: what has none yet is given the first that is free. Code kUnavailable where the range is
// used up, or the router's user is missing.
Result<RouterPlan> make_plan(env::Env env, const service::ServiceSet& set, const home::RouterConfig& config,
                             NewPorts ports);

}  // namespace spl::router
