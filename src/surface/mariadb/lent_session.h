// Lends a session of ours to mariadb-dump, which believes that it speaks with a server. So it reads in the very
// transaction that took the snapshot in the pause, as nothing in MariaDB can give a snapshot to another session. It
// also needs no password, and nothing of how the server lets anybody in.
//
// One thread. Source: https://mariadb.com/kb/en/clientserver-protocol/
#pragma once

#include <string>

#include "base/result.h"
#include "base/stream.h"
#include "env/descriptor.h"
#include "surface/mariadb/mariadb_session.h"
#include "surface/patience.h"

namespace spl::surface {

class LentSession {
 public:
  // Listens on a socket in `directory`, which nobody else can reach. `session` outlives this.
  static Result<LentSession> make(MariadbSession& session, const std::string& directory);
  LentSession(LentSession&&) noexcept = default;
  LentSession& operator=(LentSession&&) = delete;
  LentSession(const LentSession&) = delete;
  LentSession& operator=(const LentSession&) = delete;
  ~LentSession();

  [[nodiscard]] std::string socket_path() const { return directory_ + "/lent"; }
  // Serves one client, and gives to `out` what can be read of `output`, until that ends or `patience` does. After an
  // error the session is of no use any more.
  Result<void> serve(int output, Sink& out, Patience& patience);

 private:
  LentSession(MariadbSession& session, std::string directory, env::Descriptor listener)
      : session_(&session), directory_(std::move(directory)), listener_(std::move(listener)) {}
  Result<void> tend_client(short events);
  Result<void> tend_server(short events);
  Result<void> take_client();
  Result<void> read_client();
  Result<void> take_login();
  void forward_packets(std::string_view octets);
  Result<void> read_server();
  static Result<void> send_some(int socket, std::string& waiting);
  [[nodiscard]] std::string greeting() const;

  MariadbSession* session_;
  std::string directory_;
  env::Descriptor listener_;
  env::Descriptor client_;
  bool started_ = false;       // the client's login has been answered
  bool client_ended_ = false;  // it sends nothing more
  std::string login_;          // what came of it
  std::string header_;         // of a packet of the client, with its first octet, until it is whole
  std::size_t left_ = 0;       // of a packet whose header has been passed on
  std::string to_server_;
  std::string to_client_;
};

}  // namespace spl::surface
