// Keys stay in memory: what holds one is not written to the swap, as far as the limits of this process allow (ulimit
// -l). Sources: mlock(2), OPENSSL_secure_malloc(3).
#pragma once

#include <string_view>

namespace spl::crypto {

// OpenSSL keeps private keys in locked memory from now on. Once, before there is any other thread.
void use_locked_memory();
// The pages that these octets are on, as long as this process lives. Any thread.
void lock_in_memory(std::string_view octets);

}  // namespace spl::crypto
