#include "http/wire.h"

#include <gtest/gtest.h>
#include <sys/socket.h>

#include <string>
#include <thread>

#include "base/check.h"
#include "env/posix_env.h"

namespace spl::http {
namespace {

using std::chrono::milliseconds;

class WireTest : public ::testing::Test {
 protected:
  WireTest() {
    int sockets[2];
    SPL_CHECK(::socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, sockets) == 0);
    near_.emplace(env::Descriptor(sockets[0]), clock_, nullptr);
    far_.emplace(env::Descriptor(sockets[1]), clock_, nullptr);
    times_.idle = times_.head = times_.body = milliseconds(10'000);
  }
  void begin() { wire_.emplace(*near_, clock_, times_); }
  // What the other side sends, and nothing after it.
  void sent(std::string_view octets) {
    begin();
    SPL_CHECK(far_->write_all({octets}).has_value());
    far_->end_writing();
  }
  std::optional<RequestHead> request() { return wire_->read_request(times_.idle); }
  Result<std::string> body() {
    BodySource source(*wire_);
    return base::read_all(source, 64 << 20);
  }
  HeadFault fault_of(std::string_view octets) {
    sent(octets);
    EXPECT_FALSE(request());
    return wire_->head_fault();
  }

  env::SystemClock clock_;
  std::optional<Channel> near_;
  std::optional<Channel> far_;
  WireTimes times_;
  std::optional<Wire> wire_;
};

TEST_F(WireTest, ReadsAHead) {
  sent("\r\nGET /a?b HTTP/1.1\r\nHost: x\r\nX-Two:  of  these \r\nx-two: y\r\n\r\n");
  const auto head = request();
  ASSERT_TRUE(head);
  EXPECT_EQ(head->method, "GET");
  EXPECT_EQ(head->target, "/a?b");
  EXPECT_TRUE(head->keep_alive);
  EXPECT_FALSE(head->is_http_1_0);
  EXPECT_EQ(head->fields, (Fields{{"host", "x"}, {"x-two", "of  these"}, {"x-two", "y"}}));
  EXPECT_TRUE(wire_->body_ended());
  EXPECT_EQ(wire_->body_length(), 0u);
  EXPECT_FALSE(request());
  EXPECT_EQ(wire_->head_fault(), HeadFault::kEnded);
}

TEST_F(WireTest, KnowsWhoKeepsTheConnection) {
  sent(
      "GET / HTTP/1.1\r\nconnection: close\r\n\r\nGET / HTTP/1.0\r\n\r\nGET / HTTP/1.0\r\nconnection: "
      "keep-alive\r\n\r\n");
  EXPECT_FALSE(request()->keep_alive);
  const auto old = request();
  EXPECT_FALSE(old->keep_alive);
  EXPECT_TRUE(old->is_http_1_0);
  EXPECT_TRUE(request()->keep_alive);
}

TEST_F(WireTest, ReadsRequestsThatCameTogether) {
  sent(
      "POST /1 HTTP/1.1\r\ncontent-length: 5\r\n\r\nhello"
      "POST /2 HTTP/1.1\r\ntransfer-encoding: chunked\r\n\r\n3\r\nabc\r\n2;x=y\r\nde\r\n0\r\nTrailer: t\r\n\r\n"
      "GET /3 HTTP/1.1\r\n\r\n");
  EXPECT_EQ(request()->target, "/1");
  EXPECT_EQ(wire_->body_length(), 5u);
  EXPECT_EQ(*body(), "hello");
  EXPECT_EQ(request()->target, "/2");
  EXPECT_EQ(wire_->body_length(), std::nullopt);
  EXPECT_EQ(*body(), "abcde");
  EXPECT_EQ(request()->target, "/3");
}

TEST_F(WireTest, ReadsWhateverTheCuts) {
  const std::string text =
      "POST /2 HTTP/1.1\r\ntransfer-encoding: chunked\r\n\r\n1a\r\nabcdefghijklmnopqrstuvwxyz\r\n1\r\n!\r\n0\r\n\r\n"
      "POST /3 HTTP/1.1\r\ncontent-length: 3\r\n\r\nend";
  begin();
  std::thread sender([&] {
    for (const char& c : text) EXPECT_TRUE(far_->write_all({{&c, 1}}));
  });
  EXPECT_EQ(request()->target, "/2");
  EXPECT_EQ(*body(), "abcdefghijklmnopqrstuvwxyz!");
  EXPECT_EQ(request()->target, "/3");
  EXPECT_EQ(*body(), "end");
  sender.join();
}

TEST_F(WireTest, ReadsLargeBodies) {
  std::string large;
  for (int i = 0; large.size() < (4u << 20); ++i) large += std::to_string(i) + ",";
  begin();
  std::thread sender([&] {
    EXPECT_TRUE(
        far_->write_all({"POST / HTTP/1.1\r\ncontent-length: " + std::to_string(large.size()) + "\r\n\r\n", large}));
    EXPECT_TRUE(far_->write_all({"POST / HTTP/1.1\r\ntransfer-encoding: chunked\r\n\r\n"}));
    for (std::size_t at = 0; at < large.size(); at += 100'000) {
      const std::string_view piece = std::string_view(large).substr(at, 100'000);
      char size[20];
      std::snprintf(size, sizeof size, "%zX\r\n", piece.size());
      EXPECT_TRUE(far_->write_all({size, piece, "\r\n"}));
    }
    EXPECT_TRUE(far_->write_all({"0\r\n\r\n"}));
  });
  ASSERT_TRUE(request());
  EXPECT_TRUE(*body() == large);
  ASSERT_TRUE(request());
  EXPECT_TRUE(*body() == large);
  sender.join();
}

TEST_F(WireTest, ABodyThatEndsTooEarlyIsAnError) {
  sent("POST / HTTP/1.1\r\ncontent-length: 6\r\n\r\nhello");
  ASSERT_TRUE(request());
  EXPECT_EQ(body().error().code, ErrorCode::kUsage);
  EXPECT_FALSE(wire_->body_ended());
}

TEST_F(WireTest, AChunkedBodyWithoutItsLastChunkIsAnError) {
  sent("POST / HTTP/1.1\r\ntransfer-encoding: chunked\r\n\r\n3\r\nabc\r\n");
  ASSERT_TRUE(request());
  EXPECT_EQ(body().error().code, ErrorCode::kUsage);
  EXPECT_FALSE(wire_->body_ended());
}

class WireMalformedChunks : public WireTest, public ::testing::WithParamInterface<const char*> {};
TEST_P(WireMalformedChunks, AreErrors) {
  sent(std::string("POST / HTTP/1.1\r\ntransfer-encoding: chunked\r\n\r\n") + GetParam());
  ASSERT_TRUE(request());
  EXPECT_FALSE(body());
}
INSTANTIATE_TEST_SUITE_P(All, WireMalformedChunks,
                         ::testing::Values("x\r\n", "-1\r\na\r\n", "fffffffffffffffff\r\n", "3\r\nabcd\r\n0\r\n\r\n",
                                           "3\nabc\n0\n\n", "\r\n\r\n", "3\r\nabc0\r\n\r\n",
                                           "0x3\r\nabc\r\n0\r\n\r\n"));

TEST_F(WireTest, AChunkLineWithoutAnEndIsAnError) {
  begin();
  std::thread sender([&] {
    std::string line = "POST / HTTP/1.1\r\ntransfer-encoding: chunked\r\n\r\n3;";
    // The reader gives up and nobody reads the rest.
    far_->set_timeout(milliseconds(1000));
    std::ignore = far_->write_all({line, std::string(1 << 20, 'x')});
  });
  ASSERT_TRUE(request());
  EXPECT_FALSE(body());
  near_.reset();
  sender.join();
}

TEST_F(WireTest, RefusesWhatIsNotHttp) {
  EXPECT_EQ(fault_of("hello\r\n\r\n"), HeadFault::kMalformed);
}
class WireMalformedHeads : public WireTest, public ::testing::WithParamInterface<const char*> {};
TEST_P(WireMalformedHeads, AreRefused) {
  EXPECT_EQ(fault_of(GetParam()), HeadFault::kMalformed);
}
INSTANTIATE_TEST_SUITE_P(
    All, WireMalformedHeads,
    ::testing::Values("GET / HTTP/2.0\r\n\r\n", "GET /  HTTP/1.1\r\n\r\n", "GET / HTTP/1.1\nhost: x\n\n",
                      "GET / HTTP/1.1\r\nno colon\r\n\r\n", "GET / HTTP/1.1\r\nspace : x\r\n\r\n",
                      "POST / HTTP/1.1\r\ncontent-length: 5\r\ncontent-length: 6\r\n\r\n",
                      "POST / HTTP/1.1\r\ncontent-length: -5\r\n\r\n", "POST / HTTP/1.1\r\ncontent-length: 0x5\r\n\r\n",
                      "POST / HTTP/1.1\r\ncontent-length: 99999999999999999999\r\n\r\n",
                      "POST / HTTP/1.1\r\ncontent-length: 5\r\ntransfer-encoding: chunked\r\n\r\n",
                      "POST / HTTP/1.1\r\ntransfer-encoding: chunked\r\ncontent-length: 5\r\n\r\n",
                      "POST / HTTP/1.1\r\ntransfer-encoding: chunked\r\ntransfer-encoding: chunked\r\n\r\n",
                      "POST / HTTP/1.0\r\nconnection: keep-alive\r\ntransfer-encoding: chunked\r\n\r\n0\r\n\r\n",
                      "GET / HTTP/1.1\r\nhost: x\r\n goes-on: here\r\n\r\n",
                      "GET / HTTP/1.1\r\nhost: x\r\n\tgoes-on\r\n\r\n"));

TEST_F(WireTest, ABodyMayBeginWithASpace) {
  sent("POST / HTTP/1.1\r\ncontent-length: 5\r\n\r\n\n a\n\t");
  ASSERT_TRUE(request());
  EXPECT_EQ(*body(), "\n a\n\t");
}

TEST_F(WireTest, RefusesOtherTransferCodings) {
  EXPECT_EQ(fault_of("POST / HTTP/1.1\r\ntransfer-encoding: gzip, chunked\r\n\r\n"), HeadFault::kUnsupported);
}

TEST_F(WireTest, AHeadHasALimit) {
  begin();
  std::thread sender([&] {
    far_->set_timeout(milliseconds(1000));
    std::ignore = far_->write_all({"GET / HTTP/1.1\r\nx: ", std::string(kHeadBytesMax, 'x'), "\r\n\r\n"});
  });
  EXPECT_FALSE(request());
  EXPECT_EQ(wire_->head_fault(), HeadFault::kTooLarge);
  sender.join();
}

TEST_F(WireTest, AHeadOfManyFieldsHasTheSameLimit) {
  std::string many = "GET / HTTP/1.1\r\n";
  while (many.size() < 2 * kHeadBytesMax) many += "a: b\r\n";
  begin();
  std::thread sender([&] {
    far_->set_timeout(milliseconds(1000));
    std::ignore = far_->write_all({many, "\r\n"});
  });
  EXPECT_FALSE(request());
  EXPECT_EQ(wire_->head_fault(), HeadFault::kTooLarge);
  sender.join();
}

TEST_F(WireTest, AHeadThatTricklesInHasADeadline) {
  times_.head = milliseconds(30);
  begin();
  std::atomic<bool> done = false;
  std::thread sender([&] {
    if (!far_->write_all({"GET / HTTP/1.1\r\nx: "})) return;
    // One octet at a time: none of the waits is long.
    for (char one[1]; !done && far_->write_all({"x"});) {
      far_->set_timeout(milliseconds(1));
      std::ignore = far_->read_some(one);
    }
  });
  EXPECT_FALSE(request());
  EXPECT_EQ(wire_->head_fault(), HeadFault::kTimedOut);
  done = true;
  sender.join();
}

TEST_F(WireTest, ABodyThatTricklesInIsGivenUpHoweverMuchCameAtFirst) {
  times_.body = milliseconds(50);
  times_.body_bytes_per_second = 1'000'000;
  begin();
  std::atomic<bool> done = false;
  std::thread sender([&] {
    if (!far_->write_all({"POST / HTTP/1.1\r\ncontent-length: 99999999\r\n\r\n", std::string(1 << 20, 'x')})) return;
    for (char one[1]; !done && far_->write_all({"x"});) {
      far_->set_timeout(milliseconds(1));
      std::ignore = far_->read_some(one);
    }
  });
  ASSERT_TRUE(request());
  EXPECT_FALSE(body());
  EXPECT_EQ(near_->end(), ChannelEnd::kTimedOut);
  done = true;
  near_.reset();
  sender.join();
}

TEST_F(WireTest, WhatNeverBeginsIsNoFault) {
  begin();
  EXPECT_FALSE(wire_->read_request(milliseconds(5)));
  EXPECT_EQ(wire_->head_fault(), HeadFault::kEnded);
}

TEST_F(WireTest, ReadsAnswers) {
  sent(
      "HTTP/1.1 201 Created\r\ncontent-length: 2\r\nspl-report: {}\r\n\r\nokHTTP/1.1 200 OK\r\nTransfer-Encoding: "
      "chunked\r\n"
      "\r\n2\r\nab\r\n0\r\n\r\nHTTP/1.1 200 OK\r\n\r\nforever");
  auto head = wire_->read_answer(milliseconds(1000));
  ASSERT_TRUE(head);
  EXPECT_EQ(head->status, 201);
  EXPECT_EQ(*find_field(head->fields, "spl-report"), "{}");
  EXPECT_EQ(*body(), "ok");
  ASSERT_TRUE(wire_->read_answer(milliseconds(1000)));
  EXPECT_EQ(*body(), "ab");
  EXPECT_FALSE(wire_->read_answer(milliseconds(1000)));
}

}  // namespace
}  // namespace spl::http
