// A sanitizer makes mlock(2) nothing: this runs in the release build alone.
#include <gtest/gtest.h>
#include <sys/resource.h>

#include <fstream>
#include <string>

#include "crypto/ed25519.h"
#include "crypto/locked.h"

namespace spl::crypto {
namespace {

std::size_t locked_kib() {
  std::ifstream status("/proc/self/status");
  for (std::string name; status >> name;) {
    std::size_t kib = 0;
    if (name == "VmLck:" && status >> kib) return kib;
  }
  return 0;
}

TEST(LockedMemory, HoldsKeys) {
  rlimit limit{};
  ASSERT_EQ(::getrlimit(RLIMIT_MEMLOCK, &limit), 0);
  if (limit.rlim_cur != RLIM_INFINITY && limit.rlim_cur < (512u << 10)) GTEST_SKIP() << "nothing may be locked here";
  use_locked_memory();
  EXPECT_GE(locked_kib(), 256u);
  const auto key = SigningKey::from_seed(std::string(kSeedBytes, 's'));
  ASSERT_TRUE(key);
  const std::size_t before = locked_kib();
  lock_in_memory(key->seed().reveal());
  EXPECT_GT(locked_kib(), before);
  EXPECT_TRUE(verify(key->public_key(), "text", key->sign("text")));
}

}  // namespace
}  // namespace spl::crypto
