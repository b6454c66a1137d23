#include "api/browser_gate.h"

#include <algorithm>
#include <array>

#include "base/encoding.h"
#include "http/signature.h"
#include "tenant/mark.h"

namespace spl::api {
namespace {

constexpr std::size_t kCookieBytesMax = 256;
constexpr std::size_t kEntriesMax = 1024;
constexpr std::size_t kEntryBytes = 32;
constexpr std::chrono::minutes kCodeLifetime{1};

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

// Tenants are below the machine's own name, and each other's neighbours: no session looks like another's.
std::string cookie_name(instance::Instance& instance) {
  const auto mark = tenant::read_mark(instance.env(), instance.paths());
  return std::string(kSessionCookie) + (mark && *mark ? "-" + (*mark)->name : "");
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

BrowserGate::BrowserGate(instance::Instance& instance)
    : instance_(instance), challenges_(instance.env()), cookie_(cookie_name(instance)) {}

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
  const auto token = cookie_of(head, cookie_);
  if (!token || token->size() > kCookieBytesMax) return {};
  if (auto session = TRY(TRY(door())->session_of(SecretBytes(*token)))) exchange.set_session(std::move(*session));
  return {};
}

Result<void> BrowserGate::look_at_service(Exchange& exchange, std::string_view method, std::string_view route) {
  const http::RequestHead& head = exchange.head();
  // No page of another origin may open a websocket: the browser asks nobody before it does.
  if (http::find_field(head.fields, "upgrade") != nullptr) TRY(check_origin(head));
  TRY(look_at(exchange, method));
  const auto token = cookie_of(head, cookie_);
  if (exchange.session() != nullptr || !token || token->size() > kCookieBytesMax) return {};
  const Digest digest = crypto::sha256(*token);
  std::string id;
  {
    const std::scoped_lock lock(mutex_);
    const auto at = std::ranges::find(tokens_, digest, &Entry::digest);
    if (at != tokens_.end() && at->route == route) id = at->session;
  }
  if (id.empty()) return {};
  if (auto session = TRY(TRY(door())->session(id))) exchange.set_session(std::move(*session));
  return {};
}

SecretBytes BrowserGate::add_entry(std::deque<Entry>& entries, const std::string& route, const std::string& session,
                                   std::chrono::steady_clock::time_point until) {
  std::array<char, kEntryBytes> octets{};
  instance_.env().random.fill(octets);
  std::string text = base::to_hex({octets.data(), octets.size()});
  SecretBytes secret(text);
  explicit_bzero(text.data(), text.size());
  explicit_bzero(octets.data(), octets.size());
  entries.push_back({crypto::sha256(secret.reveal()), route, session, until});
  if (entries.size() > kEntriesMax) entries.pop_front();
  return secret;
}

SecretBytes BrowserGate::open_service(const door::Session& session, const std::string& route) {
  const std::scoped_lock lock(mutex_);
  return add_entry(codes_, route, session.id, instance_.env().clock.steady() + kCodeLifetime);
}

Result<SecretBytes> BrowserGate::enter_service(const SecretBytes& code, const std::string& route) {
  const std::scoped_lock lock(mutex_);
  const auto now = instance_.env().clock.steady();
  std::erase_if(codes_, [now](const Entry& entry) { return entry.until <= now; });
  const auto at = std::ranges::find(codes_, crypto::sha256(code.reveal()), &Entry::digest);
  if (at == codes_.end() || at->route != route)
    return fail(ErrorCode::kRefused, Cause::kAuthInvalid, "this way in was used, or is older than a minute",
                "open the service from the panel");
  const Entry entry = std::move(*at);
  codes_.erase(at);
  return add_entry(tokens_, route, entry.session, std::chrono::steady_clock::time_point::max());
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
  exchange.add_field("set-cookie", cookie_ + "=" + std::string(token.reveal()) +
                                       "; Path=/; Secure; HttpOnly; SameSite=Lax; Max-Age=" + std::to_string(lifetime));
}

void BrowserGate::end_cookie(Exchange& exchange) {
  exchange.add_field("set-cookie", cookie_ + "=; Path=/; Secure; HttpOnly; SameSite=Lax; Max-Age=0");
}

}  // namespace spl::api
