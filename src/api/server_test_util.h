// For the tests of this layer: a daemon on a home of its own, and a client that knows nothing of Wire, so that it says
// what was really on the wire.
#pragma once

#include <gtest/gtest.h>
#include <poll.h>
#include <sys/ioctl.h>
#include <sys/socket.h>

#include <algorithm>
#include <chrono>
#include <cstdlib>
#include <map>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <thread>

#include "api/server.h"
#include "base/check.h"
#include "base/encoding.h"
#include "codec/json.h"
#include "env/posix_env.h"
#include "env/posix_file_system.h"
#include "http/listener.h"
#include "instance/instance.h"

namespace spl::api {

inline constexpr std::chrono::seconds kTestPatience{30};  // a test that waits longer has failed

struct RawAnswer {
  int status = 0;
  std::map<std::string, std::string> fields;  // names in lowercase
  std::string body;
  bool whole = false;  // the body ended as its framing says

  [[nodiscard]] codec::Json json() const {
    auto parsed = codec::Json::parse(body);
    EXPECT_TRUE(parsed) << body;
    return parsed ? *parsed : codec::Json();
  }
  // A string member of the body; "" where there is none.
  [[nodiscard]] std::string text(std::string_view name) const {
    const codec::Json parsed = json();
    const codec::Json* member = parsed.find(name);
    return member != nullptr && member->string() != nullptr ? *member->string() : "";
  }
  [[nodiscard]] std::uint64_t number(std::string_view name) const {
    const codec::Json parsed = json();
    const codec::Json* member = parsed.find(name);
    const auto value = member != nullptr ? member->whole_number() : Result<std::uint64_t>(fail("none"));
    EXPECT_TRUE(value) << name << " of " << body;
    return value ? *value : 0;
  }
};

// One connection, blocking.
class RawClient {
 public:
  explicit RawClient(env::Descriptor socket) : socket_(std::move(socket)) {}
  static RawClient tcp(std::uint16_t port) { return RawClient(http::connect_tcp("127.0.0.1", port).value()); }
  static RawClient local(const std::string& path) { return RawClient(std::move(*http::connect_unix(path).value())); }

  // False where the peer has closed.
  bool send(std::string_view octets) {
    while (!octets.empty()) {
      const auto n = ::send(socket_.number(), octets.data(), octets.size(), MSG_NOSIGNAL);
      if (n <= 0) return false;
      octets.remove_prefix(static_cast<std::size_t>(n));
    }
    return true;
  }
  void end_writing() { ::shutdown(socket_.number(), SHUT_WR); }
  // Until the peer has read all that was sent.
  void wait_until_read() {
    constexpr int kLooksMax = 60'000;  // a millisecond apart
    int unread = 1;
    for (int looks = 0; unread > 0; ++looks, ::poll(nullptr, 0, 1)) {
      ASSERT_EQ(::ioctl(socket_.number(), TIOCOUTQ, &unread), 0);
      ASSERT_LT(looks, kLooksMax);
    }
  }
  // True where the peer closes without a further octet.
  bool is_closed() { return rest_.empty() && !more(); }

  // What has come, without taking it apart, or at most `bytes_max` of it; "" at the connection's end.
  std::string_view receive_some(std::size_t bytes_max = kPieceBytes) {
    const std::size_t before = rest_.size();
    if (!more(bytes_max)) return {};
    return std::string_view(rest_).substr(before);
  }
  // Nothing where the connection ends before a head.
  std::optional<RawAnswer> receive(bool head_only = false) {
    while (rest_.find("\r\n\r\n") == std::string::npos) {
      if (!more()) return std::nullopt;
    }
    RawAnswer answer;
    const std::string head = take(rest_.find("\r\n\r\n") + 4);
    answer.status = static_cast<int>(std::strtol(head.c_str() + 9, nullptr, 10));
    for (std::size_t at = head.find("\r\n") + 2; at + 2 < head.size();) {
      const std::size_t colon = head.find(": ", at);
      const std::size_t end = head.find("\r\n", at);
      answer.fields[head.substr(at, colon - at)] = head.substr(colon + 2, end - colon - 2);
      at = end + 2;
    }
    if (answer.status == 100) return answer;
    if (head_only) {
      answer.whole = true;
    } else if (answer.fields.contains("content-length")) {
      const auto length = static_cast<std::size_t>(std::strtoull(answer.fields["content-length"].c_str(), nullptr, 10));
      while (rest_.size() < length && more()) {
      }
      answer.whole = rest_.size() >= length;
      answer.body = take(length);
    } else {
      answer.whole = receive_chunks(answer.body);
    }
    return answer;
  }

