// Sockets that are listened on and connected to: the Unix socket of a home, and TCP. Any thread. Sources: unix(7),
// getaddrinfo(3).
#pragma once

#include <cstdint>
#include <optional>
#include <string>

#include "base/result.h"
#include "env/descriptor.h"

namespace spl::http {

// The Unix socket of a daemon. Its name goes with it, where it is still this one's.
class UnixListener {
 public:
  // The socket is its owner's alone (0600). `path` lies in a directory of this user's that others cannot write; another
  // one is refused. A name that nothing answers at is
  // replaced; where something answers the code is kUnavailable. The path may be longer than sun_path.
  static Result<UnixListener> bind(const std::string& path);
  UnixListener(UnixListener&&) = default;
  UnixListener& operator=(UnixListener&&) = default;
  ~UnixListener();

  [[nodiscard]] const env::Descriptor& socket() const { return socket_; }

 private:
  UnixListener(env::Descriptor socket, env::Descriptor directory, std::string name, std::uint64_t inode)
      : socket_(std::move(socket)), directory_(std::move(directory)), name_(std::move(name)), inode_(inode) {}
  env::Descriptor socket_;
  env::Descriptor directory_;
  std::string name_;
  std::uint64_t inode_;
};

// Nothing where nobody listens there. Code kRefused where another user does, who is not root; root may ask any.
Result<std::optional<env::Descriptor>> connect_unix(const std::string& path);

// Who has the other end of a connection to a UnixListener; an id that is no user's where the kernel does not say.
std::uint32_t peer_user(const env::Descriptor& socket);
// Whether that is this process's user, or root.
bool is_owner(const env::Descriptor& socket);

enum class Exposure : std::uint8_t {
  kLoopbackOnly,  // another address is refused, code kUsage: plain HTTP is served on loopback only
  kAnywhere,
};

struct TcpListener {
  env::Descriptor socket;
  std::uint16_t port = 0;  // the real one

  // `port` 0 is any free one.
  static Result<TcpListener> bind(const std::string& host, std::uint16_t port, Exposure exposure);
};

Result<env::Descriptor> connect_tcp(const std::string& host, std::uint16_t port);

}  // namespace spl::http
