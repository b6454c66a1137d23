#include "cli_terminal.h"

#include <fcntl.h>
#include <poll.h>
#include <pty.h>
#include <signal.h>
#include <sys/wait.h>
#include <unistd.h>

#include <array>
#include <cerrno>

namespace spl::cli_test {

Terminal::Terminal(const Words& words, const TerminalOptions& options) {
  Words arguments = words;
  Words variables{"PATH=/usr/bin:/bin", "HOME=/nonexistent", "TERM=" + options.term, "LC_ALL=" + options.locale,
                  "PS1=ready> "};
  std::vector<char*> argv;
  for (std::string& word : arguments) argv.push_back(word.data());
  argv.push_back(nullptr);
  std::vector<char*> envp;
  for (std::string& variable : variables) envp.push_back(variable.data());
  envp.push_back(nullptr);
  const winsize size{24, options.columns, 0, 0};
  pid_ = ::forkpty(&master_, nullptr, nullptr, &size);
  if (pid_ == 0) {
    if (!options.input.empty()) ::dup2(::open(options.input.c_str(), O_RDONLY), STDIN_FILENO);
    ::execve(argv[0], argv.data(), envp.data());
    ::_exit(127);
  }
  EXPECT_GT(pid_, 0);
}

Terminal::~Terminal() {
  if (pid_ > 0) {
    ::kill(pid_, SIGKILL);
    ::waitpid(pid_, nullptr, 0);
  }
  if (master_ >= 0) ::close(master_);
}

void Terminal::type(std::string_view text) {
  EXPECT_EQ(::write(master_, text.data(), text.size()), static_cast<ssize_t>(text.size()));
}

bool Terminal::read_some(std::chrono::milliseconds at_most) {
  pollfd wait{master_, POLLIN, 0};
  if (::poll(&wait, 1, static_cast<int>(at_most.count())) <= 0) return false;
  std::array<char, 4096> buffer{};
  const ssize_t n = ::read(master_, buffer.data(), buffer.size());
  if (n <= 0) return false;
  shown_.append(buffer.data(), static_cast<std::size_t>(n));
  return true;
}

bool Terminal::wait_for(std::string_view text) {
  for (;;) {
    const std::size_t at = shown_.find(text, seen_);
    if (at != std::string::npos) {
      seen_ = at + text.size();
      return true;
    }
    if (!read_some(std::chrono::seconds(10))) return false;
  }
}

int Terminal::wait() {
  while (read_some(std::chrono::seconds(20))) {
  }
  int status = 0;
  while (::waitpid(pid_, &status, 0) < 0 && errno == EINTR) {
  }
  pid_ = -1;
  ended_by_signal_ = WIFSIGNALED(status);
  return ended_by_signal_ ? 128 + WTERMSIG(status) : WEXITSTATUS(status);
}

}  // namespace spl::cli_test
