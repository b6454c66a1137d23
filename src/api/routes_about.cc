// What the daemon says of itself.
#include "api/routes.h"
#include "base/version.h"
#include "bundle/manifest.h"
#include "federation/whereabouts.h"
#include "instance/move.h"
#include "operation/metrics.h"

namespace spl::api {
namespace {

using codec::Json;

Json did_json(const Call& call) {
  const auto did = call.served.instance.did();
  return did ? Json(*did) : Json();
}

Result<void> health(Call& call) {
  TRY(call.exchange.only_known_parameters());
  Json about = Json::Object{{"status", "ok"}, {"did", did_json(call)}, {"version", base::kVersion}};
  // It is read, and takes no writes.
  if (const auto moved = TRY(instance::moved_at(*TRY(call.served.instance.store().reader()))))
    about.add("moved_at", *moved);
  return call.exchange.send_json(200, about);
}

Result<void> well_known(Call& call) {
  TRY(call.exchange.only_known_parameters());
  Json capabilities =
      Json::Object{{"version", base::kVersion},
                   {"algebra_version", "v1"},
                   {"hashed_fields", Json::Array{"parents", "thread", "actor", "act", "body", "clock", "data_type"}},
                   {"bundle_version", bundle::kBundleVersion}};
  const auto manifest =
      TRY(federation::own_manifest(call.served.instance, Json::Object{{"capabilities_manifest", capabilities}}));
  if (manifest) return call.exchange.send(200, kJsonType, *manifest);
  // Nobody is there who could sign.
  return call.exchange.send_json(
      200, Json::Object{{"did", did_json(call)}, {"capabilities_manifest", std::move(capabilities)}});
}

Result<void> openapi(Call& call) {
  TRY(call.exchange.only_known_parameters());
  return call.exchange.send(200, kJsonType, openapi_text());
}

Result<void> metrics(Call& call) {
  TRY(call.exchange.only_known_parameters());
  return call.exchange.send(200, operation::kMetricsType, TRY(operation::metrics_text(call.served.instance)));
}

}  // namespace

void add_about_routes(std::vector<Route>& table) {
  table.push_back({"GET", "/health", Access::kOpen, health, {.summary = "Is it there?"}});
  table.push_back({"GET", "/.well-known/syncropel", Access::kOpen, well_known, {.summary = "What it can do."}});
  table.push_back({"GET",
                   "/metrics",
                   Access::kRead,
                   metrics,
                   {.summary = "What monitoring reads.", .answer_type = operation::kMetricsType}});
  table.push_back({"GET", "/openapi.json", Access::kOpen, openapi, {.summary = "This document."}});
}

}  // namespace spl::api
