#include "api/server.h"

#include <fcntl.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <poll.h>
#include <sys/socket.h>

#include <algorithm>
#include <array>
#include <atomic>
#include <cerrno>
#include <condition_variable>
#include <exception>
#include <list>
#include <mutex>
#include <thread>

#include "api/body.h"
#include "api/connection.h"
#include "api/routes.h"
#include "env/process.h"
#include "env/users.h"
#include "http/listener.h"
#include "router/plan.h"
#include "tenant/mark.h"

namespace spl::api {
namespace {

constexpr std::string_view kBusy =
    "HTTP/1.1 503 Service Unavailable\r\ncontent-type: application/json\r\ncontent-length: 97\r\n"
    "connection: close\r\nretry-after: 1\r\nspl-exit-code: 6\r\n\r\n"
    "{\"object\":\"error\",\"code\":\"UNAVAILABLE\",\"message\":\"too many connections\",\"hint\":\"try again later\"}";
static_assert(kBusy.size() - kBusy.find("\r\n\r\n") - 4 == 97);

constexpr std::uint32_t kTenantsDoorMode = 0660;

// How long accepting rests when the machine has no descriptors or no memory left.
constexpr int kAcceptPauseMs = 100;

// What is left of the descriptors is the store's, the services' and the owner's door's.
constexpr std::size_t kDescriptorsWanted = 4096;
constexpr std::size_t kDescriptorsReserved = 192;
constexpr std::size_t kDescriptorsEach = 3;  // its socket, what waits to be sent, a reader of the store

std::size_t at_most(std::size_t connections, std::size_t descriptors) {
  const std::size_t left = descriptors > kDescriptorsReserved ? descriptors - kDescriptorsReserved : 0;
  return std::clamp<std::size_t>(left / kDescriptorsEach, 1, connections);
}

ListLimits asking_late(ListLimits limits) {
  limits.asks_late = true;
  return limits;
}

Result<void> set_non_blocking(const env::Descriptor& socket) {
  const int flags = ::fcntl(socket.number(), F_GETFL);
  if (flags < 0 || ::fcntl(socket.number(), F_SETFL, flags | O_NONBLOCK) != 0)
    return base::fail_errno("cannot set up a socket", errno);
  return {};
}

}  // namespace

class Server::Impl {
 public:
  Impl(instance::Instance& instance, const ServerOptions& options, http::TcpListener tcp,
       http::UnixListener unix_listener, http::UnixListener door, std::shared_ptr<const http::TlsContext> tls,
       std::unique_ptr<env::Interrupt> stop, std::unique_ptr<env::Interrupt> cut)
      : options_(options),
        tcp_(std::move(tcp)),
        unix_(std::move(unix_listener)),
        door_(std::move(door)),
        tls_(std::move(tls)),
        stop_(std::move(stop)),
        cut_(std::move(cut)),
        workers_(options.workers > 0 ? options.workers : std::max(1u, std::thread::hardware_concurrency())),
        served_{.instance = instance,
                .gate = Gate(instance),
                .peers = PeerGate(instance),
                .browsers = BrowserGate(instance),
                .port = tcp_.port,
                .workers = workers_,
                .lines = LineParser(workers_ - 1),
                .lists = ListTurns(options_.lists),
                .single_records = ListTurns(asking_late(options_.lists)),
                .parsing = ParseTurns(kParsedBytesMax),
                .temporary_directory = options_.temporary_directory,
                .uploads = operation::Uploads(instance.env(), instance.paths()),
                .opened = operation::OpenedBackups(instance.env()),
                .work = operation::JobWork(instance, served_.uploads),
                .jobs = nullptr,
                .event_streams = 0},
        around_{served_, budget_, *stop_, *cut_, options_.times, stranger_lines_} {}
  Impl(const Impl&) = delete;
  Impl& operator=(const Impl&) = delete;
  ~Impl() {
    stop_->raise();
    cut_->raise();
    for (Connection& connection : connections_) connection.thread.join();
  }

  // What a job changes may be who has which token.
  Result<void> open_jobs() {
    served_.jobs = TRY(job::JobQueue::open(
        served_.instance.env(), served_.instance.paths(),
        [this](const std::string& id, const job::JobRequest& request, base::Progress& progress) {
          return served_.gate.change_power([&] { return served_.work.run(id, request, progress); });
        },
        "what it had changed was finished or taken back"));
    return {};
  }

