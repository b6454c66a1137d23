#include "env/program_start.h"

#include <fcntl.h>
#include <sys/wait.h>
#include <unistd.h>

#include <array>
#include <cerrno>
#include <climits>

#include "env/descriptor.h"
#include "env/program_image.h"

namespace spl::env {
namespace {

// What the process between tells: the number of the program's process, or why it could not be run.
struct Told {
  int pid = 0;
  int error = 0;
};

bool tell(int descriptor, const Told& told) {
  return ::write(descriptor, &told, sizeof told) == sizeof told;
}

ssize_t read_told(int descriptor, Told& told) {
  ssize_t n = 0;
  while ((n = ::read(descriptor, &told, sizeof told)) < 0 && errno == EINTR) {
  }
  return n;
}

}  // namespace

Result<int> start_detached(const ProgramStart& program) {
  ProgramImage image(program.arguments, program.environment, program.working_directory, program.user);
  image.apart = ProgramImage::Apart::kSession;
  const Descriptor nothing(::open("/dev/null", O_RDWR | O_CLOEXEC));
  image.streams = {nothing.number(), nothing.number(), nothing.number()};
  std::array<int, 2> ends{};
  if (::pipe2(ends.data(), O_CLOEXEC) != 0) return base::fail_errno("cannot make a pipe", errno);
  const Descriptor reading(ends[0]);
  Descriptor writing(ends[1]);
  // A process between ends at once, so that the program is no child of this one.
  const pid_t between = ::fork();
  if (between < 0) return base::fail_errno("cannot start " + program.arguments.front(), errno);
  if (between == 0) {
    const pid_t pid = ::fork();
    if (pid == 0) {
      const Told told{0, image.become()};
      ::_exit(tell(writing.number(), told) ? 127 : 126);
    }
    const Told told{pid, pid < 0 ? errno : 0};
    ::_exit(tell(writing.number(), told) ? 0 : 1);
  }
  writing.close();
  int status = 0;
  while (::waitpid(between, &status, 0) < 0 && errno == EINTR) {
  }
  int pid = 0;
  for (;;) {
    Told told;
    if (read_told(reading.number(), told) != sizeof told) break;  // the program runs: its end of the pipe is closed
    if (told.error != 0) return std::unexpected(cannot_run(program.arguments.front(), told.error));
    if (told.pid > 0) pid = told.pid;
  }
  if (pid == 0) return fail("cannot start " + program.arguments.front());
  return pid;
}

Error become(const ProgramStart& program) {
  ProgramImage image(program.arguments, program.environment, program.working_directory, program.user);
  image.creation_mask = program.creation_mask;
  return cannot_run(program.arguments.front(), image.become());
}

Result<std::string> own_program() {
  std::array<char, PATH_MAX> path{};
  const ssize_t n = ::readlink(kThisProgram, path.data(), path.size());
  if (n <= 0) return base::fail_errno("cannot tell which program this is", errno);
  std::string file(path.data(), static_cast<std::size_t>(n));
  constexpr std::string_view kGone = " (deleted)";
  if (file.ends_with(kGone)) file.resize(file.size() - kGone.size());
  return file;
}

}  // namespace spl::env
