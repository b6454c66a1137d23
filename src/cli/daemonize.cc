#include "cli/daemonize.h"

#include <fcntl.h>
#include <sys/wait.h>
#include <unistd.h>

#include <array>
#include <cerrno>
#include <limits>
#include <string>

#include "cli/streams.h"
#include "codec/json.h"

namespace spl::cli {
namespace {

using codec::Json;

constexpr std::size_t kMessageBytesMax = 1u << 20;
constexpr int kMessagePipe = 3;  // its number in the background process

void send(const Json& message) {
  // The caller may have gone: the daemon does not need it.
  DescriptorSink sink(kMessagePipe, "the caller", nullptr);
  (void)sink.write(message.text());
  ::close(kMessagePipe);
}

// From now on the terminal is another's. What is still said on standard error goes to the file, where one is named.
void leave_standard_streams(const std::string& error_file) {
  const int nothing = ::open("/dev/null", O_RDWR | O_CLOEXEC);
  const int errors = error_file.empty()
                         ? -1
                         : ::open(error_file.c_str(), O_WRONLY | O_APPEND | O_CREAT | O_CLOEXEC | O_NOFOLLOW, 0600);
  ::dup2(nothing, STDIN_FILENO);
  ::dup2(nothing, STDOUT_FILENO);
  ::dup2(errors >= 0 ? errors : nothing, STDERR_FILENO);
  if (nothing > STDERR_FILENO) ::close(nothing);
  if (errors > STDERR_FILENO) ::close(errors);
}

Json info_json(const DaemonInfo& info) {
  return Json::Object{{"pid", info.pid}, {"address", info.address}, {"port", info.port}, {"store", info.store_url}};
}

Result<void> work_in_background(const instance::HomePaths& paths, int message_pipe,
                                const std::function<Result<void>(const Ready&)>& work) {
  // Nothing of the caller's stays open here, or whoever waits for its end would wait for the daemon's.
  ::dup2(message_pipe, kMessagePipe);
  ::fcntl(kMessagePipe, F_SETFD, FD_CLOEXEC);
  ::close_range(kMessagePipe + 1, ~0U, 0);
  if (::chdir("/") != 0) return base::fail_errno("cannot go to /", errno);
  bool told = false;
  auto ended = work([&](const DaemonInfo& info) -> Result<void> {
    leave_standard_streams(env::join(env::parent_of(paths.log()), "stderr.log"));
    send(info_json(info));
    told = true;
    return {};
  });
  if (!ended && !told) {
    const Error& error = ended.error();
    send(Json::Object{{"code", static_cast<int>(error.code)}, {"message", error.message}, {"hint", error.hint}});
    // It is the caller who tells the user.
    leave_standard_streams("");
  }
  return ended;
}

Result<Started> read_message(int pipe) {
  std::string text;
  std::array<char, 4096> buffer{};
  while (text.size() < kMessageBytesMax) {
    const ssize_t n = ::read(pipe, buffer.data(), buffer.size());
    if (n < 0 && errno == EINTR) continue;
    if (n <= 0) break;
    text.append(buffer.data(), static_cast<std::size_t>(n));
  }
  if (text.empty()) return fail("the daemon ended while it started", "look into logs/stderr.log of the home");
  const Json message = TRY_IN("the daemon's message", Json::parse(text));
  const auto word = [&message](std::string_view name) {
    const Json* member = message.find(name);
    return member != nullptr && member->string() != nullptr ? *member->string() : std::string();
  };
  const auto number = [&message](std::string_view name) -> std::uint64_t {
    const Json* member = message.find(name);
    return member == nullptr ? 0 : member->whole_number().value_or(0);
  };
  if (message.find("code") != nullptr)
    return fail(static_cast<ErrorCode>(number("code")), word("message"), word("hint"));
  DaemonInfo info;
  info.pid = static_cast<int>(number("pid"));
  info.address = word("address");
  info.port = static_cast<std::uint16_t>(number("port"));
  info.store_url = word("store");
  return Started{std::move(info)};
}

}  // namespace

Result<Started> daemonize(const instance::HomePaths& paths, const std::function<Result<void>(const Ready&)>& work) {
  std::array<int, 2> ends{};
  if (::pipe2(ends.data(), O_CLOEXEC) != 0) return base::fail_errno("cannot make a pipe", errno);
  const pid_t child = ::fork();
  if (child < 0) return base::fail_errno("cannot make a process", errno);
  if (child > 0) {
    ::close(ends[1]);
    auto started = read_message(ends[0]);
    ::close(ends[0]);
    while (::waitpid(child, nullptr, 0) < 0 && errno == EINTR) {
    }
    return started;
  }
  // A session of its own, and no leader of it: no terminal can become its.
  ::setsid();
  const pid_t grandchild = ::fork();
  if (grandchild != 0) ::_exit(0);
  TRY(work_in_background(paths, ends[1], work));
  return Started{};
}

}  // namespace spl::cli
