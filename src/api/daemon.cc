#include "api/daemon.h"

#include <atomic>
#include <chrono>
#include <condition_variable>
#include <mutex>
#include <thread>

#include "base/encoding.h"
#include "base/guarded.h"
#include "base/version.h"
#include "env/json_log.h"
#include "env/process.h"
#include "env/service_manager.h"
#include "env/signals.h"
#include "env/stream_log.h"
#include "federation/contact.h"
#include "federation/whereabouts.h"
#include "instance/instance.h"
#include "operation/router_operations.h"
#include "operation/scheduler.h"
#include "operation/service_recovery.h"
#include "operation/tenants.h"

namespace spl::api {
namespace {

using namespace std::chrono_literals;

constexpr auto kLockWaitMax = 10s;  // for a command that works on the home just now
constexpr std::chrono::milliseconds kLockPause = 50ms;
constexpr std::chrono::seconds kRouterLook = 12h;

std::unexpected<Error> already_running(const home::DaemonMark& info) {
  return fail(ErrorCode::kRefused, Cause::kDaemonRuns,
              "already running, pid " + std::to_string(info.pid) + ", at " + base::escaped(info.address, 512),
              "spl stop ends it");
}

// The instance, for this process alone.
Result<std::unique_ptr<instance::Instance>> open_alone(env::Env env, const instance::InstanceOptions& options) {
  const home::HomePaths paths{options.home};
  const auto end = env.clock.steady() + kLockWaitMax;
  for (;;) {
    if (const auto info = TRY(home::running_daemon(env, paths))) return already_running(*info);
    auto opened = instance::Instance::open(env, options, instance::OpenFor::kCreating);
    if (opened || opened.error().cause != Cause::kLocked) return opened;
    if (env.clock.steady() > end) {
      Error error = std::move(opened).error();
      if (const auto pid = env::lock_holder(paths.root)) error.message += " (pid " + std::to_string(*pid) + ")";
      return std::unexpected(std::move(error));
    }
    env.clock.sleep_for(kLockPause);
  }
}

std::string address_of(const ServerOptions& options, std::uint16_t port) {
  const bool ipv6 = options.host.find(':') != std::string::npos;
  return std::string(options.tls_certificate_file.empty() ? "http" : "https") + "://" +
         (ipv6 ? "[" + options.host + "]" : options.host) + ":" + std::to_string(port);
}

// What the daemon says of itself in the home, as long as it lives.
class Presence {
 public:
  Presence(env::Env env, const home::HomePaths& paths) : env_(env), paths_(paths) {}
  Presence(const Presence&) = delete;
  Presence& operator=(const Presence&) = delete;
  ~Presence() { home::remove_daemon_mark(env_, paths_); }
  Result<void> declare(const home::DaemonMark& info) { return home::write_daemon_mark(env_, paths_, info); }

 private:
  const env::Env env_;
  const home::HomePaths& paths_;
};

// Work beside what is served; its end is waited for, and `work` is told of it.
class Beside {
 public:
  using Work = std::function<void(base::Progress& ending, std::function<bool(std::chrono::seconds)> rest)>;
  explicit Beside(Work work) : thread_([this, work = std::move(work)] { run(work); }) {}
  Beside(const Beside&) = delete;
  Beside& operator=(const Beside&) = delete;
  ~Beside() {
    {
      const std::scoped_lock lock(mutex_);
      ending_.stop = true;
    }
    ended_.notify_all();
    thread_.join();
  }

 private:
  struct Ending final : base::Progress {
    std::atomic<bool> stop = false;
    void update(std::string_view, std::uint64_t, std::uint64_t, std::string_view) override {}
    bool cancelled() override { return stop; }
  };
  void run(const Work& work) noexcept {
    try {
      work(ending_, [this](std::chrono::seconds pause) { return rest(pause); });
    } catch (const std::exception&) {
      // Of the standard library, for want of memory: what is served goes on without this.
      ending_.stop = true;
    }
  }
  // False where the end has come.
  bool rest(std::chrono::seconds pause) {
    std::unique_lock lock(mutex_);
    return !ended_.wait_for(lock, pause, [this] { return ending_.stop.load(); });
  }

