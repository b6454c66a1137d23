#include "api/pages.h"

#include <algorithm>
#include <map>
#include <string>

#include "api/panel_files.h"
#include "base/encoding.h"
#include "operation/local_operations.h"
#include "operation/recipients.h"
#include "operation/router_operations.h"
#include "router/nginx_config.h"

namespace spl::api {
namespace {

constexpr std::string_view kHtmlType = "text/html; charset=utf-8";
constexpr std::string_view kAssets = "/-/assets/";
constexpr std::string_view kAuthority = "/-/ca.crt";

std::string html(std::string_view text) {
  std::string safe;
  for (const char c : text) {
    switch (c) {
      case '&':
        safe += "&amp;";
        break;
      case '<':
        safe += "&lt;";
        break;
      case '>':
        safe += "&gt;";
        break;
      case '"':
        safe += "&quot;";
        break;
      default:
        safe += c;
    }
  }
  return safe;
}

std::string note_html(std::string_view kind, std::string_view text) {
  return text.empty() ? "" : "<p class=\"note " + std::string(kind) + "\" role=\"alert\">" + html(text) + "</p>";
}

// HTML by the name of its place.
using Filling = std::map<std::string, std::string, std::less<>>;

// "{{name}}" replaced; what has none is left out. What is filled in is not looked at again.
std::string filled(std::string_view page, const Filling& filling) {
  std::string text;
  for (;;) {
    const std::size_t open = page.find("{{");
    const std::size_t close = page.find("}}", open);
    if (open == std::string_view::npos || close == std::string_view::npos) return text.append(page);
    text.append(page.substr(0, open));
    if (const auto at = filling.find(page.substr(open + 2, close - open - 2)); at != filling.end()) text += at->second;
    page.remove_prefix(close + 2);
  }
}

// What stands between "<!-- each NAME -->" and "<!-- end -->", once for each of `rows`.
std::string repeated(std::string page, const std::string& name, const std::vector<Filling>& rows) {
  const std::string begin = "<!-- each " + name + " -->";
  constexpr std::string_view kEnd = "<!-- end -->";
  const std::size_t open = page.find(begin);
  const std::size_t close = page.find(kEnd, open);
  if (open == std::string::npos || close == std::string::npos) return page;
  const std::string one = page.substr(open + begin.size(), close - open - begin.size());
  std::string all;
  for (const Filling& row : rows) all += filled(one, row);
  return page.replace(open, close + kEnd.size() - open, all);
}

Result<void> send_plain_page(Exchange& exchange, std::string_view name, int status, Filling filling,
                             const std::map<std::string, std::vector<Filling>>& lists = {}) {
  const PanelFile* file = find_panel_file("plain/" + std::string(name) + ".html");
  if (file == nullptr) return fail(ErrorCode::kFailed, Cause::kNotFound, "this program has no pages");
  const std::string* host = http::find_field(exchange.head().fields, "host");
  filling["host"] = host == nullptr ? "" : html(*host);
  std::string page(file->content);
  for (const auto& [list, rows] : lists) page = repeated(std::move(page), list, rows);
  return exchange.send(status, kHtmlType, filled(page, filling));
}

std::string_view type_of(std::string_view name) {
  if (name.ends_with(".js")) return "text/javascript; charset=utf-8";
  if (name.ends_with(".css")) return "text/css; charset=utf-8";
  if (name.ends_with(".svg")) return "image/svg+xml";
  return "application/octet-stream";
}

// Their names change with their content.
Result<void> send_asset(Exchange& exchange, std::string_view path) {
  const PanelFile* file = find_panel_file(path.substr(3));
  if (file == nullptr) return fail(ErrorCode::kFailed, Cause::kNotFound, "there is nothing at " + base::escaped(path));
  exchange.set_immutable();
  return exchange.send(200, type_of(path), file->content);
}

Result<void> send_trust(Call& call) {
  const auto trust = operation::router_trust(call.served.instance);
  if (call.exchange.target().path == kAuthority) {
    if (!trust) return std::unexpected(trust.error());
    return call.exchange.send(200, "application/x-x509-ca-cert", trust->certificate);
  }
  std::string print;
  for (std::size_t i = 0; trust && i < trust->sha256.size(); i += 2)
    print += (i == 0 ? "" : ":") + trust->sha256.substr(i, 2);
  std::ranges::transform(print, print.begin(), [](char c) { return c >= 'a' ? static_cast<char>(c - 'a' + 'A') : c; });
  return send_plain_page(call.exchange, "trust", trust ? 200 : 404,
                         {{"ca_sha256", trust ? print : html(trust.error().message)}});
}

std::string mebibytes(std::uint64_t bytes) {
  const std::uint64_t tenths = bytes * 10 / (1u << 20);
  return std::to_string(tenths / 10) + "." + std::to_string(tenths % 10) + " MiB";
}

// What became of the last backup that was asked for.
Result<std::string> backup_notice(job::JobQueue& jobs) {
  const std::vector<job::Job> all = TRY(jobs.store().all());
  const auto last = std::ranges::find(all, job::JobKind::kBackup, &job::Job::kind);
  if (last == all.end() || last->state == job::JobState::kDone) return std::string();
  if (!job::has_ended(last->state)) return note_html("ok", "A backup is being made. Load this page again to see it.");
  const codec::Json* message = last->error ? last->error->find("message") : nullptr;
  return note_html("stop", "The last backup was not made: " + (message == nullptr || message->string() == nullptr
                                                                   ? std::string(codec::enum_name(last->state))
                                                                   : base::escaped(*message->string(), 400)));
}

// Health, back up, download: for who has no script.
Result<void> send_plain(Call& call) {
  operation::LocalOperations operations(call.served.instance);
  std::vector<Filling> services;
  for (const auto& service : TRY(operations.service_states({"all"})).services) {
    const std::string health = service.health.empty() || service.health == "ok" ? "" : ": " + service.health;
    services.push_back({{"service", html(service.name)},
                        {"state", html(std::string(codec::enum_name(service.state)) + base::escaped(health, 200))}});
  }
  std::vector<Filling> backups;
  for (const auto& backup : TRY(operations.backups()))
    backups.push_back({{"id", html(http::percent_encode(backup.id))},
                       {"created_at", html(backup.created_at)},
                       {"size", mebibytes(backup.bytes)}});
  const auto recipients = TRY(operation::list_recipients(call.served.instance));
  const bool has_key = std::ranges::any_of(recipients, [](const auto& one) { return one.confirmed_at.has_value(); });
  return send_plain_page(call.exchange, "plain", 200,
                         {{"notice", TRY(backup_notice(*call.served.jobs))},
                          {"protection", has_key ? "It is encrypted for the backup keys."
                                                 : "It wants a backup key, or a recipient in config.toml, for whom it "
                                                   "is encrypted: there is none yet."}},
                         {{"service", services}, {"backup", backups}});
}

Result<void> send_first_form(Exchange& exchange, bool is_claimed) {
  return send_form(exchange, is_claimed ? FormPage::kLink : FormPage::kEnter, 200, "");
}

// To the service of this route, from the panel: where it has a name of its own, with a code that its origin takes once.
Result<void> open_service(Call& call, const std::string& route) {
  TRY(call.exchange.only_known_parameters());
  const router::RouterPlan plan = TRY(operation::router_plan(call.served.instance));
  const auto service = std::ranges::find(plan.services, route, &router::RoutedService::route);
  if (service == plan.services.end())
    return fail(ErrorCode::kFailed, Cause::kNotFound, "there is no service at " + base::escaped(route, 80));
  const std::string address = plan.address_of(*service);
  if (plan.origins != home::ServiceOrigins::kName) return send_to(call.exchange, address);
  const SecretBytes code = call.served.browsers.open_service(*call.exchange.session(), route);
  return send_to(call.exchange, address + "-/enter?code=" + std::string(code.reveal()));
}

// At the service's own name: the code becomes a cookie of that origin.
Result<void> enter_service(Call& call, const std::string& route) {
  const std::string* code = call.exchange.parameter("code");
  TRY(call.exchange.only_known_parameters());
  const SecretBytes token =
      TRY(call.served.browsers.enter_service(SecretBytes(code == nullptr ? std::string_view() : *code), route));
  call.served.browsers.add_cookie(call.exchange, token);
  return send_to(call.exchange, "/");
}

constexpr std::string_view name_of(FormPage page) {
  switch (page) {
    case FormPage::kClaim:
      return "claim";
    case FormPage::kEnter:
      return "enter";
    case FormPage::kLink:
      return "link";
    case FormPage::kSignIn:
      break;
  }
  return "sign-in";
}

}  // namespace

bool is_page(const Exchange& exchange) {
  const http::RequestHead& head = exchange.head();
  const std::string& path = exchange.target().path;
  return (head.method == "GET" || head.method == "HEAD") && (path == "/" || path == "/-" || path.starts_with("/-/"));
}

Result<void> serve_page(Call& call) {
  Exchange& exchange = call.exchange;
  const std::string& path = exchange.target().path;
  if (path.starts_with(kAssets)) return send_asset(exchange, path);
  if (path == "/-/trust" || path == kAuthority) return send_trust(call);
  const bool is_claimed = TRY(TRY(call.served.browsers.door())->is_claimed());
  // The code of a link stands after '#', which no server sees: a script puts it into the form, or a person types it.
  if (path == "/-/enter") return send_first_form(exchange, is_claimed);
  if (!is_claimed) {
    if (path == "/-/claim") return send_form(exchange, FormPage::kClaim, 200, "");
    return send_to(exchange, "/-/claim");
  }
  if (path == "/-/claim" || path == "/" || path == "/-" || path == "/-/") return send_to(exchange, "/-/overview");
  if (path.starts_with(router::kEnterPath))
    return enter_service(call, path.substr(std::string_view(router::kEnterPath).size()));
  if (path == "/-/sign-in") return send_form(exchange, FormPage::kSignIn, 200, "");
  if (exchange.session() == nullptr) return send_to(exchange, "/-/sign-in");
  if (path == "/-/plain") return send_plain(call);
  if (path.starts_with(router::kOpenPath))
    return open_service(call, path.substr(std::string_view(router::kOpenPath).size()));
  const PanelFile* panel = find_panel_file("index.html");
  // A program that was built without the panel's scripts.
  if (panel == nullptr) return send_to(exchange, "/-/plain");
  return exchange.send(200, kHtmlType, panel->content);
}

Result<void> send_form(Exchange& exchange, FormPage page, int status, std::string_view complaint) {
  return send_plain_page(exchange, name_of(page), status, {{"error", note_html("stop", complaint)}});
}

Result<void> send_to(Exchange& exchange, std::string_view place) {
  exchange.add_field("location", std::string(place));
  return exchange.send(303, "text/plain; charset=utf-8", "");
}

void add_page_fields(Exchange& exchange) {
  const std::string* host = http::find_field(exchange.head().fields, "host");
  const bool is_plain =
      host != nullptr && host->find_first_not_of("abcdefghijklmnopqrstuvwxyz0123456789.-:[]") == std::string::npos;
  const std::string assets = is_plain ? "https://" + *host + std::string(kAssets) : "'none'";
  exchange.add_field("content-security-policy",
                     "default-src 'none'; script-src " + assets + "; style-src " + assets + "; img-src " + assets +
                         "; connect-src 'self'; form-action 'self'; base-uri 'none'; frame-ancestors 'none'");
  exchange.add_field("cross-origin-opener-policy", "same-origin");
  exchange.add_field("cross-origin-resource-policy", "same-origin");
  exchange.add_field("referrer-policy", "no-referrer");
  exchange.add_field("x-frame-options", "DENY");
}

}  // namespace spl::api
