#include "http/listener.h"

#include <arpa/inet.h>
#include <fcntl.h>
#include <netdb.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <unistd.h>

#include <cerrno>
#include <cstring>
#include <memory>

#include "base/encoding.h"
#include "env/file_system.h"

namespace spl::http {
namespace {

constexpr int kBacklog = 512;

env::Descriptor unix_socket() {
  return env::Descriptor(::socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0));
}

// A socket's name in an open directory: through /proc, so that it fits into sun_path however long the path is.
sockaddr_un address_in(const env::Descriptor& directory, const std::string& name) {
  sockaddr_un address{};
  address.sun_family = AF_UNIX;
  const std::string path = "/proc/self/fd/" + std::to_string(directory.number()) + "/" + name;
  path.copy(address.sun_path, sizeof address.sun_path - 1);
  return address;
}

template <class Call>
int with_address(const env::Descriptor& socket, const sockaddr_un& address, Call call) {
  return call(socket.number(), reinterpret_cast<const sockaddr*>(&address), sizeof address);
}

std::string name_of(const std::string& path) {
  return path.substr(path.rfind('/') + 1);
}

// Not open, and errno set, where it cannot be opened.
env::Descriptor open_parent(const std::string& path) {
  return env::Descriptor(::open(env::parent_of(path).c_str(), O_PATH | O_DIRECTORY | O_CLOEXEC));
}

Result<void> check_private(const env::Descriptor& directory, const std::string& path) {
  struct stat info{};
  if (::fstat(directory.number(), &info) != 0) return base::fail_errno("cannot look at " + base::escaped(path), errno);
  // Others may pass through: the socket's own mode keeps them out, as long as nobody can put another in its place.
  if ((info.st_mode & 022) != 0)
    return fail(ErrorCode::kRefused,
                base::escaped(path) + " can be written by others, and the socket in it asks for no token",
                "chmod 711 " + path);
  if (info.st_uid != ::geteuid())
    return fail(ErrorCode::kRefused, base::escaped(path) + " belongs to another user",
                "serve as that user, or give the home to this one (chown -R)");
  return {};
}

// A home that others can write is theirs to arrange: another run/ takes this one's place. In a sticky one they cannot.
bool others_may_replace(const struct stat& home) {
  return (home.st_mode & 022) != 0 && (home.st_mode & S_ISVTX) == 0;
}

std::unexpected<Error> is_open_to_others(const std::string& home) {
  return fail(ErrorCode::kRefused, Cause::kDenied,
              base::escaped(home) + " can be written by others, who could put a socket of theirs into it",
              "chmod 711 " + home + ", and see that all in it is yours");
}

Result<void> check_home(const std::string& home) {
  struct stat info{};
  if (::stat(home.c_str(), &info) != 0) return base::fail_errno("cannot look at " + base::escaped(home), errno);
  return others_may_replace(info) ? is_open_to_others(home) : Result<void>();
}

// A daemon is told secrets: it must be this user's or root's, or for root the one whose home it is; and nobody else can
// have put the socket where it is.
Result<void> check_daemon(const env::Descriptor& socket, const env::Descriptor& directory, const std::string& path) {
  const std::string run = env::parent_of(path);
  struct stat run_info{};
  struct stat home_info{};
  struct stat name_info{};
  if (::fstat(directory.number(), &run_info) != 0 || ::stat(env::parent_of(run).c_str(), &home_info) != 0 ||
      ::fstatat(directory.number(), name_of(path).c_str(), &name_info, AT_SYMLINK_NOFOLLOW) != 0)
    return base::fail_errno("cannot look at " + base::escaped(path), errno);
  if (others_may_replace(home_info)) return is_open_to_others(env::parent_of(run));
  if ((run_info.st_mode & 022) != 0) return is_open_to_others(run);
  const uid_t own = ::geteuid();
  const auto is_believed = [&](uid_t user) {
    return user == own || user == 0 || (own == 0 && user == home_info.st_uid);
  };
  if (!S_ISSOCK(name_info.st_mode) || !is_believed(run_info.st_uid) || !is_believed(name_info.st_uid))
    return fail(ErrorCode::kRefused, Cause::kDenied, base::escaped(path) + " is another user's, or no socket",
                "look who made it; spl serve makes it anew");
  const uid_t peer = peer_user(socket);
  if (is_believed(peer)) return {};
  return fail(ErrorCode::kRefused, Cause::kDenied,
              "who answers at " + base::escaped(path) + " is another user, " + std::to_string(peer),
              "ask as that user, or end what listens there");
}

// Takes away a socket's name that nothing answers at.
Result<void> remove_stale(const env::Descriptor& directory, const std::string& name, const std::string& path) {
  struct stat info{};
  if (::fstatat(directory.number(), name.c_str(), &info, AT_SYMLINK_NOFOLLOW) != 0) {
    if (errno == ENOENT) return {};
    return base::fail_errno("cannot look at " + base::escaped(path), errno);
  }
  if (!S_ISSOCK(info.st_mode)) return fail(ErrorCode::kRefused, base::escaped(path) + " is there and no socket");
  if (TRY(connect_unix(path)))
    return fail(ErrorCode::kUnavailable, "a daemon listens on " + base::escaped(path) + " already", "spl stop ends it");
  if (::unlinkat(directory.number(), name.c_str(), 0) != 0 && errno != ENOENT)
    return base::fail_errno("cannot remove " + base::escaped(path), errno);
  return {};
}

bool is_loopback(const sockaddr* address) {
  if (address->sa_family == AF_INET) {
    const auto* four = reinterpret_cast<const sockaddr_in*>(address);
    return (ntohl(four->sin_addr.s_addr) >> 24) == 127;
  }
  if (address->sa_family != AF_INET6) return false;
  const in6_addr& six = reinterpret_cast<const sockaddr_in6*>(address)->sin6_addr;
  if (IN6_IS_ADDR_V4MAPPED(&six)) return six.s6_addr[12] == 127;
  return IN6_IS_ADDR_LOOPBACK(&six);
}

struct FreeAddresses {
  void operator()(addrinfo* addresses) const { ::freeaddrinfo(addresses); }
};
using Addresses = std::unique_ptr<addrinfo, FreeAddresses>;

Result<Addresses> resolve(const std::string& host, std::uint16_t port, int flags) {
  addrinfo hints{};
  hints.ai_family = AF_UNSPEC;
  hints.ai_socktype = SOCK_STREAM;
  hints.ai_flags = AI_NUMERICSERV | flags;
  addrinfo* found = nullptr;
  const int outcome = ::getaddrinfo(host.c_str(), std::to_string(port).c_str(), &hints, &found);
  if (outcome != 0)
    return fail(ErrorCode::kUnavailable, "host " + base::escaped(host) + ": " + ::gai_strerror(outcome));
  return Addresses(found);
}

std::uint16_t port_of(const env::Descriptor& socket) {
  sockaddr_storage address{};
  socklen_t size = sizeof address;
  if (::getsockname(socket.number(), reinterpret_cast<sockaddr*>(&address), &size) != 0) return 0;
  return ntohs(address.ss_family == AF_INET6 ? reinterpret_cast<sockaddr_in6*>(&address)->sin6_port
                                             : reinterpret_cast<sockaddr_in*>(&address)->sin_port);
}

}  // namespace

