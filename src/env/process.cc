#include "env/process.h"

#include <fcntl.h>
#include <poll.h>
#include <sys/file.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/sysmacros.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <cerrno>
#include <charconv>
#include <cstdio>
#include <fstream>
#include <utility>

#include "env/proc_files.h"
#include "env/process_table.h"

namespace spl::env {
namespace {

constexpr std::size_t kIdBytesMax = 4096;
constexpr rlim_t kDescriptorsMax = 65536;  // more than any service has processes

}  // namespace

// glibc 2.36 declares pidfd_open and pidfd_send_signal without saying that they are C.
Result<std::optional<ProcessHandle>> ProcessHandle::open(int pid) {
  Descriptor descriptor(static_cast<int>(::syscall(SYS_pidfd_open, pid, 0)));
  if (descriptor.is_open()) return ProcessHandle(std::move(descriptor), pid);
  if (errno == ESRCH) return std::nullopt;
  return base::fail_errno("cannot follow process " + std::to_string(pid), errno);
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

Result<std::string> boot_id() {
  std::string id = TRY(read_proc("/proc/sys/kernel/random/boot_id", kIdBytesMax)).value_or("");
  while (id.ends_with('\n')) id.pop_back();
  if (id.empty()) return fail("the machine does not tell when it was started");
  return id;
}

Result<std::string> process_namespace() {
  return TRY(proc_link("/proc/self/ns/pid")).value_or("");
}

Result<std::optional<std::string>> process_mark(int pid) {
  const auto found = process_entry(pid);
  if (!found && found.error().cause == Cause::kDenied) return std::nullopt;
  const auto entry = TRY(found);
  if (!entry) return std::nullopt;
  const std::string boot = TRY(boot_id());
  const std::string name_space = TRY(process_namespace());
  return boot + " " + name_space + " " + std::to_string(entry->start_ticks);
}

ManyDescriptors::ManyDescriptors() {
  rlimit limit{};
  if (::getrlimit(RLIMIT_NOFILE, &limit) != 0) return;
  const rlim_t wanted = std::min(limit.rlim_max, kDescriptorsMax);
  if (limit.rlim_cur >= wanted) return;
  const rlim_t before = std::exchange(limit.rlim_cur, wanted);
  if (::setrlimit(RLIMIT_NOFILE, &limit) == 0) soft_before_ = before;
}

ManyDescriptors::~ManyDescriptors() {
  rlimit limit{};
  if (!soft_before_ || ::getrlimit(RLIMIT_NOFILE, &limit) != 0) return;
  limit.rlim_cur = std::min<rlim_t>(*soft_before_, limit.rlim_max);
  ::setrlimit(RLIMIT_NOFILE, &limit);
}

void keep_memory_private() {
  rlimit limit{};
  if (::getrlimit(RLIMIT_CORE, &limit) == 0) {
    // The hard limit stays for those that are started.
    limit.rlim_cur = 0;
    ::setrlimit(RLIMIT_CORE, &limit);
  }
  ::prctl(PR_SET_DUMPABLE, 0);
}

std::size_t allow_descriptors(std::size_t wanted) {
  rlimit limit{};
  if (::getrlimit(RLIMIT_NOFILE, &limit) != 0) return wanted;
  const rlim_t before = limit.rlim_cur;
  limit.rlim_cur = std::max(before, std::min<rlim_t>(limit.rlim_max, wanted));
  return ::setrlimit(RLIMIT_NOFILE, &limit) == 0 ? limit.rlim_cur : before;
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

Result<bool> is_locked(const std::string& path) {
  const Descriptor file(::open(path.c_str(), O_RDONLY | O_CLOEXEC));
  if (!file.is_open()) {
    if (errno == ENOENT || errno == ENOTDIR) return false;
    return base::fail_errno("cannot tell whether " + path + " is locked", errno);
  }
  while (::flock(file.number(), LOCK_SH | LOCK_NB) != 0) {
    if (errno == EWOULDBLOCK) return true;
    if (errno != EINTR) return base::fail_errno("cannot tell whether " + path + " is locked", errno);
  }
  return false;
}

}  // namespace spl::env
