#include "env/background.h"

#include <fcntl.h>
#include <sys/wait.h>
#include <unistd.h>

#include <array>
#include <cerrno>
#include <cstdlib>
#include <vector>

#include "base/words.h"
#include "env/descriptor.h"
#include "env/streams.h"

namespace spl::env {
namespace {

constexpr std::size_t kMessageBytesMax = 1u << 20;
constexpr int kMessagePipe = 3;  // its number in the background process
constexpr char kReadyMark = 'R';
constexpr char kErrorMark = 'E';
constexpr char kPartEnd = '\0';  // of an error's parts; no message holds one

void send(char mark, const std::string& text) {
  // The caller may have gone: the background process does not need it.
  DescriptorSink sink(kMessagePipe, "the caller", nullptr);
  (void)sink.write(mark + text);
  ::close(kMessagePipe);
}

std::string error_text(const Error& error) {
  return std::to_string(static_cast<int>(error.code)) + kPartEnd + std::to_string(static_cast<int>(error.cause)) +
         kPartEnd + error.message + kPartEnd + error.hint;
}

std::unexpected<Error> error_of(std::string_view text) {
  const std::vector<std::string> parts = base::split(text, kPartEnd);
  if (parts.size() != 4) return fail("the background process failed while it started");
  const auto number = [&parts](std::size_t index) { return std::strtol(parts[index].c_str(), nullptr, 10); };
  return fail(static_cast<ErrorCode>(number(0)), static_cast<Cause>(number(1)), parts[2], parts[3]);
}

// From now on the terminal is another's. What is still said on standard error goes to the file, where one is named.
void leave_standard_streams(const std::string& error_file) {
  const int nothing = ::open("/dev/null", O_RDWR | O_CLOEXEC);
  const int errors =
      error_file.empty() ? -1 : ::open(error_file.c_str(), O_WRONLY | O_APPEND | O_CREAT | O_CLOEXEC, 0600);
  ::dup2(nothing, STDIN_FILENO);
  ::dup2(nothing, STDOUT_FILENO);
  ::dup2(errors >= 0 ? errors : nothing, STDERR_FILENO);
  if (nothing > STDERR_FILENO) ::close(nothing);
  if (errors > STDERR_FILENO) ::close(errors);
}

Result<void> work_in_background(const std::string& error_file, int message_pipe,
                                const std::function<Result<void>(const Ready&)>& work) {
  // Nothing of the caller's stays open here, or whoever waits for its end would wait for this process's.
  ::dup2(message_pipe, kMessagePipe);
  ::fcntl(kMessagePipe, F_SETFD, FD_CLOEXEC);
  ::close_range(kMessagePipe + 1, ~0U, 0);
  if (::chdir("/") != 0) return base::fail_errno("cannot go to /", errno);
  bool told = false;
  auto ended = work([&](const std::string& text) {
    leave_standard_streams(error_file);
    send(kReadyMark, text);
    told = true;
  });
  if (!ended && !told) {
    send(kErrorMark, error_text(ended.error()));
    // It is the caller who tells the user.
    leave_standard_streams("");
  }
  return ended;
}

Result<std::string> read_message(int pipe) {
  std::string text;
  std::array<char, 4096> buffer{};
  while (text.size() < kMessageBytesMax) {
    const ssize_t n = ::read(pipe, buffer.data(), buffer.size());
    if (n < 0 && errno == EINTR) continue;
    if (n <= 0) break;
    text.append(buffer.data(), static_cast<std::size_t>(n));
  }
  if (text.empty()) return fail("the background process ended while it started");
  if (text.front() == kErrorMark) return error_of(std::string_view(text).substr(1));
  return text.substr(1);
}

}  // namespace

Result<std::optional<std::string>> run_in_background(const std::string& error_file,
                                                     const std::function<Result<void>(const Ready&)>& work) {
  std::array<int, 2> ends{};
  if (::pipe2(ends.data(), O_CLOEXEC) != 0) return base::fail_errno("cannot make a pipe", errno);
  Descriptor reading(ends[0]);
  Descriptor writing(ends[1]);
  const pid_t child = ::fork();
  if (child < 0) return base::fail_errno("cannot make a process", errno);
  if (child > 0) {
    writing.close();
    auto message = read_message(reading.number());
    while (::waitpid(child, nullptr, 0) < 0 && errno == EINTR) {
    }
    return std::optional(TRY(std::move(message)));
  }
  // A session of its own, and no leader of it: no terminal can become its.
  ::setsid();
  const pid_t grandchild = ::fork();
  if (grandchild != 0) ::_exit(0);
  TRY(work_in_background(error_file, writing.number(), work));
  return std::nullopt;
}

}  // namespace spl::env
