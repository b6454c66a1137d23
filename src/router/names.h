// What a machine is called, for the names of its router. Any thread. Sources: gethostname(2), getifaddrs(3).
#pragma once

#include <string>
#include <vector>

namespace spl::router {

// Its host name, that with ".local", "localhost", then its addresses: those that others reach first. Each once.
std::vector<std::string> names_of_machine();

bool is_address(const std::string& name);
// Loopback, the link's own, or of a network that nobody else can claim: those that the machine's own authority may
// always vouch for.
bool is_private_address(const std::string& name);
// An address in the one form that certificates are read back in; a name as it is.
std::string canonical_name(const std::string& name);
// As it stands in a URL: an address of IPv6 in brackets.
std::string in_url(const std::string& name);
// Whether sockets of IPv6 can be had.
bool has_ipv6();

}  // namespace spl::router
