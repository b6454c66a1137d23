// One connection of the daemon, from its first request to its last. Runs on a thread of its own.
#pragma once

#include "api/body.h"
#include "api/exchange.h"
#include "api/routes.h"
#include "env/env.h"
#include "env/interrupt.h"
#include "http/channel.h"
#include "http/tls.h"
#include "http/wire.h"

namespace spl::api {

// What a connection is given; all of it outlives it.
struct Surroundings {
  Served& served;
  BodyBudget& budget;
  env::Interrupt& stop;       // no more requests; raised too where the store is lost
  const env::Interrupt& cut;  // nothing more at all
  const http::WireTimes& times;
};

// Serves requests until the peer, a limit or an Interrupt ends it. `tls` is null for plain HTTP. Never throws; what
// fails is logged.
void serve_connection(env::Descriptor socket, Door door, const http::TlsContext* tls,
                      const Surroundings& around) noexcept;

}  // namespace spl::api
