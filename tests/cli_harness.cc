#include "cli_harness.h"

#include <fcntl.h>
#include <poll.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <cerrno>
#include <csignal>
#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <iterator>

namespace spl::cli_test {
namespace {

struct Pipe {
  int read_end = -1;
  int write_end = -1;
  Pipe() {
    std::array<int, 2> ends{};
    EXPECT_EQ(::pipe2(ends.data(), O_CLOEXEC), 0);
    read_end = ends[0];
    write_end = ends[1];
  }
};

// Standard input as a file without a name: any size, and nobody has to write it while the program runs.
int input_file(const std::string& text) {
  const int file = ::open("/tmp", O_TMPFILE | O_RDWR | O_CLOEXEC, 0600);
  EXPECT_GE(file, 0);
  for (std::size_t done = 0; done < text.size();) {
    const ssize_t n = ::write(file, text.data() + done, text.size() - done);
    if (n <= 0) break;
    done += static_cast<std::size_t>(n);
  }
  ::lseek(file, 0, SEEK_SET);
  return file;
}

std::vector<char*> pointers(std::vector<std::string>& texts) {
  std::vector<char*> result;
  for (std::string& text : texts) result.push_back(text.data());
  result.push_back(nullptr);
  return result;
}

}  // namespace

const std::string& spl_program() {
  static const std::string path = [] {
    const char* chosen = std::getenv("SPL_PROGRAM");
    return chosen != nullptr ? std::string(chosen) : std::string(SPL_BINARY_DIR "/spl");
  }();
  return path;
}

Process::Process(const Words& words, const Input& input) {
  std::vector<std::string> arguments{spl_program()};
  arguments.insert(arguments.end(), words.begin(), words.end());
  std::map<std::string, std::string> variables{
      {"PATH", "/usr/bin:/bin"}, {"HOME", "/nonexistent"}, {"LC_ALL", "C.UTF-8"}};
  for (const auto& [name, value] : input.environment) variables[name] = value;
  std::vector<std::string> environment;
  for (const auto& [name, value] : variables) environment.push_back(name + "=" + value);
  const std::vector<char*> argv = pointers(arguments);
  const std::vector<char*> envp = pointers(environment);
  const int in = input_file(input.text);
  const Pipe out;
  const Pipe err;
  pid_ = ::fork();
  if (pid_ == 0) {
    ::dup2(in, STDIN_FILENO);
    ::dup2(out.write_end, STDOUT_FILENO);
    ::dup2(err.write_end, STDERR_FILENO);
    if (!input.directory.empty() && ::chdir(input.directory.c_str()) != 0) ::_exit(126);
    ::execve(argv[0], argv.data(), envp.data());
    ::_exit(127);
  }
  ::close(in);
  ::close(out.write_end);
  ::close(err.write_end);
  out_ = out.read_end;
  err_ = err.read_end;
}

Process::~Process() {
  if (pid_ > 0) {
    ::kill(pid_, SIGKILL);
    ::waitpid(pid_, nullptr, 0);
  }
  close_output();
  if (err_ >= 0) ::close(err_);
}

void Process::close_output() {
  if (out_ >= 0) ::close(out_);
  out_ = -1;
}

bool Process::wait_for_output(std::string_view text) {
  std::array<char, 4096> buffer{};
  while (ran_.out.find(text) == std::string::npos) {
    const ssize_t n = ::read(out_, buffer.data(), buffer.size());
    if (n < 0 && errno == EINTR) continue;
    if (n <= 0) return false;
    ran_.out.append(buffer.data(), static_cast<std::size_t>(n));
  }
  return true;
}

Ran Process::wait() {
  std::array<char, 64 * 1024> buffer{};
  for (;;) {
    std::array<pollfd, 2> waits{pollfd{out_, POLLIN, 0}, pollfd{err_, POLLIN, 0}};
    if (out_ < 0 && err_ < 0) break;
    if (::poll(waits.data(), waits.size(), -1) < 0) continue;
    for (int* descriptor : {&out_, &err_}) {
      const pollfd& wait = waits[descriptor == &out_ ? 0 : 1];
      if (*descriptor < 0 || wait.revents == 0) continue;
      const ssize_t n = ::read(*descriptor, buffer.data(), buffer.size());
      if (n > 0) {
        (descriptor == &out_ ? ran_.out : ran_.err).append(buffer.data(), static_cast<std::size_t>(n));
      } else if (n == 0 || errno != EINTR) {
        ::close(*descriptor);
        *descriptor = -1;
      }
    }
  }
  int status = 0;
  while (::waitpid(pid_, &status, 0) < 0 && errno == EINTR) {
  }
  pid_ = -1;
  ran_.code = WIFEXITED(status) ? WEXITSTATUS(status) : 128 + WTERMSIG(status);
  return std::move(ran_);
}

Ran run(const Words& words, const Input& input) {
  return Process(words, input).wait();
}

int shell(const std::string& command) {
  const int status = std::system(command.c_str());
  return WIFEXITED(status) ? WEXITSTATUS(status) : -1;
}

std::string record_text(const std::string& thread, int clock, const std::string& act, const std::string& body) {
  return "{\"act\":\"" + act + "\",\"actor\":\"did:web:else.where\",\"body\":" + body +
         ",\"clock\":" + std::to_string(clock) + ",\"data_type\":\"SCALAR\",\"parents\":[],\"thread\":\"" + thread +
         "\"}";
}

codec::Json json_of(const std::string& text) {
  auto json = codec::Json::parse(text);
  EXPECT_TRUE(json) << "no JSON document: " << text;
  return json ? std::move(*json) : codec::Json();
}

std::vector<std::string> members(const codec::Json& json) {
  std::vector<std::string> names;
  EXPECT_NE(json.object(), nullptr);
  if (json.object() == nullptr) return names;
  for (const auto& [name, value] : *json.object()) names.push_back(name);
  return names;
}

std::string text_of(const codec::Json& json, std::string_view name) {
  const codec::Json* member = json.find(name);
  EXPECT_TRUE(member != nullptr && member->string() != nullptr) << name << " in " << json.text();
  return member != nullptr && member->string() != nullptr ? *member->string() : std::string();
}

std::uint64_t number_of(const codec::Json& json, std::string_view name) {
  const codec::Json* member = json.find(name);
  EXPECT_TRUE(member != nullptr && member->whole_number()) << name << " in " << json.text();
  return member != nullptr ? member->whole_number().value_or(0) : 0;
}

bool flag_of(const codec::Json& json, std::string_view name) {
  const codec::Json* member = json.find(name);
  EXPECT_TRUE(member != nullptr && member->boolean() != nullptr) << name << " in " << json.text();
  return member != nullptr && member->boolean() != nullptr && *member->boolean();
}

std::string read_file(const std::string& path) {
  std::ifstream stream(path, std::ios::binary);
  EXPECT_TRUE(stream) << path;
  return {std::istreambuf_iterator<char>(stream), {}};
}

void write_file(const std::string& path, std::string_view content) {
  std::ofstream stream(path, std::ios::binary | std::ios::trunc);
  stream << content;
  stream.close();
  EXPECT_TRUE(stream) << path;
}

std::vector<std::string> names_in(const std::string& directory) {
  std::vector<std::string> names;
  for (const auto& entry : std::filesystem::directory_iterator(directory))
    names.push_back(entry.path().filename().string());
  std::ranges::sort(names);
  return names;
}

bool exists(const std::string& path) {
  return std::filesystem::exists(std::filesystem::symlink_status(path));
}

unsigned mode_of(const std::string& path) {
  struct stat status{};
  EXPECT_EQ(::lstat(path.c_str(), &status), 0) << path;
  return status.st_mode & 07777;
}

CliTest::~CliTest() {
  for (const std::string& home : daemons_) on(home, {"stop"});
}

Ran CliTest::on(const std::string& home, Words words, const Input& input) {
  words.insert(words.begin(), {"--home", path(home)});
  return run(words, input);
}

codec::Json CliTest::json_on(const std::string& home, Words words, const Input& input, int code) {
  words.insert(words.begin(), {"-o", "json"});
  const Ran ran = on(home, words, input);
  EXPECT_EQ(ran.code, code) << ran.out << ran.err;
  return json_of(ran.out);
}

void CliTest::make_home(const std::string& home, int threads) {
  ASSERT_EQ(on(home, {"init"}).code, 0);
  for (int i = 0; i < threads; ++i) {
    const std::string thread = "th_test" + std::to_string(i);
    ASSERT_EQ(on(home, {"intend", "begin", "--thread", thread}).code, 0);
    ASSERT_EQ(on(home, {"do", "go on", "--thread", thread}).code, 0);
  }
}

std::uint64_t CliTest::start_daemon(const std::string& home) {
  const Ran ran = on(home, {"serve", "--daemon", "--port", "0"});
  EXPECT_EQ(ran.code, 0) << ran.err;
  daemons_.push_back(home);
  return number_of(json_on(home, {"status"}), "port");
}

}  // namespace spl::cli_test
