#include "http/channel.h"

#include <gtest/gtest.h>
#include <sys/socket.h>

#include <atomic>
#include <thread>

#include "base/check.h"
#include "env/posix_env.h"
#include "http/listener.h"

namespace spl::http {
namespace {

using std::chrono::milliseconds;

class ChannelTest : public ::testing::Test {
 protected:
  ChannelTest() {
    int sockets[2];
    SPL_CHECK(::socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, sockets) == 0);
    near_.emplace(env::Descriptor(sockets[0]), clock_, cut_.get());
    far_.emplace(env::Descriptor(sockets[1]), clock_, nullptr);
  }

  env::SystemClock clock_;
  std::unique_ptr<env::Interrupt> cut_ = env::Interrupt::make().value();
  std::unique_ptr<env::Interrupt> idle_ = env::Interrupt::make().value();
  std::optional<Channel> near_;
  std::optional<Channel> far_;
  char octets_[65536];
};

TEST_F(ChannelTest, CarriesOctetsAndTheEnd) {
  ASSERT_TRUE(near_->write_all({"one ", "", "two"}));
  EXPECT_EQ(*far_->read_some(octets_), 7u);
  EXPECT_EQ(std::string_view(octets_, 7), "one two");
  near_->end_writing();
  EXPECT_EQ(*far_->read_some(octets_), 0u);
  EXPECT_FALSE(near_->peer_is_gone());
  far_.reset();
  EXPECT_TRUE(near_->peer_is_gone());
}

TEST_F(ChannelTest, OverTcpWhoSendsNoMoreIsGone) {
  auto listener = TcpListener::bind("127.0.0.1", 0, Exposure::kLoopbackOnly);
  ASSERT_TRUE(listener) << listener.error().message;
  Channel client(connect_tcp("127.0.0.1", listener->port).value(), clock_, nullptr);
  Channel served(env::Descriptor(::accept4(listener->socket.number(), nullptr, nullptr, SOCK_CLOEXEC)), clock_,
                 nullptr);
  EXPECT_FALSE(served.peer_is_gone());
  client.end_writing();
  EXPECT_EQ(*served.read_some(octets_), 0u);
  EXPECT_TRUE(served.peer_is_gone());
}

TEST_F(ChannelTest, WritesMoreThanTheSocketHoldsAtOnce) {
  const std::string large(3 << 20, 'x');
  std::thread writer([&] { EXPECT_TRUE(near_->write_all({"head", large, large, "tail"})); });
  std::string received;
  while (received.size() < 2 * large.size() + 8) received.append(octets_, *far_->read_some(octets_));
  writer.join();
  EXPECT_EQ(received, "head" + large + large + "tail");
}

TEST_F(ChannelTest, AWaitEndsByTimeoutAndByDeadline) {
  near_->set_timeout(milliseconds(5));
  const auto timed_out = near_->read_some(octets_);
  ASSERT_FALSE(timed_out);
  EXPECT_EQ(timed_out.error().code, ErrorCode::kUnavailable);
  EXPECT_EQ(near_->end(), ChannelEnd::kTimedOut);
  far_->set_deadline(clock_.steady() - milliseconds(1));
  EXPECT_FALSE(far_->read_some(octets_));
  EXPECT_EQ(far_->end(), ChannelEnd::kTimedOut);
}

TEST_F(ChannelTest, AWriteThatNobodyReadsTimesOut) {
  near_->set_timeout(milliseconds(5));
  EXPECT_FALSE(near_->write_all({std::string(16 << 20, 'x')}));
  EXPECT_EQ(near_->end(), ChannelEnd::kTimedOut);
}

TEST_F(ChannelTest, TheCutEndsAWaitOfAnotherThreadAndEveryTransfer) {
  std::thread reader([&] {
    char one[1];
    EXPECT_FALSE(near_->read_some(one));
    EXPECT_EQ(near_->end(), ChannelEnd::kInterrupted);
  });
  cut_->raise();
  reader.join();
  ASSERT_TRUE(far_->write_all({"late"}));
  EXPECT_FALSE(near_->read_some(octets_));
  EXPECT_FALSE(near_->write_all({"late"}));
}

TEST_F(ChannelTest, TheIdleInterruptLetsWhatHasComeBeRead) {
  near_->set_idle_interrupt(idle_.get());
  ASSERT_TRUE(far_->write_all({"in time"}));
  idle_->raise();
  EXPECT_EQ(*near_->read_some(octets_), 7u);
  EXPECT_FALSE(near_->read_some(octets_));
  EXPECT_EQ(near_->end(), ChannelEnd::kInterrupted);
}

TEST_F(ChannelTest, TheWatchEndsAWait) {
  std::atomic<int> asked = 0;
  near_->set_watch([&] { return ++asked == 3; });
  EXPECT_FALSE(near_->read_some(octets_));
  EXPECT_EQ(near_->end(), ChannelEnd::kCancelled);
  EXPECT_EQ(asked, 3);
}

TEST_F(ChannelTest, AClosedPeerIsAnErrorAndNoSignal) {
  far_.reset();
  EXPECT_FALSE(near_->write_all({"to nobody"}));
  EXPECT_EQ(near_->end(), ChannelEnd::kClosed);
}

TEST_F(ChannelTest, AnAnswerStopsAWrite) {
  EXPECT_TRUE(*near_->write_unless_answered({"still welcome"}));
  std::thread answerer([&] {
    EXPECT_GT(*far_->read_some(octets_), 0u);
    EXPECT_TRUE(far_->write_all({"enough"}));
  });
  const std::string endless(64 << 20, 'x');
  EXPECT_FALSE(*near_->write_unless_answered({endless}));
  answerer.join();
  EXPECT_EQ(*near_->read_some(octets_), 6u);
}

TEST_F(ChannelTest, AnAnswerOfOneWhoHasClosedIsStillRead) {
  ASSERT_TRUE(far_->write_all({"no"}));
  far_.reset();
  EXPECT_FALSE(*near_->write_unless_answered({"more"}));
  EXPECT_EQ(*near_->read_some(octets_), 2u);
}

}  // namespace
}  // namespace spl::http
