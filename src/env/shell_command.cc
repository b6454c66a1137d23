#include "env/shell_command.h"

#include <fcntl.h>
#include <poll.h>
#include <spawn.h>
#include <sys/wait.h>
#include <unistd.h>

#include <array>
#include <cerrno>
#include <csignal>
#include <cstring>
#include <memory>

#include "base/encoding.h"
#include "env/descriptor.h"

namespace spl::env {
namespace {

constexpr std::size_t kLineBytesShown = 200;

// Whether a person can reach this process by keys: what is typed to end it reaches its children, too, and these may ask
// for something on the terminal, which other groups of processes may not.
bool in_foreground() {
  const Descriptor terminal(::open("/dev/tty", O_RDONLY | O_CLOEXEC | O_NOCTTY));
  return terminal.is_open() && ::tcgetpgrp(terminal.number()) == ::getpgrp();
}

// Waited for in any case.
class Child {
 public:
  // `is_group`: all that it makes ends with it.
  Child(pid_t pid, bool is_group) : pid_(pid), is_group_(is_group) {}
  Child(const Child&) = delete;
  Child& operator=(const Child&) = delete;
  ~Child() {
    if (pid_ <= 0) return;
    ::kill(is_group_ ? -pid_ : pid_, SIGTERM);
    (void)status();
  }
  // As waitpid(2) has it.
  int status() {
    int status = 0;
    while (::waitpid(pid_, &status, 0) < 0 && errno == EINTR) {
    }
    pid_ = -1;
    return status;
  }

 private:
  pid_t pid_;
  const bool is_group_;
};

Result<pid_t> spawn(const std::string& line, char* const* environment, int output, bool as_group) {
  posix_spawn_file_actions_t actions;
  ::posix_spawn_file_actions_init(&actions);
  ::posix_spawn_file_actions_addopen(&actions, STDIN_FILENO, "/dev/null", O_RDONLY, 0);
  ::posix_spawn_file_actions_adddup2(&actions, output, STDOUT_FILENO);
  posix_spawnattr_t attributes;
  ::posix_spawnattr_init(&attributes);
  sigset_t usual;
  ::sigemptyset(&usual);
  for (const int signal : {SIGPIPE, SIGXFSZ}) ::sigaddset(&usual, signal);
  ::posix_spawnattr_setsigdefault(&attributes, &usual);
  ::posix_spawnattr_setpgroup(&attributes, 0);
  ::posix_spawnattr_setflags(&attributes,
                             static_cast<short>(POSIX_SPAWN_SETSIGDEF | (as_group ? POSIX_SPAWN_SETPGROUP : 0)));
  std::string shell = "sh";
  std::string option = "-c";
  std::string command = line;
  const std::array<char*, 4> words{shell.data(), option.data(), command.data(), nullptr};
  pid_t pid = -1;
  const int error = ::posix_spawn(&pid, "/bin/sh", &actions, &attributes, words.data(), environment);
  ::posix_spawn_file_actions_destroy(&actions);
  ::posix_spawnattr_destroy(&attributes);
  if (error != 0) return base::fail_errno("cannot run /bin/sh", error);
  return pid;
}

struct WipedBuffer {
  explicit WipedBuffer(std::size_t size) : octets(std::make_unique<char[]>(size)), size_bytes(size) {}
  WipedBuffer(const WipedBuffer&) = delete;
  WipedBuffer& operator=(const WipedBuffer&) = delete;
  ~WipedBuffer() { explicit_bzero(octets.get(), size_bytes); }
  std::unique_ptr<char[]> octets;
  std::size_t size_bytes;
};

std::string end_of(int status) {
  return WIFSIGNALED(status) ? "was ended by signal " + std::to_string(WTERMSIG(status))
                             : "ended with exit code " + std::to_string(WEXITSTATUS(status));
}

}  // namespace

Result<SecretBytes> secret_output_of(const std::string& line, char* const* environment, std::size_t max_bytes,
                                     const Interrupt* interrupt) {
  std::array<int, 2> ends{};
  if (::pipe2(ends.data(), O_CLOEXEC) != 0) return base::fail_errno("cannot make a pipe", errno);
  const Descriptor reading(ends[0]);
  Descriptor writing(ends[1]);
  const bool as_group = !in_foreground();
  Child child(TRY(spawn(line, environment, writing.number(), as_group)), as_group);
  writing.close();
  const std::string name = "the command \"" + base::escaped(line, kLineBytesShown) + "\"";
  const WipedBuffer output(max_bytes + 1);
  std::size_t size = 0;
  for (;;) {
    std::array<pollfd, 2> waits{pollfd{reading.number(), POLLIN, 0},
                                pollfd{interrupt == nullptr ? -1 : interrupt->descriptor(), POLLIN, 0}};
    const int ready = ::poll(waits.data(), waits.size(), -1);
    if (interrupt != nullptr && interrupt->raised()) return base::fail_cancelled("nothing was changed");
    if (ready < 0 && errno == EINTR) continue;
    const ssize_t n = ::read(reading.number(), output.octets.get() + size, output.size_bytes - size);
    if (n < 0 && errno == EINTR) continue;
    if (n < 0) return base::fail_errno("cannot read what " + name + " writes", errno);
    if (n == 0) break;
    size += static_cast<std::size_t>(n);
    if (size == output.size_bytes)
      return fail(ErrorCode::kUsage, name + " writes more than " + std::to_string(max_bytes) + " bytes",
                  "it may be another command than the one that was meant");
  }
  const int status = child.status();
  if (!WIFEXITED(status) || WEXITSTATUS(status) != 0)
    return fail(name + " " + end_of(status), "try it in a shell; what it wrote is not shown");
  return SecretBytes({output.octets.get(), size});
}

std::string shell_quoted(std::string_view text) {
  std::string quoted = "'";
  for (const char c : text) quoted += c == '\'' ? std::string("'\\''") : std::string(1, c);
  return quoted + "'";
}

}  // namespace spl::env
