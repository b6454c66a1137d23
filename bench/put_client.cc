// put_client SOCKET RECORDS BATCH CONNECTIONS [COUNT]: puts the records of the NDJSON file RECORDS (the first COUNT) to
// a daemon, over that many kept connections to its Unix socket, each waiting for an answer before it posts again. A
// BATCH over 1 is posted as NDJSON; with 1 each record is posted by itself as JSON. Any answer but success ends it.
// Prints JSON: records, requests, seconds from the first request to the last answer, and the answers' latencies.
#include <fcntl.h>
#include <sys/mman.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/uio.h>
#include <sys/un.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <atomic>
#include <cerrno>
#include <charconv>
#include <chrono>
#include <cstdio>
#include <cstdlib>
#include <cstring>
#include <iostream>
#include <string>
#include <string_view>
#include <thread>
#include <vector>

namespace {

using Clock = std::chrono::steady_clock;

constexpr std::size_t kAnswerBytesMax = 1u << 20;
// {"id":"<64 digits>","record":{...}}
constexpr std::size_t kBeforeRecord = 7 + 64 + 11;

[[noreturn]] void die(const std::string& why) {
  std::cerr << "put_client: " << why << "\n";
  std::_Exit(1);
}

std::string_view map_file(const char* path) {
  const int file = ::open(path, O_RDONLY | O_CLOEXEC);
  struct stat about{};
  if (file < 0 || ::fstat(file, &about) != 0) die(std::string("cannot read ") + path);
  const auto bytes = static_cast<std::size_t>(about.st_size);
  void* at = ::mmap(nullptr, bytes, PROT_READ, MAP_SHARED | MAP_POPULATE, file, 0);
  if (at == MAP_FAILED) die(std::string("cannot map ") + path);
  ::close(file);
  return {static_cast<const char*>(at), bytes};
}

struct Work {
  std::vector<std::string_view> bodies;
  std::size_t records = 0;
  bool single = false;
};

Work cut(std::string_view text, std::size_t batch_records, std::size_t count) {
  Work work;
  work.single = batch_records == 1;
  const char* begin = text.data();
  std::size_t in_batch = 0;
  while (!text.empty() && work.records < count) {
    const std::string_view line = text.substr(0, text.find('\n'));
    text.remove_prefix(std::min(line.size() + 1, text.size()));
    ++work.records;
    if (work.single) {
      if (line.size() < kBeforeRecord + 2) die("a line is no record");
      work.bodies.push_back(line.substr(kBeforeRecord, line.size() - kBeforeRecord - 1));
    } else if (++in_batch == batch_records || text.empty() || work.records == count) {
      work.bodies.emplace_back(begin, text.data());
      begin = text.data();
      in_batch = 0;
    }
  }
  return work;
}

class Connection {
 public:
  explicit Connection(const std::string& path) : socket_(::socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0)) {
    sockaddr_un address{};
    address.sun_family = AF_UNIX;
    if (path.size() >= sizeof address.sun_path) die("the socket's path is too long: " + path);
    std::memcpy(address.sun_path, path.data(), path.size());
    if (::connect(socket_, reinterpret_cast<const sockaddr*>(&address), sizeof address) != 0)
      die("cannot connect to " + path + ": " + std::strerror(errno));
  }
  Connection(const Connection&) = delete;
  Connection& operator=(const Connection&) = delete;
  ~Connection() { ::close(socket_); }

  void post(std::string_view type, std::string_view body) {
    std::string head = "POST /v1/records HTTP/1.1\r\nHost: localhost\r\nContent-Type: ";
    head.append(type).append("\r\nContent-Length: ").append(std::to_string(body.size())).append("\r\n\r\n");
    std::array<iovec, 2> parts = {{{head.data(), head.size()}, {const_cast<char*>(body.data()), body.size()}}};
    send_all(parts);
    read_answer();
  }

