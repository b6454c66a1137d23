#include "env/pager.h"

#include <fcntl.h>
#include <spawn.h>
#include <sys/wait.h>
#include <unistd.h>

#include <array>
#include <cerrno>
#include <csignal>
#include <cstdlib>
#include <string_view>
#include <vector>

namespace spl::env {
namespace {

// As git has it: less shows colours, and ends by itself where all fits the screen, which it leaves as it is.
constexpr char kLessOptions[] = "LESS=FRX";

std::vector<char*> environment_with(char** given, std::string& less) {
  std::vector<char*> variables;
  bool has_less = false;
  for (char** entry = given; *entry != nullptr; ++entry) {
    has_less = has_less || std::string_view(*entry).starts_with("LESS=");
    variables.push_back(*entry);
  }
  if (!has_less) variables.push_back(less.data());
  variables.push_back(nullptr);
  return variables;
}

// The pager decides itself what Ctrl-C is to do.
pid_t spawn_shell(std::string command, char** environment, int input) {
  posix_spawn_file_actions_t actions;
  posix_spawnattr_t attributes;
  ::posix_spawn_file_actions_init(&actions);
  ::posix_spawn_file_actions_adddup2(&actions, input, STDIN_FILENO);
  ::posix_spawnattr_init(&attributes);
  sigset_t defaults;
  ::sigemptyset(&defaults);
  ::sigaddset(&defaults, SIGPIPE);
  ::posix_spawnattr_setsigdefault(&attributes, &defaults);
  ::posix_spawnattr_setflags(&attributes, POSIX_SPAWN_SETSIGDEF);
  std::string shell = "sh";
  std::string option = "-c";
  std::array<char*, 4> arguments{shell.data(), option.data(), command.data(), nullptr};
  std::string less = kLessOptions;
  pid_t pid = -1;
  const int outcome = ::posix_spawn(&pid, "/bin/sh", &actions, &attributes, arguments.data(),
                                    environment_with(environment, less).data());
  ::posix_spawnattr_destroy(&attributes);
  ::posix_spawn_file_actions_destroy(&actions);
  return outcome == 0 ? pid : -1;
}

}  // namespace

std::unique_ptr<Pager> Pager::start(const std::string& command, char** environment) {
  std::array<int, 2> ends{};
  if (::pipe2(ends.data(), O_CLOEXEC) != 0) return nullptr;
  const Descriptor read_end(ends[0]);
  const Descriptor write_end(ends[1]);
  Descriptor before(::fcntl(STDOUT_FILENO, F_DUPFD_CLOEXEC, 3));
  if (!before.is_open()) return nullptr;
  const pid_t pid = spawn_shell(command, environment, read_end.number());
  if (pid < 0) return nullptr;
  std::unique_ptr<Pager> pager(new Pager(pid, std::move(before)));
  ::dup2(write_end.number(), STDOUT_FILENO);
  return pager;
}

Pager::~Pager() {
  ::dup2(before_.number(), STDOUT_FILENO);  // the pager's pipe ends
  while (::waitpid(pid_, nullptr, 0) < 0 && errno == EINTR) {
  }
}

}  // namespace spl::env
