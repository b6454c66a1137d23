// What the daemon serves: the table of routes, and the handlers behind it. A handler runs on the connection's thread,
// and many run at the same time.
#pragma once

#include <atomic>
#include <cstdint>
#include <memory>
#include <string_view>
#include <utility>
#include <vector>

#include "api/browser_gate.h"
#include "api/exchange.h"
#include "api/gate.h"
#include "api/list.h"
#include "api/peer_gate.h"
#include "api/record_lines.h"
#include "base/result.h"
#include "instance/instance.h"
#include "job/job_queue.h"
#include "operation/export.h"
#include "operation/job_work.h"
#include "operation/opened_backups.h"
#include "operation/uploads.h"

namespace spl::api {

inline constexpr std::size_t kBatchBytesMax = 32u << 20;    // of NDJSON that is parsed whole; more goes through disk
inline constexpr std::uint64_t kPageRecordsDefault = 1000;  // GET /v1/records
inline constexpr std::uint64_t kPageRecordsMax = 10'000;
inline constexpr std::uint64_t kLinesMax = 1ull << 62;     // the same as NDJSON: whatever the store has
inline constexpr std::uint64_t kPageBytesMax = 32u << 20;  // a page ends before its limit where it grows over this
inline constexpr std::uint64_t kActorClocksRecordsMax = 10'000;  // threads up to this size show their actors' clocks
inline constexpr std::size_t kActorClocksBytesMax = 1u << 20;    // of the actors, together

// What all connections share.
struct Served {
  instance::Instance& instance;
  Gate gate;
  PeerGate peers;
  BrowserGate browsers;
  std::uint16_t port;
  std::size_t workers;  // threads that one operation may use
  LineParser lines;
  ListTurns lists;
  ListTurns single_records;  // which do not wait for long lists
  ParseTurns parsing;
  std::string temporary_directory;  // for what the home has no room for
  operation::Uploads uploads;
  operation::OpenedBackups opened;
  operation::JobWork work;                 // reads uploads
  std::unique_ptr<job::JobQueue> jobs;     // its work is `work`
  std::atomic<std::size_t> event_streams;  // that are open
};

inline constexpr std::size_t kEventStreamsMax = 32;
// One of the streams of events that may be open at a time.
class EventTurn {
 public:
  // Code kUnavailable, cause kBusy, where there are too many.
  static Result<EventTurn> take(std::atomic<std::size_t>& open);
  EventTurn(EventTurn&& other) noexcept : open_(std::exchange(other.open_, nullptr)) {}
  EventTurn& operator=(EventTurn&&) = delete;
  ~EventTurn() {
    if (open_ != nullptr) open_->fetch_sub(1);
  }

 private:
  explicit EventTurn(std::atomic<std::size_t>& open) : open_(&open) {}
  std::atomic<std::size_t>* open_;
};

// What one connection keeps from one request to the next.
struct ConnectionState {
  std::unique_ptr<operation::PreparedExport> uncommitted;  // sent whole; the client says when it is durable
};

class ConnectionHold;

struct Call {
  Served& served;
  ConnectionState& connection;
  Exchange& exchange;
  ConnectionHold& hold;
};

enum class Access : std::uint8_t {
  kOpen,   // for everybody
  kRead,   // TCP: scope records:read
  kWrite,  // records:write
  kAdmin,  // admin
  kPeer,   // a request that an instance has signed; at the Unix socket the owner's, too, unsigned
  kOwner,  // at the Unix socket only; elsewhere there is no such route
  kDoor,   // by the router only, for everybody
};

// Whether there is such a route at the TCP door.
constexpr bool is_at_tcp(Access access) {
  return access != Access::kOwner && access != Access::kDoor;
}

// What the OpenAPI document says of a route.
struct RouteText {
  using Schema = codec::Json (*)();
  std::string_view summary = {};
  int status = 200;                                    // of a good answer
  Schema request = nullptr;                            // of a JSON body; null: there is none
  Schema answer = nullptr;                             // of a JSON answer; null: any
  Schema parameters = nullptr;                         // an array of the query's
  std::string_view request_type = "application/json";  // of a body that is not JSON
  std::string_view answer_type = "application/json";
};

struct Route {
  std::string_view method;
  std::string_view pattern;  // "/v1/threads/{id}/state"
  Access access;
  Result<void> (*handle)(Call&);
  RouteText about = {};
};

// All of them.
const std::vector<Route>& routes();
// Finds the request's route, asks the gate, runs the handler. What it returns is an error that is to be answered, or
// nothing.
Result<void> dispatch(Call& call);

// Who asks, as activity names them (job/activity.h): the console at the Unix socket, the owner in a browser, an
// account.
std::string who_asks(const Exchange& exchange);

// The groups that the table is made of.
void add_about_routes(std::vector<Route>& table);
void add_record_routes(std::vector<Route>& table);
void add_thread_routes(std::vector<Route>& table);
void add_portability_routes(std::vector<Route>& table);
void add_owner_routes(std::vector<Route>& table);
void add_federation_routes(std::vector<Route>& table);
void add_door_routes(std::vector<Route>& table);
void add_job_routes(std::vector<Route>& table);
void add_schedule_routes(std::vector<Route>& table);
void add_upload_routes(std::vector<Route>& table);
void add_opened_routes(std::vector<Route>& table);
void add_passkey_routes(std::vector<Route>& table);
void add_search_routes(std::vector<Route>& table);
void add_tenant_routes(std::vector<Route>& table);

// GET /openapi.json.
const std::string& openapi_text();

}  // namespace spl::api
