#include "api/routes.h"

#include <algorithm>
#include <optional>
#include <string>

#include "api/connection.h"
#include "base/encoding.h"

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

}  // namespace

const std::vector<Route>& routes() {
  static const std::vector<Route> kTable = [] {
    std::vector<Route> table;
    add_about_routes(table);
    add_record_routes(table);
    add_thread_routes(table);
    add_portability_routes(table);
    add_federation_routes(table);
    add_owner_routes(table);
    return table;
  }();
  return kTable;
}

Result<void> dispatch(Call& call) {
  Exchange& exchange = call.exchange;
  const http::RequestHead& head = exchange.head();
  std::string allowed;
  bool is_open = false;
  for (const Route& route : routes()) {
    if (route.access == Access::kOwner && exchange.door() != Door::kUnix) continue;
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
