#include "operation/router_operations.h"

#include <chrono>

#include "base/encoding.h"
#include "base/rfc3339.h"
#include "codec/enum_names.h"
#include "env/connect.h"
#include "env/users.h"
#include "router/certificates.h"
#include "router/nginx.h"
#include "service/service_set.h"
#include "service/system_user.h"
#include "tenant/mark.h"
#include "tenant/register.h"

namespace spl::operation {
namespace {

using home::CertificateKind;
using router::Nginx;
using router::Reload;
using router::RoutedService;
using router::RouterPlan;
using namespace std::chrono_literals;

constexpr auto kUpAtMost = 2s;
constexpr std::uint32_t kDoorMode = 0660;

Result<void> let_router_in(env::Env env, const RouterPlan& plan) {
  if (!plan.as_root) return {};
  TRY(service::make_system_user(router::kRouterUser, "/nonexistent"));
  const auto group = TRY(env::find_group(router::kRouterUser));
  const std::string socket = router::door_socket(plan.paths);
  if (!group || !TRY(env.fs.info(socket))) return {};
  TRY(env.fs.set_owner(socket, 0, *group));
  return env.fs.set_mode(socket, kDoorMode);
}

// What nginx is to show when it begins; of an ACME authority it can be asked for only when nginx serves. True where it
// is another one, or may be.
Result<bool> prepare_certificate(env::Env env, const RouterPlan& plan, const home::RouterConfig& config) {
  if (!plan.front.empty()) return false;
  if (config.certificate == CertificateKind::kFiles) {
    TRY(router::check_certificate_files(env, plan));
    return true;
  }
  if (config.certificate == CertificateKind::kAcme && TRY(router::shown_certificate(env, plan))) return false;
  return router::keep_own_certificate(env, plan);
}

Result<void> serve(instance::Instance& instance, Reload reload, base::Progress& progress) {
  env::Env env = instance.env();
  const home::RouterConfig config = TRY(instance.config()).router;
  Nginx nginx(env, instance.paths());
  TRY(nginx.check());
  const RouterPlan plan = TRY(router_plan(instance, router::NewPorts::kNoted));
  TRY(let_router_in(env, plan));
  if (TRY(prepare_certificate(env, plan, config))) reload = Reload::kAlways;
  TRY(nginx.serve(plan, reload));
  if (config.certificate != CertificateKind::kAcme || !plan.front.empty()) return {};
  if (TRY(router::keep_acme_certificate(env, plan, config, progress))) TRY(nginx.serve(plan, Reload::kAlways));
  return {};
}

}  // namespace

Result<RouterPlan> router_plan(instance::Instance& instance, router::NewPorts ports) {
  const env::Env env = instance.env();
  const auto set = TRY(service::ServiceSet::load(env, instance.paths()));
  const auto mark = TRY(tenant::read_mark(env, instance.paths()));
  RouterPlan plan =
      TRY(router::make_plan(env, set, mark ? tenant::router_of(*mark) : TRY(instance.config()).router, ports));
  if (mark) plan.front = router::front_socket(instance.paths());
  const tenant::Register tenants(env, instance.paths());
  for (const tenant::TenantNote& note : TRY(tenants.all())) {
    if (note.standing == tenant::Standing::kMade)
      plan.tenants.push_back({note.name, note.host, router::front_socket({tenants.home_of(note)}),
                              router::door_socket({tenants.home_of(note)})});
  }
  return plan;
}

Result<RouterStatus> router_status(instance::Instance& instance) {
  env::Env env = instance.env();
  RouterStatus status;
  const RouterPlan plan = TRY(router_plan(instance));
  status.running = TRY(Nginx(env, instance.paths()).is_running());
  for (const std::string& name : plan.names) status.addresses.push_back(plan.origin_of(name, plan.https));
  if (const auto shown = TRY(router::shown_certificate(env, plan))) {
    const auto kind = TRY(instance.config()).router.certificate;
    status.certificate = RouterCertificate{std::string(codec::enum_name(kind)), shown->names,
                                           env::rfc3339(shown->until), base::to_hex(shown->sha256.view())};
  }
  for (const RoutedService& service : plan.services) {
    const bool is_up = env::ask_address(service.address, "", 0, kUpAtMost).has_value();
    status.routes.push_back({service.service, service.route, plan.address_of(service),
                             std::string(codec::enum_name(service.access)), is_up});
  }
  return status;
}

Result<RouterStatus> command_router(instance::Instance& instance, const RouterCommand& command,
                                    base::Progress& progress) {
  Nginx nginx(instance.env(), instance.paths());
  switch (command.action) {
    case RouterAction::kStart:
      TRY(serve(instance, Reload::kAlways, progress));
      break;
    case RouterAction::kReload:
      if (!TRY(nginx.is_running()))
        return fail(ErrorCode::kUnavailable, "the router does not run", "spl router start starts it");
      TRY(serve(instance, Reload::kAlways, progress));
      break;
    case RouterAction::kStop:
      TRY(nginx.stop(progress));
      break;
  }
  return router_status(instance);
}

Result<RouterTrust> router_trust(instance::Instance& instance) {
  const RouterPlan plan = TRY(router_plan(instance));
  if (TRY(instance.config()).router.certificate != CertificateKind::kOwn)
    return fail(ErrorCode::kRefused, "the router's certificate is not of an authority of this machine's own",
                "browsers trust it already, or whoever made it says how");
  const auto authority = TRY(router::own_authority(instance.env(), instance.paths()));
  if (!authority) return fail(Cause::kNotFound, "the router has no authority yet", "spl router start makes it");
  const auto facts = TRY(crypto::certificate_facts(*authority));
  return RouterTrust{*authority, base::to_hex(facts.sha256.view()), plan.panel_origin() + "/-/trust"};
}

Result<void> keep_router(instance::Instance& instance, base::Progress& progress) {
  const bool is_wanted = TRY(Nginx(instance.env(), instance.paths()).is_wanted());
  // A tenant has one of its own as soon as it has something to show besides its panel.
  if (!is_wanted && !TRY(tenant::read_mark(instance.env(), instance.paths()))) return {};
  if (!is_wanted && TRY(router_plan(instance)).services.empty()) return {};
  return serve(instance, Reload::kWhenChanged, progress);
}

}  // namespace spl::operation
