// Passkeys of the owner: made, listed and removed within a session; and a way in, or a proof. Web Authentication's
// octets go as base64url (docs/formats/door.md).
#include "api/door_activity.h"
#include "api/passkeys.h"
#include "api/routes.h"
#include "base/rfc3339.h"
#include "crypto/sha256.h"
#include "router/names.h"

namespace spl::api {
namespace {

using codec::Json;

constexpr std::size_t kUserIdBytes = 16;

Result<std::string> text_in(const Json& body, std::string_view name) {
  const Json* text = body.find(name);
  if (text == nullptr || text->string() == nullptr)
    return fail(ErrorCode::kUsage, "body: " + std::string(name) + " is not a text");
  return *text->string();
}
Result<std::string> octets_in(const Json& body, std::string_view name) {
  return TRY_IN("body: " + std::string(name), door::from_base64url(TRY(text_in(body, name))));
}

Result<door::Site> require_site(const Exchange& exchange) {
  if (auto site = site_of(exchange)) return std::move(*site);
  return fail(ErrorCode::kRefused, "passkeys are for names, and the panel was asked for by an address",
              "open it by a name of [router] in config.toml");
}
Result<void> require_session(const Exchange& exchange) {
  if (exchange.session() != nullptr) return BrowserGate::require_proof(exchange);
  return fail(ErrorCode::kRefused, Cause::kAuthRequired, "nobody is signed in", "sign in");
}

Result<Json> ids(door::Door& door) {
  Json::Array all;
  for (const door::Passkey& one : TRY(door.passkeys())) all.emplace_back(door::to_base64url(one.key.id));
  return Json(std::move(all));
}

// The options of navigator.credentials.create(), as far as they are not always the same.
Result<void> send_register_options(Call& call) {
  TRY(require_session(call.exchange));
  const door::Site site = TRY(require_site(call.exchange));
  // The owner is one: whoever registers again replaces what the authenticator has.
  const std::string user =
      std::string(crypto::sha256("owner of " + call.served.instance.paths().root + " at " + site.rp_id).view())
          .substr(0, kUserIdBytes);
  return call.exchange.send_json(200, Json::Object{{"challenge", call.served.browsers.challenges().make()},
                                                   {"rp_id", site.rp_id},
                                                   {"user_id", door::to_base64url(user)},
                                                   {"user_name", "owner"},
                                                   {"credentials", TRY(ids(*TRY(call.served.browsers.door())))}});
}

Result<void> add_passkey(Call& call, const Json& body) {
  TRY(require_session(call.exchange));
  const door::Site site = TRY(require_site(call.exchange));
  const door::Registration registration{TRY(octets_in(body, "client_data_json")),
                                        TRY(octets_in(body, "attestation_object"))};
  const std::string name = TRY(text_in(body, "name"));
  const door::PasskeyKey key = TRY(door::read_registration(registration, site, call.served.browsers.challenges()));
  TRY(TRY(call.served.browsers.door())->add_passkey(name, key));
  note_change(call, "passkey.add", name);
  return call.exchange.send(204, kJsonType, "");
}

Result<void> send_sign_in_options(Call& call) {
  const door::Site site = TRY(require_site(call.exchange));
  return call.exchange.send_json(200, Json::Object{{"challenge", call.served.browsers.challenges().make()},
                                                   {"rp_id", site.rp_id},
                                                   {"credentials", TRY(ids(*TRY(call.served.browsers.door())))}});
}

Result<void> sign_in(Call& call, const Json& body) {
  const door::Site site = TRY(require_site(call.exchange));
  const std::string id = TRY(octets_in(body, "id"));
  const door::Assertion assertion{TRY(octets_in(body, "client_data_json")), TRY(octets_in(body, "authenticator_data")),
                                  TRY(octets_in(body, "signature"))};
  const auto check = [&](const door::PasskeyKey& key) {
    return door::check_assertion(key, assertion, site, call.served.browsers.challenges());
  };
  door::Door* door = TRY(call.served.browsers.door());
  const door::Visitor visitor = BrowserGate::visitor_of(call.exchange);
  if (const door::Session* session = call.exchange.session()) {
    TRY(door->prove_with(*session, id, check, visitor));
  } else {
    const auto made = door->sign_in_with(id, check, visitor);
    note_entry(call, "door.sign-in", made);
    if (!made) return std::unexpected(made.error());
    call.served.browsers.add_cookie(call.exchange, made->token);
  }
  return call.exchange.send(204, kJsonType, "");
}

Result<void> passkey(Call& call) {
  TRY(call.exchange.only_known_parameters());
  const Json body = TRY(call.exchange.json_body());
  const std::string step = TRY(text_in(body, "step"));
  if (step == "register_options") return send_register_options(call);
  if (step == "register") return add_passkey(call, body);
  if (step == "sign_in_options") return send_sign_in_options(call);
  if (step == "sign_in") return sign_in(call, body);
  return fail(ErrorCode::kUsage, "body: step is none of register_options, register, sign_in_options, sign_in");
}

Result<void> list_passkeys(Call& call) {
  TRY(call.exchange.only_known_parameters());
  Json::Array all;
  for (const door::Passkey& one : TRY(TRY(call.served.browsers.door())->passkeys()))
    all.emplace_back(
        Json::Object{{"id", door::to_base64url(one.key.id)}, {"name", one.name}, {"created_at", one.made_at}});
  return call.exchange.send_json(200, all);
}

Result<void> remove_passkey(Call& call) {
  TRY(call.exchange.only_known_parameters());
  const std::string id = TRY_IN("passkey", door::from_base64url(call.exchange.captured(0)));
  TRY(TRY(call.served.browsers.door())->remove_passkey(id));
  note_change(call, "passkey.remove", call.exchange.captured(0));
  return call.exchange.send(204, kJsonType, "");
}

}  // namespace

std::optional<door::Site> site_of(const Exchange& exchange) {
  const std::string* host = http::find_field(exchange.head().fields, "host");
  if (host == nullptr || host->starts_with('[')) return std::nullopt;
  std::string name = host->substr(0, host->find(':'));
  if (name.empty() || router::is_address(name)) return std::nullopt;
  return door::Site{"https://" + *host, std::move(name)};
}

void add_passkey_routes(std::vector<Route>& table) {
  table.push_back({"POST", "/v1/door/passkey", Access::kDoor, passkey, {.summary = "A passkey: made, or a way in."}});
  table.push_back({"GET", "/v1/door/passkeys", Access::kAdmin, list_passkeys, {.summary = "The owner's passkeys."}});
  table.push_back({"DELETE",
                   "/v1/door/passkeys/{passkey}",
                   Access::kAdmin,
                   remove_passkey,
                   {.summary = "Removes a passkey.", .status = 204}});
}

}  // namespace spl::api
