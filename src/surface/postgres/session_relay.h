// Lends a session of ours to pg_dump, which believes that it speaks with a server. So pg_dump reads in the very
// transaction that took the snapshot and holds the locks. With a session of its own it would have to ask for the same
// locks again, and would stand behind any TRUNCATE or DROP that waits for ours: each would wait for the other, and no
// server could see it. It also needs no password, and nothing of how the server lets anybody in.
//
// One thread. Source: https://www.postgresql.org/docs/15/protocol.html
#pragma once

#include <string>

#include "base/result.h"
#include "base/stream.h"
#include "env/descriptor.h"
#include "surface/patience.h"
#include "surface/postgres/connection.h"

namespace spl::surface {

class SessionRelay {
 public:
  // Listens on a socket in `directory`, which nobody else can reach. `session` has plain_socket(), is within a
  // transaction and outlives this.
  static Result<SessionRelay> make(ServerConnection& session, const std::string& directory);
  SessionRelay(SessionRelay&&) noexcept = default;
  SessionRelay& operator=(SessionRelay&&) = delete;
  SessionRelay(const SessionRelay&) = delete;
  SessionRelay& operator=(const SessionRelay&) = delete;
  ~SessionRelay();

  // A connection string for pg_dump.
  [[nodiscard]] std::string argument(const ServerAddress& address) const;
  // Serves one client, and gives to `out` what can be read of `output`, until that ends or `patience` does. After an
  // error the session is of no use any more.
  Result<void> serve(int output, Sink& out, Patience& patience);

 private:
  SessionRelay(ServerConnection& session, std::string directory, env::Descriptor listener)
      : session_(&session), directory_(std::move(directory)), listener_(std::move(listener)) {}
  Result<void> tend_client(short events);
  Result<void> tend_server(short events);
  Result<void> take_client();
  Result<void> read_client();
  Result<void> take_startup();
  void forward_messages(std::string_view octets);
  Result<void> read_server();
  static Result<void> send_some(int socket, std::string& waiting);
  [[nodiscard]] std::string greeting() const;
  [[nodiscard]] std::string socket_path() const;

  ServerConnection* session_;
  std::string directory_;
  env::Descriptor listener_;
  env::Descriptor client_;
  bool started_ = false;       // the client's first message has been answered
  bool client_ended_ = false;  // it sends nothing more
  std::string startup_;        // what came of it
  std::string header_;         // of a message of the client, until it is whole
  std::size_t left_ = 0;       // of a message whose header has been passed on
  std::string to_server_;
  std::string to_client_;
};

}  // namespace spl::surface
