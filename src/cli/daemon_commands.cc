// serve, stop.
#include <unistd.h>

#include <charconv>
#include <chrono>
#include <csignal>
#include <filesystem>

#include "api/daemon.h"
#include "api/remote_operations.h"
#include "base/encoding.h"
#include "cli/command.h"
#include "cli/session.h"
#include "codec/shape.h"
#include "env/background.h"
#include "env/process.h"
#include "env/stream_log.h"
#include "env/streams.h"
#include "home/daemon_mark.h"
#include "store/open_store.h"

namespace spl::cli {
namespace {

struct Serving {
  int pid = 0;
  std::string address;
  std::uint16_t port = 0;
  std::string home;

  static constexpr auto shape() {
    using S = Serving;
    return codec::shape(codec::member("pid", &S::pid, "the daemon's process"),
                        codec::member("address", &S::address, "where it serves"),
                        codec::member("port", &S::port, "of its TCP door"),
                        codec::path_member("home", &S::home, "the home's directory"));
  }
};
struct Stopped {
  bool stopped = false;
  std::optional<int> pid;

  static constexpr auto shape() {
    return codec::shape(codec::member("stopped", &Stopped::stopped, "false: none was running"),
                        codec::member("pid", &Stopped::pid, "the process that was"));
  }
};

constexpr std::chrono::milliseconds kStopWaitMax{60'000};

Result<std::uint16_t> port_from(const std::string& text) {
  std::uint16_t port = 0;
  const auto [stop, error] = std::from_chars(text.data(), text.data() + text.size(), port);
  if (error != std::errc() || stop != text.data() + text.size())
    return fail(ErrorCode::kUsage, "--port " + shown(text) + ": not a number from 0 to 65535",
                "give a number; 0 takes any free port");
  return port;
}

// The daemon works in another directory.
Result<std::string> absolute(const Arguments& arguments, const char* name) {
  const auto given = arguments.value(name);
  if (!given) return std::string();
  TRY_IN(std::string(name), env::InputFile::open(*given, nullptr));
  std::error_code error;
  std::string path = std::filesystem::absolute(*given, error).string();
  if (error) return fail(std::string(name) + " " + shown(*given) + ": " + error.message(), "give the whole path");
  return path;
}

Result<api::DaemonOptions> options_from(const Arguments& arguments) {
  api::DaemonOptions options;
  if (const auto host = arguments.value("--host")) options.server.host = *host;
  if (const auto port = arguments.value("--port")) options.server.port = TRY(port_from(*port));
  if (const auto url = arguments.value("--store")) {
    if (*url == "memory:")
      return fail(ErrorCode::kUsage, "--store memory: would keep nothing", "name a file: sqlite:PATH");
    options.store_url = store::absolute_store_url(*url);
  }
  options.server.temporary_directory = temporary_directory();
  options.server.tls_certificate_file = TRY(absolute(arguments, "--tls-cert"));
  options.server.tls_key_file = TRY(absolute(arguments, "--tls-key"));
  options.ca_file = TRY(absolute(arguments, "--ca-file"));
  if (arguments.has("--tls-cert") != arguments.has("--tls-key"))
    return fail(ErrorCode::kUsage, "--tls-cert and --tls-key belong together", "give both or neither");
  return options;
}

Result<void> announce(Session& session, const home::DaemonMark& info) {
  Output& out = session.out();
  if (!info.store_url.empty() && TRY(home::load_config(session.env(), session.paths())).store_url != info.store_url)
    out.note("the store is " + shown(info.store_url) +
             " while this daemon runs; store = \"...\" in config.toml makes it the home's for good");
  if (out.text()) {
    TRY(out.line("serving " + shown(session.paths().root) + " at " + shown(info.address) + ", pid " +
                 std::to_string(info.pid)));
  } else {
    TRY(out.document(codec::shape_json(Serving{info.pid, info.address, info.port, session.paths().root})));
  }
  // A daemon in the foreground goes on after that.
  return out.show_result();
}

Result<int> run_serve(Session& session, const Arguments& arguments) {
  TRY(session.become_owner());
  api::DaemonOptions options = TRY(options_from(arguments));
  if (!arguments.has("--daemon")) {
    options.notify_socket = variable("NOTIFY_SOCKET").value_or("");
    const bool quiet = session.out().loudness() == Loudness::kQuiet;
    env::StreamLog log(session.env().clock, STDERR_FILENO, quiet ? env::LogLevel::kError : env::LogLevel::kInfo);
    const env::Env env{session.env().fs, session.env().clock, session.env().random, log, session.env().variables};
    TRY(api::run_daemon(env, session.paths(), options,
                        [&session](const home::DaemonMark& mark) { return announce(session, mark); }));
    return 0;
  }
  const std::string error_file = env::join(env::parent_of(session.paths().log()), "stderr.log");
  auto started = env::run_in_background(error_file, [&](const env::Ready& ready) {
    return api::run_daemon(session.env(), session.paths(), options, [&ready](const home::DaemonMark& mark) {
      ready(home::mark_text(mark));
      return Result<void>();
    });
  });
  if (!started && started.error().hint.empty()) started.error().hint = "look into " + error_file;
  const auto text = TRY(std::move(started));
  // Nothing in the background process, when its work is over.
  const auto mark = text ? home::parse_mark(*text) : std::nullopt;
  if (mark) TRY(announce(session, *mark));
  return 0;
}

Result<int> print_stopped(Output& out, std::optional<int> pid) {
  if (out.text()) {
    TRY(out.line(pid ? "stopped, pid " + std::to_string(*pid) : "no daemon is running"));
  } else {
    TRY(out.document(codec::shape_json(Stopped{pid.has_value(), pid})));
  }
  return 0;
}

Result<int> run_stop(Session& session, const Arguments&) {
  Output& out = session.out();
  const auto info = TRY(home::running_daemon(session.env(), session.paths()));
  if (!info && TRY(api::RemoteOperations::connect(session.env(), session.paths(), &session.progress()))) {
    const auto pid = env::lock_holder(session.paths().root);
    if (pid && *pid > 0)
      return fail(ErrorCode::kUnavailable,
                  "a daemon answers, but run/daemon.json in the home does not say that it runs",
                  "kill " + std::to_string(*pid) + " ends it as spl stop would");
    return fail(ErrorCode::kUnavailable, "a daemon answers, but its process cannot be seen from here",
                "stop it where it runs: in its container, or by its supervisor");
  }
  if (!info) {
    // run/ may have been emptied: then a daemon can only be found by what it holds.
    const auto pid = env::lock_holder(session.paths().root);
    if (pid && *pid > 0 && !TRY(home::has_daemon_mark(session.env(), session.paths())))
      return fail(ErrorCode::kUnavailable, Cause::kLocked,
                  "nothing in run/ speaks of a daemon, and process " + std::to_string(*pid) + " works on " +
                      shown(session.paths().root),
                  "kill " + std::to_string(*pid) + " ends it as spl stop would, if it is a daemon; else wait for it");
    return print_stopped(out, std::nullopt);
  }
  const auto process = TRY(env::ProcessHandle::open(info->pid));
  // The handle may be that of a later process with the same id.
  if (!process || !TRY(home::is_alive(*info, session.paths()))) return print_stopped(out, std::nullopt);
  TRY(process->signal(SIGTERM));
  if (!process->wait(kStopWaitMax))
    return fail(Cause::kTimeout, "the daemon, pid " + std::to_string(info->pid) + ", has not ended in 60 seconds",
                "it may still be writing: try again, or look into logs/spl.log");
  return print_stopped(out, info->pid);
}

}  // namespace

std::vector<Command> daemon_commands() {
  std::vector<Command> commands;
  commands.push_back(
      {.name = "serve",
       .summary = "Serve the instance over HTTP and on its Unix socket until it is stopped",
       .details = "An empty home gets a store, but no identity. Plain HTTP is served on loopback only. Other spl "
                  "commands find the daemon by themselves. In the foreground it logs to standard error as well. SIGHUP "
                  "has it read config.toml and the certificates anew and begin a new log file where the old one was "
                  "renamed; what is wrong with them is in the log. SIGTERM and SIGINT end it.",
       .options =
           {{.name = "--daemon", .value = "", .help = "go on in the background; return when it listens"},
            {.name = "--host", .value = "HOST", .help = "the address to listen on; 127.0.0.1 where it is not given"},
            {.name = "--port", .value = "PORT", .help = "the port; 9100 where it is not given; 0 is any free one"},
            {.name = "--store",
             .value = "URL",
             .help = "where the record store is: sqlite:PATH; else hub.db in the home"},
            {.name = "--tls-cert", .value = "FILE", .help = "serve TLS with this certificate", .names = Names::kFile},
            {.name = "--tls-key", .value = "FILE", .help = "the certificate's key", .names = Names::kFile},
            {.name = "--ca-file",
             .value = "FILE",
             .help = "certificates that peers are checked against",
             .names = Names::kFile}},
       .examples = {"spl serve", "spl serve --daemon --port 0"},
       .run = run_serve,
       .schema = codec::schema_of<Serving>,
       .hears_signals = true});
  commands.push_back({.name = "stop",
                      .summary = "Stop the daemon, and wait until it has ended",
                      .details = "Where none runs nothing is done.",
                      .examples = {"spl stop"},
                      .run = run_stop,
                      .schema = codec::schema_of<Stopped>});
  return commands;
}

}  // namespace spl::cli
