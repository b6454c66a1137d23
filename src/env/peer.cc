#include "env/peer.h"

#include <arpa/inet.h>
#include <netinet/in.h>
#include <sys/socket.h>
#include <sys/stat.h>

#include <algorithm>
#include <array>
#include <cerrno>
#include <cstring>
#include <optional>
#include <string>

#include "base/words.h"
#include "env/acting_user.h"
#include "env/connect.h"
#include "env/proc_files.h"
#include "env/process_table.h"
#include "env/users.h"

namespace spl::env {
namespace {

constexpr std::string_view kListening = "0A";
constexpr std::size_t kAddressField = 1;
constexpr std::size_t kStateField = 3;
constexpr std::size_t kUserField = 7;
constexpr std::size_t kInodeField = 9;
// The same of /proc/net/unix. A path may have blanks.
constexpr std::size_t kUnixFlagsField = 3;
constexpr std::size_t kUnixInodeField = 6;
constexpr std::string_view kUnixListening = "00010000";
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

std::vector<std::string> fields_of(std::string_view line) {
  std::vector<std::string> fields = base::split(line, ' ');
  std::erase(fields, "");
  return fields;
}

// "socket:[123]", as the links of descriptors have it.
std::string link_of(const std::string& inode) {
  return "socket:[" + inode + "]";
}

struct Listeners {
  std::vector<std::string> links;
  bool is_own = false;  // one was made by this process's user
};

Result<Listeners> listeners_at(const std::vector<std::string>& addresses) {
  Listeners listeners;
  const std::string own = std::to_string(file_access_user());
  for (const char* table : {"/proc/net/tcp", "/proc/net/tcp6"}) {
    TRY(read_proc_lines(table, [&](std::string_view line) {
      const std::vector<std::string> fields = fields_of(line);
      if (fields.size() > kInodeField && fields[kStateField] == kListening &&
          std::ranges::find(addresses, fields[kAddressField]) != addresses.end()) {
        listeners.links.push_back(link_of(fields[kInodeField]));
        listeners.is_own = listeners.is_own || fields[kUserField] == own;
      }
      return true;
    }));
  }
  return listeners;
}

// The sockets that listen at a path: those that were bound to the very file, by whatever name.
Result<std::vector<std::string>> listeners_at(const struct stat& place) {
  std::vector<std::string> links;
  TRY(read_proc_lines("/proc/net/unix", [&](std::string_view line) {
    const std::size_t path = line.find(" /");
    if (path == std::string_view::npos) return true;
    const std::vector<std::string> fields = fields_of(line.substr(0, path));
    struct stat bound{};
    if (fields.size() > kUnixInodeField && fields[kUnixFlagsField] == kUnixListening &&
        ::stat(std::string(line.substr(path + 1)).c_str(), &bound) == 0 && bound.st_dev == place.st_dev &&
        bound.st_ino == place.st_ino)
      links.push_back(link_of(fields[kUnixInodeField]));
    return true;
  }));
  return links;
}

std::unexpected<Error> cannot_see(std::string_view address, int error) {
  return base::fail_errno("cannot see who serves " + std::string(address), error);
}

// What connects, where somebody answers.
Result<std::optional<Descriptor>> connect_if_served(std::string_view address, std::chrono::milliseconds at_most) {
  auto socket = connect_address(address, at_most);
  if (socket) return std::optional(std::move(*socket));
  if (socket.error().code == ErrorCode::kUnavailable) return std::optional<Descriptor>();
  return std::unexpected(std::move(socket).error());
}

Result<std::vector<int>> peers_of_path(std::string_view address, std::chrono::milliseconds at_most) {
  struct stat place{};
  if (::stat(std::string(address.substr(5)).c_str(), &place) != 0) {
    if (errno == ENOENT || errno == ENOTDIR) return std::vector<int>();
    return cannot_see(address, errno);
  }
  Openers openers = TRY(openers_of(TRY(listeners_at(place))));
  if (!openers.pids.empty()) return std::move(openers.pids);
  // It was bound by a name that means nothing here, or is held by what may not be looked at.
  const auto socket = TRY(connect_if_served(address, at_most));
  if (!socket) return std::vector<int>();
  ucred other{};
  socklen_t size = sizeof other;
  if (::getsockopt(socket->number(), SOL_SOCKET, SO_PEERCRED, &other, &size) != 0) return cannot_see(address, errno);
  // 0: it is of a namespace that is not seen from here.
  return other.pid > 0 ? std::vector<int>{other.pid} : std::vector<int>();
}

}  // namespace

Result<std::vector<int>> peers_of(std::string_view address, std::chrono::milliseconds at_most) {
  if (address.starts_with("unix:")) return peers_of_path(address, at_most);
  const auto socket = TRY(connect_if_served(address, at_most));
  if (!socket) return std::vector<int>();
  Ends ends;
  socklen_t size = sizeof ends.here;
  if (::getsockname(socket->number(), reinterpret_cast<sockaddr*>(&ends.here), &size) != 0)
    return cannot_see(address, errno);
  size = sizeof ends.there;
  if (::getpeername(socket->number(), reinterpret_cast<sockaddr*>(&ends.there), &size) != 0)
    return cannot_see(address, errno);
  const auto addresses = shown_addresses(ends);
  if (addresses.empty()) return std::vector<int>();
  const Listeners listeners = TRY(listeners_at(addresses));
  Openers openers = TRY(openers_of(listeners.links));
  // What another user's process listens at is not ours to run, unless this process is root's.
  const bool may_be_ours = listeners.is_own || own_user_id() == 0;
  if (openers.pids.empty() && !openers.is_whole && may_be_ours) return cannot_see(address, EACCES);
  return std::move(openers.pids);
}

}  // namespace spl::env
