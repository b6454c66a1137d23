#include "substrate/accounts.h"

#include <algorithm>
#include <chrono>
#include <map>

#include "base/encoding.h"
#include "codec/json.h"
#include "codec/json_members.h"
#include "crypto/sha256.h"
#include "record/thread.h"
#include "substrate/authority.h"
#include "substrate/body_members.h"

namespace spl::substrate {
namespace {

using codec::Json;

constexpr std::size_t kSecretBytes = 32;
constexpr std::size_t kTokensMax = 100'000;
constexpr std::string_view kAccountKind = "spl.service_account.v1";

std::unexpected<Error> wrong(std::string rule) {
  return fail(ErrorCode::kVerification, std::move(rule));
}

Result<store::Token> parse_token(const Json& json) {
  const Json::Object* members = json.object();
  constexpr std::string_view kNames[] = {"account", "created_at", "expires_at", "scopes", "sha256"};
  if (members == nullptr || members->size() != std::size(kNames)) return wrong("a token has other members");
  for (std::size_t i = 0; i < members->size(); ++i) {
    if ((*members)[i].first != kNames[i]) return wrong("a token has other members");
  }
  store::Token token;
  const Json* expires = json.find("expires_at");
  const Json* account = json.find("account");
  const Json* created = json.find("created_at");
  const Json* sha256 = json.find("sha256");
  if (account->string() == nullptr || created->string() == nullptr || sha256->string() == nullptr ||
      (!expires->is_null() && expires->string() == nullptr))
    return wrong("a token's member is not a string");
  if (!base::parse_hex_digest(*sha256->string(), token.sha256)) return wrong("a token's sha256 is not 64 digits");
  token.account = *account->string();
  token.created_at = *created->string();
  if (expires->string() != nullptr) token.expires_at = *expires->string();
  if (!is_token_time(token.created_at) || (token.expires_at && !is_token_time(*token.expires_at)))
    return wrong("a token's time is not like 2030-01-31T12:00:00Z");
  auto scopes = texts_in(json, "scopes");
  if (!scopes || !std::ranges::is_sorted(*scopes)) return wrong("a token's scopes are not ascending strings");
  for (const std::string& scope : *scopes) {
    if (std::ranges::find(known_scopes(), scope) == known_scopes().end())
      return wrong("a token has the unknown scope \"" + base::escaped(scope, 80) + "\"");
  }
  token.scopes = std::move(*scopes);
  return token;
}

}  // namespace

const std::vector<std::string_view>& known_scopes() {
  static const std::vector<std::string_view> kScopes = {
      "admin", "config:read", "config:write", "federation:manage", "records:read", "records:write", "threads:write"};
  return kScopes;
}

bool is_token_time(std::string_view text) {
  constexpr std::string_view kShape = "0000-00-00T00:00:00Z";
  const auto fits = [](char shape, char c) { return shape == '0' ? c >= '0' && c <= '9' : c == shape; };
  if (!std::ranges::equal(kShape, text, fits)) return false;
  const auto number = [text](std::size_t at, std::size_t digits) {
    unsigned value = 0;
    for (const char c : text.substr(at, digits)) value = 10 * value + static_cast<unsigned>(c - '0');
    return value;
  };
  const std::chrono::year_month_day date(std::chrono::year(static_cast<int>(number(0, 4))),
                                         std::chrono::month(number(5, 2)), std::chrono::day(number(8, 2)));
  return date.ok() && number(11, 2) < 24 && number(14, 2) < 60 && number(17, 2) < 60;
}

std::string account_body(const ServiceAccount& account) {
  const Json body = Json::Object{{"actors", codec::json_texts(account.actors)},
                                 {"kind", kAccountKind},
                                 {"name", account.name},
                                 {"scopes", codec::json_texts(account.scopes)},
                                 {"state", account.active ? "active" : "revoked"}};
  return body.text();
}

Result<std::vector<ServiceAccount>> service_accounts(store::StoreReader& reader,
                                                     const std::optional<std::string>& did) {
  std::map<std::string, ServiceAccount> by_name;
  TRY(effective_records(reader, record::kServiceAccountsThread, did, [&](const Record& record) -> Result<void> {
    const Json body = body_of(record);
    const Json* name = body.find("name");
    const Json* state = body.find("state");
    if (text_in(body, "kind") != kAccountKind) return {};
    auto scopes = texts_in(body, "scopes");
    auto actors = texts_in(body, "actors");
    // What is not an account's body is no account.
    if (name == nullptr || name->string() == nullptr || state == nullptr || state->string() == nullptr || !scopes ||
        !actors)
      return {};
    by_name[*name->string()] = {*name->string(), std::move(*scopes), std::move(*actors), *state->string() == "active"};
    return {};
  }));
  std::vector<ServiceAccount> accounts;
  for (auto& [name, account] : by_name) accounts.push_back(std::move(account));
  return accounts;
}

Result<TokenHolders> token_holders(store::StoreReader& reader, const std::optional<std::string>& did,
                                   const std::vector<store::Token>& tokens, const std::string& now) {
  TokenHolders holders;
  for (ServiceAccount& account : TRY(service_accounts(reader, did))) {
    if (!account.active) continue;
    const bool holds = std::ranges::any_of(tokens, [&](const store::Token& token) {
      return token.account == account.name && (!token.expires_at || *token.expires_at > now);
    });
    (holds ? holders.with : holders.without).push_back(std::move(account.name));
  }
  return holders;
}

Result<NewToken> new_token(env::Env env, std::string_view environment, const ServiceAccount& account,
                           const std::vector<std::string>& scopes, const std::optional<std::string>& expires_at) {
  std::string secret(kSecretBytes, '\0');
  env.random.fill(secret);
  std::string text =
      std::string(kTokenPrefix) + std::string(environment) + "_" + account.name + "_" + base::to_hex(secret);
  explicit_bzero(secret.data(), secret.size());
  store::Token token{crypto::sha256(text), account.name, scopes, env::rfc3339(env.clock.now()), expires_at};
  std::ranges::sort(token.scopes);
  NewToken made{SecretBytes(text), std::move(token)};
  explicit_bzero(text.data(), text.size());
  return made;
}

bool Bearer::may(std::string_view scope) const {
  return std::ranges::find(scopes, scope) != scopes.end() || std::ranges::find(scopes, "admin") != scopes.end();
}

std::string tokens_text(const std::vector<store::Token>& tokens) {
  Json::Array array;
  for (const store::Token& token : tokens) {
    array.emplace_back(Json::Object{{"account", token.account},
                                    {"created_at", token.created_at},
                                    {"expires_at", token.expires_at ? Json(*token.expires_at) : Json()},
                                    {"scopes", codec::json_texts(token.scopes)},
                                    {"sha256", base::to_hex(token.sha256.view())}});
  }
  return Json(Json::Object{{"kind", "spl.tokens.v1"}, {"tokens", std::move(array)}}).text();
}

Result<std::vector<store::Token>> parse_tokens(std::string_view text) {
  const auto json = Json::parse(text);
  if (!json) return wrong(json.error().message);
  const Json* kind = json->find("kind");
  const Json* array = json->find("tokens");
  if (json->object() == nullptr || json->object()->size() != 2 || kind == nullptr || kind->string() == nullptr ||
      *kind->string() != "spl.tokens.v1" || array == nullptr || array->array() == nullptr)
    return wrong("is no list of tokens");
  if (array->array()->size() > kTokensMax) return wrong("has more than 100000 tokens");
  std::vector<store::Token> tokens;
  for (const Json& item : *array->array()) {
    tokens.push_back(TRY(parse_token(item)));
    if (tokens.size() > 1 && tokens[tokens.size() - 2].sha256 >= tokens.back().sha256)
      return wrong("its tokens are not ascending by sha256");
  }
  if (tokens_text(tokens) != text) return wrong("not in canonical form");
  return tokens;
}

}  // namespace spl::substrate
