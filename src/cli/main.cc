#include <fcntl.h>
#include <malloc.h>
#include <sys/stat.h>
#include <unistd.h>

#include <csignal>
#include <cstdlib>
#include <string>
#include <string_view>
#include <vector>

#include "cli/run.h"
#include "crypto/locked.h"
#include "env/process.h"

namespace {

constexpr int kGivenBackBytes = 4 << 20;

// A standard stream that was closed would be the next file that is opened, and what is printed would go into it. Where
// it cannot be had, the process ends.
bool hold(int stream) {
  if (::fcntl(stream, F_GETFD) >= 0) return true;
  // Opened the wrong way round: its use is an error, as that of a closed one is.
  return ::open("/dev/null", stream == STDIN_FILENO ? O_WRONLY : O_RDONLY) == stream;
}

// libpq takes from PGSERVICE, PGPASSWORD, PGSSLMODE and others what a url does not say. Where a service's database is,
// and as whom it is asked, its declaration says alone. Before there is any thread.
void forget_libpq_variables() {
  std::vector<std::string> names;
  for (char** variable = environ; variable != nullptr && *variable != nullptr; ++variable) {
    const std::string_view text(*variable);
    if (text.starts_with("PG")) names.emplace_back(text.substr(0, text.find('=')));
  }
  for (const std::string& name : names) ::unsetenv(name.c_str());
}

}  // namespace

int main(int argc, char** argv) {
  if (!hold(STDIN_FILENO) || !hold(STDOUT_FILENO) || !hold(STDERR_FILENO)) return 1;
  // A reader that goes away is an error of write(2), told where it happens.
  ::signal(SIGPIPE, SIG_IGN);
  // So is a file that has grown to the limit of ulimit -f.
  ::signal(SIGXFSZ, SIG_IGN);
  ::umask(077);
  forget_libpq_variables();
  // Else what is as long as a record is kept for the next one once it was freed, in every thread.
  ::mallopt(M_MMAP_THRESHOLD, kGivenBackBytes);
  spl::env::keep_memory_private();
  spl::crypto::use_locked_memory();
  return spl::cli::run(std::vector<std::string>(argv + (argc > 0 ? 1 : 0), argv + argc), spl::cli::kCommit);
}
