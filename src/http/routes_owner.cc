// The owner's door: what the command line asks of the daemon of its home. At the Unix socket only.
#include <cstring>

#include "base/version.h"
#include "codec/json_members.h"
#include "http/local_shapes.h"
#include "http/routes.h"
#include "instance/access.h"
#include "instance/ingest.h"
#include "instance/move.h"

namespace spl::http {
namespace {

using codec::Json;
using codec::JsonMembers;

Result<void> emit(Call& call) {
  const instance::Emission emission = TRY(parse_emission(TRY(call.exchange.json_body())));
  const auto emitted =
      TRY(call.served.gate.change_power([&] { return instance::emit(call.served.instance, emission); }));
  return call.exchange.send_json(201, emitted_json(emitted));
}

Result<void> generate_identity(Call& call) {
  const auto summary = TRY(call.served.gate.change_power([&] { return call.served.instance.generate_identity(); }));
  return call.exchange.send_json(201, identity_json(summary));
}

Result<void> endorse(Call& call) {
  const auto ids = TRY(parse_ids(TRY(call.exchange.json_body())));
  const auto written = TRY(call.served.gate.change_power([&] { return instance::endorse(call.served.instance, ids); }));
  return call.exchange.send_json(200, ids_json(written));
}

Result<void> cancel_move(Call& call) {
  const bool cancelled = TRY(instance::cancel_move(call.served.instance));
  return call.exchange.send_json(200, Json::Object{{"cancelled", cancelled}});
}

Result<void> create_account(Call& call) {
  auto asked = TRY(parse_account(TRY(call.exchange.json_body())));
  const auto account = TRY(
      call.served.gate.change_power([&] { return instance::create_account(call.served.instance, std::move(asked)); }));
  return call.exchange.send_json(201, account_json(account));
}

// The one string member of the body.
Result<std::string> only_text(Exchange& exchange, std::string_view name) {
  const Json json = TRY(exchange.json_body());
  JsonMembers members = TRY(JsonMembers::of(json));
  auto text = TRY(members.text(name));
  TRY(members.end());
  return text;
}

Result<void> revoke_account(Call& call) {
  const std::string name = TRY(only_text(call.exchange, "name"));
  TRY(call.served.gate.change_power([&] { return instance::revoke_account(call.served.instance, name); }));
  return call.exchange.send_json(200, Json::Object{{"status", "revoked"}});
}

Result<void> create_token(Call& call) {
  const auto request = TRY(parse_token_request(TRY(call.exchange.json_body())));
  const auto made =
      TRY(call.served.gate.change_power([&] { return instance::create_token(call.served.instance, request); }));
  std::string text;
  append_new_token(text, made);
  auto sent = call.exchange.send(201, kJsonType, text);
  explicit_bzero(text.data(), text.size());
  return sent;
}

Result<void> revoke_token(Call& call) {
  const std::string id = TRY(only_text(call.exchange, "id"));
  TRY(call.served.gate.change_power([&] { return instance::revoke_token(call.served.instance, id); }));
  return call.exchange.send_json(200, Json::Object{{"status", "revoked"}});
}

Result<void> status(Call& call) {
  TRY(call.exchange.only_known_parameters());
  const DaemonStatus daemon{TRY(call.served.instance.status()), call.served.port, base::kVersion};
  return call.exchange.send_json(200, status_json(daemon));
}

}  // namespace

void add_owner_routes(std::vector<Route>& table) {
  table.push_back({"POST", "/v1/local/emit", Access::kOwner, emit});
  table.push_back({"POST", "/v1/local/identity/generate", Access::kOwner, generate_identity});
  table.push_back({"POST", "/v1/local/endorse", Access::kOwner, endorse});
  table.push_back({"POST", "/v1/local/move/cancel", Access::kOwner, cancel_move});
  table.push_back({"POST", "/v1/local/accounts", Access::kOwner, create_account});
  table.push_back({"POST", "/v1/local/accounts/revoke", Access::kOwner, revoke_account});
  table.push_back({"POST", "/v1/local/tokens", Access::kOwner, create_token});
  table.push_back({"POST", "/v1/local/tokens/revoke", Access::kOwner, revoke_token});
  table.push_back({"GET", "/v1/local/status", Access::kOwner, status});
}

}  // namespace spl::http
