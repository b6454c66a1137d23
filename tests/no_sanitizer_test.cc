// What a process does that is short of memory or of descriptors, of which a sanitizer needs some for itself: these run
// in the release build alone.
#include <gtest/gtest.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <sys/wait.h>
#include <unistd.h>

#include <chrono>
#include <cstdlib>
#include <cstring>
#include <fstream>

#include "base/ordered_pool.h"
#include "env/descriptor.h"
#include "env/peer.h"
#include "testing/temp_directory.h"

namespace spl {
namespace {

// Leaves room for the stacks of a few threads, which is how any user's process, root's too, can be short of them.
void leave_room_for_few_threads() {
  std::ifstream statm("/proc/self/statm");
  rlim_t pages = 0;
  statm >> pages;
  constexpr rlim_t kRoom = rlim_t{40} << 20;
  const rlimit limit{pages * static_cast<rlim_t>(::sysconf(_SC_PAGESIZE)) + kRoom, RLIM_INFINITY};
  ::setrlimit(RLIMIT_AS, &limit);
}

TEST(OrderedPoolDeathTest, WorksWithTheThreadsThatThereAre) {
  const auto work_in_little_room = [] {
    leave_room_for_few_threads();
    int sum = 0;
    {
      base::OrderedPool<int, int> pool(1000, 4, [](int&& job) { return job; });
      for (int i = 1; i <= 4; ++i) pool.push(i);
      while (!pool.empty()) sum += pool.pop();
    }
    std::_Exit(sum);
  };
  EXPECT_EXIT(work_in_little_room(), ::testing::ExitedWithCode(10), "");
}

TEST(PeerDeathTest, WithoutAFreeDescriptorItIsAnErrorAndNotNobody) {
  const testing::TempDirectory directory;
  const std::string path = directory.path() + "/s";
  sockaddr_un place{};
  place.sun_family = AF_UNIX;
  std::memcpy(static_cast<void*>(place.sun_path), path.data(), path.size());
  const env::Descriptor socket(::socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0));
  ASSERT_EQ(::bind(socket.number(), reinterpret_cast<const sockaddr*>(&place), sizeof place), 0);
  ASSERT_EQ(::listen(socket.number(), 1), 0);
  const auto look_without_descriptors = [&path] {
    const rlimit none{0, 0};
    if (::setrlimit(RLIMIT_NOFILE, &none) != 0) ::_exit(1);
    constexpr std::chrono::seconds kAtMost{1};
    ::_exit(env::peers_of("unix:" + path, kAtMost) || env::peers_of("tcp:127.0.0.1:1", kAtMost) ? 1 : 0);
  };
  EXPECT_EXIT(look_without_descriptors(), ::testing::ExitedWithCode(0), "");
}

}  // namespace
}  // namespace spl
