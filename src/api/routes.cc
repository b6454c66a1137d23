#include "api/routes.h"

#include <algorithm>
#include <optional>
#include <string>

#include "api/connection.h"
#include "api/pages.h"
#include "base/encoding.h"
#include "job/activity.h"
#include "router/nginx_config.h"

namespace spl::api {
namespace {

// What the braces hold, where the pattern fits.
std::optional<std::vector<std::string>> match(std::string_view pattern, const std::vector<std::string>& segments) {
  std::vector<std::string> captured;
  std::size_t index = 0;
  pattern.remove_prefix(1);
  for (bool more = true; more; ++index) {
    if (index == segments.size()) return std::nullopt;
    const std::size_t slash = pattern.find('/');
    const std::string_view part = pattern.substr(0, slash);
    more = slash != std::string_view::npos;
    if (more) pattern.remove_prefix(slash + 1);
    if (part.starts_with('{')) {
      captured.push_back(segments[index]);
    } else if (part != segments[index]) {
      return std::nullopt;
    }
  }
  if (index != segments.size()) return std::nullopt;
  return captured;
}

Result<void> admit(Call& call, Access access) {
  switch (access) {
    case Access::kOpen:
    case Access::kOwner:
    case Access::kDoor:
      return {};
    case Access::kRead:
      return call.served.gate.admit(call.exchange, "records:read");
    case Access::kWrite:
      return call.served.gate.admit(call.exchange, "records:write");
    case Access::kPeer:
      return call.served.peers.admit(call.exchange);
    case Access::kAdmin:
      break;
  }
  return call.served.gate.admit(call.exchange, "admin");
}

// What an unclaimed door lets pass besides its pages: how to claim it, and the router's own question.
bool is_for_unclaimed(const Exchange& exchange) {
  const std::string& path = exchange.target().path;
  return path == "/v1/door" || path == "/v1/door/claim" || path.starts_with(std::string(router::kAdmitPath) + "/");
}

Result<void> come_by_router(Call& call) {
  Exchange& exchange = call.exchange;
  add_page_fields(exchange);
  const bool is_question = exchange.target().path.starts_with(std::string(router::kAdmitPath) + "/");
  // The question is about another request.
  if (!is_question) TRY(call.served.browsers.look_at(exchange, exchange.head().method));
  BrowserGate::let_in(exchange);
  if (is_page(exchange) || is_for_unclaimed(exchange) || TRY(TRY(call.served.browsers.door())->is_claimed())) return {};
  return fail(ErrorCode::kRefused, Cause::kUnclaimed, "this instance has no owner yet",
              "open the link that its console shows");
}

}  // namespace

Result<EventTurn> EventTurn::take(std::atomic<std::size_t>& open) {
  if (open.fetch_add(1) < kEventStreamsMax) return EventTurn(open);
  open.fetch_sub(1);
  return fail(ErrorCode::kUnavailable, Cause::kBusy, "too many streams of events are open", "close one");
}

std::string who_asks(const Exchange& exchange) {
  if (!exchange.bearer()) return std::string(job::kByConsole);
  const std::string& account = exchange.bearer()->account;
  return account == kOwnerAccount ? std::string(job::kByOwner) : account;
}

const std::vector<Route>& routes() {
  static const std::vector<Route> kTable = [] {
    std::vector<Route> table;
    add_about_routes(table);
    add_record_routes(table);
    add_thread_routes(table);
    add_portability_routes(table);
    add_federation_routes(table);
    add_door_routes(table);
    add_job_routes(table);
    add_schedule_routes(table);
    add_upload_routes(table);
    add_opened_routes(table);
    add_passkey_routes(table);
    add_search_routes(table);
    add_tenant_routes(table);
    add_owner_routes(table);
    return table;
  }();
  return kTable;
}

Result<void> dispatch(Call& call) {
  Exchange& exchange = call.exchange;
  if (exchange.door() == Door::kRouter) {
    TRY(come_by_router(call));
    if (is_page(exchange)) return serve_page(call);
  }
  const http::RequestHead& head = exchange.head();
  std::string allowed;
  bool is_open = false;
  for (const Route& route : routes()) {
    if (route.access == Access::kOwner && exchange.door() != Door::kUnix) continue;
    if (route.access == Access::kDoor && exchange.door() != Door::kRouter) continue;
    auto captured = match(route.pattern, exchange.target().segments);
    if (!captured) continue;
    if (head.method == route.method || (head.method == "HEAD" && route.method == "GET")) {
      exchange.set_captured(std::move(*captured));
      TRY(admit(call, route.access));
      if (exchange.is_known()) call.hold.note_known();
      return route.handle(call);
    }
    is_open = is_open || route.access == Access::kOpen;
    allowed.append(allowed.empty() ? "" : ", ").append(route.method);
    if (route.method == "GET") allowed += ", HEAD";
  }
  // What there is and what not is not for everybody.
  if (!is_open) TRY(call.served.gate.identify(exchange));
  if (allowed.empty())
    return fail(ErrorCode::kFailed, Cause::kNotFound, "there is nothing at " + base::escaped(exchange.target().path),
                "GET /openapi.json says what there is");
  exchange.add_field("allow", allowed);
  return fail(ErrorCode::kUsage, Cause::kMethodNotAllowed,
              "method " + base::escaped(head.method, 32) + " has no meaning here", "use " + allowed);
}

}  // namespace spl::api
