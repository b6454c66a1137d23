// A daemon and the commands beside it: both ways do the same.
#include <fcntl.h>
#include <sys/file.h>
#include <sys/ioctl.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <csignal>
#include <memory>
#include <regex>
#include <set>
#include <thread>
#include <vector>

#include "cli_harness.h"
#include "env/process.h"
#include "home/daemon_mark.h"

namespace spl::cli_test {
namespace {

using CliDaemonTest = CliTest;

TEST_F(CliDaemonTest, ServesInTheBackgroundUntilItIsStopped) {
  make_home("h", 1);
  const std::uint64_t port = start_daemon("h");
  EXPECT_GT(port, 0u);
  const codec::Json status = json_on("h", {"status"});
  EXPECT_TRUE(flag_of(status, "running"));
  const std::string pid = read_file(path("h/run/spl.pid"));
  EXPECT_EQ(::kill(std::stoi(pid), 0), 0);
  EXPECT_EQ(pid.back(), '\n');
  EXPECT_TRUE(exists(path("h/run/spl.sock")));
  const codec::Json stopped = json_on("h", {"stop"});
  EXPECT_TRUE(flag_of(stopped, "stopped"));
  EXPECT_EQ(std::to_string(number_of(stopped, "pid")) + "\n", pid);
  EXPECT_FALSE(exists(path("h/run/spl.pid")));
  EXPECT_FALSE(exists(path("h/run/spl.sock")));
  EXPECT_FALSE(flag_of(json_on("h", {"status"}), "running"));
  const Ran again = on("h", {"stop"});
  EXPECT_EQ(again.code, 0);
  EXPECT_EQ(again.out, "no daemon is running\n");
  const std::string log = read_file(path("h/logs/spl.log"));
  for (std::size_t at = 0; at < log.size(); at = log.find('\n', at) + 1)
    EXPECT_NE(json_of(log.substr(at, log.find('\n', at) - at)).find("event"), nullptr);
}

TEST_F(CliDaemonTest, InitByManyAtATimeMakesOneInstance) {
  for (int round = 0; round < 5; ++round) {
    const std::string home = path("h" + std::to_string(round));
    std::vector<std::unique_ptr<Process>> processes;
    for (int i = 0; i < 4; ++i)
      processes.push_back(std::make_unique<Process>(Words{"--home", home, "init", "-o", "json"}));
    int created = 0;
    std::set<std::string> dids;
    for (const auto& process : processes) {
      const Ran ran = process->wait();
      ASSERT_EQ(ran.code, 0) << ran.err;
      const codec::Json json = json_of(ran.out);
      created += flag_of(json, "created") ? 1 : 0;
      dids.insert(text_of(json, "did"));
    }
    EXPECT_EQ(created, 1);
    EXPECT_EQ(dids.size(), 1u);
  }
}

TEST_F(CliDaemonTest, AnIdentityOutlivesItsStore) {
  make_home("h", 1);
  const std::string key = read_file(path("h/identity/private_key.bin"));
  const std::string did = text_of(json_on("h", {"status"}), "did");
  for (const char* suffix : {"", "-wal", "-shm"}) ::unlink(path(std::string("h/hub.db") + suffix).c_str());
  for (const Words& words : {Words{"status"}, Words{"intend", "x"}, Words{"export", "--out", path("a")}}) {
    const Ran ran = on("h", words);
    EXPECT_EQ(ran.code, 1);
    EXPECT_EQ(ran.err, "spl: the store of " + did + " is not at " + path("h/hub.db") + " — set store in " +
                           path("h/config.toml") + " to where it is, or import its bundle into another home\n");
  }
  for (int i = 0; i < 2; ++i) {
    const Ran ran = on("h", {"init"});
    EXPECT_EQ(ran.code, 3) << ran.out;
    EXPECT_NE(ran.err.find("holds the identity did:key:"), std::string::npos) << ran.err;
    EXPECT_FALSE(exists(path("h/hub.db"))) << "refused: nothing changed";
  }
  EXPECT_EQ(on("h", {"serve", "--port", "0"}).code, 3);
  EXPECT_FALSE(exists(path("h/hub.db")));
  EXPECT_EQ(on("h", {"identity", "generate"}).code, 3);
  EXPECT_EQ(read_file(path("h/identity/private_key.bin")), key);
  EXPECT_FALSE(exists(path("h/identity/previous")));
}

TEST_F(CliDaemonTest, ServesInTheForegroundUntilASignal) {
  for (const int signal : {SIGTERM, SIGINT}) {
    Process daemon({"--home", path("h"), "serve", "--port", "0"});
    ASSERT_TRUE(daemon.wait_for_output("serving " + path("h") + " at http://127.0.0.1:"));
    EXPECT_EQ(read_file(path("h/run/spl.pid")), std::to_string(daemon.pid()) + "\n");
    EXPECT_TRUE(flag_of(json_on("h", {"status"}), "running"));
    // More of them change nothing.
    while (exists(path("h/run/spl.pid"))) ::kill(daemon.pid(), signal);
    const Ran ran = daemon.wait();
    EXPECT_EQ(ran.code, 0) << ran.err;
  }
  // An empty home got a store, but no identity.
  EXPECT_TRUE(json_on("h", {"status"}).find("did")->is_null());
}

TEST_F(CliDaemonTest, ASecondDaemonIsRefused) {
  make_home("h", 0);
  start_daemon("h");
  const std::string pid = read_file(path("h/run/spl.pid"));
  for (const Words& words : {Words{"serve", "--port", "0"}, Words{"serve", "--daemon", "--port", "0"}}) {
    const Ran ran = on("h", words);
    EXPECT_EQ(ran.code, 3);
    EXPECT_NE(ran.err.find("already running, pid " + pid.substr(0, pid.size() - 1)), std::string::npos) << ran.err;
  }
  EXPECT_EQ(on("h", {"status"}).code, 0);
}

TEST_F(CliDaemonTest, ErrorsOfTheBackgroundProcessReachTheCaller) {
  make_home("h", 0);
  make_home("g", 0);
  const std::string taken = std::to_string(start_daemon("h"));
  const Ran ran = on("g", {"serve", "--daemon", "--port", taken, "-o", "json"});
  EXPECT_EQ(ran.code, 6);
  EXPECT_EQ(number_of(*json_of(ran.out).find("error"), "exit"), 6u);
  EXPECT_EQ(std::ranges::count(ran.err, '\n'), 1) << ran.err;
  EXPECT_EQ(on("g", {"serve", "--daemon", "--port", "0", "--host", "0.0.0.0"}).code, 2);
  EXPECT_FALSE(exists(path("g/run/spl.pid")));
  EXPECT_FALSE(flag_of(json_on("g", {"status"}), "running"));
}

TEST_F(CliDaemonTest, ADaemonWhoseStoreIsNoLongerThereRefusesAndEnds) {
  const std::vector<std::pair<std::string, std::string>> losses = {
      {"removed", "rm hub.db"},
      {"replaced", "cp hub.db new.db && mv new.db hub.db"},
      {"swapped", "cd .. && mv swapped swapped.away && cp -a swapped.away swapped"}};
  for (const auto& [home, loss] : losses) {
    make_home(home, 1);
    Process daemon({"--home", path(home), "serve", "--port", "0"});
    ASSERT_TRUE(daemon.wait_for_output("serving "));
    EXPECT_EQ(on(home, {"intend", "before"}).code, 0);
    ASSERT_EQ(shell("cd '" + path(home) + "' && " + loss), 0);
    // Where the daemon's own socket is now.
    const std::string there = exists(path(home + ".away")) ? home + ".away" : home;
    const Ran refused = on(there, {"intend", "after"});
    EXPECT_EQ(refused.code, 1) << home << refused.out;
    EXPECT_NE(refused.err.find("was removed or replaced while it was open"), std::string::npos) << refused.err;
    const Ran ended = daemon.wait();
    EXPECT_EQ(ended.code, 1) << home << ended.err;
    EXPECT_NE(ended.err.find("was removed or replaced"), std::string::npos) << ended.err;
    const std::string log = read_file(path(there + "/logs/spl.log"));
    EXPECT_NE(log.find("daemon failed"), std::string::npos) << log;
  }
}

TEST_F(CliDaemonTest, WhatAKilledDaemonLeftIsSeenToBeStale) {
  make_home("h", 1);
  start_daemon("h");
  ::kill(std::stoi(read_file(path("h/run/spl.pid"))), SIGKILL);
  for (int i = 0; i < 100 && flag_of(json_on("h", {"status"}), "running"); ++i) ::usleep(20'000);
  EXPECT_TRUE(exists(path("h/run/spl.pid")));
  EXPECT_FALSE(flag_of(json_on("h", {"status"}), "running"));
  EXPECT_EQ(on("h", {"do", "x", "--thread", "t"}).code, 0);
  EXPECT_EQ(on("h", {"stop"}).out, "no daemon is running\n");
  EXPECT_GT(start_daemon("h"), 0u);
  EXPECT_EQ(number_of(json_on("h", {"status"}), "record_count"), 3u);
}

// A process that is no daemon, and may have a home's lock.
class Innocent {
 public:
  explicit Innocent(const std::string& lock = {}) {
    std::array<int, 2> ready{};
    EXPECT_EQ(::pipe2(ready.data(), O_CLOEXEC), 0);
    pid_ = ::fork();
    if (pid_ == 0) {
      const int file = lock.empty() ? -1 : ::open(lock.c_str(), O_RDONLY | O_CLOEXEC);
      if (file >= 0 && ::flock(file, LOCK_EX) != 0) ::_exit(1);
      ::close(ready[1]);
      for (;;) ::pause();
    }
    ::close(ready[1]);
    char nothing = 0;
    EXPECT_EQ(::read(ready[0], &nothing, 1), 0);
    ::close(ready[0]);
  }
  Innocent(const Innocent&) = delete;
  Innocent& operator=(const Innocent&) = delete;
  ~Innocent() {
    ::kill(pid_, SIGKILL);
    ::waitpid(pid_, nullptr, 0);
  }
  [[nodiscard]] pid_t pid() const { return pid_; }
  [[nodiscard]] bool lives() const { return ::waitpid(pid_, nullptr, WNOHANG) == 0; }

 private:
  pid_t pid_ = -1;
};

// As a power cut leaves it, when the ids of processes come again.
TEST_F(CliDaemonTest, AnInnocentProcessWithTheDaemonsIdIsLeftAlone) {
  make_home("h", 0);
  const std::string lock = path("h");
  const auto pretend = [&](int pid, const std::string& mark) {
    write_file(path("h/run/spl.pid"), std::to_string(pid) + "\n");
    write_file(path("h/run/daemon.json"),
               codec::Json(codec::Json::Object{
                               {"pid", pid}, {"process_mark", mark}, {"address", ""}, {"port", 1}, {"store", ""}})
                   .text());
  };
  const auto nobody_is_stopped = [&](const Innocent& innocent) {
    EXPECT_FALSE(flag_of(json_on("h", {"status"}), "running"));
    EXPECT_EQ(on("h", {"stop"}).out, "no daemon is running\n");
    EXPECT_TRUE(innocent.lives());
  };
  {
    const Innocent innocent;
    pretend(innocent.pid(), env::process_mark(innocent.pid()).value().value());
    nobody_is_stopped(innocent);
    const Innocent other(lock);
    nobody_is_stopped(innocent);
  }
  const Innocent innocent(lock);
  std::string mark = env::process_mark(innocent.pid()).value().value();
  pretend(innocent.pid(), mark);
  EXPECT_TRUE(flag_of(json_on("h", {"status"}), "running")) << "all of it is as of a daemon";
  mark[0] = mark[0] == '0' ? '1' : '0';
  pretend(innocent.pid(), mark);
  nobody_is_stopped(innocent);
  write_file(path("h/run/daemon.json"), "{");
  nobody_is_stopped(innocent);
}

TEST_F(CliDaemonTest, ADaemonWhoseProcessCannotBeSeenIsNotSaidToBeStopped) {
  start_daemon("h");
  const std::string info = read_file(path("h/run/daemon.json"));
  ::unlink(path("h/run/daemon.json").c_str());
  const Ran ran = on("h", {"stop"});
  EXPECT_EQ(ran.code, 6);
  EXPECT_NE(ran.err.find("a daemon answers"), std::string::npos) << ran.err;
  const std::string pid = read_file(path("h/run/spl.pid"));
  EXPECT_NE(ran.err.find("kill " + pid.substr(0, pid.size() - 1) + " ends it"), std::string::npos) << ran.err;
  write_file(path("h/run/daemon.json"), info);
  EXPECT_TRUE(flag_of(json_on("h", {"stop"}), "stopped"));
}

// The same commands on two homes, one with a daemon: same codes, same results.
TEST_F(CliDaemonTest, BothWaysDoTheSame) {
  make_home("h", 2);
  ASSERT_EQ(on("h", {"export", "--out", path("seed")}).code, 0);
  for (const char* home : {"direct", "served"}) ASSERT_EQ(on(home, {"import", path("seed")}).code, 0);
  start_daemon("served");
  const std::string did = text_of(json_on("h", {"identity", "show"}), "did");
  make_home("foreign", 1);
  ASSERT_EQ(on("foreign", {"do", "x", "--thread", "theirs"}).code, 0);
  ASSERT_EQ(on("foreign", {"export", "--out", path("foreign.spl")}).code, 0);
  const std::vector<std::pair<Words, std::string>> commands{
      {{"intend", "x", "--thread", "t"}, ""},
      {{"do", "x", "--thread", "t"}, ""},
      {{"do", "x", "--thread", "t", "--actor", "did:web:else"}, ""},
      {{"do", "x"}, ""},
      {{"do", "x", "--thread", "t", "--body", "[]"}, ""},
      {{"know", "x", "--thread", "t", "--body", "{\"n\":1}", "--namespace", "a"}, ""},
      {{"record", "put"}, record_text("p", 1)},
      {{"record", "put", "--ndjson"}, record_text("p", 1) + "\n" + record_text("p", 2)},
      {{"record", "put", "--ndjson"}, record_text("p", 3) + "\n{\n"},
      {{"record", "put"}, ""},
      {{"identity", "generate"}, ""},
      {{"authority", "endorse", std::string(64, '0')}, ""},
      {{"service-account", "create", "ci", "--scope", "admin"}, ""},
      {{"service-account", "create", "ci", "--scope", "admin"}, ""},
      {{"service-account", "revoke", "nobody"}, ""},
      {{"service-account", "list"}, ""},
      {{"token", "create", "nobody"}, ""},
      {{"token", "revoke", "12345678"}, ""},
      {{"import", path("seed")}, ""},
      {{"import", path("foreign.spl")}, ""},
      {{"import", path("foreign.spl"), "--dry-run"}, ""},
      {{"import", path("foreign.spl"), "--force-overwrite", "--expect-did", did}, ""},
      {{"import", path("foreign.spl"), "--force-overwrite"}, ""},
      {{"thread", "list"}, ""},
      {{"thread", "records", "t"}, ""},
      {{"doctor"}, ""},
  };
  for (const auto& [words, input] : commands) {
    std::string name;
    for (const std::string& word : words) name += word + " ";
    for (const char* format : {"json", "text"}) {
      // Text and JSON each once would do everything twice: what writes is done as JSON only.
      if (std::string(format) == "text" && words[0] != "thread") continue;
      Words asked = words;
      asked.insert(asked.end(), {"-o", format});
      Ran direct = on("direct", asked, {.text = input});
      Ran served = on("served", asked, {.text = input});
      EXPECT_EQ(direct.code, served.code) << name << direct.err << served.err;
      for (Ran* ran : {&direct, &served}) {
        for (std::string* text : {&ran->out, &ran->err}) {
          if (const std::size_t at = text->find("\"seconds\""); at != std::string::npos) text->erase(at);
          // Others write to the disk meanwhile.
          *text = std::regex_replace(*text, std::regex("[0-9]+ MiB are free"), "N MiB are free");
          for (const std::string& home : {path("direct"), path("served")}) {
            for (std::size_t at = 0; (at = text->find(home)) != std::string::npos;)
              text->replace(at, home.size(), "HOME");
          }
        }
      }
      EXPECT_EQ(direct.out, served.out) << name;
      EXPECT_EQ(direct.err, served.err) << name;
    }
  }
  const codec::Json direct = json_on("direct", {"export", "--out", path("d.spl")});
  const codec::Json served = json_on("served", {"export", "--out", path("s.spl")});
  EXPECT_EQ(members(direct), members(served));
  EXPECT_EQ(text_of(direct, "bundle_sha256"), text_of(served, "bundle_sha256"));
  EXPECT_EQ(run({"bundle", "diff", path("d.spl"), path("s.spl")}).code, 0);
}

TEST_F(CliDaemonTest, EncryptedBundlesGoThroughTheDaemonBothWays) {
  make_home("h", 1);
  write_file(path("pass"), "correct horse\n");
  start_daemon("h");
  const codec::Json report = json_on("h", {"export", "--out", path("a"), "--passphrase-file", path("pass")});
  EXPECT_TRUE(flag_of(report, "encrypted"));
  EXPECT_EQ(on("h", {"import", path("a")}).code, 4);
  const codec::Json imported = json_on("h", {"import", path("a"), "--passphrase-file", path("pass")});
  EXPECT_EQ(number_of(imported, "records_deduplicated"), 2u);
}

TEST_F(CliDaemonTest, ADaemonsIdentityCanBeMadeByACommand) {
  start_daemon("h");
  EXPECT_EQ(on("h", {"export", "--out", path("a")}).code, 3);
  EXPECT_FALSE(exists(path("a")));
  const codec::Json made = json_on("h", {"init"});
  EXPECT_TRUE(flag_of(made, "created"));
  EXPECT_EQ(on("h", {"identity", "generate"}).code, 3);
  EXPECT_EQ(on("h", {"intend", "x"}).code, 0);
  EXPECT_EQ(on("h", {"export", "--out", path("a")}).code, 0);
}

TEST_F(CliDaemonTest, AnotherStoreIsFoundByTheCommandsBesideTheDaemonAndThroughTheConfiguration) {
  const std::string store = "sqlite:" + path("other.db");
  Process daemon({"--home", path("h"), "serve", "--port", "0", "--store", store});
  ASSERT_TRUE(daemon.wait_for_output("serving"));
  EXPECT_EQ(on("h", {"record", "put"}, {.text = record_text("t", 0)}).code, 0);
  const codec::Json status = json_on("h", {"status"});
  EXPECT_EQ(number_of(status, "record_count"), 1u);
  EXPECT_EQ(text_of(status, "store"), store);
  const Ran second = on("elsewhere", {"serve", "--port", "0", "--store", store});
  EXPECT_EQ(second.code, 6) << "a store is one daemon's";
  EXPECT_NE(second.err.find("another process works on the store"), std::string::npos) << second.err;
  ::kill(daemon.pid(), SIGTERM);
  const Ran ended = daemon.wait();
  EXPECT_EQ(ended.code, 0);
  EXPECT_NE(ended.err.find("config.toml"), std::string::npos) << ended.err;
  const auto said = [](const std::string& err) {
    const std::size_t begin = err.find("spl: ");
    return err.substr(begin, err.find('\n', begin) - begin);
  };
  EXPECT_EQ(on("h", {"status"}).code, 1);
  const Ran background = on("h", {"serve", "--daemon", "--port", "0", "--store", store});
  EXPECT_EQ(on("h", {"stop"}).code, 0);
  EXPECT_EQ(said(background.err), said(ended.err)) << "in the foreground the log is there as well";
  write_file(path("h/config.toml"), "store = \"" + store + "\"\n");
  EXPECT_EQ(number_of(json_on("h", {"status"}), "record_count"), 1u);
  EXPECT_EQ(on("h", {"init"}).code, 0);
  EXPECT_EQ(on("h", {"export", "--out", path("a")}).code, 0);
  EXPECT_FALSE(exists(path("h/hub.db")));
}

TEST_F(CliDaemonTest, ABrokenConfigurationEndsNoDaemon) {
  make_home("h", 1);
  start_daemon("h");
  for (const char* broken : {"[", "[[", "[.a]", "nonsense"}) {
    write_file(path("h/config.toml"), std::string("# first\n") + broken);
    const Ran ran = on("h", {"export", "--out", path("a.spl")});
    EXPECT_EQ(ran.code, 2) << ran.err;
    EXPECT_NE(ran.err.find(path("h/config.toml") + ":2: "), std::string::npos) << ran.err;
    EXPECT_EQ(on("h", {"do", "x", "--thread", "t"}).code, 0);
  }
  write_file(path("h/config.toml"), "");
  EXPECT_TRUE(flag_of(json_on("h", {"status"}), "running"));
}

TEST_F(CliDaemonTest, ManyWritersTakeTurns) {
  make_home("h", 0);
  std::vector<std::unique_ptr<Process>> writers;
  for (int i = 0; i < 8; ++i)
    writers.push_back(std::make_unique<Process>(Words{"--home", path("h"), "do", "x", "--thread", "t"}));
  const Ran daemon = on("h", {"serve", "--daemon", "--port", "0"});
  EXPECT_EQ(daemon.code, 0) << daemon.err;
  for (const auto& writer : writers) {
    const Ran ran = writer->wait();
    EXPECT_EQ(ran.code, 0) << ran.err;
  }
  EXPECT_EQ(number_of(json_on("h", {"status"}), "record_count"), 8u);
  EXPECT_EQ(on("h", {"stop"}).code, 0);
}

TEST_F(CliDaemonTest, AnExportThatIsInterruptedLeavesNothing) {
  make_home("h", 0);
  std::string lines;
  for (int i = 0; i < 20'000; ++i) lines += record_text("t", i) + "\n";
  ASSERT_EQ(on("h", {"record", "put", "--ndjson"}, {.text = lines}).code, 0);
  // Nobody reads: the export waits at the pipe until it is interrupted.
  Process process({"--home", path("h"), "export", "--out", "-", "--uncompressed"});
  ASSERT_TRUE(process.wait_for_output("manifest.json"));
  ::kill(process.pid(), SIGINT);
  const Ran ran = process.wait();
  EXPECT_EQ(ran.code, 130);
  EXPECT_NE(ran.err.find("interrupted"), std::string::npos) << ran.err;
  EXPECT_EQ(names_in(path("h/run")), Words{});
}

// Standard input is a pipe that says nothing more: the command waits for it until it is interrupted.
TEST_F(CliDaemonTest, AnInputThatIsInterruptedLeavesNothing) {
  make_home("h", 1);
  ASSERT_EQ(on("h", {"export", "--out", path("a.spl")}).code, 0);
  make_home("served", 0);
  start_daemon("served");
  ASSERT_EQ(::mkfifo(path("fifo").c_str(), 0600), 0);
  for (const char* home : {"new", "served"}) {
    const int writer = ::open(path("fifo").c_str(), O_RDWR | O_CLOEXEC);
    const std::string begin = read_file(path("a.spl")).substr(0, 600);
    ASSERT_EQ(::write(writer, begin.data(), begin.size()), static_cast<ssize_t>(begin.size()));
    Process process({"--home", path(home), "import", path("fifo")});
    for (int unread = 1; unread > 0; ::usleep(1000)) ASSERT_EQ(::ioctl(writer, FIONREAD, &unread), 0);
    ::kill(process.pid(), SIGTERM);
    const Ran ran = process.wait();
    EXPECT_EQ(ran.code, 143) << ran.err;
    EXPECT_NE(ran.err.find("interrupted"), std::string::npos) << ran.err;
    ::close(writer);
  }
  EXPECT_FALSE(exists(path("new")));
  EXPECT_EQ(number_of(json_on("served", {"status"}), "record_count"), 0u);
}

TEST_F(CliDaemonTest, GoesOnWhenAPackageHasReplacedItsProgram) {
  make_home("h", 0);
  write_file(path("h/services/notes.toml"),
             "name = \"notes\"\n[[surface]]\nname = \"db\"\nkind = \"sqlite\"\npath = \"{data}/notes.db\"\n");
  ASSERT_EQ(shell("mkdir -p " + path("h/data/notes") + " && sqlite3 " + path("h/data/notes/notes.db") +
                  " 'CREATE TABLE t(a)' && cp " + spl_program() + " " + path("spl") + " && HOME=/nonexistent " +
                  path("spl") + " --home " + path("h") + " serve --daemon --port 0 >/dev/null && rm " + path("spl")),
            0);
  EXPECT_EQ(on("h", {"export", "--out", path("a.spl"), "--plaintext"}).code, 0);
  EXPECT_EQ(on("h", {"service", "all", "restore", "--from", path("a.spl"), "--replace"}).code, 0);
  EXPECT_EQ(on("h", {"stop"}).code, 0);
}

TEST_F(CliDaemonTest, AHomeOfADaemonThatCannotStartIsNotLeftBehind) {
  make_home("h", 0);
  const std::string taken = std::to_string(start_daemon("h"));
  EXPECT_EQ(on("new", {"serve", "--port", taken}).code, 6);
  EXPECT_EQ(on("new", {"serve", "--daemon", "--port", taken}).code, 6);
  EXPECT_FALSE(exists(path("new")));
}

// As a cleaner of temporary files does it, or somebody by hand.
TEST_F(CliDaemonTest, AHomeWhoseRunDirectoryWasEmptiedHasOneDaemonAllTheSame) {
  make_home("h", 1);
  start_daemon("h");
  const std::string pid = read_file(path("h/run/spl.pid"));
  ASSERT_EQ(shell("rm -r " + path("h/run")), 0);
  const Ran second = on("h", {"serve", "--daemon", "--port", "0"});
  EXPECT_EQ(second.code, 6);
  const std::string holder = std::to_string(std::stoi(pid));
  EXPECT_NE(second.err.find("(pid " + holder + ")"), std::string::npos) << second.err;
  EXPECT_EQ(on("h", {"do", "x", "--thread", "t"}).code, 6);
  const Ran stop = on("h", {"stop"});
  EXPECT_EQ(stop.code, 6);
  EXPECT_NE(stop.err.find("kill " + holder + " ends it"), std::string::npos) << stop.err;
  ASSERT_EQ(::kill(std::stoi(pid), SIGTERM), 0);
  EXPECT_EQ(on("h", {"do", "x", "--thread", "t"}).code, 0);
  EXPECT_EQ(on("h", {"stop"}).out, "no daemon is running\n");
}

TEST_F(CliDaemonTest, AHomeThatAnotherProcessKeepsIsUnavailableAfterAWhile) {
  make_home("h", 1);
  const int lock = ::open(path("h").c_str(), O_RDONLY | O_CLOEXEC);
  ASSERT_EQ(::flock(lock, LOCK_EX), 0);
  EXPECT_EQ(on("h", {"status"}).code, 0);
  const Ran ran = on("h", {"do", "x", "--thread", "t"});
  EXPECT_EQ(ran.code, 6);
  EXPECT_NE(ran.err.find("(pid " + std::to_string(::getpid()) + ")"), std::string::npos) << ran.err;
  ::close(lock);
  EXPECT_EQ(on("h", {"do", "x", "--thread", "t"}).code, 0);
}

}  // namespace
}  // namespace spl::cli_test
