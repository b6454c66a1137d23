// Where a PostgreSQL server is and as whom: a connection string taken apart, with every value that its library would
// otherwise take from this process's environment. A password is held apart from the rest, and never in a text. One
// thread. Source: https://www.postgresql.org/docs/15/libpq-connect.html
#pragma once

#include <map>
#include <string>
#include <string_view>

#include "base/bytes.h"
#include "base/result.h"

namespace spl::surface {

// "text" as SQL has names and texts: quoted, quotes in it doubled.
std::string sql_name(std::string_view name);
std::string sql_text(std::string_view text);

class ServerAddress {
 public:
  // Code kUsage of what is no address; the message does not repeat it, as it may hold a password.
  static Result<ServerAddress> parse(const SecretBytes& url);
  [[nodiscard]] ServerAddress copy() const;

  [[nodiscard]] const std::string& host() const { return value("host"); }
  [[nodiscard]] const std::string& port() const { return value("port"); }
  [[nodiscard]] const std::string& user() const { return value("user"); }
  [[nodiscard]] const std::string& database() const { return value("dbname"); }
  [[nodiscard]] const SecretBytes& password() const { return password_; }
  // By a Unix socket.
  [[nodiscard]] bool is_local() const;

  void set(const std::string& keyword, std::string value) { values_[keyword] = std::move(value); }
  void set_user(std::string user, SecretBytes password);

  [[nodiscard]] const std::map<std::string, std::string>& values() const { return values_; }
  // As it is written in a declaration, with the password: for a client that is not ours. A user that parse() was not
  // given is not in it.
  [[nodiscard]] SecretBytes url() const;
  // A connection string without the password: for an argument of another program.
  [[nodiscard]] std::string argument() const;
  // For messages: "database crm on /run/pg, port 5432, as the role notes".
  [[nodiscard]] std::string shown() const;
  // The text without the password, should it stand there.
  [[nodiscard]] std::string without_password(std::string text) const;

 private:
  [[nodiscard]] const std::string& value(const std::string& keyword) const;

  std::map<std::string, std::string> values_;  // every one but the password
  SecretBytes password_;
  bool names_user_ = false;
};

}  // namespace spl::surface
