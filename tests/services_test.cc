// Services through the program, with the real supervisor and real processes: declared, run, taken at one moment,
// brought back all or nothing.
#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <signal.h>
#include <unistd.h>

#include <chrono>
#include <filesystem>
#include <functional>
#include <thread>

#include "base/words.h"
#include "db/sqlite.h"
#include "env/control_group.h"
#include "env/process_table.h"
#include "services_kit.h"

namespace spl::cli_test {
namespace {

using ::testing::HasSubstr;
using ::testing::Not;
using namespace std::chrono_literals;

// Counts up in a file and then in a database, and leaves a child behind that nobody waits for. It ends at once where
// its files hold a file "poison".
constexpr char kCounter[] = R"py(#!/usr/bin/python3
import os, sqlite3, subprocess, sys, time
data = sys.argv[1]
if os.path.exists(data + "/files/poison"):
    sys.exit("this data is poison")
db = sqlite3.connect(data + "/files/count.db", isolation_level=None)
db.execute("PRAGMA journal_mode=WAL")
db.execute("CREATE TABLE IF NOT EXISTS count(n INTEGER)")
n = (db.execute("SELECT max(n) FROM count").fetchone()[0] or 0)
if os.path.exists(data + "/files/count"):
    n = max(n, int(open(data + "/files/count").read()))
subprocess.Popen(["/bin/sh", "-c", "(setsid sleep 3600 &)"])
with open(data + "/files/secret", "w") as f:
    f.write(os.environ.get("COUNTER_KEY", "none"))
while True:
    n += 1
    with open(data + "/files/count.new", "w") as f:
        f.write(str(n))
    os.rename(data + "/files/count.new", data + "/files/count")
    db.execute("INSERT INTO count VALUES(?)", (n,))
    time.sleep(0.001)
)py";

class ServicesTest : public ServicesKit {
 protected:
  ServicesTest() {
    write_script("counter", kCounter);
    environment_["SPL_SECRET_KEY_FILE"] = path("secret key");
  }

