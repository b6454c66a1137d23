// Runs the program as its users do: words, standard input, environment in; exit code, standard output and error out.
#pragma once

#include <gtest/gtest.h>
#include <sys/types.h>

#include <map>
#include <string>
#include <string_view>
#include <vector>

#include "codec/json.h"
#include "testing/temp_directory.h"

namespace spl::cli_test {

using Words = std::vector<std::string>;

struct Ran {
  int code = -1;  // 128 and the signal's number where one ended it
  std::string out;
  std::string err;
};

struct Input {
  std::string text = {};                                // standard input
  std::map<std::string, std::string> environment = {};  // besides PATH, HOME (a directory that is not there)
  std::string directory = {};                           // to work in; "" is the test's
};

// A process that goes on while the test does other things.
class Process {
 public:
  explicit Process(const Words& words, const Input& input = {});
  Process(const Process&) = delete;
  Process& operator=(const Process&) = delete;
  ~Process();  // ends it

  [[nodiscard]] pid_t pid() const { return pid_; }
  // Reads standard output until it holds `text`; false where it ended without.
  bool wait_for_output(std::string_view text);
  void close_output();
  // To its end. Once.
  Ran wait();

 private:
  pid_t pid_ = -1;
  int out_ = -1;
  int err_ = -1;
  Ran ran_;
};

// The path of the program: what the variable SPL_PROGRAM names, or else what this build made.
const std::string& spl_program();

// `words` are those after "spl".
Ran run(const Words& words, const Input& input = {});

// A shell's command, such as a pipe; its exit code, or -1.
int shell(const std::string& command);

// A record of another actor's, unsigned, as JSON without a newline.
std::string record_text(const std::string& thread, int clock, const std::string& act = "DO",
                        const std::string& body = "{}");

// Of text that must be one JSON document.
codec::Json json_of(const std::string& text);
// The names of an object's members, in their order.
std::vector<std::string> members(const codec::Json& json);
std::string text_of(const codec::Json& json, std::string_view name);
std::uint64_t number_of(const codec::Json& json, std::string_view name);
bool flag_of(const codec::Json& json, std::string_view name);

std::string read_file(const std::string& path);
void write_file(const std::string& path, std::string_view content);
// Names in a directory, ascending.
std::vector<std::string> names_in(const std::string& directory);
bool exists(const std::string& path);
unsigned mode_of(const std::string& path);

// A scratch directory with homes in it. A daemon that still runs there at the end is stopped.
class CliTest : public ::testing::Test {
 public:
  ~CliTest() override;

 protected:
  [[nodiscard]] std::string path(const std::string& name) const { return scratch_.path() + "/" + name; }
  // Runs a command on the home of this name.
  Ran on(const std::string& home, Words words, const Input& input = {});
  // The same with -o json, and its document; the code must be `code`.
  codec::Json json_on(const std::string& home, Words words, const Input& input = {}, int code = 0);
  // A home with an identity and `threads` threads of an INTEND and a DO each.
  void make_home(const std::string& home, int threads = 2);
  // Starts a daemon on any free port; its port.
  std::uint64_t start_daemon(const std::string& home);

 private:
  spl::testing::TempDirectory scratch_;
  std::vector<std::string> daemons_;
};

}  // namespace spl::cli_test
