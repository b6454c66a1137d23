#include <signal.h>
#include <sys/stat.h>

#include <string>
#include <vector>

#include "cli/run.h"

int main(int argc, char** argv) {
  // A reader that goes away is an error of write(2), told where it happens.
  ::signal(SIGPIPE, SIG_IGN);
  ::umask(077);
  return spl::cli::run(std::vector<std::string>(argv + (argc > 0 ? 1 : 0), argv + argc));
}
