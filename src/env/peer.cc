#include "env/peer.h"

#include <arpa/inet.h>
#include <netinet/in.h>
#include <sys/socket.h>

#include <algorithm>
#include <array>
#include <cstring>
#include <string>

#include "base/words.h"
#include "env/connect.h"
#include "env/proc_files.h"

namespace spl::env {
namespace {

constexpr std::string_view kListening = "0A";
constexpr std::size_t kAddressField = 1;
constexpr std::size_t kStateField = 3;
constexpr std::size_t kInodeField = 9;
constexpr std::uint32_t kLoopbackNet = 127;
constexpr int kNetShift = 24;

std::string hex_of_number(std::uint32_t number, int digits) {
  std::string hex;
  for (int shift = (digits - 1) * 4; shift >= 0; shift -= 4) hex += "0123456789ABCDEF"[(number >> shift) & 0xf];
  return hex;
}

// As /proc/net/tcp has addresses: each 32 bits as the number that they are on this machine.
std::string hex_of(const void* address, std::size_t words) {
  std::string hex;
  for (std::size_t i = 0; i < words; ++i) {
    std::uint32_t word = 0;
    std::memcpy(&word, static_cast<const char*>(address) + (i * sizeof word), sizeof word);
    hex += hex_of_number(word, 8);
  }
  return hex;
}

std::string port_of(in_port_t port) {
  return ":" + hex_of_number(ntohs(port), 4);
}

struct Ends {
  sockaddr_storage here{};
  sockaddr_storage there{};
};

template <class Address>
Address as(const sockaddr_storage& storage) {
  Address address{};
  std::memcpy(&address, &storage, sizeof address);
  return address;
}

// What a listener that may have taken the connection shows as its address; none where it is on another machine.
std::vector<std::string> shown_addresses(const Ends& ends) {
  constexpr std::size_t kWords = 4;
  const std::string any(hex_of(&in6addr_any, kWords));
  if (ends.there.ss_family == AF_INET) {
    const auto there = as<sockaddr_in>(ends.there);
    const bool is_loopback = ntohl(there.sin_addr.s_addr) >> kNetShift == kLoopbackNet;
    if (!is_loopback && as<sockaddr_in>(ends.here).sin_addr.s_addr != there.sin_addr.s_addr) return {};
    const std::string port = port_of(there.sin_port);
    const std::string hex = hex_of(&there.sin_addr, 1);
    in6_addr mapped{};
    mapped.s6_addr[10] = mapped.s6_addr[11] = 0xff;
    std::memcpy(&mapped.s6_addr[12], &there.sin_addr, sizeof there.sin_addr);
    return {hex + port, "00000000" + port, any + port, hex_of(&mapped, kWords) + port};
  }
  if (ends.there.ss_family != AF_INET6) return {};
  const auto there = as<sockaddr_in6>(ends.there);
  const auto here = as<sockaddr_in6>(ends.here);
  if (std::memcmp(&here.sin6_addr, &there.sin6_addr, sizeof there.sin6_addr) != 0) return {};
  const std::string port = port_of(there.sin6_port);
  return {hex_of(&there.sin6_addr, kWords) + port, any + port};
}

// "socket:[123]", as the links of descriptors have it.
Result<std::vector<std::string>> listeners_at(const std::vector<std::string>& addresses) {
  std::vector<std::string> sockets;
  for (const char* table : {"/proc/net/tcp", "/proc/net/tcp6"}) {
    TRY(read_proc_lines(table, [&](std::string_view line) {
      std::vector<std::string> fields = base::split(line, ' ');
      std::erase(fields, "");
      if (fields.size() > kInodeField && fields[kStateField] == kListening &&
          std::ranges::find(addresses, fields[kAddressField]) != addresses.end())
        sockets.push_back("socket:[" + fields[kInodeField] + "]");
      return true;
    }));
  }
  return sockets;
}

Result<std::vector<int>> holders_of(const std::vector<std::string>& sockets) {
  std::vector<int> holders;
  if (sockets.empty()) return holders;
  for (const int pid : TRY(proc_numbers("/proc"))) {
    const std::string directory = "/proc/" + std::to_string(pid) + "/fd";
    for (const int number : TRY(proc_numbers(directory))) {
      const auto target = TRY(proc_link(directory + "/" + std::to_string(number)));
      if (!target || std::ranges::find(sockets, *target) == sockets.end()) continue;
      holders.push_back(pid);
      break;
    }
  }
  return holders;
}

}  // namespace

Result<std::vector<int>> peers_of(std::string_view address, std::chrono::milliseconds at_most) {
  std::vector<int> peers;
  const auto socket = connect_address(address, at_most);
  if (!socket) return peers;
  if (address.starts_with("unix:")) {
    ucred other{};
    socklen_t size = sizeof other;
    if (::getsockopt(socket->number(), SOL_SOCKET, SO_PEERCRED, &other, &size) != 0)
      return base::fail_errno("cannot see who serves " + std::string(address), errno);
    // 0: it is of a namespace that is not seen from here.
    if (other.pid > 0) peers.push_back(other.pid);
    return peers;
  }
  Ends ends;
  socklen_t size = sizeof ends.here;
  if (::getsockname(socket->number(), reinterpret_cast<sockaddr*>(&ends.here), &size) != 0) return peers;
  size = sizeof ends.there;
  if (::getpeername(socket->number(), reinterpret_cast<sockaddr*>(&ends.there), &size) != 0) return peers;
  const auto addresses = shown_addresses(ends);
  if (addresses.empty()) return peers;
  return holders_of(TRY(listeners_at(addresses)));
}

}  // namespace spl::env