  std::optional<RawAnswer> ask(std::string_view method, std::string_view target, std::string_view body = {},
                               std::string_view fields = {}) {
    std::string text = std::string(method) + " " + std::string(target) + " HTTP/1.1\r\nhost: localhost\r\n";
    text.append(fields);
    if (!body.empty() || method == "POST") text += "content-length: " + std::to_string(body.size()) + "\r\n";
    send(text + "\r\n");
    send(body);
    return receive(method == "HEAD");
  }

 private:
  static constexpr std::size_t kPieceBytes = 16384;

  bool more(std::size_t bytes_max = kPieceBytes) {
    pollfd polled{socket_.number(), POLLIN, 0};
    if (::poll(&polled, 1, static_cast<int>(std::chrono::milliseconds(kTestPatience).count())) <= 0) {
      ADD_FAILURE() << "nothing came";
      return false;
    }
    char piece[kPieceBytes];
    const auto n = ::recv(socket_.number(), piece, std::min(bytes_max, sizeof piece), 0);
    if (n <= 0) return false;
    rest_.append(piece, static_cast<std::size_t>(n));
    return true;
  }
  std::string take(std::size_t count) {
    std::string taken = rest_.substr(0, count);
    rest_.erase(0, taken.size());
    return taken;
  }
  bool receive_chunks(std::string& body) {
    for (;;) {
      while (rest_.find("\r\n") == std::string::npos) {
        if (!more()) return false;
      }
      const auto size = static_cast<std::size_t>(std::strtoull(take(rest_.find("\r\n") + 2).c_str(), nullptr, 16));
      while (rest_.size() < size + 2) {
        if (!more()) return false;
      }
      body += take(size);
      take(2);
      if (size == 0) return true;
    }
  }

  env::Descriptor socket_;
  std::string rest_;
};

class TestDaemon {
 public:
  TestDaemon(std::string home, env::Log& log, ServerOptions options = {}) : home_(std::move(home)), log_(log) {
    options.port = 0;
    auto opened = instance::Instance::open(env(), {.home = home_, .store_url = {}}, instance::OpenFor::kCreating);
    if (!opened) ADD_FAILURE() << opened.error().message;
    SPL_CHECK(opened.has_value());
    instance_ = std::move(*opened);
    auto started = Server::start(*instance_, options);
    if (!started) ADD_FAILURE() << started.error().message;
    SPL_CHECK(started.has_value());
    server_ = std::move(*started);
    thread_ = std::thread([this] { outcome_ = server_->run(); });
  }
  TestDaemon(const TestDaemon&) = delete;
  TestDaemon& operator=(const TestDaemon&) = delete;
  ~TestDaemon() { stop(); }

  void stop() {
    if (!thread_.joinable()) return;
    server_->stop();
    thread_.join();
    EXPECT_TRUE(outcome_) << outcome_.error().message;
  }
  [[nodiscard]] env::Env env() { return {fs_, clock_, random_, log_}; }
  [[nodiscard]] instance::Instance& instance() { return *instance_; }
  [[nodiscard]] Server& server() { return *server_; }
  [[nodiscard]] RawClient tcp() const { return RawClient::tcp(server_->port()); }
  [[nodiscard]] RawClient local() const { return RawClient::local(instance_->paths().socket()); }
  [[nodiscard]] std::uint64_t records() const { return instance_->store().reader().value()->counts().value().records; }

 private:
  std::string home_;
  env::PosixFileSystem fs_;
  env::SystemClock clock_;
  env::SystemRandom random_;
  env::Log& log_;
  std::unique_ptr<instance::Instance> instance_;
  std::unique_ptr<Server> server_;
  std::thread thread_;
  Result<void> outcome_;
};

inline std::string record_json(int n, std::string_view thread = "th_test", std::string_view actor = "did:web:a") {
  std::string json = "{\"act\":\"LEARN\",\"actor\":\"" + std::string(actor) +
                     "\",\"body\":{\"n\":" + std::to_string(n) + "},\"clock\":" + std::to_string(n) +
                     ",\"data_type\":\"SCALAR\",\"parents\":[],\"thread\":";
  base::append_json_string(json, thread);
  return json + "}";
}

inline constexpr std::string_view kNdjsonField = "content-type: application/x-ndjson\r\n";

}  // namespace spl::api
