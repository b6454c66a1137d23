// The address of an instance: "https://host:port", or "http://" on loopback. Pure; any thread. Source: RFC 3986.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>

#include "base/result.h"

namespace spl::http {

inline constexpr std::size_t kUrlBytesMax = 512;

struct Url {
  bool is_tls = false;
  std::string host;  // a name or an address, lowercase; an IPv6 address without its brackets
  std::uint16_t port = 0;

  // "https://host[:port][/]"; without a port it is 443 or 80. A path, a query, a user and a
  // fragment are refused. Code kUsage.
  static Result<Url> parse(std::string_view text);
  // In one form: the port is left out where it is the scheme's.
  [[nodiscard]] std::string text() const;
  // "host:port", as the field "host" and env::connect_address have it.
  [[nodiscard]] std::string authority() const;
  // 127.0.0.0/8, ::1 or "localhost".
  [[nodiscard]] bool is_loopback() const;
};

}  // namespace spl::http