 private:
  void send_all(std::array<iovec, 2>& parts) const {
    std::size_t first = 0;
    while (first < parts.size()) {
      msghdr message{};
      message.msg_iov = &parts[first];
      message.msg_iovlen = parts.size() - first;
      const ssize_t sent = ::sendmsg(socket_, &message, MSG_NOSIGNAL);
      if (sent < 0 && errno == EINTR) continue;
      if (sent < 0) die(std::string("cannot send: ") + std::strerror(errno));
      auto left = static_cast<std::size_t>(sent);
      for (; first < parts.size() && left >= parts[first].iov_len; ++first) left -= parts[first].iov_len;
      if (first == parts.size()) break;
      parts[first].iov_base = static_cast<char*>(parts[first].iov_base) + left;
      parts[first].iov_len -= left;
    }
  }

  void receive() {
    std::array<char, 65536> piece;  // NOLINT(cppcoreguidelines-pro-type-member-init): filled by recv
    const ssize_t got = ::recv(socket_, piece.data(), piece.size(), 0);
    if (got < 0 && errno == EINTR) return;
    if (got <= 0) die("the daemon closed the connection");
    answer_.append(piece.data(), static_cast<std::size_t>(got));
    if (answer_.size() > kAnswerBytesMax) die("the answer is too long");
  }

  // Answers here are short and have a length; anything else is refused.
  void read_answer() {
    answer_.clear();
    std::size_t head_end = 0;
    while ((head_end = answer_.find("\r\n\r\n")) == std::string::npos) receive();
    std::string head = answer_.substr(0, head_end + 2);
    std::ranges::transform(head, head.begin(), [](char c) { return c >= 'A' && c <= 'Z' ? char(c | 0x20) : c; });
    constexpr std::string_view kLength = "\r\ncontent-length: ";
    const std::size_t at = head.find(kLength);
    if (at == std::string::npos) die("an answer without content-length: " + answer_);
    std::size_t length = 0;
    std::from_chars(head.data() + at + kLength.size(), head.data() + head.size(), length);
    while (answer_.size() < head_end + 4 + length) receive();
    if (answer_.substr(9, 2) != "20") die("refused: " + answer_);
  }

  int socket_;
  std::string answer_;
};

std::vector<double> post_all(const std::string& socket, const Work& work, std::atomic<std::size_t>& next) {
  const std::string_view type = work.single ? "application/json" : "application/x-ndjson";
  Connection connection(socket);
  std::vector<double> latencies_ms;
  for (std::size_t i = next++; i < work.bodies.size(); i = next++) {
    const auto begun = Clock::now();
    connection.post(type, work.bodies[i]);
    latencies_ms.push_back(std::chrono::duration<double, std::milli>(Clock::now() - begun).count());
  }
  return latencies_ms;
}

double at_share(const std::vector<double>& sorted, double share) {
  return sorted[static_cast<std::size_t>(share * static_cast<double>(sorted.size() - 1))];
}

}  // namespace

int main(int argc, char** argv) {
  const std::size_t batch_records = argc > 4 ? std::strtoull(argv[3], nullptr, 10) : 0;
  const std::size_t connections = argc > 4 ? std::strtoull(argv[4], nullptr, 10) : 0;
  if (batch_records == 0 || connections == 0) die("usage: put_client SOCKET RECORDS BATCH CONNECTIONS [COUNT]");
  const std::size_t count = argc > 5 ? std::strtoull(argv[5], nullptr, 10) : SIZE_MAX;
  const Work work = cut(map_file(argv[2]), batch_records, count);
  if (work.bodies.empty()) die("no records");

  std::atomic<std::size_t> next = 0;
  std::vector<std::vector<double>> latencies_ms(connections);
  const auto begun = Clock::now();
  {
    std::vector<std::jthread> threads;
    for (std::size_t i = 0; i < connections; ++i)
      threads.emplace_back([&, i] { latencies_ms[i] = post_all(argv[1], work, next); });
  }
  const std::chrono::duration<double> spent = Clock::now() - begun;
  std::vector<double> all;
  for (const auto& of_one : latencies_ms) all.insert(all.end(), of_one.begin(), of_one.end());
  std::ranges::sort(all);
  std::printf(
      "{\"records\":%zu,\"requests\":%zu,\"connections\":%zu,\"seconds\":%.6f,\"latency_ms_p50\":%.3f,"
      "\"latency_ms_p99\":%.3f,\"latency_ms_max\":%.3f}\n",
      work.records, all.size(), connections, spent.count(), at_share(all, 0.5), at_share(all, 0.99), all.back());
  return 0;
}
