#include "http/listener.h"

#include <gtest/gtest.h>
#include <sys/stat.h>
#include <unistd.h>

#include <filesystem>
#include <fstream>

#include "testing/temp_directory.h"

namespace spl::http {
namespace {

namespace fs = std::filesystem;

class ListenerTest : public ::testing::Test {
 protected:
  ListenerTest() { ::chmod(home_.path().c_str(), 0700); }
  [[nodiscard]] std::string path() const { return home_.path() + "/spl.sock"; }
  testing::TempDirectory home_;
};

TEST_F(ListenerTest, NobodyListensWhereThereIsNoSocketAndNoDirectory) {
  EXPECT_FALSE(connect_unix(path()).value());
  EXPECT_FALSE(connect_unix(home_.path() + "/none/spl.sock").value());
}

TEST_F(ListenerTest, ListensAndTakesItsNameAwayWhenItGoes) {
  {
    const auto listener = UnixListener::bind(path());
    ASSERT_TRUE(listener) << listener.error().message;
    EXPECT_TRUE(connect_unix(path()).value());
    struct stat info{};
    ASSERT_EQ(::lstat(path().c_str(), &info), 0);
    EXPECT_EQ(info.st_mode & 0777, 0600u);
  }
  EXPECT_FALSE(fs::exists(path()));
}

TEST_F(ListenerTest, HomesMayBeDeep) {
  std::string deep = home_.path();
  while (deep.size() < 200) deep += "/a-long-name-of-a-directory";
  fs::create_directories(deep);
  ::chmod(deep.c_str(), 0700);
  const auto listener = UnixListener::bind(deep + "/spl.sock");
  ASSERT_TRUE(listener) << listener.error().message;
  EXPECT_TRUE(connect_unix(deep + "/spl.sock").value());
}

TEST_F(ListenerTest, ReplacesASocketThatNobodyAnswersAt) {
  const std::string kept = home_.path() + "/kept.sock";
  {
    const auto dead = UnixListener::bind(path());
    ASSERT_TRUE(dead);
    fs::create_hard_link(path(), kept);
  }
  fs::rename(kept, path());
  EXPECT_FALSE(connect_unix(path()).value());
  const auto listener = UnixListener::bind(path());
  ASSERT_TRUE(listener) << listener.error().message;
  EXPECT_TRUE(connect_unix(path()).value());
}

TEST_F(ListenerTest, LeavesASocketThatAnswers) {
  const auto first = UnixListener::bind(path());
  ASSERT_TRUE(first);
  const auto second = UnixListener::bind(path());
  ASSERT_FALSE(second);
  EXPECT_EQ(second.error().code, ErrorCode::kUnavailable);
  EXPECT_TRUE(connect_unix(path()).value());
}

TEST_F(ListenerTest, LeavesAFileThatIsNoSocketAndAnothersSocket) {
  std::ofstream(path()) << "precious";
  EXPECT_FALSE(UnixListener::bind(path()));
  EXPECT_TRUE(fs::exists(path()));
  fs::remove(path());
  auto first = UnixListener::bind(path());
  ASSERT_TRUE(first);
  fs::remove(path());
  std::ofstream(path()) << "another's";
  {
    const UnixListener gone = std::move(*first);
  }
  EXPECT_TRUE(fs::exists(path()));
}

TEST_F(ListenerTest, RefusesADirectoryThatOthersMayWrite) {
  ::chmod(home_.path().c_str(), 0711);
  EXPECT_TRUE(UnixListener::bind(path())) << "they may pass through";
  for (const int mode : {0720, 0702, 0777}) {
    ::chmod(home_.path().c_str(), static_cast<mode_t>(mode));
    const auto listener = UnixListener::bind(path());
    ASSERT_FALSE(listener);
    EXPECT_EQ(listener.error().code, ErrorCode::kRefused);
    EXPECT_FALSE(listener.error().hint.empty());
  }
}

TEST_F(ListenerTest, BelievesNoSocketThatOthersCanHavePutThere) {
  const std::string home = home_.path() + "/home";
  const std::string run = home + "/run";
  fs::create_directories(run);
  const auto set = [](const std::string& path, mode_t mode) { ASSERT_EQ(::chmod(path.c_str(), mode), 0); };
  set(home, 0711);
  set(run, 0711);
  const auto listener = UnixListener::bind(run + "/spl.sock");
  ASSERT_TRUE(listener) << listener.error().message;
  EXPECT_TRUE(connect_unix(run + "/spl.sock").value());
  const auto is_refused = [&] {
    const auto connected = connect_unix(run + "/spl.sock");
    return !connected && connected.error().code == ErrorCode::kRefused && !connected.error().hint.empty();
  };
  for (const mode_t mode : {0777, 0731}) {
    set(home, mode);
    EXPECT_TRUE(is_refused());
    EXPECT_FALSE(UnixListener::bind(run + "/other.sock"));
    set(home, 0711);
    set(run, mode);
    EXPECT_TRUE(is_refused());
    set(run, 0711);
  }
  set(home, 01777);
  EXPECT_TRUE(connect_unix(run + "/spl.sock")) << "others can put nothing in its place";
  set(home, 0711);
  fs::rename(run + "/spl.sock", run + "/real.sock");
  fs::create_symlink("real.sock", run + "/spl.sock");
  EXPECT_TRUE(is_refused()) << "a link";
  fs::rename(run + "/real.sock", run + "/spl.sock");
  if (::geteuid() != 0) return;
  ASSERT_EQ(::chown(run.c_str(), 65534, 65534), 0);
  EXPECT_TRUE(is_refused()) << "another user's directory in root's home";
  ASSERT_EQ(::chown(home.c_str(), 65534, 65534), 0);
  EXPECT_TRUE(connect_unix(run + "/spl.sock").value()) << "root works on that user's home";
}

TEST(TcpListener, TakesAnyFreePort) {
  const auto listener = TcpListener::bind("127.0.0.1", 0, Exposure::kLoopbackOnly);
  ASSERT_TRUE(listener) << listener.error().message;
  EXPECT_NE(listener->port, 0);
  EXPECT_TRUE(connect_tcp("127.0.0.1", listener->port));
}

TEST(TcpListener, SaysThatAPortIsTaken) {
  const auto first = TcpListener::bind("127.0.0.1", 0, Exposure::kLoopbackOnly);
  ASSERT_TRUE(first);
  const auto second = TcpListener::bind("127.0.0.1", first->port, Exposure::kLoopbackOnly);
  ASSERT_FALSE(second);
  EXPECT_EQ(second.error().code, ErrorCode::kUnavailable);
  EXPECT_NE(second.error().hint.find("--port 0"), std::string::npos);
}

TEST(TcpListener, KeepsPlainHttpOnLoopback) {
  for (const char* host : {"0.0.0.0", "::", "192.0.2.1", "::ffff:192.0.2.1"}) {
    const auto listener = TcpListener::bind(host, 0, Exposure::kLoopbackOnly);
    ASSERT_FALSE(listener) << host;
    EXPECT_EQ(listener.error().code, ErrorCode::kUsage) << host;
    EXPECT_NE(listener.error().hint.find("--tls-cert"), std::string::npos);
  }
  EXPECT_TRUE(TcpListener::bind("127.8.9.10", 0, Exposure::kLoopbackOnly));
  EXPECT_TRUE(TcpListener::bind("localhost", 0, Exposure::kLoopbackOnly));
  EXPECT_TRUE(TcpListener::bind("0.0.0.0", 0, Exposure::kAnywhere));
}

TEST(TcpListener, SaysThatAHostIsNotKnown) {
  const auto listener = TcpListener::bind("no.such.host.invalid", 0, Exposure::kAnywhere);
  ASSERT_FALSE(listener);
  EXPECT_EQ(listener.error().code, ErrorCode::kUnavailable);
}

}  // namespace
}  // namespace spl::http