  Result<void> run() {
    auto accepted = accept_until_stopped();
    stop_->raise();
    served_.jobs->end();
    unix_.reset();
    door_.reset();
    tcp_.socket.close();
    {
      std::unique_lock lock(mutex_);
      ended_.wait_for(lock, options_.grace, [this] { return running_ == 0; });
    }
    cut_->raise();
    for (Connection& connection : connections_) connection.thread.join();
    connections_.clear();
    // What went wrong is told by the store.
    if (accepted && served_.instance.store().is_lost()) TRY(served_.instance.store().reader());
    return accepted;
  }

  [[nodiscard]] std::uint16_t port() const { return tcp_.port; }
  [[nodiscard]] job::JobQueue& jobs() const { return *served_.jobs; }
  void stop() { stop_->raise(); }
  Result<void> reload_certificates() {
    if (tls_) tls_ = TRY(http::TlsContext::for_server(options_.tls_certificate_file, options_.tls_key_file));
    return {};
  }

 private:
  struct Connection {
    explicit Connection(Door d) : door(d), hold(d == Door::kUnix) {}
    Door door;
    ConnectionHold hold;
    std::thread thread;
    std::atomic<bool> done = false;
  };

  Result<void> accept_until_stopped() {
    TRY(set_non_blocking(unix_->socket()));
    TRY(set_non_blocking(door_->socket()));
    TRY(set_non_blocking(tcp_.socket));
    while (!stop_->raised()) {
      std::array<pollfd, 5> polled{{{stop_->descriptor(), POLLIN, 0},
                                    {options_.stop_descriptor, POLLIN, 0},
                                    {unix_->socket().number(), POLLIN, 0},
                                    {tcp_.socket.number(), POLLIN, 0},
                                    {door_->socket().number(), POLLIN, 0}}};
      if (::poll(polled.data(), polled.size(), -1) < 0) {
        if (errno == EINTR) continue;
        return base::fail_errno("cannot wait for connections", errno);
      }
      if (polled[1].revents != 0 && (!options_.stops || options_.stops())) return {};
      if (polled[2].revents != 0) TRY(accept_one(unix_->socket(), Door::kUnix));
      if (polled[3].revents != 0) TRY(accept_one(tcp_.socket, Door::kTcp));
      if (polled[4].revents != 0) TRY(accept_one(door_->socket(), Door::kRouter));
    }
    return {};
  }

  Result<void> accept_one(const env::Descriptor& listener, Door door) {
    env::Descriptor socket(::accept4(listener.number(), nullptr, nullptr, SOCK_CLOEXEC | SOCK_NONBLOCK));
    if (!socket.is_open()) {
      switch (errno) {
        case EMFILE:
        case ENFILE:
        case ENOBUFS:
        case ENOMEM: {
          pollfd polled{stop_->descriptor(), POLLIN, 0};
          ::poll(&polled, 1, kAcceptPauseMs);
          return {};
        }
        case EBADF:
        case EINVAL:
        case ENOTSOCK:
          return base::fail_errno("cannot accept connections", errno);
        default:
          return {};  // the peer's network, or the peer itself, gave up
      }
    }
    if (door != Door::kTcp && !http::is_owner(socket) && !(door == Door::kRouter && is_router(socket))) {
      served_.instance.env().log.write(env::LogLevel::kWarn, "stranger at the socket", {});
      return {};
    }
    const int on = 1;
    if (door == Door::kTcp) ::setsockopt(socket.number(), IPPROTO_TCP, TCP_NODELAY, &on, sizeof on);
    reap();
    if (!has_room(door)) {
      // One try: who does not read it has lost nothing. Not in the clear where TLS is spoken.
      if (door != Door::kTcp || !tls_) ::send(socket.number(), kBusy.data(), kBusy.size(), MSG_NOSIGNAL);
      return {};
    }
    begin(std::move(socket), door);
    return {};
  }

  // Its socket's mode lets in nobody but it and the owner.
  static bool is_router(const env::Descriptor& socket) {
    const auto account = env::find_user(router::kRouterUser);
    return account && *account && http::peer_user(socket) == (*account)->ids.uid;
  }

