// What the home of a tenant says of itself: tenant.json, written when the machine makes the tenant. Its daemon and its
// commands read it: under which host the machine's router shows it, and what its session's cookie is called. The
// machine believes nothing of it (register.h has what the machine knows). In no bundle. Any thread.
#pragma once

#include <cstdint>
#include <optional>
#include <string>

#include "base/result.h"
#include "codec/shape.h"
#include "env/env.h"
#include "home/home.h"

namespace spl::tenant {

struct TenantMark {
  std::string name;
  std::string host;
  std::uint16_t https = 443;  // the router's port
  bool own_user = false;      // its user is nobody else's; in the user's group is the router alone

  static constexpr auto shape() {
    using M = TenantMark;
    return codec::shape(codec::member("name", &M::name, "the tenant"),
                        codec::member("host", &M::host, "where the machine's router shows it"),
                        codec::member("https", &M::https, "the router's port"),
                        codec::member("own_user", &M::own_user, "its Unix user is nobody else's"));
  }
};

std::string mark_file(const home::HomePaths& paths);
// Nothing where the home is no tenant's.
Result<std::optional<TenantMark>> read_mark(env::Env env, const home::HomePaths& paths);
Result<void> write_mark(env::Env env, const home::HomePaths& paths, const TenantMark& mark);

// The router as such a home sees it: the host is the panel's, and what its services have is below it.
home::RouterConfig router_of(const TenantMark& mark);

}  // namespace spl::tenant
