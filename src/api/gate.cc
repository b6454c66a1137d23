#include "api/gate.h"

#include <algorithm>

#include "base/encoding.h"
#include "crypto/sha256.h"

namespace spl::api {
namespace {

constexpr std::string_view kScheme = "bearer ";  // in any case
constexpr std::size_t kTokenBytesMax = 512;

constexpr std::string_view kBasicScheme = "basic ";  // RFC 7617

constexpr const char* kTokenHint = "send authorization: Bearer TOKEN; spl token create makes one";

enum class Schemes : std::uint8_t { kBearer, kBearerAndBasic };

// Of "Bearer TOKEN", or the password of "Basic ...". Nothing for another scheme; "" for what can be no token.
std::optional<std::string> token_in(std::string_view authorization, Schemes schemes) {
  const bool is_bearer = http::begins_with(authorization, kScheme);
  if (!is_bearer && (schemes == Schemes::kBearer || !http::begins_with(authorization, kBasicScheme)))
    return std::nullopt;
  std::string_view rest = authorization.substr(is_bearer ? kScheme.size() : kBasicScheme.size());
  while (rest.starts_with(' ')) rest.remove_prefix(1);
  std::string token(rest.substr(0, kTokenBytesMax * 2));
  if (!is_bearer) {
    const auto pair = base::from_base64(token);
    const std::size_t colon = pair ? pair->find(':') : std::string::npos;
    token = colon == std::string::npos ? "" : pair->substr(colon + 1);
  }
  return token.size() <= kTokenBytesMax ? token : std::string();
}

}  // namespace

// Never more than the account has now.
Result<std::shared_ptr<const Gate::Holders>> Gate::read_holders() {
  auto read = std::make_shared<Holders>();
  // Before the look at the store: a change meanwhile makes what is read worthless.
  read->generation = generation_.load(std::memory_order_acquire);
  const auto reader = TRY(instance_.store().reader());
  const auto accounts = TRY(substrate::service_accounts(*reader, instance_.did()));
  for (store::Token& token : TRY(reader->tokens())) {
    const auto account = std::ranges::find(accounts, token.account, &substrate::ServiceAccount::name);
    if (account == accounts.end() || !account->active) continue;
    const substrate::Bearer whole{account->name, account->scopes, {}};
    std::erase_if(token.scopes, [&whole](const std::string& scope) { return !whole.may(scope); });
    read->by_token[token.sha256] = {{account->name, std::move(token.scopes), account->actors}, token.expires_at};
  }
  return read;
}

Result<std::shared_ptr<const Gate::Holders>> Gate::holders() {
  const std::scoped_lock lock(mutex_);
  if (!holders_ || holders_->generation != generation_.load(std::memory_order_acquire)) holders_ = TRY(read_holders());
  return holders_;
}

Result<std::optional<substrate::Bearer>> Gate::bearer_of(std::string_view token) {
  const auto known = TRY(holders());
  const auto at = known->by_token.find(crypto::sha256(token));
  if (at == known->by_token.end()) return std::nullopt;
  const auto& expires_at = at->second.expires_at;
  // RFC 3339 in UTC with seconds: the order of the texts is that of the times.
  if (expires_at && *expires_at <= env::rfc3339(instance_.env().clock.now())) return std::nullopt;
  return at->second.bearer;
}

Result<bool> Gate::is_token_in(std::string_view authorization) {
  const auto token = token_in(authorization, Schemes::kBearerAndBasic);
  return token && TRY(bearer_of(*token)).has_value();
}

Result<void> Gate::identify(Exchange& exchange) {
  if (exchange.door() == Door::kUnix || exchange.bearer()) return {};
  const std::string* value = http::find_field(exchange.head().fields, "authorization");
  // Behind the router there are programs that know only of a name and a password.
  const auto token = value == nullptr ? std::nullopt
                                      : token_in(*value, exchange.door() == Door::kRouter ? Schemes::kBearerAndBasic
                                                                                          : Schemes::kBearer);
  if (!token) return fail(ErrorCode::kRefused, Cause::kAuthRequired, "a token is required", kTokenHint);
  std::optional<substrate::Bearer> bearer;
  if (!token->empty()) bearer = TRY(bearer_of(*token));
  if (!bearer) return fail(ErrorCode::kRefused, Cause::kAuthInvalid, "the token is not valid", kTokenHint);
  exchange.set_bearer(std::move(*bearer));
  return {};
}

Result<void> Gate::admit(Exchange& exchange, std::string_view scope) {
  TRY(identify(exchange));
  if (exchange.door() == Door::kUnix || exchange.bearer()->may(scope)) return {};
  exchange.add_error_member("required_scope", scope);
  return fail(ErrorCode::kRefused, Cause::kScopeForbidden, "the token has not the scope " + std::string(scope));
}

bool may_write_as(const Exchange& exchange, std::string_view actor) {
  if (exchange.door() == Door::kUnix) return true;
  const auto& bearer = exchange.bearer();
  if (!bearer) return false;
  return bearer->may("admin") || std::ranges::find(bearer->actors, actor) != bearer->actors.end();
}

bool may_sign(const Exchange& exchange) {
  return exchange.door() == Door::kUnix || (exchange.bearer() && exchange.bearer()->may("admin"));
}

}  // namespace spl::api
