// The owner's door: claim it, sign in, sign out, and what the router asks of a request that it would pass on.
#include <algorithm>

#include "api/door_activity.h"
#include "api/pages.h"
#include "api/passkeys.h"
#include "api/routes.h"
#include "operation/owner_operations.h"
#include "router/nginx_config.h"
#include "service/contexts.h"

namespace spl::api {
namespace {

using codec::Json;
using door::NewSession;

constexpr std::string_view kFormType = "application/x-www-form-urlencoded";

// What a person has typed, as JSON or as a form.
struct Typed {
  bool is_form = false;
  SecretBytes code;
  SecretBytes password;
};

SecretBytes text_in(const Json& json, std::string_view name) {
  const Json* text = json.find(name);
  return text == nullptr || text->string() == nullptr ? SecretBytes() : SecretBytes(*text->string());
}

Result<Typed> typed_in(Exchange& exchange) {
  TRY(exchange.only_known_parameters());
  const std::string* type = http::find_field(exchange.head().fields, "content-type");
  Typed typed;
  typed.is_form = type != nullptr && http::begins_with(*type, kFormType);
  const auto body = exchange.body();
  const auto read = [&]() -> Result<void> {
    const std::string_view text = TRY(body);
    if (!typed.is_form) {
      const Json json = TRY_IN("body", Json::parse(text));
      typed.code = text_in(json, "code");
      typed.password = text_in(json, "password");
      return {};
    }
    const auto target = TRY_IN("form", http::parse_target("/?" + std::string(text)));
    if (const std::string* code = target.parameter("code")) typed.code = SecretBytes(*code);
    if (const std::string* password = target.parameter("password")) typed.password = SecretBytes(*password);
    return {};
  }();
  exchange.body_buffer().wipe();
  TRY(read);
  return typed;
}

Json session_json(const door::Session& session) {
  return codec::shape_json(
      operation::OwnerSession{session.id, session.made_at, session.used_at, session.address, session.agent});
}

// Somebody is in; or what a form had wrong is said on its page.
Result<void> welcome(Call& call, const Typed& typed, FormPage page, Result<NewSession> made, std::string_view next) {
  note_entry(call, page == FormPage::kClaim ? "door.claim" : "door.sign-in", made);
  if (!made) {
    if (!typed.is_form) return std::unexpected(std::move(made).error());
    return send_form(call.exchange, page, status_of(made.error()), made.error().message);
  }
  call.served.browsers.add_cookie(call.exchange, made->token);
  if (typed.is_form) return send_to(call.exchange, next);
  return call.exchange.send_json(200, Json::Object{{"claimed", true}, {"session", session_json(made->session)}});
}

Result<void> door_state(Call& call) {
  TRY(call.exchange.only_known_parameters());
  door::Door* door = TRY(call.served.browsers.door());
  const bool has_passkey = site_of(call.exchange).has_value() && !TRY(door->passkeys()).empty();
  Json state = Json::Object{{"claimed", TRY(door->is_claimed())}, {"passkey", has_passkey}};
  if (const door::Session* session = call.exchange.session()) {
    state.add("session", session_json(*session));
    state.add("proven", session->is_proven);
  }
  return call.exchange.send_json(200, state);
}

Result<void> claim(Call& call) {
  const Typed typed = TRY(typed_in(call.exchange));
  door::Door* door = TRY(call.served.browsers.door());
  return welcome(call, typed, FormPage::kClaim,
                 door->claim(typed.code, typed.password, BrowserGate::visitor_of(call.exchange)), "/-/overview#first");
}

// With the password, or with a code of the console.
Result<void> sign_in(Call& call) {
  const Typed typed = TRY(typed_in(call.exchange));
  door::Door* door = TRY(call.served.browsers.door());
  const door::Visitor visitor = BrowserGate::visitor_of(call.exchange);
  if (!typed.code.empty())
    return welcome(call, typed, FormPage::kLink, door->enter(typed.code, visitor), "/-/overview");
  return welcome(call, typed, FormPage::kSignIn, door->sign_in(typed.password, visitor), "/-/overview");
}

Result<void> sign_out(Call& call) {
  TRY(call.exchange.only_known_parameters());
  if (const door::Session* session = call.exchange.session()) {
    TRY(TRY(call.served.browsers.door())->sign_out(session->id));
    note_change(call, "door.sign-out");
  }
  call.served.browsers.end_cookie(call.exchange);
  const std::string* type = http::find_field(call.exchange.head().fields, "content-type");
  if (type != nullptr && http::begins_with(*type, kFormType)) return send_to(call.exchange, "/-/sign-in");
  return call.exchange.send_json(200, Json::Object{{"signed_out", true}});
}

// Of the browsers that are signed in; this one among them.
Result<void> list_sessions(Call& call) {
  TRY(call.exchange.only_known_parameters());
  Json::Array all;
  for (const door::Session& one : TRY(TRY(call.served.browsers.door())->sessions()))
    all.emplace_back(
        Json::Object{{"id", one.id},
                     {"created_at", one.made_at},
                     {"last_used_at", one.used_at},
                     {"address", one.address},
                     {"agent", one.agent},
                     {"current", call.exchange.session() != nullptr && call.exchange.session()->id == one.id}});
  return call.exchange.send_json(200, all);
}
Result<void> end_session(Call& call) {
  TRY(call.exchange.only_known_parameters());
  TRY(TRY(call.served.browsers.door())->sign_out(call.exchange.captured(0)));
  note_change(call, "door.sign-out", call.exchange.captured(0));
  return call.exchange.send(204, kJsonType, "");
}

Result<void> change_password(Call& call) {
  const Typed typed = TRY(typed_in(call.exchange));
  TRY(BrowserGate::require_proof(call.exchange));
  door::Door* door = TRY(call.served.browsers.door());
  const door::Session* session = call.exchange.session();
  TRY(door->set_password(typed.password, session == nullptr ? "" : session->id));
  note_change(call, "door.password");
  return call.exchange.send(204, kJsonType, "");
}

Result<void> prove(Call& call) {
  const Typed typed = TRY(typed_in(call.exchange));
  const door::Session* session = call.exchange.session();
  if (session == nullptr) return fail(ErrorCode::kRefused, Cause::kAuthRequired, "nobody is signed in", "sign in");
  TRY(TRY(call.served.browsers.door())->prove(*session, typed.password, BrowserGate::visitor_of(call.exchange)));
  if (typed.is_form) return send_to(call.exchange, "/-/plain");
  return call.exchange.send_json(200, Json::Object{{"proven", true}});
}

// Names of fields that the router sets, and takes from nobody.
bool is_routers_own(std::string_view name) {
  return (name.starts_with("x-spl-") || name.starts_with("x-hero-")) && name != "x-spl-context";
}

// The credentials that a service may see: not those of this instance.
Result<std::string> passed_authorization(Call& call) {
  const std::string* value = http::find_field(call.exchange.head().fields, "authorization");
  if (value == nullptr) return std::string();
  return TRY(call.served.gate.is_token_in(*value)) ? std::string() : *value;
}

// Asked by the router alone. 204, with what the service is to be told; 401, or 403 with the real reason beside it.
Result<void> admit(Call& call) {
  Exchange& exchange = call.exchange;
  const http::RequestHead& head = exchange.head();
  const std::string* access = exchange.parameter("access");
  TRY(exchange.only_known_parameters());
  const std::string* method = http::find_field(head.fields, "x-original-method");
  const auto refuse = [&exchange](std::string reason) {
    exchange.add_field(router::kRefusalField, std::move(reason));
    return exchange.send(403, kJsonType, "{}");
  };
  if (!TRY(TRY(call.served.browsers.door())->is_claimed())) return refuse("unclaimed");
  if (std::ranges::any_of(head.fields, [](const auto& field) { return is_routers_own(field.first); }))
    return refuse("400");
  const bool is_open = access != nullptr && *access == "open";
  const auto looked =
      call.served.browsers.look_at_service(exchange, method == nullptr ? head.method : *method, exchange.captured(0));
  if (!looked) {
    if (looked.error().cause != Cause::kCrossOrigin) return std::unexpected(looked.error());
    // What is open asks for itself: its own pages may be other origins'.
    if (!is_open) return refuse("cross-origin");
  }
  BrowserGate::let_in(exchange);
  const bool is_known = exchange.bearer().has_value() || call.served.gate.identify(exchange).has_value();
  if (!is_open && !is_known) return exchange.send(401, kJsonType, "{}");
  if (const std::string* asked = http::find_field(head.fields, "x-spl-context")) {
    const auto contexts = TRY(service::Contexts::load(call.served.instance.env(), call.served.instance.paths()));
    const service::Context* context = contexts.find(*asked);
    if (context == nullptr) return refuse("400");
    exchange.add_field("x-spl-context", context->name);
    exchange.add_field("x-hero-context", std::to_string(context->id));
  }
  if (is_known) {
    const substrate::Bearer& bearer = *exchange.bearer();
    exchange.add_field("x-spl-user", bearer.account == kOwnerAccount ? "owner" : bearer.account);
    std::string claims;
    for (const std::string& scope : bearer.scopes) claims += (claims.empty() ? "" : " ") + scope;
    exchange.add_field("x-hero-claims", claims);
  }
  exchange.add_field("x-spl-passed-cookie", cookies_for_service(head));
  exchange.add_field("x-spl-passed-authorization", TRY(passed_authorization(call)));
  return exchange.send(204, kJsonType, "");
}

}  // namespace

void add_door_routes(std::vector<Route>& table) {
  table.push_back({"GET", "/v1/door", Access::kDoor, door_state, {.summary = "Whether the door has an owner."}});
  table.push_back(
      {"POST", "/v1/door/claim", Access::kDoor, claim, {.summary = "Makes an owner, by the console's code."}});
  table.push_back(
      {"POST", "/v1/door/sign-in", Access::kDoor, sign_in, {.summary = "By password or by a link's code."}});
  table.push_back({"POST", "/v1/door/sign-out", Access::kDoor, sign_out, {.summary = "Ends this session."}});
  table.push_back(
      {"POST", "/v1/door/proof", Access::kDoor, prove, {.summary = "The password again, for ten minutes."}});
  table.push_back({"POST",
                   "/v1/door/password",
                   Access::kAdmin,
                   change_password,
                   {.summary = "Another password; other sessions end.", .status = 204}});
  table.push_back({"GET", "/v1/door/sessions", Access::kAdmin, list_sessions, {.summary = "Browsers that are in."}});
  table.push_back({"DELETE",
                   "/v1/door/sessions/{session}",
                   Access::kAdmin,
                   end_session,
                   {.summary = "Ends a session.", .status = 204}});
  table.push_back({"GET", "/v1/door/admit/{route}", Access::kDoor, admit, {.summary = "Asked by the router alone."}});
}

}  // namespace spl::api
