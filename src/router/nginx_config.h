// The configuration of nginx that a plan is: text, and nothing else (docs/formats/router.md). Pure; any thread.
// Sources: nginx.org/en/docs, ngx_http_core_module, ngx_http_proxy_module, ngx_http_auth_request_module.
#pragma once

#include <string>

#include "router/plan.h"

namespace spl::router {

// Where nginx asks the daemon whether a request may pass to a service, and what is to be said of who asks
// (api/routes_door.cc). Nobody else may ask there.
inline constexpr const char* kAdmitPath = "/v1/door/admit";

// The way into a service that has a name of its own, each with its route behind it: the panel's page that gives a
// session a code, and the one of the service's origin that takes it.
inline constexpr const char* kOpenPath = "/-/open/";
inline constexpr const char* kEnterPath = "/-/enter-service/";

// What that answer has besides its status. A refusal has the status 403 and the real one in kRefusalField: nginx takes
// no other.
inline constexpr const char* kRefusalField = "x-spl-refusal";

std::string nginx_config(const RouterPlan& plan);

}  // namespace spl::router
