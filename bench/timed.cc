// timed RESULT COMMAND ARG... ["|" COMMAND ARG...]...: runs a command or a pipeline and writes what it took to RESULT,
// as JSON: wall seconds from before the first start to the last end; and of each command its processor seconds, with
// those of its children, its peak resident octets and how it ended. A small program of its own because a child begins
// with the peak of the program that started it, and Python's is larger than spl's may be. Exit code: the first of the
// pipeline that is not 0, 127 where a command cannot be started.
#include <fcntl.h>
#include <spawn.h>
#include <sys/resource.h>
#include <sys/wait.h>
#include <unistd.h>

#include <chrono>
#include <cstdio>
#include <cstring>
#include <string_view>
#include <vector>

namespace {

struct Stage {
  std::vector<char*> words;
  pid_t pid = 0;
  int status = 0;
  rusage usage{};
};

double seconds(const timeval& time) {
  return static_cast<double>(time.tv_sec) + static_cast<double>(time.tv_usec) * 1e-6;
}

int exit_code(int status) {
  return WIFEXITED(status) ? WEXITSTATUS(status) : 128 + WTERMSIG(status);
}

// Starts a stage between two descriptors; -1 leaves what this process has. Both are closed here.
bool start(Stage& stage, int in, int out) {
  posix_spawn_file_actions_t actions;
  posix_spawn_file_actions_init(&actions);
  if (in >= 0) posix_spawn_file_actions_adddup2(&actions, in, STDIN_FILENO);
  if (out >= 0) posix_spawn_file_actions_adddup2(&actions, out, STDOUT_FILENO);
  stage.words.push_back(nullptr);
  const int error = ::posix_spawnp(&stage.pid, stage.words[0], &actions, nullptr, stage.words.data(), environ);
  posix_spawn_file_actions_destroy(&actions);
  if (in >= 0) ::close(in);
  if (out >= 0) ::close(out);
  if (error != 0) std::fprintf(stderr, "timed: %s: %s\n", stage.words[0], std::strerror(error));
  return error == 0;
}

bool start_all(std::vector<Stage>& stages) {
  int in = -1;
  for (std::size_t i = 0; i < stages.size(); ++i) {
    int ends[2] = {-1, -1};
    if (i + 1 < stages.size() && ::pipe2(ends, O_CLOEXEC) != 0) return false;
    if (!start(stages[i], in, ends[1])) return false;
    in = ends[0];
  }
  return true;
}

bool write_result(const char* path, double wall_s, const std::vector<Stage>& stages) {
  std::FILE* file = std::fopen(path, "we");
  if (file == nullptr) return false;
  std::fprintf(file, "{\"wall_s\":%.6f,\"stages\":[", wall_s);
  const char* comma = "";
  for (const Stage& stage : stages) {
    std::fprintf(file, "%s{\"user_s\":%.6f,\"system_s\":%.6f,\"peak_bytes\":%ld,\"exit_code\":%d}", comma,
                 seconds(stage.usage.ru_utime), seconds(stage.usage.ru_stime), stage.usage.ru_maxrss * 1024,
                 exit_code(stage.status));
    comma = ",";
  }
  std::fputs("]}\n", file);
  return std::fclose(file) == 0;
}

}  // namespace

int main(int argc, char** argv) {
  std::vector<Stage> stages(1);
  for (int i = 2; i < argc; ++i) {
    if (std::string_view(argv[i]) == "|") {
      stages.emplace_back();
    } else {
      stages.back().words.push_back(argv[i]);
    }
  }
  for (const Stage& stage : stages) {
    if (!stage.words.empty()) continue;
    std::fputs("usage: timed RESULT COMMAND ARG... [\"|\" COMMAND ARG...]...\n", stderr);
    return 2;
  }
  const auto begun = std::chrono::steady_clock::now();
  const bool started = start_all(stages);
  int code = started ? 0 : 127;
  for (Stage& stage : stages) {
    if (stage.pid == 0) continue;
    if (::wait4(stage.pid, &stage.status, 0, &stage.usage) < 0) return 127;
    if (code == 0) code = exit_code(stage.status);
  }
  const std::chrono::duration<double> wall = std::chrono::steady_clock::now() - begun;
  if (!write_result(argv[1], wall.count(), stages)) {
    std::perror(argv[1]);
    return 127;
  }
  return code;
}
