#include "env/program_image.h"

#include <fcntl.h>
#include <grp.h>
#include <linux/close_range.h>
#include <linux/openat2.h>
#include <pwd.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <csignal>
#include <string_view>

#include "base/encoding.h"

namespace spl::env {
namespace {

constexpr std::string_view kUsualPath = "/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin";

std::vector<char*> pointers_to(const std::vector<std::string>& texts) {
  std::vector<char*> pointers;
  pointers.reserve(texts.size() + 1);
  for (const std::string& text : texts) pointers.push_back(const_cast<char*>(text.c_str()));
  pointers.push_back(nullptr);
  return pointers;
}

std::string_view value_of(const std::vector<std::string>& environment, std::string_view name) {
  for (std::string_view entry : environment) {
    if (entry.starts_with(name) && entry.substr(name.size()).starts_with('=')) return entry.substr(name.size() + 1);
  }
  return {};
}

// Where the program may be: the paths to try in order.
std::vector<std::string> paths_of(const std::string& program, const std::vector<std::string>& environment) {
  if (program.find('/') != std::string::npos) return {program};
  std::vector<std::string> paths;
  std::string_view path = value_of(environment, "PATH");
  if (path.empty()) path = kUsualPath;
  while (!path.empty()) {
    const std::string_view directory = path.substr(0, path.find(':'));
    path.remove_prefix(std::min(path.size(), directory.size() + 1));
    if (!directory.empty()) paths.push_back(std::string(directory) + "/" + program);
  }
  return paths;
}

// The groups that the user database gives a user, with its primary one.
std::vector<gid_t> groups_of(const UserIds& user) {
  std::array<char, 16384> room{};
  passwd entry{};
  passwd* found = nullptr;
  std::vector<gid_t> groups{user.gid};
  if (::getpwuid_r(user.uid, &entry, room.data(), room.size(), &found) != 0 || found == nullptr) return groups;
  int count = 256;
  groups.resize(static_cast<std::size_t>(count));
  if (::getgrouplist(found->pw_name, user.gid, groups.data(), &count) < 0) count = 1;
  groups.resize(static_cast<std::size_t>(std::max(count, 1)));
  return groups;
}

// Of a directory, by whose rights this process has now; no link on the way is followed. -1 where it cannot be had.
int open_without_links(const char* directory) {
  open_how how{};
  how.flags = O_PATH | O_DIRECTORY | O_CLOEXEC;
  how.resolve = RESOLVE_NO_SYMLINKS;
  return static_cast<int>(::syscall(SYS_openat2, AT_FDCWD, directory, &how, sizeof how));
}

}  // namespace

ProgramImage::ProgramImage(const std::vector<std::string>& words, const std::vector<std::string>& variables,
                           const std::string& working_directory, const std::optional<UserIds>& as_user)
    : paths(paths_of(words.front(), variables)),
      arguments(pointers_to(words)),
      environment(pointers_to(variables)),
      directory(working_directory.c_str()) {
  if (!as_user || (as_user->uid == ::geteuid() && as_user->gid == ::getegid())) return;
  user = as_user;
  groups = groups_of(*as_user);
}

int ProgramImage::become() const {
  // Not the descriptors' own numbers, which may be those that are to be set.
  constexpr int kFree = 10;
  std::array<int, 3> kept{-1, -1, -1};
  for (std::size_t i = 0; i < streams.size(); ++i) {
    if (streams[i] >= 0) kept[i] = ::fcntl(streams[i], F_DUPFD_CLOEXEC, kFree);
  }
  for (std::size_t i = 0; i < streams.size(); ++i) {
    if (streams[i] >= 0 && ::dup2(kept[i], static_cast<int>(i)) < 0) return errno;
  }
  ::close_range(STDERR_FILENO + 1, ~0U, CLOSE_RANGE_CLOEXEC);
  if (apart == Apart::kGroup) ::setpgid(0, 0);
  if (apart == Apart::kSession) ::setsid();
  struct sigaction usual{};
  usual.sa_handler = SIG_DFL;
  for (int number = 1; number < NSIG; ++number) ::sigaction(number, &usual, nullptr);
  sigset_t none;
  ::sigemptyset(&none);
  ::sigprocmask(SIG_SETMASK, &none, nullptr);
  ::umask(creation_mask);
  if (memory && ::setrlimit(RLIMIT_AS, &*memory) != 0) return errno;
  if (processor_time && ::setrlimit(RLIMIT_CPU, &*processor_time) != 0) return errno;
  // A directory of the user's own may stand below one that is closed to the user: it is opened before, and entered if
  // the user may be in it. A path may be the user's to change, so that links are followed with the user's rights alone.
  const int kept_directory = user ? open_without_links(directory) : -1;
  const bool is_user =
      !user || (::setgroups(groups.size(), groups.data()) == 0 && ::setgid(user->gid) == 0 && ::setuid(user->uid) == 0);
  if (!is_user) return errno;
  if (::chdir(directory) != 0) {
    if (errno != EACCES) return errno;
    if (kept_directory < 0 || ::fchdir(kept_directory) != 0) return EACCES;
  }
  int error = ENOENT;
  for (const std::string& path : paths) {
    ::execve(path.c_str(), arguments.data(), environment.data());
    if (errno != ENOENT && errno != ENOTDIR) error = errno;
  }
  return error;
}

Error cannot_run(const std::string& program, int errno_value) {
  constexpr std::size_t kNameBytesShown = 200;
  Error why = base::fail_errno("cannot run " + base::escaped(program, kNameBytesShown), errno_value).error();
  if (errno_value == ENOENT || errno_value == EACCES) why.code = ErrorCode::kUnavailable;
  if (errno_value == ENOENT) why.hint = "install it, or give its whole path";
  return why;
}

}  // namespace spl::env
