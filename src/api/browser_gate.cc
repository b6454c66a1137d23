#include "api/browser_gate.h"

#include "http/signature.h"

namespace spl::api {
namespace {

constexpr std::size_t kCookieBytesMax = 256;

std::string_view trimmed(std::string_view text) {
  while (text.starts_with(' ')) text.remove_prefix(1);
  while (text.ends_with(' ')) text.remove_suffix(1);
  return text;
}

// Each "name=value" of every field (RFC 6265, 5.4).
template <class Visit>
void for_each_cookie(const http::RequestHead& head, const Visit& visit) {
  for (const auto& [name, value] : head.fields) {
    if (name != "cookie") continue;
    std::string_view rest = value;
    while (!rest.empty()) {
      const std::size_t end = rest.find(';');
      const std::string_view one = trimmed(rest.substr(0, end));
      rest = end == std::string_view::npos ? std::string_view() : rest.substr(end + 1);
      const std::size_t equals = one.find('=');
      if (!one.empty())
        visit(one.substr(0, equals), equals == std::string_view::npos ? "" : one.substr(equals + 1), one);
    }
  }
}

bool is_safe(std::string_view method) {
  return method == "GET" || method == "HEAD" || method == "OPTIONS";
}

std::unexpected<Error> cross_origin(std::string message) {
  return fail(ErrorCode::kRefused, Cause::kCrossOrigin, std::move(message), "ask from a page of the panel itself");
}

// What changes something is asked for by a page of this origin, or by a program, which has its own credentials.
Result<void> check_origin(const http::RequestHead& head) {
  const std::string* site = http::find_field(head.fields, "sec-fetch-site");
  if (site != nullptr)
    return *site == "same-origin" ? Result<void>() : cross_origin("a page of another origin asked for this");
  const std::string* origin = http::find_field(head.fields, "origin");
  const std::string* host = http::find_field(head.fields, "host");
  if (origin != nullptr)
    return host != nullptr && *origin == "https://" + *host ? Result<void>()
                                                            : cross_origin("a page of another origin asked for this");
  const bool is_program = http::find_field(head.fields, "authorization") != nullptr ||
                          http::find_field(head.fields, http::kSignatureField) != nullptr;
  return is_program ? Result<void>() : cross_origin("the request does not say which page asked for it");
}

}  // namespace

std::optional<std::string_view> cookie_of(const http::RequestHead& head, std::string_view name) {
  std::optional<std::string_view> found;
  for_each_cookie(head, [&](std::string_view at, std::string_view value, std::string_view) {
    if (at == name && !found) found = value;
  });
  return found;
}

std::string cookies_for_service(const http::RequestHead& head) {
  std::string passed;
  for_each_cookie(head, [&](std::string_view name, std::string_view, std::string_view whole) {
    if (!name.starts_with(kSessionCookie)) passed.append(passed.empty() ? "" : "; ").append(whole);
  });
  return passed;
}

Result<door::Door*> BrowserGate::door() {
  const std::scoped_lock lock(mutex_);
  if (!door_) door_ = TRY(door::Door::open(instance_.env(), instance_.paths(), TRY(instance_.config()).session_idle));
  return door_.get();
}

Result<void> BrowserGate::look_at(Exchange& exchange, std::string_view method) {
  const http::RequestHead& head = exchange.head();
  if (!is_safe(method)) TRY(check_origin(head));
  const auto token = cookie_of(head, kSessionCookie);
  if (!token || token->size() > kCookieBytesMax) return {};
  if (auto session = TRY(TRY(door())->session_of(SecretBytes(*token)))) exchange.set_session(std::move(*session));
  return {};
}

void BrowserGate::let_in(Exchange& exchange) {
  if (exchange.session() != nullptr)
    exchange.set_bearer({.account = std::string(kOwnerAccount), .scopes = {"admin"}, .actors = {}});
}

Result<void> BrowserGate::require_proof(const Exchange& exchange) {
  if (exchange.session() == nullptr || exchange.session()->is_proven) return {};
  return fail(ErrorCode::kRefused, Cause::kProofRequired, "the password is asked for again before this is done",
              "POST /v1/door/proof, then the same again");
}

door::Visitor BrowserGate::visitor_of(const Exchange& exchange) {
  const auto& fields = exchange.head().fields;
  const std::string* address = http::find_field(fields, "x-forwarded-for");
  const std::string* agent = http::find_field(fields, "user-agent");
  return {address == nullptr ? "" : *address, agent == nullptr ? "" : *agent};
}

void BrowserGate::add_cookie(Exchange& exchange, const SecretBytes& token) {
  const auto lifetime = std::chrono::seconds(door::kSessionLifetime).count();
  exchange.add_field("set-cookie", std::string(kSessionCookie) + "=" + std::string(token.reveal()) +
                                       "; Path=/; Secure; HttpOnly; SameSite=Lax; Max-Age=" + std::to_string(lifetime));
}

void BrowserGate::end_cookie(Exchange& exchange) {
  exchange.add_field("set-cookie",
                     std::string(kSessionCookie) + "=; Path=/; Secure; HttpOnly; SameSite=Lax; Max-Age=0");
}

}  // namespace spl::api
