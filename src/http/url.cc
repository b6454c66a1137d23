#include "http/url.h"

#include <arpa/inet.h>

#include <algorithm>
#include <charconv>

#include "base/encoding.h"

namespace spl::http {
namespace {

constexpr std::uint16_t kHttpPort = 80;
constexpr std::uint16_t kHttpsPort = 443;
constexpr std::size_t kHostBytesMax = 253;

std::unexpected<Error> no_url(std::string_view text, std::string_view why) {
  return fail(ErrorCode::kUsage,
              "\"" + base::escaped(text, 120) + "\" is no address of an instance: " + std::string(why),
              "such as https://spl.example.org or http://127.0.0.1:9100");
}

bool is_address(int family, const std::string& host) {
  in6_addr address{};
  return ::inet_pton(family, host.c_str(), &address) == 1;
}

bool is_host_char(char c) {
  return (c >= 'a' && c <= 'z') || (c >= '0' && c <= '9') || c == '-' || c == '.' || c == '_';
}

std::string lowercase(std::string_view text) {
  std::string lower(text);
  std::ranges::transform(lower, lower.begin(), [](char c) { return c >= 'A' && c <= 'Z' ? char(c - 'A' + 'a') : c; });
  return lower;
}

}  // namespace

Result<Url> Url::parse(std::string_view text) {
  if (text.size() > kUrlBytesMax) return no_url(text.substr(0, 60), "it is too long");
  const std::size_t scheme_end = text.find("://");
  if (scheme_end == std::string_view::npos) return no_url(text, "it does not begin with https://");
  const std::string scheme = lowercase(text.substr(0, scheme_end));
  if (scheme != "http" && scheme != "https") return no_url(text, "it does not begin with https://");
  Url url;
  url.is_tls = scheme == "https";
  std::string_view rest = text.substr(scheme_end + 3);
  if (rest.ends_with('/')) rest.remove_suffix(1);
  if (rest.find_first_of("/?#@") != std::string_view::npos) return no_url(text, "scheme, host and port are all it has");
  std::size_t host_end = 0;
  if (rest.starts_with('[')) {
    host_end = rest.find(']');
    if (host_end == std::string_view::npos) return no_url(text, "its host is broken");
    url.host = lowercase(rest.substr(1, host_end - 1));
    if (!is_address(AF_INET6, url.host)) return no_url(text, "its host is broken");
    ++host_end;
  } else {
    host_end = std::min(rest.find(':'), rest.size());
    url.host = lowercase(rest.substr(0, host_end));
    if (url.host.empty() || url.host.size() > kHostBytesMax || !std::ranges::all_of(url.host, is_host_char))
      return no_url(text, "its host is broken");
  }
  rest.remove_prefix(host_end);
  url.port = url.is_tls ? kHttpsPort : kHttpPort;
  if (rest.empty()) return url;
  const char* end = rest.data() + rest.size();
  const auto parsed = std::from_chars(rest.data() + 1, end, url.port);
  if (rest.front() != ':' || parsed.ec != std::errc() || parsed.ptr != end || url.port == 0)
    return no_url(text, "its port is broken");
  return url;
}

std::string Url::authority() const {
  const bool is_v6 = host.find(':') != std::string::npos;
  return (is_v6 ? "[" + host + "]" : host) + ":" + std::to_string(port);
}

std::string Url::text() const {
  std::string where = authority();
  if (port == (is_tls ? kHttpsPort : kHttpPort)) where.resize(where.rfind(':'));
  return (is_tls ? "https://" : "http://") + where;
}

bool Url::is_loopback() const {
  return host == "localhost" || host == "::1" || (is_address(AF_INET, host) && host.starts_with("127."));
}

}  // namespace spl::http
