// A daemon under a supervisor: signals, its files read anew, its readiness, its log in the foreground.
#include <gmock/gmock.h>
#include <poll.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

#include <csignal>
#include <cstddef>
#include <filesystem>
#include <memory>

#include "cli_harness.h"

namespace spl::cli_test {
namespace {

using ::testing::HasSubstr;
using ::testing::MatchesRegex;
using ::testing::Not;

class CliServiceTest : public CliTest {
 protected:
  // A daemon in the foreground on the home "h", ready.
  std::unique_ptr<Process> serve(const Words& more = {}, const Input& input = {}) {
    Words words{"--home", path("h"), "serve", "--port", "0"};
    words.insert(words.end(), more.begin(), more.end());
    auto daemon = std::make_unique<Process>(words, input);
    EXPECT_TRUE(daemon->wait_for_output("http"));
    return daemon;
  }
  // Waits until the log, which may be made anew, holds the text so many times.
  bool logged(const std::string& text, int times = 1) {
    for (int i = 0; i < 250; ++i, ::usleep(20'000)) {
      if (!exists(path("h/logs/spl.log"))) continue;
      const std::string log = read_file(path("h/logs/spl.log"));
      int found = 0;
      for (std::size_t at = 0; (at = log.find(text, at)) != std::string::npos; ++at) ++found;
      if (found >= times) return true;
    }
    return false;
  }
  static Ran end(Process& daemon) {
    ::kill(daemon.pid(), SIGTERM);
    return daemon.wait();
  }
};

TEST_F(CliServiceTest, AHangUpHasItReadItsFilesAnewAndGoOn) {
  make_home("h", 1);
  const std::string key = "age1ql3z7hjy54pw3hyww5ayyfg7zqgvc7w3j2elw8zmrj2kg5sfn9aqmcac8p";
  const auto daemon = serve();
  std::filesystem::rename(path("h/logs/spl.log"), path("h/logs/rotated"));
  write_file(path("h/config.toml"), "recipients = [\"" + key + "\"]\n");
  ::kill(daemon->pid(), SIGHUP);
  EXPECT_TRUE(logged("\"event\":\"reloaded\"")) << "in a new file";
  EXPECT_THAT(read_file(path("h/logs/rotated")), Not(HasSubstr("reloaded")));
  EXPECT_EQ(on("h", {"intend", "x"}).code, 0);
  EXPECT_TRUE(flag_of(json_on("h", {"export", "--out", path("b")}), "encrypted"));
  // What is wrong is told of, and the daemon goes on. Nothing is encrypted for those whom an older file named.
  write_file(path("h/config.toml"), "recipients = 7\n");
  ::kill(daemon->pid(), SIGHUP);
  EXPECT_TRUE(logged("configuration is broken: what asks for it is refused"));
  EXPECT_TRUE(logged("config.toml:1: recipients is not an array of strings"));
  EXPECT_EQ(on("h", {"export", "--out", path("c")}).code, 2);
  EXPECT_EQ(on("h", {"intend", "x"}).code, 0);
  write_file(path("h/config.toml"), "");
  ::kill(daemon->pid(), SIGHUP);
  EXPECT_TRUE(logged("\"event\":\"reloaded\"", 3));
  EXPECT_FALSE(flag_of(json_on("h", {"export", "--out", path("c")}), "encrypted"));
  const Ran ran = end(*daemon);
  EXPECT_EQ(ran.code, 0) << ran.err;
}

TEST_F(CliServiceTest, SignalsThatWereIgnoredAtItsStartStaySo) {
  make_home("h", 0);
  for (const int signal : {SIGHUP, SIGINT}) ::signal(signal, SIG_IGN);
  const auto daemon = serve();
  for (const int signal : {SIGHUP, SIGINT}) ::signal(signal, SIG_DFL);
  for (const int signal : {SIGHUP, SIGINT}) ::kill(daemon->pid(), signal);
  ::usleep(300'000);
  EXPECT_EQ(on("h", {"intend", "x"}).code, 0);
  EXPECT_TRUE(flag_of(json_on("h", {"status"}), "running"));
  EXPECT_THAT(read_file(path("h/logs/spl.log")), Not(HasSubstr("reloaded")));
  EXPECT_TRUE(flag_of(json_on("h", {"stop"}), "stopped"));
  EXPECT_EQ(daemon->wait().code, 0);
}

TEST_F(CliServiceTest, TheBackgroundDaemonReadsItsFilesAnewToo) {
  make_home("h", 0);
  start_daemon("h");
  std::filesystem::rename(path("h/logs/spl.log"), path("h/logs/rotated"));
  ::kill(std::stoi(read_file(path("h/run/spl.pid"))), SIGHUP);
  EXPECT_TRUE(logged("\"event\":\"reloaded\""));
  EXPECT_EQ(read_file(path("h/logs/stderr.log")), "") << "it has no foreground";
}

TEST_F(CliServiceTest, NewConnectionsGetTheNewCertificate) {
  if (shell("command -v openssl >/dev/null && command -v curl >/dev/null") != 0)
    GTEST_SKIP() << "openssl or curl is missing";
  make_home("h", 0);
  const auto make_certificate = [this](const std::string& name) {
    return shell("openssl req -x509 -newkey ed25519 -nodes -days 2 -subj /CN=" + name + " -addext " +
                 "subjectAltName=IP:127.0.0.1 -keyout " + path("key") + " -out " + path("cert") + " 2>/dev/null");
  };
  ASSERT_EQ(make_certificate("one"), 0);
  const auto daemon = serve({"--tls-cert", path("cert"), "--tls-key", path("key")});
  const std::string port = std::to_string(number_of(json_on("h", {"status"}), "port"));
  const auto served_name = [&] {
    shell("openssl s_client -connect 127.0.0.1:" + port + " </dev/null 2>/dev/null | openssl x509 -noout -subject >" +
          path("subject"));
    const std::string subject = read_file(path("subject"));
    return subject.substr(subject.find("CN") == std::string::npos ? 0 : subject.find("CN"));
  };
  EXPECT_THAT(served_name(), HasSubstr("one"));
  ASSERT_EQ(make_certificate("two"), 0);
  EXPECT_THAT(served_name(), HasSubstr("one")) << "not before it is told";
  ::kill(daemon->pid(), SIGHUP);
  EXPECT_TRUE(logged("\"event\":\"reloaded\""));
  EXPECT_THAT(served_name(), HasSubstr("two"));
  write_file(path("cert"), "nothing\n");
  ::kill(daemon->pid(), SIGHUP);
  EXPECT_TRUE(logged("certificate not read, the one before stays"));
  EXPECT_THAT(served_name(), HasSubstr("two"));
  EXPECT_EQ(end(*daemon).code, 0);
}

// A service manager's end of the readiness protocol.
class Manager {
 public:
  // `name` is a path, or begins with "@".
  explicit Manager(const std::string& name) : socket_(::socket(AF_UNIX, SOCK_DGRAM | SOCK_CLOEXEC, 0)) {
    sockaddr_un address{};
    address.sun_family = AF_UNIX;
    name.copy(address.sun_path, sizeof address.sun_path - 1);
    if (name.front() == '@') address.sun_path[0] = '\0';
    EXPECT_EQ(::bind(socket_, reinterpret_cast<const sockaddr*>(&address),
                     static_cast<socklen_t>(offsetof(sockaddr_un, sun_path) + name.size())),
              0);
  }
  Manager(const Manager&) = delete;
  Manager& operator=(const Manager&) = delete;
  ~Manager() { ::close(socket_); }
  // The next thing that it is told; "" after a while without.
  std::string told() const {
    pollfd wait{socket_, POLLIN, 0};
    char text[1024];
    if (::poll(&wait, 1, 5000) != 1) return "";
    const ssize_t n = ::recv(socket_, text, sizeof text, 0);
    return n < 0 ? "" : std::string(text, static_cast<std::size_t>(n));
  }

 private:
  const int socket_;
};

TEST_F(CliServiceTest, TheServiceManagerIsToldWhenItIsReadyReloadsAndStops) {
  make_home("h", 0);
  for (const std::string& name : {path("notify"), "@spl-test-" + std::to_string(::getpid())}) {
    SCOPED_TRACE(name);
    const Manager manager(name);
    const auto daemon = serve({}, {.environment = {{"NOTIFY_SOCKET", name}}});
    EXPECT_THAT(manager.told(), HasSubstr("READY=1\nSTATUS=serving " + path("h") + " at http://127.0.0.1:"));
    ::kill(daemon->pid(), SIGHUP);
    EXPECT_THAT(manager.told(), MatchesRegex("RELOADING=1\nMONOTONIC_USEC=[0-9]+"));
    EXPECT_THAT(manager.told(), HasSubstr("READY=1"));
    ::kill(daemon->pid(), SIGTERM);
    EXPECT_EQ(manager.told(), "STOPPING=1");
    EXPECT_EQ(daemon->wait().code, 0);
  }
  const auto alone = serve({}, {.environment = {{"NOTIFY_SOCKET", path("nobody")}}});
  EXPECT_EQ(end(*alone).code, 0) << "nobody listens";
}

TEST_F(CliServiceTest, InTheForegroundItLogsToStandardErrorAsWell) {
  make_home("h", 0);
  const auto daemon = serve({"-o", "json"});
  ASSERT_EQ(on("h", {"intend", "x"}).code, 0);
  EXPECT_TRUE(logged("\"path\":\"/v1/local/emit\""));
  const Ran ran = end(*daemon);
  EXPECT_EQ(ran.code, 0);
  EXPECT_EQ(members(json_of(ran.out)), (Words{"pid", "address", "port", "home"})) << "one document";
  EXPECT_THAT(ran.err, AllOf(HasSubstr("Z info: daemon started, pid "), HasSubstr("path /v1/local/emit, status 201"),
                             HasSubstr("Z info: daemon stopped")));
}

}  // namespace
}  // namespace spl::cli_test