  Ending ending_;
  std::mutex mutex_;
  std::condition_variable ended_;
  std::thread thread_;
};

// Tells the peers where this instance is.
void announce(instance::Instance& instance, base::Progress& ending) {
  using federation::Outgoing;
  const auto told = base::guarded("announcing", [&]() -> Result<void> {
    federation::announce_to_all(TRY(Outgoing::make(instance, Outgoing::Localhost::kVerified, ending)));
    return {};
  });
  if (!told) instance.env().log.write(env::LogLevel::kWarn, "peers not told", {{"error", told.error().message}});
}

// The router runs where it is to, and its certificate is renewed in time.
void keep_router(instance::Instance& instance, base::Progress& ending,
                 const std::function<bool(std::chrono::seconds)>& rest) {
  do {
    const auto kept = base::guarded("the router", [&]() -> Result<void> {
      const std::scoped_lock lock(instance.service_work());
      return operation::keep_router(instance, ending);
    });
    if (!kept) instance.env().log.write(env::LogLevel::kWarn, "router not kept", {{"error", kept.error().message}});
  } while (rest(kRouterLook));
}

// Backups are made when it is time.
void keep_schedules(instance::Instance& instance, job::JobQueue& jobs,
                    const std::function<bool(std::chrono::seconds)>& rest) {
  operation::Scheduler scheduler(instance.env(), instance.paths(), jobs);
  while (rest(scheduler.turn())) {
  }
}

// The machine's tenants that are to run.
void keep_tenants(instance::Instance& instance, base::Progress& ending) {
  const auto kept =
      base::guarded("the tenants", [&]() -> Result<void> { return operation::keep_tenants(instance, ending); });
  if (!kept) instance.env().log.write(env::LogLevel::kWarn, "tenants not kept", {{"error", kept.error().message}});
}

// All is tried, whatever fails of it.
void reload(env::JsonLog& file, env::Log& log, instance::Instance& instance, Server& server) {
  file.reopen();
  bool whole = true;
  const auto note = [&](std::string_view what, const Result<void>& outcome) {
    if (outcome) return;
    whole = false;
    log.write(env::LogLevel::kError, what, {{"error", outcome.error().message}, {"hint", outcome.error().hint}});
  };
  // It is read whenever it is asked for; who reloads wants to know now whether it can be.
  const auto config = instance.config();
  note("configuration is broken: what asks for it is refused",
       config ? Result<void>() : std::unexpected(config.error()));
  note("certificate not read, the one before stays", server.reload_certificates());
  log.write(env::LogLevel::kInfo, "reloaded", {{"whole", whole}});
}

}  // namespace

Result<void> run_daemon(env::Env outer, const home::HomePaths& paths, const DaemonOptions& options,
                        const std::function<Result<void>(const home::DaemonMark&)>& listening) {
  env::JsonLog file(outer.fs, outer.clock, paths.log());
  env::BothLogs log(file, outer.log);
  const env::Env env{outer.fs, outer.clock, outer.random, log, outer.variables};
  instance::InstanceOptions instance_options;
  instance_options.home = paths.root;
  instance_options.store_url = options.store_url;
  instance_options.ca_file = options.ca_file;
  auto opened = TRY(open_alone(env, instance_options));
  if (const auto known = opened->check_files_are_known(); !known)
    return std::unexpected(instance::Instance::unmade_after(std::move(opened), known.error()));
  // Nobody is served before what a crash left is finished or taken back.
  base::NoProgress unseen;
  if (const auto recovered = operation::recover_services(env, paths, TRY(opened->config()), opened->store(), unseen);
      !recovered)
    return std::unexpected(instance::Instance::unmade_after(std::move(opened), recovered.error()));
  const env::DaemonSignals signals;
  const env::ServiceManager manager(options.notify_socket);
  ServerOptions server_options = options.server;
  std::string status;
  Server* serving = nullptr;
  server_options.stop_descriptor = signals.descriptor();
  server_options.stops = [&] {
    while (const auto wish = signals.next()) {
      if (*wish == env::DaemonSignals::Wish::kEnd) {
        manager.stopping();
        return true;
      }
      manager.reloading(env.clock.steady());
      reload(file, log, *opened, *serving);
      manager.ready(status);
    }
    return false;
  };
  auto started = Server::start(*opened, server_options);
  if (!started) {
    if (started.error().hint.empty()) started.error().hint = "check --host, --port and the files of TLS";
    // A home that was made for a daemon that did not come is not left behind.
    return std::unexpected(instance::Instance::unmade_after(std::move(opened), std::move(started).error()));
  }
  const std::unique_ptr<Server> server = std::move(*started);
  serving = server.get();
  home::DaemonMark info;
  info.pid = env::own_process_id();
  info.process_mark = TRY(env::process_mark(info.pid)).value_or("");
  info.port = server->port();
  info.address = address_of(options.server, info.port);
  info.store_url = options.store_url;
  Presence presence(env, paths);
  TRY(presence.declare(info));
  // Everywhere is no place to be found at.
  if (options.server.host != "0.0.0.0" && options.server.host != "::")
    TRY(federation::note_base_url(*opened, info.address));
  log.write(env::LogLevel::kInfo, "daemon started",
            {{"pid", info.pid}, {"address", info.address}, {"version", base::kVersion}});
  TRY(listening(info));
  status = "serving " + base::escaped(paths.root, 512) + " at " + info.address;
  manager.ready(status);
  const Beside announcing([&](base::Progress& ending, const auto&) { announce(*opened, ending); });
  const Beside router([&](base::Progress& ending, const auto& rest) { keep_router(*opened, ending, rest); });
  const Beside schedules([&](base::Progress&, const auto& rest) { keep_schedules(*opened, server->jobs(), rest); });
  const Beside tenants([&](base::Progress& ending, const auto&) { keep_tenants(*opened, ending); });
  const auto ended = server->run();
  if (ended) {
    log.write(env::LogLevel::kInfo, "daemon stopped", {{"pid", info.pid}});
  } else {
    log.write(env::LogLevel::kError, "daemon failed", {{"error", ended.error().message}});
  }
  return ended;
}

}  // namespace spl::api
