#include "env/process.h"

#include <fcntl.h>
#include <poll.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/sysmacros.h>
#include <unistd.h>

#include <array>
#include <cerrno>
#include <charconv>
#include <cstdio>
#include <fstream>
#include <sstream>

namespace spl::env {
namespace {

constexpr int kStartField = 22;  // proc(5), counted from 1

// When a process began, in ticks since the machine did (proc(5)).
std::optional<std::string> start_of(int pid) {
  std::ifstream file("/proc/" + std::to_string(pid) + "/stat");
  std::string line;
  if (!std::getline(file, line)) return std::nullopt;
  // The second field is the program's name in parentheses and may hold anything.
  const std::size_t name_end = line.rfind(')');
  if (name_end == std::string::npos) return std::nullopt;
  std::istringstream rest(line.substr(name_end + 1));
  std::string state;
  std::string field;
  rest >> state;
  if (state == "Z" || state == "X") return std::nullopt;
  for (int i = 3; i < kStartField && rest >> field;) ++i;
  return field.empty() ? std::nullopt : std::optional(field);
}

std::string boot_id() {
  std::ifstream file("/proc/sys/kernel/random/boot_id");
  std::string id;
  std::getline(file, id);
  return id;
}

// "pid:[4026531836]": elsewhere the same number is another process.
std::string pid_namespace() {
  std::array<char, 64> name{};
  const ssize_t n = ::readlink("/proc/self/ns/pid", name.data(), name.size());
  return n > 0 ? std::string(name.data(), static_cast<std::size_t>(n)) : std::string();
}

}  // namespace

// glibc 2.36 declares pidfd_open and pidfd_send_signal without saying that they are C.
std::optional<ProcessHandle> ProcessHandle::open(int pid) {
  Descriptor descriptor(static_cast<int>(::syscall(SYS_pidfd_open, pid, 0)));
  if (!descriptor.is_open()) return std::nullopt;
  return ProcessHandle(std::move(descriptor), pid);
}

Result<bool> ProcessHandle::signal(int number) const {
  if (::syscall(SYS_pidfd_send_signal, descriptor_.number(), number, nullptr, 0) == 0) return true;
  if (errno == ESRCH) return false;
  return base::fail_errno("cannot signal process " + std::to_string(pid_), errno);
}

bool ProcessHandle::wait(std::chrono::milliseconds at_most) const {
  pollfd wait{descriptor_.number(), POLLIN, 0};
  for (;;) {
    const int n = ::poll(&wait, 1, static_cast<int>(at_most.count()));
    if (n >= 0 || errno != EINTR) return n > 0;
  }
}

int own_process_id() {
  return ::getpid();
}

std::optional<std::string> process_mark(int pid) {
  auto start = start_of(pid);
  if (!start) return std::nullopt;
  return boot_id() + " " + pid_namespace() + " " + *start;
}

std::optional<int> lock_holder(const std::string& path) {
  struct stat status{};
  if (::stat(path.c_str(), &status) != 0) return std::nullopt;
  std::array<char, 64> wanted{};
  std::snprintf(wanted.data(), wanted.size(), "%02x:%02x:%lu", major(status.st_dev), minor(status.st_dev),
                static_cast<unsigned long>(status.st_ino));
  // "1: FLOCK  ADVISORY  WRITE 708 00:13:13 0 EOF"
  std::ifstream locks("/proc/locks");
  for (std::string number, kind, mode, access, pid, file, begin, end;
       locks >> number >> kind >> mode >> access >> pid >> file >> begin >> end;) {
    int holder = 0;
    if (kind == "FLOCK" && file == wanted.data() &&
        std::from_chars(pid.data(), pid.data() + pid.size(), holder).ec == std::errc())
      return holder;
  }
  return std::nullopt;
}

bool is_locked(const std::string& path) {
  const Descriptor file(::open(path.c_str(), O_RDONLY | O_CLOEXEC | O_NOFOLLOW));
  if (!file.is_open()) return false;
  return ::flock(file.number(), LOCK_SH | LOCK_NB) != 0 && errno == EWOULDBLOCK;
}

}  // namespace spl::env