Result<UnixListener> UnixListener::bind(const std::string& path) {
  env::Descriptor directory = open_parent(path);
  if (!directory.is_open()) return base::fail_errno("cannot open " + base::escaped(env::parent_of(path)), errno);
  TRY(check_private(directory, env::parent_of(path)));
  TRY(check_home(env::parent_of(env::parent_of(path))));
  const std::string name = name_of(path);
  TRY(remove_stale(directory, name, path));
  env::Descriptor socket = unix_socket();
  if (!socket.is_open() || with_address(socket, address_in(directory, name), ::bind) != 0 ||
      ::listen(socket.number(), kBacklog) != 0)
    return base::fail_errno("cannot listen on " + base::escaped(path), errno);
  struct stat info{};
  if (::fchmodat(directory.number(), name.c_str(), 0600, 0) != 0 ||
      ::fstatat(directory.number(), name.c_str(), &info, AT_SYMLINK_NOFOLLOW) != 0)
    return base::fail_errno("cannot look at " + base::escaped(path), errno);
  return UnixListener(std::move(socket), std::move(directory), name, info.st_ino);
}

UnixListener::~UnixListener() {
  if (!directory_.is_open()) return;
  struct stat info{};
  if (::fstatat(directory_.number(), name_.c_str(), &info, AT_SYMLINK_NOFOLLOW) == 0 && info.st_ino == inode_)
    ::unlinkat(directory_.number(), name_.c_str(), 0);
}

