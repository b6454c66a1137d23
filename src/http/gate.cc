#include "http/gate.h"

#include <algorithm>

#include "crypto/sha256.h"

namespace spl::http {
namespace {

constexpr std::string_view kScheme = "bearer ";  // in any case
constexpr std::size_t kTokenBytesMax = 512;

constexpr const char* kTokenHint = "send authorization: Bearer TOKEN; spl token create makes one";

}  // namespace

std::optional<substrate::Bearer> Gate::kept(const Digest& sha256) {
  const std::scoped_lock lock(mutex_);
  const auto at = kept_.find(sha256);
  if (at == kept_.end()) return std::nullopt;
  if (at->second.generation == generation_.load(std::memory_order_acquire) &&
      instance_.env().clock.steady() < at->second.until)
    return at->second.bearer;
  kept_.erase(at);
  return std::nullopt;
}

Result<substrate::Bearer> Gate::bearer_of(std::string_view token) {
  const Digest sha256 = crypto::sha256(token);
  if (auto known = kept(sha256)) return std::move(*known);
  // The generation before the look at the store: a change meanwhile makes what is kept worthless.
  const std::uint64_t generation = generation_.load(std::memory_order_acquire);
  const auto reader = TRY(instance_.store().reader());
  auto bearer = TRY(substrate::check_token(*reader, instance_.did(), instance_.env(), token));
  const std::scoped_lock lock(mutex_);
  if (kept_.size() >= kBearersKeptMax) kept_.clear();
  kept_[sha256] = {bearer, generation, instance_.env().clock.steady() + kBearerKept};
  return bearer;
}

Result<void> Gate::admit(Exchange& exchange, std::string_view scope) {
  if (exchange.door() == Door::kUnix) return {};
  const std::string* value = find_field(exchange.head().fields, "authorization");
  if (value == nullptr || !begins_with(*value, kScheme))
    return exchange.refuse(verdict::kAuthRequired, ErrorCode::kRefused, "a token is required", kTokenHint);
  std::string_view token = std::string_view(*value).substr(kScheme.size());
  while (token.starts_with(' ')) token.remove_prefix(1);
  if (token.empty() || token.size() > kTokenBytesMax)
    return exchange.refuse(verdict::kAuthInvalid, ErrorCode::kRefused, "the token is not valid", kTokenHint);
  auto bearer = bearer_of(token);
  if (!bearer) {
    if (bearer.error().code != ErrorCode::kRefused) return std::unexpected(std::move(bearer).error());
    return exchange.refuse(verdict::kAuthInvalid, ErrorCode::kRefused, bearer.error().message, bearer.error().hint);
  }
  if (!bearer->may(scope)) {
    exchange.add_error_member("required_scope", scope);
    return exchange.refuse(verdict::kScopeForbidden, ErrorCode::kRefused,
                           "the token has not the scope " + std::string(scope));
  }
  exchange.set_bearer(std::move(*bearer));
  return {};
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

}  // namespace spl::http
