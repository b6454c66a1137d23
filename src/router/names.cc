#include "router/names.h"

#include <arpa/inet.h>
#include <ifaddrs.h>
#include <net/if.h>
#include <sys/socket.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <climits>
#include <memory>

#include "env/descriptor.h"
#include "home/router_config.h"

namespace spl::router {
namespace {

struct FreeInterfaces {
  void operator()(ifaddrs* list) const { ::freeifaddrs(list); }
};

std::string text_of(const sockaddr* address) {
  std::array<char, INET6_ADDRSTRLEN> text{};
  if (address->sa_family == AF_INET) {
    const auto& at = reinterpret_cast<const sockaddr_in*>(address)->sin_addr;
    return ::inet_ntop(AF_INET, &at, text.data(), text.size()) == nullptr ? "" : text.data();
  }
  if (address->sa_family != AF_INET6) return "";
  const auto& at = reinterpret_cast<const sockaddr_in6*>(address)->sin6_addr;
  // What is the link's own is no address without the link's name.
  if (IN6_IS_ADDR_LINKLOCAL(&at)) return "";
  return ::inet_ntop(AF_INET6, &at, text.data(), text.size()) == nullptr ? "" : text.data();
}

void add(std::vector<std::string>& names, std::string name) {
  if (home::is_host_name(name) && std::ranges::find(names, name) == names.end()) names.push_back(std::move(name));
}

}  // namespace

std::vector<std::string> names_of_machine() {
  std::vector<std::string> names;
  std::array<char, HOST_NAME_MAX + 1> host{};
  if (::gethostname(host.data(), host.size() - 1) == 0) {
    std::string name = host.data();
    std::ranges::transform(name, name.begin(), [](char c) { return c >= 'A' && c <= 'Z' ? char(c - 'A' + 'a') : c; });
    add(names, name);
    add(names, name.substr(0, name.find('.')) + ".local");
  }
  add(names, "localhost");
  ifaddrs* list = nullptr;
  if (::getifaddrs(&list) != 0) return names;
  const std::unique_ptr<ifaddrs, FreeInterfaces> owned(list);
  for (const bool loopback : {false, true}) {
    for (const ifaddrs* at = list; at != nullptr; at = at->ifa_next) {
      if (at->ifa_addr != nullptr && ((at->ifa_flags & IFF_LOOPBACK) != 0) == loopback)
        add(names, text_of(at->ifa_addr));
    }
  }
  return names;
}

bool is_address(const std::string& name) {
  in6_addr address{};
  return ::inet_pton(AF_INET, name.c_str(), &address) == 1 || ::inet_pton(AF_INET6, name.c_str(), &address) == 1;
}

bool is_private_address(const std::string& name) {
  in_addr v4{};
  if (::inet_pton(AF_INET, name.c_str(), &v4) == 1) {
    const std::uint32_t address = ntohl(v4.s_addr);
    return address >> 24 == 127 || address >> 24 == 10 || address >> 20 == 0xac1 || address >> 16 == 0xc0a8 ||
           address >> 16 == 0xa9fe;
  }
  in6_addr v6{};
  return ::inet_pton(AF_INET6, name.c_str(), &v6) == 1 &&
         (IN6_IS_ADDR_LOOPBACK(&v6) || IN6_IS_ADDR_LINKLOCAL(&v6) || (v6.s6_addr[0] & 0xfe) == 0xfc);
}

std::string canonical_name(const std::string& name) {
  in6_addr address{};
  std::array<char, INET6_ADDRSTRLEN> text{};
  if (::inet_pton(AF_INET6, name.c_str(), &address) != 1) return name;
  return ::inet_ntop(AF_INET6, &address, text.data(), text.size()) == nullptr ? name : text.data();
}

std::string in_url(const std::string& name) {
  return name.find(':') == std::string::npos ? name : "[" + name + "]";
}

bool has_ipv6() {
  return env::Descriptor(::socket(AF_INET6, SOCK_STREAM | SOCK_CLOEXEC, 0)).is_open();
}

}  // namespace spl::router
