// What runs the declared services and keeps them running: runit, systemd, podman or docker
// (docs/decisions/D-12-services.md, D-22-units-and-containers.md). One thread at a time: who holds the home's lock.
#pragma once

#include <array>
#include <cstdint>
#include <memory>
#include <string>
#include <string_view>
#include <utility>

#include "base/progress.h"
#include "base/result.h"
#include "codec/shape.h"
#include "env/env.h"
#include "service/program.h"
#include "service/service_set.h"

namespace spl::service {

enum class ServiceState : std::uint8_t {
  kOperator,  // it has no [run]: it is left to whoever operates the machine
  kDown,
  kRunning,
  kPaused,
  kFailing,  // its supervisor starts it again and again
};
constexpr auto names_of(ServiceState /*type*/) {
  using enum ServiceState;
  return std::to_array<std::pair<ServiceState, std::string_view>>(
      {{kOperator, "operator"}, {kDown, "down"}, {kRunning, "running"}, {kPaused, "paused"}, {kFailing, "failing"}});
}

struct ServiceStatus {
  std::string name;
  ServiceState state = ServiceState::kDown;
  std::uint64_t pid = 0;        // of its first process
  std::uint64_t processes = 0;  // all of it
  bool held = false;            // a restore keeps it down
  std::string health;           // "ok", why not, or "" where nobody can ask

  static constexpr auto shape() {
    using S = ServiceStatus;
    return codec::shape(codec::member("name", &S::name, "the service"),
                        codec::member("state", &S::state, "whether it runs"),
                        codec::member("pid", &S::pid, "its first process; 0: none"),
                        codec::member("processes", &S::processes, "how many it has"),
                        codec::member("held", &S::held, "a restore keeps it down"),
                        codec::member("health", &S::health, "ok, or why not; empty: it declares none"));
  }
};

class Supervisor {
 public:
  virtual ~Supervisor() = default;
  // Whether what runs the service is there, and can start it, hold it down and let it up. Changes nothing. Code
  // kUnavailable or kRefused with what to do.
  virtual Result<void> check(const Declaration& service) = 0;
  virtual Result<ServiceStatus> status(const Declaration& service) = 0;
  // Whether it should run, also after the machine was started anew.
  virtual Result<bool> is_to_run(const Declaration& service) = 0;
  // Until it is healthy; one that runs already is asked, too. Makes its directories and runs its `init` where {data} is
  // empty. Code kUnavailable, with the end of its log, where it does not become healthy in time: it is down then.
  virtual Result<void> start(const Declaration& service, base::Progress& progress) = 0;
  // Until no process of it is left and nobody holds a file of it. What is down stays so: also what would start it at
  // the first connection is down until the next start.
  virtual Result<void> stop(const Declaration& service, base::Progress& progress) = 0;
  // Stops all its processes where they are, or lets them go on.
  virtual Result<void> pause(const Declaration& service) = 0;
  virtual Result<void> resume(const Declaration& service) = 0;
  // As stop(), and nothing starts it, not even a supervisor that is itself started anew, until let_up().
  virtual Result<void> hold_down(const Declaration& service, base::Progress& progress) = 0;
  virtual Result<void> let_up(const Declaration& service) = 0;
  // The end of what it has said where its supervisor keeps that; "" where it is in log_of().
  virtual Result<std::string> log(const Declaration& service) = 0;
  // Ends the supervisor itself, where it is spl's own; its services are down.
  virtual Result<void> shut_down() = 0;
};

// Each service by what its declaration says runs it (run_ways.cc). One without [run] is left to the operator: it can be
// asked for its status, and the rest is code kUsage. All that it is given outlives it.
std::unique_ptr<Supervisor> supervisor_of(env::Env env, const ServiceSet& set, const SecretLookup& secrets);
// Those for one way each: Debian's runit, by its programs runsvdir and sv; systemd; podman or docker.
std::unique_ptr<Supervisor> runit_supervisor(env::Env env, const ServiceSet& set, SecretLookup secrets);
std::unique_ptr<Supervisor> unit_supervisor(env::Env env, const ServiceSet& set, SecretLookup secrets);
std::unique_ptr<Supervisor> container_supervisor(env::Env env, const ServiceSet& set, SecretLookup secrets);

// Whether a restore keeps the service down: asked by `spl service X run`, before it becomes the service.
Result<bool> is_held_down(env::Env env, const ServiceSet& set, const Declaration& service);

}  // namespace spl::service
