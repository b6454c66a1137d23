#include "http/local_shapes.h"

#include <algorithm>
#include <array>
#include <charconv>
#include <cstring>

#include "base/encoding.h"
#include "base/words.h"
#include "codec/json_cursor.h"
#include "codec/json_members.h"

namespace spl::http {
namespace {

using codec::Json;
using codec::json_texts;
using codec::JsonMembers;

constexpr std::array<std::string_view, 3> kEncryptions = {"none", "passphrase", "recipients"};
// The member of an export request that has a passphrase of any octets.
constexpr std::string_view kEncodedPassphrase = "passphrase_base64";

Result<record::Act> parse_act(std::string_view name) {
  for (int i = 0; i <= static_cast<int>(record::Act::kMap); ++i) {
    const auto act = static_cast<record::Act>(i);
    if (record::act_name(act) == name) return act;
  }
  return fail(ErrorCode::kUsage, "member \"act\" is none of INTEND DO KNOW LEARN GET PUT CALL MAP");
}

Result<std::vector<RecordId>> ids_of(const std::vector<std::string>& texts) {
  std::vector<RecordId> ids;
  for (const std::string& text : texts) ids.push_back(TRY(RecordId::parse(text)));
  return ids;
}

Json hex_ids(const std::vector<RecordId>& ids) {
  Json::Array array;
  for (const RecordId& id : ids) array.emplace_back(id.hex());
  return array;
}

void add_if(Json& json, const char* name, const std::optional<std::string>& value) {
  if (value) json.add(name, *value);
}

// A JSON string's text, wiped when it goes.
Result<SecretBytes> take_secret(codec::JsonCursor& cursor) {
  std::string text = TRY(cursor.string());
  SecretBytes secret(text);
  explicit_bzero(text.data(), text.size());
  return secret;
}

// An object without those of its members that `is_secret` names: they are given to `take` on the way, so that no copy
// of them is left behind in a tree.
template <class IsSecret, class Take>
Result<Json> parse_around_secrets(std::string_view text, const IsSecret& is_secret, const Take& take) {
  codec::JsonCursor cursor(text);
  std::string rest;
  std::string name;
  TRY(cursor.begin_object());
  while (TRY(cursor.next_member(name))) {
    if (is_secret(name)) {
      auto secret = TRY_IN(name, take_secret(cursor));
      TRY_IN(name, take(name, std::move(secret)));
      continue;
    }
    rest += rest.empty() ? "{" : ",";
    base::append_json_string(rest, name);
    rest += ":";
    TRY(cursor.canonical(rest));
  }
  TRY(cursor.end());
  return Json::parse(rest.empty() ? "{}" : rest + "}");
}

}  // namespace

Json emission_json(const instance::Emission& emission) {
  Json json = Json::Object{{"act", record::act_name(emission.act)}};
  add_if(json, "text", emission.text);
  add_if(json, "thread", emission.thread);
  add_if(json, "actor", emission.actor);
  add_if(json, "body", emission.body);
  if (!emission.fulfills.empty()) json.add("fulfills", hex_ids(emission.fulfills));
  add_if(json, "namespace", emission.name_space);
  return json;
}

Result<instance::Emission> parse_emission(const Json& json) {
  JsonMembers members = TRY(JsonMembers::of(json));
  instance::Emission emission;
  emission.act = TRY(parse_act(TRY(members.text("act"))));
  emission.text = TRY(members.optional_text("text"));
  emission.thread = TRY(members.optional_text("thread"));
  emission.actor = TRY(members.optional_text("actor"));
  // The body as an object, or as its text: then it is read by who emits it.
  if (const Json* body = members.any("body"))
    emission.body = body->string() != nullptr ? *body->string() : body->text();
  emission.fulfills = TRY(ids_of(TRY(members.texts("fulfills"))));
  emission.name_space = TRY(members.optional_text("namespace"));
  TRY(members.end());
  return emission;
}

Json emitted_json(const instance::Emitted& emitted) {
  return Json::Object{{"id", emitted.id.hex()}, {"thread", emitted.thread}};
}

Result<instance::Emitted> parse_emitted(const Json& json) {
  JsonMembers members = TRY(JsonMembers::of(json));
  instance::Emitted emitted;
  emitted.id = TRY(RecordId::parse(TRY(members.text("id"))));
  emitted.thread = TRY(members.text("thread"));
  return emitted;
}

Json identity_json(const instance::IdentitySummary& summary) {
  return Json::Object{
      {"did", summary.did}, {"public_key_multibase", summary.public_key_multibase}, {"created_at", summary.created_at}};
}

Result<instance::IdentitySummary> parse_identity(const Json& json) {
  JsonMembers members = TRY(JsonMembers::of(json));
  instance::IdentitySummary summary;
  summary.did = TRY(members.text("did"));
  summary.public_key_multibase = TRY(members.text("public_key_multibase"));
  summary.created_at = TRY(members.text("created_at"));
  return summary;
}

Json ids_json(const std::vector<RecordId>& ids) {
  return Json::Object{{"ids", hex_ids(ids)}};
}

Result<std::vector<RecordId>> parse_ids(const Json& json) {
  JsonMembers members = TRY(JsonMembers::of(json));
  auto ids = TRY(ids_of(TRY(members.texts("ids"))));
  TRY(members.end());
  return ids;
}

Json account_json(const substrate::ServiceAccount& account) {
  return Json::Object{{"name", account.name},
                      {"scopes", json_texts(account.scopes)},
                      {"actors", json_texts(account.actors)},
                      {"active", account.active}};
}

Result<substrate::ServiceAccount> parse_account(const Json& json) {
  JsonMembers members = TRY(JsonMembers::of(json));
  substrate::ServiceAccount account;
  account.name = TRY(members.text("name"));
  account.scopes = TRY(members.texts("scopes"));
  account.actors = TRY(members.texts("actors"));
  const bool says_active = members.any("active") != nullptr;
  account.active = TRY(members.flag("active")) || !says_active;
  TRY(members.end());
  return account;
}

Json token_request_json(const instance::TokenRequest& request) {
  Json json = Json::Object{
      {"account", request.account}, {"environment", request.environment}, {"scopes", json_texts(request.scopes)}};
  add_if(json, "expires_at", request.expires_at);
  return json;
}

Result<instance::TokenRequest> parse_token_request(const Json& json) {
  JsonMembers members = TRY(JsonMembers::of(json));
  instance::TokenRequest request;
  request.account = TRY(members.text("account"));
  request.environment = TRY(members.optional_text("environment")).value_or(request.environment);
  request.scopes = TRY(members.texts("scopes"));
  request.expires_at = TRY(members.optional_text("expires_at"));
  TRY(members.end());
  return request;
}

void append_new_token(std::string& out, const substrate::NewToken& made) {
  const store::Token& token = made.token;
  out += "{\"token\":";
  out.reserve(out.size() + made.text.size() * 2 + 1024);  // no copy of the secret is left behind by growth
  base::append_json_string(out, made.text.reveal());
  Json rest = Json::Object{{"sha256", base::to_hex(token.sha256.view())},
                           {"account", token.account},
                           {"scopes", json_texts(token.scopes)},
                           {"created_at", token.created_at}};
  add_if(rest, "expires_at", token.expires_at);
  const std::string text = rest.text();
  out.append(",").append(text, 1);
}

Result<substrate::NewToken> parse_new_token(std::string_view text) {
  substrate::NewToken made;
  const Json json = TRY(parse_around_secrets(
      text, [](std::string_view name) { return name == "token"; },
      [&made](std::string_view, SecretBytes secret) -> Result<void> {
        made.text = std::move(secret);
        return {};
      }));
  JsonMembers members = TRY(JsonMembers::of(json));
  if (!base::parse_hex_digest(TRY(members.text("sha256")), made.token.sha256)) return fail("sha256 is not 64 digits");
  made.token.account = TRY(members.text("account"));
  made.token.scopes = TRY(members.texts("scopes"));
  made.token.created_at = TRY(members.text("created_at"));
  made.token.expires_at = TRY(members.optional_text("expires_at"));
  return made;
}

Json status_json(const DaemonStatus& daemon) {
  const instance::Status& status = daemon.status;
  return Json::Object{{"running", true},
                      {"port", daemon.port},
                      {"did", status.did ? Json(*status.did) : Json()},
                      {"version", daemon.version},
                      {"record_count", status.counts.records},
                      {"thread_count", status.counts.threads},
                      {"federation_pairs", status.authority.federation_pairs},
                      {"consent_grants", status.authority.consent_grants},
                      {"service_accounts", status.authority.service_accounts},
                      {"store", base::path_text(status.store)},
                      {"home", base::path_text(status.home)}};
}

Result<DaemonStatus> parse_status(const Json& json) {
  JsonMembers members = TRY(JsonMembers::of(json));
  DaemonStatus daemon;
  daemon.status.did = TRY(members.optional_text("did"));
  daemon.status.counts = {TRY(members.number("record_count")), TRY(members.number("thread_count"))};
  daemon.status.authority = {TRY(members.number("federation_pairs")), TRY(members.number("consent_grants")),
                             TRY(members.number("service_accounts"))};
  daemon.status.store = TRY(members.text("store"));
  daemon.status.home = TRY(members.text("home"));
  daemon.port = static_cast<std::uint16_t>(TRY(members.number("port")));
  daemon.version = TRY(members.text("version"));
  return daemon;
}

std::string export_request_text(const instance::ExportOptions& options) {
  Json json = Json::Object{{"uncompressed", options.uncompressed},
                           {"no_identity", options.no_identity},
                           {"carry_tokens", options.carry_tokens},
                           {"move", options.move},
                           {"plaintext", options.plaintext}};
  Json::Array recipients;
  for (const crypto::Recipient& recipient : options.recipients) recipients.emplace_back(recipient.text());
  json.add("recipients", std::move(recipients));
  if (!options.spool_directory.empty()) json.add("spool_directory", options.spool_directory);
  std::string text = json.text();
  if (options.passphrase) {
    std::string encoded = base::to_base64(options.passphrase->reveal());
    text.reserve(text.size() + encoded.size() + 64);
    text.pop_back();
    text.append(",\"passphrase_base64\":\"").append(encoded).append("\"}");
    explicit_bzero(encoded.data(), encoded.size());
  }
  return text;
}

Result<instance::ExportOptions> parse_export_request(std::string_view text) {
  instance::ExportOptions options;
  const auto take_passphrase = [&](std::string_view name, SecretBytes secret) -> Result<void> {
    if (options.passphrase) return fail(ErrorCode::kUsage, "the passphrase stands twice");
    if (name != kEncodedPassphrase) {
      options.passphrase = std::move(secret);
      return {};
    }
    std::string octets = TRY(base::from_base64(secret.reveal()));
    options.passphrase = SecretBytes(octets);
    explicit_bzero(octets.data(), octets.size());
    return {};
  };
  const Json json = TRY(parse_around_secrets(
      text.empty() ? "{}" : text,
      [](std::string_view name) { return name == kEncodedPassphrase || name == "passphrase"; }, take_passphrase));
  JsonMembers members = TRY(JsonMembers::of(json));
  options.uncompressed = TRY(members.flag("uncompressed"));
  options.no_identity = TRY(members.flag("no_identity"));
  options.carry_tokens = TRY(members.flag("carry_tokens"));
  options.move = TRY(members.flag("move"));
  options.plaintext = TRY(members.flag("plaintext"));
  for (const std::string& recipient : TRY(members.texts("recipients")))
    options.recipients.push_back(TRY(crypto::Recipient::parse(recipient)));
  options.spool_directory = TRY(members.optional_text("spool_directory")).value_or("");
  TRY(members.end());
  return options;
}

std::string opening_text(const bundle::Opening& opening) {
  std::string text(kEncryptions[static_cast<std::size_t>(opening.kind)]);
  if (!opening.recipient.empty()) text += ":" + opening.recipient + ":" + std::to_string(opening.recipients);
  return text;
}

Result<bundle::Opening> parse_opening(std::string_view text) {
  const std::vector<std::string> parts = base::split(text, ':');
  const auto at = std::ranges::find(kEncryptions, parts.empty() ? "" : parts.front());
  bundle::Opening opening;
  if (at != kEncryptions.end() && (parts.size() == 1 || parts.size() == 3)) {
    opening.kind = static_cast<bundle::Encryption::Kind>(at - kEncryptions.begin());
    if (parts.size() == 1) return opening;
    const std::string& count = parts[2];
    const auto read = std::from_chars(count.data(), count.data() + count.size(), opening.recipients);
    opening.recipient = TRY(crypto::Recipient::parse(parts[1])).text();
    if (opening.kind == bundle::Encryption::Kind::kRecipients && read.ec == std::errc() &&
        read.ptr == count.data() + count.size() && opening.recipients > 0)
      return opening;
  }
  return fail(ErrorCode::kUsage, "opened is none of none, passphrase, recipients, recipients:AGE1...:COUNT");
}

}  // namespace spl::http
