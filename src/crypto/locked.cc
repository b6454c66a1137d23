#include "crypto/locked.h"

#include <openssl/crypto.h>
#include <sys/mman.h>

namespace spl::crypto {
namespace {

constexpr std::size_t kLockedBytes = 256u << 10;  // some thousand keys
constexpr std::size_t kLeastBytes = 32;

}  // namespace

void use_locked_memory() {
  // Where nothing may be locked this memory is as good as any other.
  (void)CRYPTO_secure_malloc_init(kLockedBytes, kLeastBytes);
}

void lock_in_memory(std::string_view octets) {
  (void)::mlock(octets.data(), octets.size());
}

}  // namespace spl::crypto
