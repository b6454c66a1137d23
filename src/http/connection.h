// One connection of the daemon, from its first request to its last. Runs on a thread of its own.
#pragma once

#include "env/env.h"
#include "http/body.h"
#include "http/channel.h"
#include "http/exchange.h"
#include "http/interrupt.h"
#include "http/routes.h"
#include "http/tls.h"
#include "http/wire.h"

namespace spl::http {

// What a connection is given; all of it outlives it.
struct Surroundings {
  Served& served;
  BodyBudget& budget;
  Interrupt& stop;       // no more requests; raised too where the store is lost
  const Interrupt& cut;  // nothing more at all
  const WireTimes& times;
  const TlsContext* tls = nullptr;  // of the TCP door; null: plain
};

// Serves requests until the peer, a limit or an Interrupt ends it. Never throws; what fails is logged.
void serve_connection(Descriptor socket, Door door, const Surroundings& around) noexcept;

}  // namespace spl::http