  [[nodiscard]] std::string counter(int schema = 1) const {
    return "version = \"1.0\"\nschema = " + std::to_string(schema) + "\n[run]\ncommand = [\"" + path("counter") +
           "\", \"{data}\"]\ninit = [\"/bin/mkdir\", \"{data}/files\"]\nstart_timeout_ms = 3000\n"
           "env = { COUNTER_KEY = \"{secret:counter/key}\" }\n"
           "[[surface]]\nname = \"files\"\nkind = \"files\"\npath = \"{data}/files\"\n"
           "[[surface]]\nname = \"db\"\nkind = \"sqlite\"\npath = \"{data}/files/count.db\"\n"
           "[[secret]]\nhandle = \"counter/key\"\nrequired = true\n";
  }
  // A home with a counter that counts.
  void make_counter(const std::string& home, const std::string& key = "sesame") {
    init(home);
    declare(home, "counter", counter());
    ASSERT_EQ(on(home, {"secret", "set", "counter/key"}, with_key(key)).code, 0);
  }
  [[nodiscard]] Input with_key(const std::string& value = {}) const {
    return {.text = value, .environment = environment_};
  }
  void start(const std::string& home) {
    const Ran ran = ask(home, {"service", "counter", "start"});
    ASSERT_EQ(ran.code, 0) << ran.err;
    wait_until([&] { return exists(files(home) + "/count"); }, "it does not count");
  }
  [[nodiscard]] std::string files(const std::string& home) const { return path(home) + "/data/counter/files"; }
  long file_count(const std::string& home) { return std::stol(read_file(files(home) + "/count")); }
  static long database_count(const std::string& file) {
    auto database = db::Connection::open(file, db::OpenAs::kReadWrite);
    EXPECT_TRUE(database) << file;
    return database ? static_cast<long>(database->query_integer("SELECT coalesce(max(n),0) FROM count").value_or(-1))
                    : -1;
  }
  std::string state(const std::string& home, const std::string& service = "counter") {
    const auto json = json_on(home, {"service", service, "status"}, with_key());
    return text_of((*json.find("services")->array())[0], "state");
  }
  [[nodiscard]] std::size_t processes(const std::string& home) const { return pids(home).size(); }
  [[nodiscard]] std::vector<int> pids(const std::string& home) const {
    std::vector<int> numbers;
    const auto found = env::find_processes({{"SPL_SERVICE=counter@" + path(home)}});
    EXPECT_TRUE(found) << found.error().message;
    if (!found) return numbers;
    for (const env::FoundProcess& one : *found) numbers.push_back(one.process.pid);
    return numbers;
  }
  // What a restore has staged or keeps, in any directory of the service.
  std::string staged(const std::string& home) {
    std::string found;
    for (const std::string& directory : {path(home) + "/data/counter", files(home), path(home) + "/run"}) {
      if (!exists(directory)) continue;
      for (const std::string& name : names_in(directory)) {
        if (name.starts_with(".spl-") || name.starts_with("r-") || name.starts_with("b-")) found += name + " ";
      }
    }
    return found;
  }
};

// A service is the same one by whatever path to its home.
TEST_F(ServicesTest, TheHomeByALinkIsTheSameHome) {
  make_counter("h");
  std::filesystem::create_directory_symlink(path("h"), path("link"));
  const Ran started = run({"--home", path("link"), "service", "counter", "start"}, with_key());
  ASSERT_EQ(started.code, 0) << started.err;
  EXPECT_GE(processes("h"), 2u);
  EXPECT_EQ(state("h"), "running");
  ASSERT_EQ(ask("h", {"service", "counter", "stop"}).code, 0);
  EXPECT_EQ(processes("h"), 0u);
}

TEST_F(ServicesTest, LeaveOneMachineAndComeBackOnAnother) {
  make_counter("a");
  start("a");
  EXPECT_EQ(state("a"), "running");
  EXPECT_GE(processes("a"), 2u) << "what it forked twice is known, too";
  const long before = file_count("a");
  const auto report = json_on("a", {"export", "--out", path("a.spl"), "--plaintext"}, with_key());
  EXPECT_EQ(text_of(report, "consistency"), "quiesced");
  EXPECT_EQ(read_file(files("a") + "/secret"), "sesame");
  wait_until([&] { return file_count("a") > before + 20; }, "it does not go on after the backup");
  EXPECT_EQ(run({"bundle", "verify", path("a.spl")}).code, 0);
  // No bundle has the value of a secret, but for what a service itself has written.
  make_counter("b", "another");
  const Ran ran = restore("b", "a.spl");
  ASSERT_EQ(ran.code, 0) << ran.out << ran.err;
  EXPECT_EQ(state("b"), "running");
  wait_until([&] { return read_file(files("b") + "/secret") == "another"; }, "it does not run with its own secret");
  EXPECT_GE(file_count("b"), before);
  EXPECT_EQ(staged("b"), "");
  const Ran stopped = ask("b", {"service", "all", "stop"});
  EXPECT_EQ(stopped.code, 0) << stopped.err;
  EXPECT_EQ(processes("b"), 0u);
}

TEST_F(ServicesTest, ManyBackupsInARowEachShowOneMoment) {
  make_counter("a");
  start("a");
  long last = 0;
  for (int i = 0; i < 20; ++i) {
    const Ran ran = backup("a", "a.spl");
    ASSERT_EQ(ran.code, 0) << ran.err;
    ASSERT_EQ(run({"bundle", "extract", path("a.spl"), "services/", "--to", path("x" + std::to_string(i))}).code, 0);
    const std::string out = path("x" + std::to_string(i)) + "/services/counter/";
    const long in_file = std::stol(read_file(out + "files/@instance/tree/count"));
    const long in_database = database_count(out + "db/@instance/count.db.sqlite");
    EXPECT_TRUE(in_database == in_file || in_database == in_file - 1) << in_file << " and " << in_database;
    EXPECT_GT(in_file, last);
    last = in_file;
  }
  EXPECT_EQ(state("a"), "running");
  EXPECT_EQ(staged("a"), "");
}

TEST_F(ServicesTest, ARestoreThatCannotStartPutsEverythingBack) {
  make_counter("a");
  start("a");
  write_file(files("a") + "/poison", "");
  ASSERT_EQ(backup("a", "poison.spl").code, 0);
  ASSERT_EQ(::unlink((files("a") + "/poison").c_str()), 0);
  const long before = file_count("a");
  const Ran ran = restore("a", "poison.spl", {"--replace"});
  EXPECT_EQ(ran.code, 6) << ran.err;
  EXPECT_THAT(ran.err, HasSubstr("this data is poison"));
  EXPECT_EQ(state("a"), "running");
  EXPECT_FALSE(exists(files("a") + "/poison"));
  EXPECT_GE(file_count("a"), before);
  EXPECT_EQ(staged("a"), "");
  EXPECT_EQ(names_in(path("a") + "/restores").size(), 0u);
}

TEST_F(ServicesTest, WhatWasReplacedIsKeptUntilAPersonSaysWhatBecomesOfIt) {
  make_counter("a");
  start("a");
  const auto mark = [&] { return read_file(files("a") + "/mark"); };
  write_file(files("a") + "/mark", "first");
  ASSERT_EQ(backup("a", "1.spl").code, 0);
  ASSERT_EQ(backup("a", "2.spl").code, 0);
  write_file(files("a") + "/mark", "live");
  const Ran in_the_way = restore("a", "1.spl");
  EXPECT_EQ(in_the_way.code, 5) << in_the_way.err;
  EXPECT_THAT(in_the_way.err, HasSubstr("data is in the way"));
  // An old backup comes back on its own machine without any further flag.
  ASSERT_EQ(restore("a", "1.spl", {"--replace"}).code, 0);
  EXPECT_EQ(mark(), "first");
  const Ran again = restore("a", "1.spl", {"--replace"});
  EXPECT_EQ(again.code, 3);
  EXPECT_THAT(again.err, HasSubstr("--discard-previous"));
  const Ran back = ask("a", {"service", "counter", "restore", "--previous"});
  ASSERT_EQ(back.code, 0) << back.err;
  EXPECT_EQ(mark(), "live");
  EXPECT_EQ(state("a"), "running");
  EXPECT_EQ(staged("a"), "");
  ASSERT_EQ(restore("a", "2.spl", {"--replace"}).code, 0);
  ASSERT_EQ(ask("a", {"service", "counter", "restore", "--discard-previous"}).code, 0);
  EXPECT_EQ(ask("a", {"service", "counter", "restore", "--discard-previous"}).code, 0) << "none is no error";
  EXPECT_EQ(ask("a", {"service", "counter", "restore", "--previous"}).code, 3);
  EXPECT_EQ(staged("a"), "");
  // Export 2 was restored: export 1 is older than that.
  EXPECT_EQ(restore("a", "1.spl", {"--replace"}).code, 5);
  EXPECT_EQ(restore("a", "1.spl", {"--replace", "--allow-older"}).code, 0);
}

TEST_F(ServicesTest, EveryStopIsFoundBeforeAnyWrite) {
  make_counter("a");
  start("a");
  EXPECT_EQ(ask("a", {"export", "--out", path("none.spl")}).code, 3) << "for whom it is encrypted is not said";
  EXPECT_FALSE(exists(path("none.spl")));
  ASSERT_EQ(backup("a", "a.spl").code, 0);
  init("b");
  const auto stops = [&](const std::string& what, Words more = {}) {
    more.emplace_back("--dry-run");
    const Ran ran = restore("b", "a.spl", more);
    EXPECT_EQ(ran.code, 5) << what << "\n" << ran.out << ran.err;
    EXPECT_THAT(ran.out, HasSubstr(what));
    EXPECT_FALSE(exists(path("b") + "/data/counter"));
  };
  stops("declares no service");
  declare("b", "counter", counter());
  stops("is required and missing");
  ASSERT_EQ(on("b", {"secret", "set", "counter/key"}, with_key("x")).code, 0);
  declare("b", "counter", counter(0));
  stops("its data has schema 1, the service here has 0");
  declare("b", "counter", counter(2));
  stops("no [[migration]] leads from the one to the other");
  std::string other = counter();
  other.replace(other.find("kind = \"sqlite\""), 15, "kind = \"git\"");
  declare("b", "counter", other);
  stops("is sqlite in the bundle and git here");
  declare("b", "counter", counter());
  EXPECT_EQ(restore("b", "a.spl", {"--dry-run"}).code, 0);
  EXPECT_FALSE(exists(path("b") + "/data/counter")) << "a dry run writes nothing";
  // Where there are records only who is known may restore services.
  make_home("c");
  declare("c", "counter", counter());
  const Ran stranger = restore("c", "a.spl");
  EXPECT_EQ(stranger.code, 3) << stranger.err;
  EXPECT_THAT(stranger.err, HasSubstr("--expect-did"));
}

TEST_F(ServicesTest, OneContextLeavesWithoutAByteOfAnother) {
  const std::string wiki =
      "[[surface]]\nname = \"pages\"\nkind = \"files\"\npath = \"{data}/{context}/pages\"\n"
      "[[surface]]\nname = \"code\"\nkind = \"git\"\npath = \"{data}/{context}/code\"\n";
  init("a");
  declare("a", "wiki", wiki);
  for (const char* name : {"geomind", "acme"}) {
    ASSERT_EQ(on("a", {"context", "add", name}).code, 0);
    const std::string data = path("a") + "/data/wiki/" + name;
    ASSERT_EQ(shell("mkdir -p " + data + "/pages " + data + "/code && git init -q --bare " + data + "/code/x.git"), 0);
    write_file(data + "/pages/page", std::string("canary-of-") + name);
    ASSERT_EQ(on("a", {"know", std::string("canary-of-") + name, "--thread", std::string("t_") + name, "--namespace",
                       std::string(name) + "/notes"})
                  .code,
              0);
  }
  ASSERT_EQ(backup("a", "geo.spl", {"--context", "geomind", "--uncompressed"}).code, 0);
  const std::string bundle = read_file(path("geo.spl"));
  EXPECT_THAT(bundle, HasSubstr("canary-of-geomind"));
  EXPECT_THAT(bundle, Not(HasSubstr("canary-of-acme")));
  EXPECT_THAT(bundle, Not(HasSubstr("acme")));
  EXPECT_EQ(run({"bundle", "verify", path("geo.spl")}).code, 0);
  EXPECT_EQ(backup("a", "no.spl", {"--context", "nobody"}).code, 2) << "nothing falls back to another";

  // Into a home with other tenants, of which nothing changes.
  make_home("c");
  declare("c", "wiki", wiki);
  ASSERT_EQ(on("c", {"context", "add", "other"}).code, 0);
  ASSERT_EQ(shell("mkdir -p " + path("c") + "/data/wiki/other/pages"), 0);
  write_file(path("c") + "/data/wiki/other/pages/page", "other's");
  const std::string did = text_of(json_on("a", {"identity", "show"}), "did");
  const std::string own = text_of(json_on("c", {"identity", "show"}), "did");
  const Ran taken = restore("c", "geo.spl", {"--expect-did", did});
  EXPECT_EQ(taken.code, 5) << "its id is taken here: " << taken.out << taken.err;
  EXPECT_THAT(taken.err, HasSubstr("--as NAME"));
  const Ran ran = restore("c", "geo.spl", {"--expect-did", did, "--as", "geo2"});
  ASSERT_EQ(ran.code, 0) << ran.out << ran.err;
  EXPECT_EQ(read_file(path("c") + "/data/wiki/geo2/pages/page"), "canary-of-geomind");
  EXPECT_TRUE(exists(path("c") + "/data/wiki/geo2/code/x.git/HEAD"));
  EXPECT_EQ(read_file(path("c") + "/data/wiki/other/pages/page"), "other's");
  EXPECT_EQ(text_of(json_on("c", {"identity", "show"}), "did"), own);
  EXPECT_EQ(json_on("c", {"context", "list"}).text(),
            R"([{"name":"other","id":1,"label":""},{"name":"geo2","id":2,"label":""}])");
  EXPECT_EQ(on("c", {"thread", "records", "t_geomind"}).code, 0) << "the context's records came along";
  const Ran again = restore("c", "geo.spl", {"--expect-did", did, "--as", "geo2"});
  EXPECT_EQ(again.code, 5) << again.err;
  EXPECT_THAT(again.out, HasSubstr("there is a context of this name already"));
}

TEST_F(ServicesTest, ASurfaceThatIsNotSplitStopsAContextUnlessItsServiceIsLeftOut) {
  init("a");
  declare("a", "mail", "[[surface]]\nname = \"box\"\nkind = \"files\"\npath = \"{data}/box\"\n");
  ASSERT_EQ(shell("mkdir -p " + path("a") + "/data/mail/box"), 0);
  ASSERT_EQ(on("a", {"context", "add", "geo"}).code, 0);
  const Ran ran = backup("a", "x.spl", {"--context", "geo"});
  EXPECT_EQ(ran.code, 2);
  EXPECT_THAT(ran.err, HasSubstr("--without mail"));
  EXPECT_EQ(backup("a", "x.spl", {"--context", "geo", "--without", "mail"}).code, 0);
}

TEST_F(ServicesTest, TheInventoryShowsWhatIsDeclaredUndeclaredAndStray) {
  init("a");
  declare("a", "wiki", "[[surface]]\nname = \"pages\"\nkind = \"files\"\npath = \"{data}/{context}/pages\"\n");
  ASSERT_EQ(on("a", {"context", "add", "geo"}).code, 0);
  const std::string data = path("a") + "/data/wiki";
  ASSERT_EQ(shell("mkdir -p " + data + "/geo/pages " + data + "/ghost/pages " + data + "/cache"), 0);
  write_file(data + "/geo/pages/page", "12345");
  const auto rows = json_on("a", {"inventory"});
  ASSERT_EQ(rows.array()->size(), 3u) << rows.text();
  const auto& declared = (*rows.array())[0];
  EXPECT_EQ(text_of(declared, "where"), data + "/{context}/pages");
  EXPECT_EQ(number_of(declared, "bytes"), 5u);
  EXPECT_EQ(text_of((*rows.array())[1], "state"), "stray");
  EXPECT_EQ(text_of((*rows.array())[1], "where"), data + "/ghost/pages");
  EXPECT_EQ(text_of((*rows.array())[2], "state"), "undeclared");
  EXPECT_EQ(text_of((*rows.array())[2], "where"), data + "/cache");
  const Ran stray = backup("a", "x.spl");
  EXPECT_EQ(stray.code, 3) << stray.err;
  EXPECT_THAT(stray.err, HasSubstr("--allow-stray"));
  EXPECT_EQ(backup("a", "x.spl", {"--allow-stray"}).code, 0);
  EXPECT_THAT(on("a", {"inventory", "--markdown"}).out, HasSubstr("| service | surface |"));
}

TEST_F(ServicesTest, AServiceThatForksTwiceAndIgnoresSignalsIsPausedAndEnded) {
  init("a");
  write_file(path("stubborn"),
             "#!/bin/sh\ntrap '' TERM\n(setsid sh -c 'trap \"\" TERM; sleep 3600' &)\n"
             "while :; do date +%N > $1/tick; sleep 0.01; done\n");
  ASSERT_EQ(::chmod(path("stubborn").c_str(), 0755), 0);
  declare("a", "counter", "[run]\ncommand = [\"" + path("stubborn") + "\", \"{data}\"]\nstop_timeout_ms = 300\n");
  ASSERT_EQ(on("a", {"service", "counter", "start"}).code, 0);
  EXPECT_GE(processes("a"), 2u);
  ASSERT_EQ(on("a", {"service", "counter", "pause"}).code, 0);
  for (const int pid : pids("a")) EXPECT_EQ(env::activity_of(pid).value(), env::Activity::kStopped);
  EXPECT_EQ(state("a"), "paused");
  ASSERT_EQ(on("a", {"service", "counter", "resume"}).code, 0);
  EXPECT_EQ(state("a"), "running");
  const Ran ran = on("a", {"service", "counter", "stop"});
  EXPECT_EQ(ran.code, 0) << ran.err;
  EXPECT_EQ(processes("a"), 0u);
}

TEST_F(ServicesTest, AServiceThatClearsItsEnvironmentIsStartedPausedAndEnded) {
  init("a");
  declare("a", "counter", "[run]\ncommand = [\"/usr/bin/env\", \"-i\", \"/bin/sleep\", \"3600\"]\n");
  const Ran started = on("a", {"service", "counter", "start"});
  ASSERT_EQ(started.code, 0) << started.err;
  EXPECT_EQ(state("a"), "running");
  EXPECT_EQ(processes("a"), 0u) << "it has no mark";
  const auto json = json_on("a", {"service", "counter", "status"});
  const int pid = static_cast<int>(number_of((*json.find("services")->array())[0], "pid"));
  ASSERT_EQ(on("a", {"service", "counter", "pause"}).code, 0);
  EXPECT_EQ(env::activity_of(pid).value(), env::Activity::kStopped);
  EXPECT_EQ(state("a"), "paused");
  ASSERT_EQ(on("a", {"service", "counter", "resume"}).code, 0);
  EXPECT_EQ(state("a"), "running");
  ASSERT_EQ(on("a", {"service", "counter", "stop"}).code, 0);
  EXPECT_EQ(env::activity_of(pid).value(), env::Activity::kGone);
}

// Frozen as by a pause that was cut off; what it started has no mark, no parents and no session of it.
TEST_F(ServicesTest, AServiceInAControlGroupIsEndedWithAllThatEscapedAlsoWhereItIsFrozen) {
  init("a");
  write_file(
      path("loose"),
      "#!/bin/sh\nsetsid env -i /bin/sh -c '(sleep 3600 & echo $! > \"$0\")' \"$1/escaped\" &\nexec sleep 3600\n");
  ASSERT_EQ(::chmod(path("loose").c_str(), 0755), 0);
  declare("a", "counter", "[run]\ncommand = [\"" + path("loose") + "\", \"{data}\"]\n");
  ASSERT_EQ(on("a", {"service", "counter", "start"}).code, 0);
  const std::string record = path("a") + "/run/runit/counter/group";
  if (!exists(record)) GTEST_SKIP() << "left out: no control group can be made here";
  const std::string group = read_file(record);
  const std::string escaped = path("a") + "/data/counter/escaped";
  wait_until([&] { return exists(escaped) && read_file(escaped).ends_with('\n'); }, "nothing has escaped");
  const int pid = std::stoi(read_file(escaped));
  const auto freeze = [&group] {
    const auto found = env::ControlGroup::at(group);
    ASSERT_TRUE(found && *found);
    ASSERT_TRUE((*found)->freeze());
    wait_until([&] { return (*found)->state().value() == env::ControlGroup::State::kFrozen; }, "it is not frozen");
  };
  freeze();
  EXPECT_EQ(state("a"), "paused");
  ASSERT_EQ(on("a", {"service", "counter", "resume"}).code, 0);
  EXPECT_EQ(state("a"), "running");
  freeze();
  const Ran stopped = on("a", {"service", "counter", "stop"});
  EXPECT_EQ(stopped.code, 0) << stopped.err;
  EXPECT_FALSE(env::process_entry(pid).value().has_value());
  EXPECT_FALSE(exists(group));
  EXPECT_FALSE(exists(record));
}

TEST_F(ServicesTest, OneThatCannotStartSaysWhyAndIsDown) {
  init("a");
  declare("a", "counter", "[run]\ncommand = [\"/bin/sh\", \"-c\", \"echo no such luck >&2; exit 3\"]\n");
  const Ran ran = on("a", {"service", "counter", "start"});
  EXPECT_EQ(ran.code, 6);
  EXPECT_THAT(ran.err, HasSubstr("no such luck"));
  EXPECT_EQ(state("a"), "down");
  EXPECT_THAT(on("a", {"service", "counter", "logs"}).out, HasSubstr("no such luck"));
  declare("a", "counter",
          "[run]\ncommand = [\"/bin/sleep\", \"60\"]\nhealth = \"unix:{run}/no.sock\"\nstart_timeout_ms = 2500\n");
  const Ran unwell = on("a", {"service", "counter", "start"});
  EXPECT_EQ(unwell.code, 6);
  EXPECT_THAT(unwell.err, HasSubstr("not healthy"));
  EXPECT_EQ(processes("a"), 0u);
}

TEST_F(ServicesTest, ADaemonDoesTheSame) {
  make_counter("a");
  const Process daemon({"--home", path("a"), "serve", "--port", "0"}, with_key());
  wait_until([&] { return exists(path("a") + "/run/spl.sock"); }, "no daemon");
  start("a");
  EXPECT_EQ(state("a"), "running");
  ASSERT_EQ(backup("a", "a.spl").code, 0);
  ASSERT_EQ(restore("a", "a.spl", {"--replace"}).code, 0);
  ASSERT_EQ(ask("a", {"service", "counter", "restore", "--discard-previous"}).code, 0);
  EXPECT_EQ(ask("a", {"service", "all", "stop"}).code, 0);
  EXPECT_EQ(state("a"), "down");
}

// A restore that was committed, and that a daemon could not finish: another one finishes it first, for there is one
// commit line.
TEST_F(ServicesTest, ARestoreFinishesWhatIsLeftOfAnEarlierOne) {
  init("a");
  const auto file = [&](const std::string& service) { return path("a") + "/data/" + service + "/files/note"; };
  for (const std::string name : {"one", "two"}) {
    declare("a", name,
            "[run]\ncommand = [\"/bin/sleep\", \"600\"]\n[[surface]]\nname = \"files\"\nkind = \"files\"\n"
            "path = \"{data}/files\"\n");
    ASSERT_EQ(shell("mkdir -p " + path("a") + "/data/" + name + "/files"), 0);
    write_file(file(name), "of the bundle");
  }
  ASSERT_EQ(backup("a", "a.spl").code, 0);
  for (const char* name : {"one", "two"}) write_file(file(name), "live");
  {
    const Process daemon({"--home", path("a"), "serve", "--port", "0"}, with_key());
    wait_until([&] { return exists(path("a") + "/run/spl.sock"); }, "no daemon");
    const auto restore_one = [&](const std::string& name) {
      return ask("a", {"service", name, "restore", "--from", path("a.spl"), "--replace"});
    };
    const Ran first = restore_one("one");
    ASSERT_EQ(first.code, 0) << first.err;
    ASSERT_EQ(shell("sed -i 's/\"phase\": *\"previous\"/\"phase\":\"switching\"/' " + path("a") + "/restores/*.json"),
              0);
    ASSERT_EQ(shell("grep -q switching " + path("a") + "/restores/*.json"), 0);
    EXPECT_THAT(ask("a", {"doctor"}).out, HasSubstr("was cut off while switching"));
    write_file(file("one"), "written since");
    const Ran second = restore_one("two");
    ASSERT_EQ(second.code, 0) << second.err;
  }
  EXPECT_EQ(ask("a", {"service", "all", "resume"}).code, 0);
  EXPECT_EQ(read_file(file("one")), "written since");
  EXPECT_EQ(read_file(file("two")), "of the bundle");
  const Ran back = ask("a", {"service", "one", "restore", "--previous"});
  ASSERT_EQ(back.code, 0) << back.err;
  EXPECT_EQ(read_file(file("one")), "live");
}

// What is put back is kept, though its service does not start with it either.
TEST_F(ServicesTest, APreviousStateThatCannotStartIsBackAllTheSame) {
  make_counter("a");
  start("a");
  ASSERT_EQ(backup("a", "a.spl").code, 0);
  write_file(files("a") + "/poison", "");
  ASSERT_EQ(restore("a", "a.spl", {"--replace"}).code, 0);
  EXPECT_FALSE(exists(files("a") + "/poison"));
  const Ran back = ask("a", {"service", "counter", "restore", "--previous"});
  EXPECT_EQ(back.code, 6) << back.err;
  EXPECT_THAT(back.err, HasSubstr("the previous state is back, and counter does not start again"));
  EXPECT_TRUE(exists(files("a") + "/poison"));
  EXPECT_EQ(staged("a"), "");
  EXPECT_EQ(names_in(path("a") + "/restores").size(), 0u);
  ASSERT_EQ(shell("rm " + files("a") + "/poison"), 0);
  start("a");
}

// Killed at any time, the program leaves a service that runs on wholly old or wholly new state, and after the next
// start nothing that is staged.
TEST_F(ServicesTest, AKillAtAnyMomentLeavesServicesRunningAndNothingStaged) {
  make_counter("a");
  start("a");
  write_file(files("a") + "/mark", "in the bundle");
  ASSERT_EQ(backup("a", "a.spl").code, 0);
  write_file(files("a") + "/mark", "live");
  for (int step = 0; step < 16; ++step) {
    const bool restores = step % 2 == 1;
    const Words words = restores ? Words{"service", "all", "restore", "--from", path("a.spl"), "--replace"}
                                 : Words{"service", "all", "backup", "--to", path("k.spl"), "--plaintext", "--force"};
    Words whole{"--home", path("a")};
    whole.insert(whole.end(), words.begin(), words.end());
    Process process(whole, with_key());
    std::this_thread::sleep_for(std::chrono::milliseconds(restores ? 60 * step : 3 * step));
    ::kill(process.pid(), SIGKILL);
    (void)process.wait();
    const Ran next = ask("a", {"service", "counter", "resume"});
    ASSERT_EQ(next.code, 0) << step << next.err;
    const Ran discarded = ask("a", {"service", "counter", "restore", "--discard-previous"});
    ASSERT_EQ(discarded.code, 0) << step << discarded.err;
    EXPECT_EQ(state("a"), "running") << step;
    EXPECT_EQ(staged("a"), "") << step;
    for (const int pid : pids("a")) EXPECT_NE(env::activity_of(pid).value(), env::Activity::kStopped) << step;
    const std::string mark = read_file(files("a") + "/mark");
    EXPECT_TRUE(mark == "live" || mark == "in the bundle") << mark;
    write_file(files("a") + "/mark", "live");
    const long now = file_count("a");
    wait_until([&] { return file_count("a") > now; }, "it does not count after step " + std::to_string(step));
  }
}

}  // namespace
}  // namespace spl::cli_test
