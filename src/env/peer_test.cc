#include "env/peer.h"

#include <arpa/inet.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <sys/wait.h>
#include <unistd.h>

#include <csignal>
#include <cstring>
#include <string>

#include "env/descriptor.h"

namespace spl::env {
namespace {

using ::testing::Contains;
using ::testing::ElementsAre;
using ::testing::IsEmpty;
using namespace std::chrono_literals;

Descriptor bound_to(const std::string& path) {
  sockaddr_un place{};
  place.sun_family = AF_UNIX;
  EXPECT_LT(path.size(), sizeof place.sun_path);
  std::memcpy(&place.sun_path[0], path.data(), path.size());
  Descriptor socket(::socket(AF_UNIX, SOCK_STREAM, 0));
  EXPECT_EQ(::bind(socket.number(), reinterpret_cast<const sockaddr*>(&place), sizeof place), 0);
  return socket;
}

TEST(PeerTest, WhoListensAtASocketIsFound) {
  const std::string path = ::testing::TempDir() + "peer" + std::to_string(::getpid());
  const Descriptor socket = bound_to(path);
  EXPECT_THAT(peers_of("unix:" + path, 1s).value(), IsEmpty()) << "nobody listens yet";
  ASSERT_EQ(::listen(socket.number(), 1), 0);
  EXPECT_THAT(peers_of("unix:" + path, 1s).value(), ElementsAre(::getpid()));
  ::unlink(path.c_str());
  EXPECT_THAT(peers_of("unix:" + path, 1s).value(), IsEmpty());
}

TEST(PeerTest, WhoHasTakenTheSocketOverIsFoundByAnyNameOfIt) {
  const std::string path = ::testing::TempDir() + "peer" + std::to_string(::getpid());
  const std::string link = path + "link";
  Descriptor socket = bound_to(path);
  ASSERT_EQ(::listen(socket.number(), 1), 0);
  const pid_t heir = ::fork();
  if (heir == 0) {
    for (;;) ::pause();
  }
  socket.close();
  ASSERT_EQ(::symlink(path.c_str(), link.c_str()), 0);
  EXPECT_THAT(peers_of("unix:" + path, 1s).value(), ElementsAre(heir)) << "this process began to listen, and has left";
  EXPECT_THAT(peers_of("unix:" + link, 1s).value(), ElementsAre(heir));
  ::kill(heir, SIGKILL);
  ::waitpid(heir, nullptr, 0);
  EXPECT_THAT(peers_of("unix:" + path, 1s).value(), IsEmpty());
  for (const std::string& one : {path, link}) ::unlink(one.c_str());
}

TEST(PeerTest, WhoListensAtAPortIsFound) {
  for (const std::uint32_t bound : {INADDR_LOOPBACK, INADDR_ANY}) {
    sockaddr_in place{};
    place.sin_family = AF_INET;
    place.sin_addr.s_addr = htonl(bound);
    const Descriptor socket(::socket(AF_INET, SOCK_STREAM, 0));
    ASSERT_EQ(::bind(socket.number(), reinterpret_cast<const sockaddr*>(&place), sizeof place), 0);
    ASSERT_EQ(::listen(socket.number(), 1), 0);
    socklen_t size = sizeof place;
    ASSERT_EQ(::getsockname(socket.number(), reinterpret_cast<sockaddr*>(&place), &size), 0);
    const std::string port = std::to_string(ntohs(place.sin_port));
    EXPECT_THAT(peers_of("tcp:127.0.0.1:" + port, 1s).value(), Contains(::getpid()));
    EXPECT_THAT(peers_of("tcp:localhost:" + port, 1s).value(), Contains(::getpid()));
  }
}

TEST(PeerTest, APortThatNobodyServesIsNobodys) {
  EXPECT_THAT(peers_of("tcp:127.0.0.1:1", 1s).value(), IsEmpty());
  EXPECT_THAT(peers_of("no address", 1s).value(), IsEmpty());
}

}  // namespace
}  // namespace spl::env
