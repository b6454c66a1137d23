#include "env/peer.h"

#include <arpa/inet.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

#include <cstring>
#include <string>

#include "env/descriptor.h"

namespace spl::env {
namespace {

using ::testing::Contains;
using ::testing::ElementsAre;
using ::testing::IsEmpty;
using namespace std::chrono_literals;

TEST(PeerTest, WhoListensAtASocketIsFound) {
  const std::string path = ::testing::TempDir() + "peer" + std::to_string(::getpid());
  sockaddr_un place{};
  place.sun_family = AF_UNIX;
  ASSERT_LT(path.size(), sizeof place.sun_path);
  std::memcpy(&place.sun_path[0], path.data(), path.size());
  const Descriptor socket(::socket(AF_UNIX, SOCK_STREAM, 0));
  ASSERT_EQ(::bind(socket.number(), reinterpret_cast<const sockaddr*>(&place), sizeof place), 0);
  EXPECT_THAT(peers_of("unix:" + path, 1s).value(), IsEmpty()) << "nobody listens yet";
  ASSERT_EQ(::listen(socket.number(), 1), 0);
  EXPECT_THAT(peers_of("unix:" + path, 1s).value(), ElementsAre(::getpid()));
  ::unlink(path.c_str());
  EXPECT_THAT(peers_of("unix:" + path, 1s).value(), IsEmpty());
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
