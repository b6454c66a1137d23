#include "door/password.h"

#include <argon2.h>

#include <algorithm>
#include <array>
#include <atomic>
#include <semaphore>

#include "base/guarded.h"
#include "base/utf8.h"

namespace spl::door {
namespace {

constexpr std::uint32_t kMemoryKib = 64u << 10;
constexpr std::uint32_t kPasses = 3;
constexpr std::uint32_t kLanes = 4;
constexpr std::size_t kSaltBytes = 16;
constexpr std::size_t kHashBytes = 32;
constexpr std::size_t kEncodedBytesMax = 256;
constexpr int kWaitingMax = 16;

std::counting_semaphore<2> turns(2);
std::atomic<int> waiting = 0;

// A turn to work, among all that would.
class Turn {
 public:
  static Result<void> await() {
    if (waiting.fetch_add(1) >= kWaitingMax) {
      waiting.fetch_sub(1);
      return fail(ErrorCode::kUnavailable, Cause::kBusy, "too many passwords are being looked at", "try again later");
    }
    turns.acquire();
    return {};
  }
  Turn() = default;
  Turn(const Turn&) = delete;
  Turn& operator=(const Turn&) = delete;
  ~Turn() {
    turns.release();
    waiting.fetch_sub(1);
  }
};

bool is_typed_text(std::string_view text) {
  for (std::uint32_t code_point = 0; !text.empty();) {
    const std::size_t octets = base::decode_utf8(text, code_point);
    if (octets == 0 || code_point < 0x20 || (code_point >= 0x7f && code_point < 0xa0)) return false;
    text.remove_prefix(octets);
  }
  return true;
}

}  // namespace

Result<void> check_password(const SecretBytes& password) {
  if (password.size() < kPasswordBytesMin)
    return fail(ErrorCode::kUsage, "the password is shorter than 12 characters", "several words make a good one");
  if (password.size() > kPasswordBytesMax) return fail(ErrorCode::kUsage, "the password is longer than 1024 octets");
  if (!is_typed_text(password.reveal()))
    return fail(ErrorCode::kUsage, "the password has what nobody can type again: it is text without controls");
  return {};
}

Result<std::string> hash_of(const SecretBytes& password, env::Random& random) {
  TRY(check_password(password));
  TRY(Turn::await());
  const Turn turn;
  std::array<char, kSaltBytes> salt{};
  random.fill(salt);
  std::array<char, kEncodedBytesMax> encoded{};
  const int outcome = ::argon2id_hash_encoded(kPasses, kMemoryKib, kLanes, password.reveal().data(), password.size(),
                                              salt.data(), salt.size(), kHashBytes, encoded.data(), encoded.size());
  if (outcome == ARGON2_MEMORY_ALLOCATION_ERROR) return std::unexpected(base::out_of_memory());
  if (outcome != ARGON2_OK)
    return fail(std::string("the password cannot be hashed: ") + ::argon2_error_message(outcome));
  return std::string(encoded.data());
}

Result<bool> is_password(const SecretBytes& password, const std::string& hash) {
  if (password.size() > kPasswordBytesMax) return false;
  TRY(Turn::await());
  const Turn turn;
  const int outcome = ::argon2id_verify(hash.c_str(), password.reveal().data(), password.size());
  if (outcome == ARGON2_MEMORY_ALLOCATION_ERROR) return std::unexpected(base::out_of_memory());
  return outcome == ARGON2_OK;
}

}  // namespace spl::door
