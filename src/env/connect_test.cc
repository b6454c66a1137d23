#include "env/connect.h"

#include <fcntl.h>
#include <gtest/gtest.h>
#include <net/if.h>
#include <netinet/in.h>
#include <sched.h>
#include <sys/ioctl.h>
#include <sys/mount.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cstring>
#include <fstream>
#include <string>
#include <vector>

namespace spl::env {
namespace {

using namespace std::chrono_literals;

TEST(ConnectTest, AServerWithoutRoomForOneMoreIsWaitedForAndIsSilent) {
  const std::string path = ::testing::TempDir() + "connect" + std::to_string(::getpid());
  sockaddr_un place{};
  place.sun_family = AF_UNIX;
  ASSERT_LT(path.size(), sizeof place.sun_path);
  std::memcpy(&place.sun_path[0], path.data(), path.size());
  const auto* where = reinterpret_cast<const sockaddr*>(&place);
  const Descriptor server(::socket(AF_UNIX, SOCK_STREAM, 0));
  ASSERT_EQ(::bind(server.number(), where, sizeof place), 0);
  ASSERT_EQ(::listen(server.number(), 0), 0);
  std::vector<Descriptor> waiting;
  do {
    waiting.emplace_back(::socket(AF_UNIX, SOCK_STREAM | SOCK_NONBLOCK, 0));
    ASSERT_LT(waiting.size(), 100u);
  } while (::connect(waiting.back().number(), where, sizeof place) == 0);
  ASSERT_EQ(errno, EAGAIN);
  const auto refused = ask_address("unix:" + path, "", 0, 200ms);
  ASSERT_FALSE(refused);
  EXPECT_EQ(refused.error().code, ErrorCode::kUnavailable);
  const Descriptor accepted(::accept(server.number(), nullptr, nullptr));
  EXPECT_TRUE(ask_address("unix:" + path, "", 0, 10s));
  ::unlink(path.c_str());
}

// In a machine of its own whose server of names never answers.
int ask_where_no_name_is_told(const std::string& configuration) {
  constexpr int kCannotMakeIt = 2;
  if (::unshare(CLONE_NEWNS | CLONE_NEWNET) != 0 || ::mount(nullptr, "/", nullptr, MS_REC | MS_PRIVATE, nullptr) != 0 ||
      ::mount(configuration.c_str(), "/etc/resolv.conf", nullptr, MS_BIND, nullptr) != 0)
    return kCannotMakeIt;
  const Descriptor silent(::socket(AF_INET, SOCK_DGRAM, 0));
  ifreq loopback{};
  std::memcpy(&loopback.ifr_name[0], "lo", 3);
  loopback.ifr_flags = IFF_UP;
  sockaddr_in place{};
  place.sin_family = AF_INET;
  place.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
  place.sin_port = htons(53);
  if (::ioctl(silent.number(), SIOCSIFFLAGS, &loopback) != 0 ||
      ::bind(silent.number(), reinterpret_cast<const sockaddr*>(&place), sizeof place) != 0)
    return kCannotMakeIt;
  const auto began = std::chrono::steady_clock::now();
  const auto answer = ask_address("tcp:nobody.example:1", "", 0, 300ms);
  const bool in_time = std::chrono::steady_clock::now() - began < 5s;
  return !answer && answer.error().code == ErrorCode::kUnavailable && in_time ? 0 : 1;
}

TEST(ConnectTest, TheLookUpOfANameHoldsToTheLimit) {
  if (::geteuid() != 0) GTEST_SKIP() << "wants root";
  const std::string configuration = ::testing::TempDir() + "resolv" + std::to_string(::getpid());
  std::ofstream(configuration) << "nameserver 127.0.0.1\noptions timeout:20 attempts:2\n";
  const pid_t child = ::fork();
  if (child == 0) ::_exit(ask_where_no_name_is_told(configuration));
  int status = 0;
  ::waitpid(child, &status, 0);
  ::unlink(configuration.c_str());
  if (WIFEXITED(status) && WEXITSTATUS(status) == 2) GTEST_SKIP() << "namespaces cannot be made here";
  EXPECT_EQ(status, 0);
}

}  // namespace
}  // namespace spl::env
