// A context that gets another name, through the program, with real services: in every surface that is split by it and
// in its secrets, all or nothing, whatever fails and whenever the program is killed.
#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <signal.h>
#include <sys/stat.h>
#include <unistd.h>

#include <chrono>
#include <functional>
#include <thread>

#include "services_kit.h"

namespace spl::cli_test {
namespace {

using ::testing::AllOf;
using ::testing::HasSubstr;
using ::testing::Not;
using namespace std::chrono_literals;

// Writes into all contexts that it finds; it ends at once where one of them is called "poison".
constexpr char kWiki[] = R"sh(#!/bin/sh
while [ ! -e "$1/poison" ]; do
  for pages in "$1"/*/pages; do date +%N > "$pages/tick.new" && mv "$pages/tick.new" "$pages/tick"; done
  sleep 0.02
done
echo "this name is poison"
)sh";

class RenameTest : public ServicesKit {
 protected:
  RenameTest() {
    write_script("wiki", kWiki);
    init("h");
    declare("wiki",
            "[run]\ncommand = [\"" + path("wiki") +
                "\", \"{data}\"]\nstart_timeout_ms = 3000\n"
                "[[surface]]\nname = \"pages\"\nkind = \"files\"\npath = \"{data}/{context}/pages\"\n"
                "[[surface]]\nname = \"code\"\nkind = \"git\"\npath = \"{data}/{context}/code\"\n"
                "[[surface]]\nname = \"main\"\nkind = \"sqlite\"\npath = \"{data}/db/{context}.db\"\n"
                "[[surface]]\nname = \"more\"\nkind = \"sqlite\"\npath = \"{data}/{context}/dbs/{context}.*.sq\"\n"
                "[[secret]]\nhandle = \"wiki/{context}/key\"\n");
    for (const char* name : {"geo", "acme"}) {
      EXPECT_EQ(ask({"context", "add", name}).code, 0);
      const std::string n = name;
      EXPECT_EQ(shell("mkdir -p " + data("db") + " " + data(n + "/pages") + " " + data(n + "/dbs") + " " +
                      data(n + "/code") + " && git init -q --bare " + data(n + "/code/x.git") + " && echo of-" + n +
                      " > " + data(n + "/pages/page") + " && for f in db/" + n + ".db " + n + "/dbs/" + n + ".a.sq " +
                      n + "/dbs/" + n + ".b.sq; do sqlite3 " + data("$f") + " 'CREATE TABLE t(a)'; done"),
                0);
    }
    write_file(data("geo/cache"), "undeclared");
    EXPECT_EQ(ask({"secret", "set", "wiki/geo/key"}, "sesame").code, 0);
    before_ = everything();
  }

  void declare(const std::string& name, const std::string& rest) { ServicesKit::declare("h", name, rest); }
  [[nodiscard]] std::string data(const std::string& name) const { return path("h") + "/data/wiki/" + name; }
  Ran ask(const Words& words, const std::string& text = {}) {
    return on("h", words, {.text = text, .environment = {{"SPL_SECRET_KEY_FILE", path("key")}}});
  }
  Ran rename(const std::string& from, const std::string& to) { return ask({"context", "rename", from, to}); }
  void start() {
    const Ran ran = ask({"service", "wiki", "start"});
    ASSERT_EQ(ran.code, 0) << ran.err;
  }
  // Names of all that is there, but for what the service writes, and what names contexts.
  std::string everything() {
    EXPECT_EQ(shell("cd " + path("h") +
                    " && { find data | grep -v tick | LC_ALL=C sort; cat contexts.toml; ls secrets; ls "
                    "restores 2>/dev/null; true; } > " +
                    path("all")),
              0);
    return read_file(path("all"));
  }
  // As before, but for the name.
  [[nodiscard]] std::string with(const std::string& name) const {
    std::string text = before_;
    for (std::size_t at = text.find("geo"); at != std::string::npos; at = text.find("geo", at + name.size()))
      text.replace(at, 3, name);
    return text;
  }
  // In whatever order.
  void expect_is(const std::string& text) {
    const auto lines = [](const std::string& of) {
      std::vector<std::string> all;
      std::istringstream in(of);
      for (std::string line; std::getline(in, line);) all.push_back(line);
      std::ranges::sort(all);
      return all;
    };
    EXPECT_EQ(lines(everything()), lines(text));
  }
  bool runs() { return ask({"service", "wiki", "status"}).out.find("running") != std::string::npos; }
  void expect_ticks(const std::string& context) {
    const std::string tick = data(context + "/pages/tick");
    wait_until([&] { return exists(tick); }, "it does not write to " + context);
    const std::string now = read_file(tick);
    wait_until([&] { return read_file(tick) != now; }, "it does not go on writing to " + context);
  }

  std::string before_;
};

TEST_F(RenameTest, EverythingThatBearsTheNameBearsTheNewOne) {
  start();
  const Ran ran = rename("geo", "geomind");
  ASSERT_EQ(ran.code, 0) << ran.err;
  EXPECT_EQ(ran.out, "renamed 1  geomind\n");
  expect_is(with("geomind"));
  EXPECT_EQ(read_file(data("geomind/pages/page")), "of-geo\n");
  EXPECT_EQ(read_file(data("geomind/cache")), "undeclared") << "what lies beside them comes along";
  expect_ticks("geomind");
  EXPECT_FALSE(exists(data("geo")));
  EXPECT_THAT(ask({"secret", "list"}).out, AllOf(HasSubstr("wiki/geomind/key"), Not(HasSubstr("wiki/geo/"))));
  const Ran doctor = ask({"doctor"});
  EXPECT_EQ(doctor.code, 0) << doctor.out;
  EXPECT_THAT(doctor.out, Not(HasSubstr("stray")));
  EXPECT_EQ(ask({"export", "--context", "geomind", "--out", path("geo.spl"), "--plaintext"}).code, 0);
  EXPECT_EQ(rename("geomind", "geomind").code, 0);
  EXPECT_EQ(rename("geomind", "geo").code, 0);
  expect_is(before_);
}

TEST_F(RenameTest, AServiceThatIsDownStaysDownAndADaemonDoesTheSame) {
  const Process daemon({"--home", path("h"), "serve", "--port", "0"},
                       {.environment = {{"SPL_SECRET_KEY_FILE", path("key")}}});
  wait_until([&] { return exists(path("h") + "/run/spl.sock"); }, "no daemon");
  EXPECT_EQ(rename("geo", "mind").code, 0);
  expect_is(with("mind"));
  EXPECT_FALSE(runs());
}

TEST_F(RenameTest, WhatSpeaksAgainstItIsFoundBeforeAnythingIsChanged) {
  const auto refused = [&](const Ran& ran, int code, const std::string& what) {
    EXPECT_EQ(ran.code, code) << ran.out << ran.err;
    EXPECT_THAT(ran.err, HasSubstr(what));
  };
  refused(rename("nobody", "x"), 2, "there is no context");
  refused(rename("geo", "No Name"), 2, "is no name of a context");
  refused(rename("geo", "acme"), 3, "there is a context \"acme\" already");
  ASSERT_EQ(::mkdir(data("db/x.db").c_str(), 0700), 0);
  refused(rename("geo", "x"), 3, "db/x.db is in the way");
  ASSERT_EQ(::rmdir(data("db/x.db").c_str()), 0);
  expect_is(before_);
  declare("static", "[[surface]]\nname = \"s\"\nkind = \"files\"\npath = \"{home}/data/wiki/geo/static\"\n");
  refused(rename("geo", "x"), 3, "which is not the context's");
  // Elsewhere a directory may be other people's as well.
  declare("static", "[[surface]]\nname = \"s\"\nkind = \"files\"\npath = \"" + path("srv") + "/{context}/s\"\n");
  ASSERT_EQ(shell("mkdir -p " + path("srv/geo/s") + " " + path("srv/geo/else")), 0);
  refused(rename("geo", "x"), 3, "srv/geo/else is no surface's");
  ASSERT_EQ(::rmdir(path("srv/geo/else").c_str()), 0);
  declare("static",
          "[[surface]]\nname = \"s\"\nkind = \"command\"\ndump = [\"/bin/true\", \"{context}\"]\n"
          "restore = [\"/bin/true\", \"{context}\"]\n");
  refused(rename("geo", "x"), 3, "is command");
  ASSERT_EQ(::unlink((path("h") + "/services/static.toml").c_str()), 0);
  // A process of nobody's.
  ASSERT_EQ(shell("cd " + data("geo/pages") + " && { sleep 60 >/dev/null 2>&1 & echo $! > " + path("pid") + "; }"), 0);
  refused(rename("geo", "x"), 3, "holds");
  start();
  const Ran running = rename("geo", "x");
  EXPECT_EQ(running.code, 1) << "it is seen when the service is down";
  EXPECT_THAT(running.err, AllOf(HasSubstr("sleep 60"), Not(HasSubstr("could not be taken back"))));
  EXPECT_TRUE(runs());
  ASSERT_EQ(shell("kill $(cat " + path("pid") + ")"), 0);
  expect_is(before_);
}

TEST_F(RenameTest, WhatARestoreHasKeptIsToBeDecidedFirst) {
  ASSERT_EQ(ask({"export", "--context", "geo", "--out", path("geo.spl"), "--plaintext"}).code, 0);
  ASSERT_EQ(ask({"service", "all", "restore", "--from", path("geo.spl"), "--replace"}).code, 0);
  const Ran ran = rename("geo", "mind");
  EXPECT_EQ(ran.code, 3);
  EXPECT_THAT(ran.err, HasSubstr("--discard-previous"));
  ASSERT_EQ(ask({"service", "all", "restore", "--discard-previous"}).code, 0);
  EXPECT_EQ(rename("geo", "mind").code, 0);
}

TEST_F(RenameTest, AServiceThatDoesNotStartPutsEverythingBack) {
  start();
  const Ran ran = rename("geo", "poison");
  EXPECT_EQ(ran.code, 6) << ran.err;
  EXPECT_THAT(ran.err, HasSubstr("this name is poison"));
  expect_is(before_);
  EXPECT_TRUE(runs());
  expect_ticks("geo");
}

// It bears the one name or the other, wholly, and the service runs.
TEST_F(RenameTest, AKillAtAnyMomentIsFinishedOrUndoneByTheNextStart) {
  start();
  bool saw_journal = false;
  for (int step = 0; step < 14; ++step) {
    {
      Process process({"--home", path("h"), "context", "rename", "geo", "mind"},
                      {.environment = {{"SPL_SECRET_KEY_FILE", path("key")}}});
      std::this_thread::sleep_for(std::chrono::milliseconds(100 * step));
      ::kill(process.pid(), SIGKILL);
      (void)process.wait();
    }
    const bool cut_off = exists(path("h") + "/restores/rename.json");
    saw_journal = saw_journal || cut_off;
    if (cut_off) {
      EXPECT_THAT(ask({"doctor"}).out, HasSubstr("the renaming of a context was cut off")) << step;
    }
    const Ran next = ask({"service", "wiki", "resume"});
    ASSERT_EQ(next.code, 0) << step << next.err;
    EXPECT_FALSE(exists(path("h") + "/restores/rename.json"));
    const bool renamed = exists(data("mind"));
    expect_is(renamed ? with("mind") : before_);
    EXPECT_TRUE(runs()) << step;
    expect_ticks(renamed ? "mind" : "geo");
    if (renamed) {
      ASSERT_EQ(rename("mind", "geo").code, 0) << step;
    }
  }
  EXPECT_TRUE(saw_journal);
}

// Between any two of its steps; the journal is as docs/formats/restore-journal.md has it.
TEST_F(RenameTest, AJournalIsFollowedFromEveryStepToTheSideOfTheCommitLine) {
  const std::vector<std::pair<std::string, std::string>> moves{{"geo", "mind"},
                                                               {"db/geo.db", "db/mind.db"},
                                                               {"mind/dbs/geo.a.sq", "mind/dbs/mind.a.sq"},
                                                               {"mind/dbs/geo.b.sq", "mind/dbs/mind.b.sq"}};
  std::string journal =
      R"({"from":"geo","to":"mind","began_at":"2026-01-01T00:00:00Z","services":[{"name":"wiki","runs":false}],)"
      R"("secrets":[{"from":"wiki/geo/key","to":"wiki/mind/key"}],"moves":[)";
  for (const auto& [from, to] : moves)
    journal += (journal.ends_with('[') ? "{" : ",{") + std::string("\"from\":\"") + data(from) + "\",\"to\":\"" +
               data(to) + "\",\"service\":\"wiki\"}";
  journal += "]}\n";
  ASSERT_EQ(shell("mkdir -p " + path("h") + "/restores"), 0);
  const auto follow = [&](std::size_t done) {
    for (std::size_t i = 0; i < done; ++i)
      ASSERT_EQ(::rename(data(moves[i].first).c_str(), data(moves[i].second).c_str()), 0) << i;
    ASSERT_EQ(ask({"secret", "set", "wiki/mind/key"}, "sesame").code, 0);
    write_file(path("h") + "/restores/rename.json", journal);
    const Ran ran = ask({"service", "all", "resume"});
    EXPECT_EQ(ran.code, 0) << ran.err;
  };
  for (std::size_t done = 0; done <= moves.size(); ++done) {
    follow(done);
    expect_is(before_);
  }
  // The commit line was written: what is left is done.
  const std::string contexts = path("h") + "/contexts.toml";
  std::string text = read_file(contexts);
  write_file(contexts, text.replace(text.find("geo"), 3, "mind"));
  follow(moves.size());
  expect_is(with("mind"));
  // What bears the old name then is new, and is left alone.
  ASSERT_EQ(::mkdir(data("geo").c_str(), 0700), 0);
  follow(0);
  EXPECT_TRUE(exists(data("geo")));
  ASSERT_EQ(::rmdir(data("geo").c_str()), 0);
  expect_is(with("mind"));
  write_file(path("h") + "/restores/rename.json", "no journal");
  const Ran broken = ask({"service", "all", "resume"});
  EXPECT_EQ(broken.code, 1);
  EXPECT_THAT(broken.err, HasSubstr("rename.json cannot be read"));
}

// A journal of one move, `rest` of it, and the services.
TEST_F(RenameTest, TheWayBackOverwritesNothingAndIsNotHeldUpByAService) {
  const auto journal = [this](const std::string& inode) {
    write_file(
        path("h") + "/restores/rename.json",
        R"({"from":"geo","to":"mind","began_at":"2026-01-01T00:00:00Z","services":[{"name":"wiki","runs":true}],)"
        R"("secrets":[],"moves":[{"from":")" +
            data("geo") + R"(","to":")" + data("mind") + R"(","service":"wiki","inode":)" + inode + "}]}\n");
  };
  const auto inode_of = [this](const std::string& name) {
    struct stat status{};
    EXPECT_EQ(::stat(data(name).c_str(), &status), 0);
    return std::to_string(status.st_ino);
  };
  ASSERT_EQ(shell("mkdir -p " + path("h") + "/restores && touch " + data("poison")), 0);
  // It was moved, and a service has made it anew.
  journal(inode_of("geo"));
  ASSERT_EQ(shell("mv " + data("geo") + " " + data("mind") + " && mkdir " + data("geo") + " && echo new > " +
                  data("geo/page")),
            0);
  const Ran moved = ask({"service", "all", "resume"});
  ASSERT_EQ(moved.code, 0) << moved.err;
  EXPECT_EQ(read_file(data("geo/pages/page")), "of-geo\n");
  EXPECT_EQ(read_file(data("made-meanwhile-1.geo/page")), "new\n");
  EXPECT_FALSE(exists(data("mind")));
  // It was not moved, and something has come up where it was to go.
  journal(inode_of("geo"));
  ASSERT_EQ(shell("mkdir " + data("mind") + " && echo new > " + data("mind/page")), 0);
  const Ran not_moved = ask({"service", "all", "resume"});
  ASSERT_EQ(not_moved.code, 0) << not_moved.err;
  EXPECT_EQ(read_file(data("geo/pages/page")), "of-geo\n");
  EXPECT_EQ(read_file(data("mind/page")), "new\n");
  EXPECT_FALSE(exists(path("h") + "/restores/rename.json"));
  EXPECT_FALSE(runs()) << "it could not start, and held nothing up";
}

// A daemon that could not finish one does so before it takes up another.
TEST_F(RenameTest, AnotherRenameSettlesWhatIsLeftFirst) {
  const Process daemon({"--home", path("h"), "serve", "--port", "0"},
                       {.environment = {{"SPL_SECRET_KEY_FILE", path("key")}}});
  wait_until([&] { return exists(path("h") + "/run/spl.sock"); }, "no daemon");
  ASSERT_EQ(shell("mkdir -p " + path("h") + "/restores && mv " + data("geo") + " " + data("mind")), 0);
  write_file(path("h") + "/restores/rename.json",
             R"({"from":"geo","to":"mind","began_at":"2026-01-01T00:00:00Z","services":[],"secrets":[],)"
             R"("moves":[{"from":")" +
                 data("geo") + R"(","to":")" + data("mind") +
                 R"(","service":"wiki"}]})"
                 "\n");
  EXPECT_THAT(ask({"doctor"}).out, HasSubstr("the renaming of a context was cut off"));
  const Ran ran = rename("acme", "corp");
  ASSERT_EQ(ran.code, 0) << ran.err;
  EXPECT_EQ(read_file(data("geo/pages/page")), "of-geo\n");
  EXPECT_EQ(read_file(data("corp/pages/page")), "of-acme\n");
  EXPECT_FALSE(exists(path("h") + "/restores/rename.json"));
}

}  // namespace
}  // namespace spl::cli_test
