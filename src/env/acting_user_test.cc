#include "env/acting_user.h"

#include <gtest/gtest.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <unistd.h>

#include <cstdlib>
#include <optional>
#include <string>

namespace spl::env {
namespace {

constexpr uid_t kNobody = 65534;

// A socket that listens in a directory which root alone can pass.
class Listening {
 public:
  Listening() {
    EXPECT_NE(::mkdtemp(directory_.data()), nullptr);
    EXPECT_EQ(::chmod(directory_.c_str(), 0700), 0);
    address_.sun_family = AF_UNIX;
    const std::string path = directory_ + "/s";
    path.copy(address_.sun_path, sizeof address_.sun_path - 1);
    EXPECT_EQ(::bind(listener_, address(), sizeof address_), 0);
    EXPECT_EQ(::chmod(path.c_str(), 0777), 0);
    EXPECT_EQ(::listen(listener_, 1), 0);
  }
  Listening(const Listening&) = delete;
  Listening& operator=(const Listening&) = delete;
  ~Listening() {
    ::close(listener_);
    ::unlink(address_.sun_path);
    ::rmdir(directory_.c_str());
  }

  // Who connects now, as the kernel tells a server; nothing where the socket is not reached.
  std::optional<uid_t> who_connects() {
    const int client = ::socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);
    std::optional<uid_t> who;
    if (::connect(client, address(), sizeof address_) == 0) {
      const int server = ::accept(listener_, nullptr, nullptr);
      ucred peer{};
      socklen_t size = sizeof peer;
      if (::getsockopt(server, SOL_SOCKET, SO_PEERCRED, &peer, &size) == 0) who = peer.uid;
      ::close(server);
    }
    ::close(client);
    return who;
  }

 private:
  [[nodiscard]] const sockaddr* address() const { return reinterpret_cast<const sockaddr*>(&address_); }

  std::string directory_ = "/tmp/spl-acting-XXXXXX";
  int listener_ = ::socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);
  sockaddr_un address_{};
};

TEST(ActingUser, RootIsAnotherUserToAServerWhoseSocketThatUserCannotReach) {
  if (::geteuid() != 0) GTEST_SKIP() << "wants root";
  Listening listening;
  {
    const auto as_user = AsUser::take(kNobody);
    ASSERT_TRUE(as_user);
    EXPECT_EQ(::geteuid(), kNobody);
    EXPECT_EQ(listening.who_connects(), kNobody);
  }
  EXPECT_EQ(::geteuid(), 0U);
  EXPECT_EQ(file_access_user(), 0U);
  EXPECT_EQ(listening.who_connects(), 0U);
}

// Root that acts for a home's owner does not get its own access to files back on the way.
TEST(ActingUser, WhoseFileAccessIsAnothersDoesNotGetRootsByBeingAUser) {
  if (::geteuid() != 0) GTEST_SKIP() << "wants root";
  constexpr UserIds kOwner{1, 1};
  Listening listening;
  const AsFileUser as_owner(kOwner);
  {
    const auto as_user = AsUser::take(kNobody);
    ASSERT_TRUE(as_user);
    EXPECT_NE(file_access_user(), 0U);
    EXPECT_EQ(listening.who_connects(), std::nullopt);
  }
  EXPECT_EQ(file_access_user(), kOwner.uid);
}

}  // namespace
}  // namespace spl::env
