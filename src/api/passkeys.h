// Where passkeys are good: any thread.
#pragma once

#include <optional>

#include "api/exchange.h"
#include "door/passkey.h"

namespace spl::api {

// The site that a browser is at; nothing where its host is an address, for which there are no passkeys.
std::optional<door::Site> site_of(const Exchange& exchange);

}  // namespace spl::api
