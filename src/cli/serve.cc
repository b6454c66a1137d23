#include "cli/serve.h"

#include <sys/signalfd.h>
#include <unistd.h>

#include <array>
#include <chrono>
#include <csignal>
#include <thread>

#include "base/check.h"
#include "base/version.h"
#include "cli/gateway.h"
#include "env/json_log.h"

namespace spl::cli {
namespace {

using namespace std::chrono_literals;

constexpr auto kLockWaitMax = 10s;  // for a command that works on the home just now
constexpr std::chrono::milliseconds kLockPause = 50ms;
constexpr std::array kEndSignals{SIGTERM, SIGINT, SIGHUP};

// While it lives, the signals that end a process can be read from a descriptor instead. To be made before any other
// thread is, so that all block them; what comes when nobody reads any more is too late and changes nothing.
class EndSignals {
 public:
  EndSignals() {
    sigset_t signals;
    ::sigemptyset(&signals);
    for (const int signal : kEndSignals) ::sigaddset(&signals, signal);
    ::pthread_sigmask(SIG_BLOCK, &signals, nullptr);
    descriptor_ = ::signalfd(-1, &signals, SFD_CLOEXEC | SFD_NONBLOCK);
    SPL_CHECK(descriptor_ >= 0);
  }
  EndSignals(const EndSignals&) = delete;
  EndSignals& operator=(const EndSignals&) = delete;
  ~EndSignals() { ::close(descriptor_); }
  [[nodiscard]] int descriptor() const { return descriptor_; }

 private:
  int descriptor_ = -1;
};

std::unexpected<Error> already_running(const DaemonInfo& info) {
  return fail(ErrorCode::kRefused, "already running, pid " + std::to_string(info.pid) + ", at " + shown(info.address),
              "spl stop ends it");
}

// The instance, for this process alone.
Result<std::unique_ptr<instance::Instance>> open_alone(env::Env env, const instance::InstanceOptions& options) {
  const instance::HomePaths paths{options.home};
  const auto end = env.clock.steady() + kLockWaitMax;
  for (;;) {
    if (const auto info = TRY(running_daemon(env, paths))) return already_running(*info);
    auto opened = instance::Instance::open(env, options, instance::OpenFor::kCreating);
    if (opened || opened.error().code != ErrorCode::kUnavailable) return opened;
    if (env.clock.steady() > end) {
      Error error = std::move(opened).error();
      if (const auto pid = lock_holder(paths.lock())) error.message += " (pid " + std::to_string(*pid) + ")";
      return std::unexpected(std::move(error));
    }
    std::this_thread::sleep_for(kLockPause);
  }
}

std::string address_of(const http::ServerOptions& options, std::uint16_t port) {
  const bool ipv6 = options.host.find(':') != std::string::npos;
  return std::string(options.tls_certificate_file.empty() ? "http" : "https") + "://" +
         (ipv6 ? "[" + options.host + "]" : options.host) + ":" + std::to_string(port);
}

// What the daemon says of itself in the home, as long as it lives.
class Presence {
 public:
  Presence(env::Env env, const instance::HomePaths& paths) : env_(env), paths_(paths) {}
  Presence(const Presence&) = delete;
  Presence& operator=(const Presence&) = delete;
  ~Presence() { remove_daemon_info(env_, paths_); }
  Result<void> declare(const DaemonInfo& info) { return write_daemon_info(env_, paths_, info); }

 private:
  const env::Env env_;
  const instance::HomePaths& paths_;
};

}  // namespace

Result<void> serve(Session& session, const ServeOptions& options,
                   const std::function<Result<void>(const DaemonInfo&)>& listening) {
  const env::Env plain = session.env();
  env::JsonLog log(plain.fs, plain.clock, session.paths().log());
  const env::Env env{plain.fs, plain.clock, plain.random, log};
  instance::InstanceOptions instance_options;
  instance_options.home = session.paths().root;
  instance_options.store_url = options.store_url;
  auto opened = TRY(open_alone(env, instance_options));
  if (const auto known = opened->check_files_are_known(); !known)
    return std::unexpected(instance::Instance::unmade_after(std::move(opened), known.error()));
  const EndSignals signals;
  http::ServerOptions server_options = options.server;
  server_options.stop_descriptor = signals.descriptor();
  auto started = http::Server::start(*opened, server_options);
  if (!started) {
    if (started.error().hint.empty()) started.error().hint = "check --host, --port and the files of TLS";
    // A home that was made for a daemon that did not come is not left behind.
    return std::unexpected(instance::Instance::unmade_after(std::move(opened), std::move(started).error()));
  }
  const std::unique_ptr<http::Server> server = std::move(*started);
  DaemonInfo info;
  info.pid = ::getpid();
  info.process_mark = process_mark(info.pid).value_or("");
  info.port = server->port();
  info.address = address_of(options.server, info.port);
  info.store_url = options.store_url;
  Presence presence(env, session.paths());
  TRY(presence.declare(info));
  log.write(env::LogLevel::kInfo, "daemon started",
            {{"pid", std::to_string(info.pid)}, {"address", info.address}, {"version", base::kVersion}});
  TRY(listening(info));
  const auto ended = server->run();
  if (ended) {
    log.write(env::LogLevel::kInfo, "daemon stopped", {{"pid", std::to_string(info.pid)}});
  } else {
    log.write(env::LogLevel::kError, "daemon failed", {{"error", ended.error().message}});
  }
  return ended;
}

}  // namespace spl::cli