Result<std::optional<env::Descriptor>> connect_unix(const std::string& path) {
  const env::Descriptor directory = open_parent(path);
  if (!directory.is_open()) {
    if (errno == ENOENT || errno == ENOTDIR) return std::nullopt;
    return base::fail_errno("cannot open " + base::escaped(env::parent_of(path)), errno);
  }
  env::Descriptor socket = unix_socket();
  if (!socket.is_open()) return base::fail_errno("cannot make a socket", errno);
  while (with_address(socket, address_in(directory, name_of(path)), ::connect) != 0) {
    if (errno == EINTR) continue;
    if (errno == ECONNREFUSED || errno == ENOENT) return std::nullopt;
    return base::fail_errno("cannot connect to " + base::escaped(path), errno);
  }
  TRY(check_daemon(socket, directory, path));
  return std::optional(std::move(socket));
}

std::uint32_t peer_user(const env::Descriptor& socket) {
  ucred peer{};
  socklen_t size = sizeof peer;
  return ::getsockopt(socket.number(), SOL_SOCKET, SO_PEERCRED, &peer, &size) == 0 ? peer.uid : static_cast<uid_t>(-1);
}

bool is_owner(const env::Descriptor& socket) {
  const uid_t peer = peer_user(socket);
  return peer == ::geteuid() || peer == 0;
}

Result<TcpListener> TcpListener::bind(const std::string& host, std::uint16_t port, Exposure exposure) {
  const Addresses addresses = TRY(resolve(host, port, AI_PASSIVE));
  int errno_value = 0;
  for (const addrinfo* at = addresses.get(); at != nullptr; at = at->ai_next) {
    if (exposure == Exposure::kLoopbackOnly && !is_loopback(at->ai_addr))
      return fail(ErrorCode::kUsage, "plain HTTP is served on loopback only, and " + base::escaped(host) + " is not",
                  "give --tls-cert and --tls-key, or --host 127.0.0.1");
    env::Descriptor socket(::socket(at->ai_family, SOCK_STREAM | SOCK_CLOEXEC, 0));
    const int on = 1;
    if (socket.is_open() && ::setsockopt(socket.number(), SOL_SOCKET, SO_REUSEADDR, &on, sizeof on) == 0 &&
        ::bind(socket.number(), at->ai_addr, at->ai_addrlen) == 0 && ::listen(socket.number(), kBacklog) == 0) {
      const std::uint16_t real_port = port_of(socket);
      return TcpListener{std::move(socket), real_port};
    }
    errno_value = errno;
  }
  Error error =
      base::fail_errno("cannot listen on " + base::escaped(host) + ":" + std::to_string(port), errno_value).error();
  error.code = ErrorCode::kUnavailable;
  if (errno_value == EADDRINUSE) error.hint = "another program has the port; --port 0 takes any free one";
  return std::unexpected(std::move(error));
}

Result<env::Descriptor> connect_tcp(const std::string& host, std::uint16_t port) {
  const Addresses addresses = TRY(resolve(host, port, 0));
  int errno_value = 0;
  for (const addrinfo* at = addresses.get(); at != nullptr; at = at->ai_next) {
    env::Descriptor socket(::socket(at->ai_family, SOCK_STREAM | SOCK_CLOEXEC, 0));
    if (socket.is_open() && ::connect(socket.number(), at->ai_addr, at->ai_addrlen) == 0) {
      const int on = 1;
      ::setsockopt(socket.number(), IPPROTO_TCP, TCP_NODELAY, &on, sizeof on);
      return socket;
    }
    errno_value = errno;
  }
  Error error =
      base::fail_errno("cannot connect to " + base::escaped(host) + ":" + std::to_string(port), errno_value).error();
  error.code = ErrorCode::kUnavailable;
  return std::unexpected(std::move(error));
}

}  // namespace spl::http
