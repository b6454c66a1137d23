#include "surface/mariadb/mariadb_address.h"

#include <charconv>
#include <optional>

#include "base/encoding.h"
#include "base/secrets.h"
#include "env/users.h"

namespace spl::surface {
namespace {

constexpr unsigned kPort = 3306;
constexpr std::string_view kDebianSocket = "/run/mysqld/mysqld.sock";
constexpr std::string_view kNoAddressHint =
    "write it as in mariadb:///database?socket=/run/mysqld/mysqld.sock&user=name or mariadb://name@host:3306/database";

std::string quoted(std::string_view text, char quote) {
  std::string made(1, quote);
  for (const char c : text) {
    if (c == quote) made += quote;
    made += c;
  }
  return made + quote;
}

std::unexpected<Error> no_address(const std::string& why) {
  return fail(ErrorCode::kUsage, "the url of MariaDB " + why, std::string(kNoAddressHint));
}

std::optional<std::string> decoded(std::string_view text) {
  std::string plain;
  for (std::size_t i = 0; i < text.size(); ++i) {
    if (text[i] != '%') {
      plain += text[i];
      continue;
    }
    unsigned octet = 0;
    if (i + 2 >= text.size()) return std::nullopt;
    const auto [end, error] = std::from_chars(text.data() + i + 1, text.data() + i + 3, octet, 16);
    if (error != std::errc{} || end != text.data() + i + 3 || octet == 0) return std::nullopt;
    plain += static_cast<char>(octet);
    i += 2;
  }
  return plain;
}

struct Members {
  std::string user;
  std::string password;
  std::string host;
  std::string port;
  std::string database;
  std::string socket;
  ~Members() { explicit_bzero(password.data(), password.size()); }
};

// "user:password@host:port"
bool take_authority(std::string_view text, Members& members) {
  const std::size_t at = text.rfind('@');
  if (at != std::string_view::npos) {
    const std::string_view user = text.substr(0, at);
    const std::size_t colon = user.find(':');
    const auto name = decoded(user.substr(0, colon));
    auto password = decoded(colon == std::string_view::npos ? "" : user.substr(colon + 1));
    if (!name || !password) return false;
    members.user = *name;
    members.password = std::move(*password);
    text.remove_prefix(at + 1);
  }
  const std::size_t bracket = text.rfind(']');  // of an IPv6 address
  const std::size_t colon = text.find(':', bracket == std::string_view::npos ? 0 : bracket);
  if (colon != std::string_view::npos) members.port = text.substr(colon + 1);
  text = text.substr(0, colon);
  if (text.starts_with('[') && text.ends_with(']')) text = text.substr(1, text.size() - 2);
  const auto host = decoded(text);
  if (host) members.host = *host;
  return host.has_value();
}

// "socket=/path&user=name": false where one is none of those.
bool take_options(std::string_view text, Members& members) {
  while (!text.empty()) {
    const std::string_view pair = text.substr(0, text.find('&'));
    text.remove_prefix(std::min(text.size(), pair.size() + 1));
    const std::size_t equals = pair.find('=');
    if (equals == std::string_view::npos) return false;
    const std::string_view key = pair.substr(0, equals);
    auto value = decoded(pair.substr(equals + 1));
    if (!value) return false;
    if (key == "socket") {
      members.socket = *value;
    } else if (key == "host") {
      members.host = *value;
    } else if (key == "port") {
      members.port = *value;
    } else if (key == "user") {
      members.user = *value;
    } else if (key == "password") {
      members.password = std::move(*value);
    } else {
      return false;
    }
  }
  return true;
}

}  // namespace

std::string mariadb_name(std::string_view name) {
  return quoted(name, '`');
}

std::string mariadb_name(std::string_view database, std::string_view name) {
  return quoted(database, '`') + "." + quoted(name, '`');
}

std::string mariadb_text(std::string_view text) {
  std::string made = "'";
  for (const char c : text) {
    if (c == '\'' || c == '\\') made += '\\';
    if (c == '\0') {
      made += "\\0";
    } else {
      made += c;
    }
  }
  return made + "'";
}

std::string mariadb_is(std::string_view column, std::string_view name) {
  const std::string is = " = " + mariadb_text(name);
  // The first alone lets the server look for nothing else.
  return "(" + std::string(column) + is + " AND BINARY " + std::string(column) + is + ")";
}

std::string mariadb_grant_name(std::string_view database) {
  std::string pattern;
  for (const char c : database) {
    if (c == '_' || c == '%' || c == '\\') pattern += '\\';
    pattern += c;
  }
  return quoted(pattern, '`');
}

Result<MariadbAddress> MariadbAddress::parse(const SecretBytes& url) {
  std::string_view text = url.reveal();
  const std::size_t scheme = text.find("://");
  if (scheme == std::string_view::npos || (text.substr(0, scheme) != "mariadb" && text.substr(0, scheme) != "mysql"))
    return no_address("does not begin with mariadb://");
  text.remove_prefix(scheme + 3);
  const std::size_t question = text.find('?');
  const std::string_view options = question == std::string_view::npos ? "" : text.substr(question + 1);
  text = text.substr(0, question);
  const std::size_t slash = text.find('/');
  Members members;
  const auto database = decoded(slash == std::string_view::npos ? "" : text.substr(slash + 1));
  if (!database || !take_authority(text.substr(0, slash), members)) return no_address("cannot be read");
  members.database = *database;
  if (!take_options(options, members))
    return no_address("has an option that is none of socket, host, port, user and password");
  MariadbAddress address;
  address.port_ = kPort;
  if (!members.port.empty()) {
    const char* const end = members.port.data() + members.port.size();
    const auto [stop, error] = std::from_chars(members.port.data(), end, address.port_);
    if (error != std::errc{} || stop != end || address.port_ == 0 || address.port_ > 65535)
      return no_address("has a port that is none");
  }
  // What MariaDB's own programs do with this name.
  const bool by_socket = members.host.empty() || members.host == "localhost";
  if (!members.socket.empty() || (by_socket && members.port.empty())) {
    address.socket_ = members.socket.empty() ? std::string(kDebianSocket) : members.socket;
  } else {
    address.host_ = by_socket ? "127.0.0.1" : members.host;
  }
  address.database_ = members.database;
  address.user_ = members.user;
  if (address.user_.empty()) {
    const auto own = TRY(env::find_user(env::own_user_id()));
    if (!own) return no_address("names no user");
    address.user_ = own->name;
  }
  address.password_ = SecretBytes(members.password);
  return address;
}

MariadbAddress MariadbAddress::copy() const {
  MariadbAddress made;
  made.socket_ = socket_;
  made.host_ = host_;
  made.port_ = port_;
  made.user_ = user_;
  made.password_ = password_.copy();
  made.database_ = database_;
  return made;
}

std::string MariadbAddress::shown() const {
  return (database_.empty() ? std::string() : "database " + base::escaped(database_, 70) + " on ") +
         (is_local() ? base::escaped(socket_, 120) : base::escaped(host_, 120) + ", port " + std::to_string(port_)) +
         ", as " + base::escaped(user_, 70);
}

std::string MariadbAddress::without_password(std::string text) const {
  constexpr std::size_t kTooShortToTell = 4;
  const std::string_view secret = password_.reveal();
  if (secret.size() < kTooShortToTell) return text;
  for (std::size_t at = 0; (at = text.find(secret, at)) != std::string::npos; at += base::kNotShown.size())
    text.replace(at, secret.size(), base::kNotShown);
  return text;
}

}  // namespace spl::surface
