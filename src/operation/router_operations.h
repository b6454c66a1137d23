// What a person can have done to the router, the owner's address: how each is done on an instance that is open in this
// process. One thread at a time changes it: who holds the home's lock.
#pragma once

#include <array>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "base/progress.h"
#include "base/result.h"
#include "codec/shape.h"
#include "instance/instance.h"
#include "router/plan.h"

namespace spl::operation {

struct RouterCertificate {
  std::string kind;  // own, acme, files
  std::vector<std::string> names;
  std::string not_after;
  std::string sha256;

  static constexpr auto shape() {
    using C = RouterCertificate;
    return codec::shape(codec::member("kind", &C::kind, "own, acme or files"),
                        codec::member("names", &C::names, "what it is for"),
                        codec::member("not_after", &C::not_after, "when it ends"),
                        codec::member("sha256", &C::sha256, "its fingerprint, as browsers show it"));
  }
};
struct RouterRoute {
  std::string service;
  std::string route;
  std::string address;
  std::string access;
  bool up = false;

  static constexpr auto shape() {
    using R = RouterRoute;
    return codec::shape(codec::member("service", &R::service, "whose pages they are"),
                        codec::member("route", &R::route, "below the panel's address, for programs"),
                        codec::member("address", &R::address, "where people open it"),
                        codec::member("access", &R::access, "owner, or open: the service asks itself"),
                        codec::member("up", &R::up, "whether something answers there"));
  }
};
struct RouterStatus {
  bool running = false;
  std::vector<std::string> addresses;
  std::optional<RouterCertificate> certificate;
  std::vector<RouterRoute> routes;

  static constexpr auto shape() {
    using S = RouterStatus;
    return codec::shape(codec::member("running", &S::running, "whether it serves"),
                        codec::member("addresses", &S::addresses, "of the panel, the first before others"),
                        codec::member("certificate", &S::certificate, "what it shows; null: there is none yet"),
                        codec::member("routes", &S::routes, "of the services"));
  }
};

enum class RouterAction : std::uint8_t { kStart, kStop, kReload };
constexpr auto names_of(RouterAction /*type*/) {
  using enum RouterAction;
  return std::to_array<std::pair<RouterAction, std::string_view>>(
      {{kStart, "start"}, {kStop, "stop"}, {kReload, "reload"}});
}
struct RouterCommand {
  RouterAction action = RouterAction::kStart;

  static constexpr auto shape() {
    return codec::shape(codec::member("action", &RouterCommand::action, "what is done"));
  }
};

// What is to be trusted once, where the certificate is of the machine's own authority.
struct RouterTrust {
  std::string certificate;  // PEM
  std::string sha256;
  std::string page;  // where a browser finds it, with steps for each system

  static constexpr auto shape() {
    using T = RouterTrust;
    return codec::shape(codec::member("certificate", &T::certificate, "of the authority, PEM"),
                        codec::member("sha256", &T::sha256, "its fingerprint"),
                        codec::member("page", &T::page, "where a browser finds it"));
  }
};

Result<RouterStatus> router_status(instance::Instance& instance);
Result<RouterStatus> command_router(instance::Instance& instance, const RouterCommand& command,
                                    base::Progress& progress);
// Code kRefused where the certificate is another authority's.
Result<RouterTrust> router_trust(instance::Instance& instance);

// What the router is to serve, as configuration and declarations are now.
Result<router::RouterPlan> router_plan(instance::Instance& instance, router::NewPorts ports = router::NewPorts::kShown);
// Where the router is to run, and of a tenant where services have a route, it serves what is declared now; where it is
// not, nothing is done.
Result<void> keep_router(instance::Instance& instance, base::Progress& progress);

}  // namespace spl::operation
