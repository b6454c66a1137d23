// One connection of the daemon, from its first request to its last. Runs on a thread of its own.
#pragma once

#include <cstdint>
#include <mutex>

#include "api/body.h"
#include "api/exchange.h"
#include "api/routes.h"
#include "env/env.h"
#include "env/interrupt.h"
#include "http/channel.h"
#include "http/tls.h"
#include "http/wire.h"

namespace spl::api {

// A connection as its server holds it. Any thread.
class ConnectionHold {
 public:
  explicit ConnectionHold(bool is_known) : is_known_(is_known) {}
  // Ends it, unless somebody is there whom the owner knows, or it was ended so before: then false.
  bool end_stranger();
  [[nodiscard]] bool was_ended() const;
  [[nodiscard]] bool is_known() const;
  void note_known();
  // The connection's own: from when there is one, null before it goes.
  void set_channel(http::Channel* channel);

 private:
  mutable std::mutex mutex_;  // guards all below
  http::Channel* channel_ = nullptr;
  bool is_known_;
  bool was_ended_ = false;
};

// How many requests of strangers the log gets: without an end of them they would rotate everything else away. Any
// thread.
class StrangerLines {
 public:
  // Whether there may be one more at this time; how many there were not since the last is added to `passed_over`.
  bool take(http::Channel::TimePoint now, std::uint64_t& passed_over);

 private:
  std::mutex mutex_;  // guards all below
  std::int64_t left_ = kBurst;
  std::optional<http::Channel::TimePoint> filled_at_;
  std::uint64_t passed_over_ = 0;

  static constexpr std::int64_t kBurst = 100;
  static constexpr std::chrono::seconds kEach{6};
};

// What a connection is given; all of it outlives it.
struct Surroundings {
  Served& served;
  BodyBudget& budget;
  env::Interrupt& stop;       // no more requests; raised too where the store is lost
  const env::Interrupt& cut;  // nothing more at all
  const http::WireTimes& times;
  StrangerLines& stranger_lines;
};

// Serves requests until the peer, a limit or an Interrupt ends it. `tls` is null for plain HTTP. Never throws; what
// fails is logged.
void serve_connection(env::Descriptor socket, Door door, const http::TlsContext* tls, const Surroundings& around,
                      ConnectionHold& hold) noexcept;

}  // namespace spl::api
