// Where a MariaDB server is and as whom: a url taken apart. Whatever the url does not say is a default here, and never
// taken from this process's environment or from an option file. The password is held apart, and never in a text. One
// thread.
#pragma once

#include <string>
#include <string_view>

#include "base/bytes.h"
#include "base/result.h"

namespace spl::surface {

// As MariaDB has names and texts, whatever sql_mode is but NO_BACKSLASH_ESCAPES (mariadb_session.h sets it).
std::string mariadb_name(std::string_view name);
std::string mariadb_text(std::string_view text);
// "`database`.`table`"
std::string mariadb_name(std::string_view database, std::string_view name);
// A condition: that a column of information_schema has this very name. There 'geo', 'GEO' and 'géo' are equal, and what
// is another's must not be taken for one's own.
std::string mariadb_is(std::string_view column, std::string_view name);
// A database's name where GRANT takes a pattern.
std::string mariadb_grant_name(std::string_view database);

class MariadbAddress {
 public:
  // "mariadb://user:password@host:port/database", "mariadb:///database?socket=/run/mysqld/mysqld.sock&user=notes";
  // mysql:// too. Code kUsage of what is no address; the message does not repeat it, as it may hold a password.
  static Result<MariadbAddress> parse(const SecretBytes& url);
  [[nodiscard]] MariadbAddress copy() const;

  [[nodiscard]] const std::string& socket() const { return socket_; }  // "" where it is by the network
  [[nodiscard]] const std::string& host() const { return host_; }
  [[nodiscard]] unsigned port() const { return port_; }
  [[nodiscard]] const std::string& user() const { return user_; }
  [[nodiscard]] const SecretBytes& password() const { return password_; }
  [[nodiscard]] const std::string& database() const { return database_; }
  [[nodiscard]] bool is_local() const { return !socket_.empty(); }
  [[nodiscard]] bool is_same_server(const MariadbAddress& other) const {
    return socket_ == other.socket_ && host_ == other.host_ && port_ == other.port_;
  }

  void set_database(std::string database) { database_ = std::move(database); }
  void set_user(std::string user, SecretBytes password) {
    user_ = std::move(user);
    password_ = std::move(password);
  }

  // For messages: "database crm on /run/mysqld/mysqld.sock, as notes".
  [[nodiscard]] std::string shown() const;
  // The text without the password, should it stand there.
  [[nodiscard]] std::string without_password(std::string text) const;

 private:
  std::string socket_;
  std::string host_;
  unsigned port_ = 0;
  std::string user_;
  SecretBytes password_;
  std::string database_;
};

}  // namespace spl::surface
