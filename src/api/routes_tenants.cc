// The machine's tenants, as its panel shows them: names, states, limits, and nothing of what they hold.
#include "api/routes.h"
#include "operation/local_operations.h"

namespace spl::api {
namespace {

using codec::Json;
using operation::LocalOperations;

// What the panel may ask of a new tenant. Bundles and their keys are the console's.
struct AskedTenant {
  std::string name;
  std::optional<std::string> host;
  std::optional<std::uint64_t> memory_bytes;
  std::optional<double> cpus;
  std::optional<std::uint64_t> tasks;

  static constexpr auto shape() {
    using A = AskedTenant;
    using enum codec::Presence;
    return codec::shape(codec::member("name", &A::name, "the tenant"),
                        codec::member("host", &A::host, "missing: its name below the machine's", kOmitted),
                        codec::member("memory_bytes", &A::memory_bytes, "at most", kOmitted),
                        codec::member("cpus", &A::cpus, "processors' time, at most", kOmitted),
                        codec::member("tasks", &A::tasks, "processes and threads, at most", kOmitted));
  }
};

Result<void> list(Call& call) {
  TRY(call.exchange.only_known_parameters());
  Json::Array rows;
  for (const auto& tenant : TRY(LocalOperations(call.served.instance).tenants(call.exchange.progress())))
    rows.push_back(codec::shape_json(tenant));
  return call.exchange.send_json(200, rows);
}

Result<void> create(Call& call) {
  TRY(call.exchange.only_known_parameters());
  const auto asked =
      TRY_IN("body", codec::parse_shape_text<AskedTenant>(TRY(call.exchange.body()), codec::Unknown::kRefused));
  TRY(BrowserGate::require_proof(call.exchange));
  operation::NewTenant tenant;
  tenant.name = asked.name;
  tenant.host = asked.host;
  tenant.memory_bytes = asked.memory_bytes;
  tenant.cpus = asked.cpus;
  tenant.tasks = asked.tasks;
  // The link is root's: spl tenant link prints one.
  TRY(LocalOperations(call.served.instance, who_asks(call.exchange)).create_tenant(tenant, call.exchange.progress()));
  return call.exchange.send(204, kJsonType, "");
}

template <auto Operation>
Result<void> command(Call& call) {
  TRY(call.exchange.only_known_parameters());
  TRY(BrowserGate::require_proof(call.exchange));
  LocalOperations operations(call.served.instance, who_asks(call.exchange));
  TRY((operations.*Operation)({call.exchange.captured(0)}, call.exchange.progress()));
  return call.exchange.send(204, kJsonType, "");
}

}  // namespace

void add_tenant_routes(std::vector<Route>& table) {
  table.push_back({"GET",
                   "/v1/tenants",
                   Access::kAdmin,
                   list,
                   {.summary = "The machine's tenants.", .answer = codec::list_schema_of<operation::Tenant>}});
  table.push_back({"POST",
                   "/v1/tenants",
                   Access::kAdmin,
                   create,
                   {.summary = "Makes an empty tenant.", .status = 204, .request = codec::schema_of<AskedTenant>}});
  table.push_back({"POST",
                   "/v1/tenants/{tenant}/start",
                   Access::kAdmin,
                   command<&LocalOperations::start_tenant>,
                   {.summary = "Starts a tenant.", .status = 204}});
  table.push_back({"POST",
                   "/v1/tenants/{tenant}/stop",
                   Access::kAdmin,
                   command<&LocalOperations::stop_tenant>,
                   {.summary = "Stops a tenant, with its services.", .status = 204}});
}

}  // namespace spl::api
