// [router] of config.toml: where the owner's door is, and how services are reached through it. Any thread.
#pragma once

#include <array>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "base/result.h"

namespace spl::home {

// Where the pages of a service are: each has an origin of its own, but for kPath.
enum class ServiceOrigins : std::uint8_t { kPort, kName, kPath };
constexpr auto names_of(ServiceOrigins /*type*/) {
  using enum ServiceOrigins;
  return std::array{std::pair{kPort, std::string_view("port")}, std::pair{kName, std::string_view("name")},
                    std::pair{kPath, std::string_view("path")}};
}

enum class CertificateKind : std::uint8_t { kOwn, kAcme, kFiles };
constexpr auto names_of(CertificateKind /*type*/) {
  using enum CertificateKind;
  return std::array{std::pair{kOwn, std::string_view("own")}, std::pair{kAcme, std::string_view("acme")},
                    std::pair{kFiles, std::string_view("files")}};
}

struct PortRange {
  std::uint16_t first = 8450;
  std::uint16_t last = 8499;
  bool operator==(const PortRange&) const = default;
};

struct RouterConfig {
  std::vector<std::string> names;      // the panel's first; none: what the machine is called (router/names.h)
  std::optional<std::uint16_t> https;  // none: 443, and 8443 without root
  std::optional<std::uint16_t> http;   // none: 80, and 8080 without root; 0: there is none
  ServiceOrigins services = ServiceOrigins::kPort;
  PortRange ports;
  CertificateKind certificate = CertificateKind::kOwn;
  std::string certificate_file;  // PEM, of kFiles
  std::string key_file;
  std::string acme_url;                      // of the authority's directory; "" is dehydrated's default
  std::string acme_ca_file;                  // whom the authority's own certificate is from; "" are the machine's
  std::vector<std::string> trusted_proxies;  // addresses, or networks, whose X-Forwarded-For counts
  bool operator==(const RouterConfig&) const = default;
};

// Whether it can be a host's name or address in a certificate and in a URL.
bool is_host_name(std::string_view name);

}  // namespace spl::home
