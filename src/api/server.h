// The daemon: serves an instance on its Unix socket and on TCP until it is told to stop. One thread a connection, a
// bounded number of them; no event loop: every wait has an end of its own.
#pragma once

#include <chrono>
#include <cstdint>
#include <functional>
#include <memory>
#include <string>

#include "api/body.h"
#include "api/list.h"
#include "base/result.h"
#include "http/wire.h"
#include "instance/instance.h"
#include "job/job_queue.h"

namespace spl::api {

// At each door: strangers at one cannot shut the owner out. Where they are more the one that has kept quiet for longest
// about who it is makes room.
inline constexpr std::size_t kConnectionsMax = 256;
inline constexpr std::chrono::milliseconds kStopGrace{10'000};  // for requests that run when the stop comes

struct ServerOptions {
  std::string host = "127.0.0.1";
  std::uint16_t port = 9100;         // 0: any free one
  std::string tls_certificate_file;  // PEM; both or neither. Without them only loopback is served.
  std::string tls_key_file;
  int stop_descriptor = -1;  // stops the server as soon as it can be read; it stays the caller's
  // Asked by run()'s thread when stop_descriptor can be read, whether the server is to stop. Empty: it is.
  std::function<bool()> stops;
  std::string temporary_directory = "/tmp";  // for what the home has no room for
  std::size_t workers = 0;  // threads that one operation may use; 0: as many as the machine has processors
  // For tests.
  http::WireTimes times;
  ListLimits lists;
  std::chrono::milliseconds grace = kStopGrace;
  std::size_t connections_max = kConnectionsMax;
  BodyLimits bodies;
};

class Server {
 public:
  // Listens when it returns; connections are accepted once run() is called. `instance` is open for writing and outlives
  // the server. Code kUsage for a host that is not loopback without TLS, and for certificates that cannot be used;
  // kUnavailable where the port is taken or another daemon answers on the home's socket.
  static Result<std::unique_ptr<Server>> start(instance::Instance& instance, const ServerOptions& options);
  ~Server();

  // Of the TCP door: the real one.
  [[nodiscard]] std::uint16_t port() const;
  // What the daemon does while nobody waits for it: as long as the server is there.
  [[nodiscard]] job::JobQueue& jobs();
  // Serves until stop(), then ends in order: nothing new is accepted, requests that run have the grace time and are cut
  // after it, commits that run end. Once. An error where connections can no longer be accepted, and where the
  // store is lost: then it ends by itself.
  Result<void> run();
  // From any thread. Returns at once.
  void stop();
  // Reads the certificate and its key anew, for connections that come from now on; where it fails the ones before stay.
  // run()'s thread; nothing without TLS.
  Result<void> reload_certificates();

 private:
  class Impl;
  explicit Server(std::unique_ptr<Impl> impl);
  std::unique_ptr<Impl> impl_;
};

}  // namespace spl::api