  // Those that were ended and have not noticed yet count only where they are very many.
  bool has_room(Door door) {
    std::size_t all = 0;
    std::size_t ended = 0;
    for (const Connection& connection : connections_) {
      if (connection.door != door) continue;
      ++all;
      ended += connection.hold.was_ended() ? 1 : 0;
    }
    const std::size_t most = door == Door::kTcp ? tcp_max_ : options_.connections_max;
    if (all >= 2 * most) return false;
    if (all - ended < most) return true;
    // The oldest come first.
    return std::ranges::any_of(connections_, [door](Connection& connection) {
      return connection.door == door && connection.hold.end_stranger();
    });
  }

  // Where there is no memory or no thread for it the connection is closed, as one too many is.
  void begin(env::Descriptor socket, Door door) {
    Connection* connection = nullptr;
    try {
      connection = &connections_.emplace_back(door);
      {
        const std::scoped_lock lock(mutex_);
        ++running_;
      }
      connection->thread = std::thread(
          [this, connection, door, tls = door == Door::kTcp ? tls_ : nullptr, held = std::move(socket)]() mutable {
            serve_connection(std::move(held), door, tls.get(), around_, connection->hold);
            connection->done.store(true, std::memory_order_release);
            const std::scoped_lock lock(mutex_);
            --running_;
            ended_.notify_all();
          });
    } catch (const std::exception&) {
      if (connection == nullptr) return;
      const std::scoped_lock lock(mutex_);
      --running_;
      connections_.pop_back();
    }
  }

  void reap() {
    for (auto at = connections_.begin(); at != connections_.end();) {
      if (!at->done.load(std::memory_order_acquire)) {
        ++at;
        continue;
      }
      at->thread.join();
      at = connections_.erase(at);
    }
  }

  const ServerOptions options_;
  http::TcpListener tcp_;
  std::optional<http::UnixListener> unix_;
  std::optional<http::UnixListener> door_;       // the router's
  std::shared_ptr<const http::TlsContext> tls_;  // run()'s thread's
  const std::unique_ptr<env::Interrupt> stop_;
  const std::unique_ptr<env::Interrupt> cut_;
  const std::size_t tcp_max_ = at_most(options_.connections_max, env::allow_descriptors(kDescriptorsWanted));
  BodyBudget budget_{options_.bodies};
  StrangerLines stranger_lines_;
  const std::size_t workers_;
  Served served_;
  const Surroundings around_;
  std::list<Connection> connections_;  // run()'s thread's

  std::mutex mutex_;  // guards running_
  std::condition_variable ended_;
  std::size_t running_ = 0;
};

Server::Server(std::unique_ptr<Impl> impl) : impl_(std::move(impl)) {}
Server::~Server() = default;

Result<std::unique_ptr<Server>> Server::start(instance::Instance& instance, const ServerOptions& options) {
  if (options.tls_certificate_file.empty() != options.tls_key_file.empty())
    return fail(ErrorCode::kUsage, "--tls-cert and --tls-key are given together or not at all");
  std::shared_ptr<const http::TlsContext> tls;
  if (!options.tls_key_file.empty())
    tls = TRY(http::TlsContext::for_server(options.tls_certificate_file, options.tls_key_file));
  auto tcp = TRY(http::TcpListener::bind(options.host, options.port,
                                         tls ? http::Exposure::kAnywhere : http::Exposure::kLoopbackOnly));
  auto unix_listener = TRY(http::UnixListener::bind(instance.paths().socket()));
  auto door = TRY(http::UnixListener::bind(router::door_socket(instance.paths())));
  // In the group of a tenant's own user is the router.
  const auto mark = TRY(tenant::read_mark(instance.env(), instance.paths()));
  if (mark && mark->own_user) TRY(instance.env().fs.set_mode(router::door_socket(instance.paths()), kTenantsDoorMode));
  auto stop = TRY(env::Interrupt::make());
  auto cut = TRY(env::Interrupt::make());
  auto impl = std::make_unique<Impl>(instance, options, std::move(tcp), std::move(unix_listener), std::move(door),
                                     std::move(tls), std::move(stop), std::move(cut));
  TRY(impl->open_jobs());
  return std::unique_ptr<Server>(new Server(std::move(impl)));
}

std::uint16_t Server::port() const {
  return impl_->port();
}

job::JobQueue& Server::jobs() {
  return impl_->jobs();
}

Result<void> Server::run() {
  return impl_->run();
}

void Server::stop() {
  impl_->stop();
}

Result<void> Server::reload_certificates() {
  return impl_->reload_certificates();
}

}  // namespace spl::api
