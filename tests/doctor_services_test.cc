// What `spl doctor` says of services, contexts and secrets, through the program: each fault is named with what to do,
// what is sound is looked at all the same, and nothing is changed.
#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <signal.h>
#include <sys/stat.h>
#include <unistd.h>

#include <chrono>
#include <functional>
#include <thread>

#include "cli_harness.h"
#include "env/process.h"
#include "env/process_table.h"

namespace spl::cli_test {
namespace {

using ::testing::AllOf;
using ::testing::HasSubstr;
using ::testing::Not;
using ::testing::StartsWith;
using namespace std::chrono_literals;

constexpr char kFiles[] = "[[surface]]\nname = \"files\"\nkind = \"files\"\npath = \"{data}/files\"\n";

class DoctorTest : public CliTest {
 protected:
  DoctorTest() { EXPECT_EQ(on("h", {"init"}).code, 0); }
  ~DoctorTest() override { (void)ask({"service", "all", "stop"}); }

  Ran ask(const Words& words, const std::string& text = {}) {
    return on("h", words, {.text = text, .environment = {{"SPL_SECRET_KEY_FILE", path("key")}}});
  }
  void declare(const std::string& name, const std::string& rest, const std::string& file = {}) {
    write_file(home("services/" + (file.empty() ? name : file) + ".toml"), "name = \"" + name + "\"\n" + rest);
  }
  [[nodiscard]] std::string home(const std::string& name) const { return path("h") + "/" + name; }
  void make(const std::string& directory) { ASSERT_EQ(shell("umask 027 && mkdir -p '" + home(directory) + "'"), 0); }
  void set_mode(const std::string& file, mode_t mode) { ASSERT_EQ(::chmod(file.c_str(), mode), 0) << file; }

  // The lines that begin with this status and check; the whole must end with `code`.
  std::vector<std::string> findings(const std::string& status, const std::string& check, int code) {
    const Ran ran = ask({"doctor"});
    EXPECT_EQ(ran.code, code) << ran.out << ran.err;
    std::string beginning = status;
    beginning.resize(4, ' ');
    beginning += "  " + check + ": ";
    std::vector<std::string> found;
    std::istringstream in(ran.out);
    for (std::string line; std::getline(in, line);) {
      if (line.starts_with(beginning)) found.push_back(line.substr(beginning.size()));
    }
    return found;
  }
  std::string finding(const std::string& status, const std::string& check, int code) {
    const auto found = findings(status, check, code);
    EXPECT_EQ(found.size(), 1u) << status << " " << check << " in\n" << ask({"doctor"}).out;
    return found.empty() ? "" : found.front();
  }
};

TEST_F(DoctorTest, AHomeWithSoundServicesHasNothingToTell) {
  EXPECT_THAT(ask({"doctor"}).out, Not(HasSubstr("warn")));
  make("data/notes/files");
  declare("notes", std::string(kFiles) + "[[secret]]\nhandle = \"notes/key\"\nrequired = true\n");
  ASSERT_EQ(ask({"secret", "set", "notes/key"}, "sesame").code, 0);
  const Ran ran = ask({"doctor"});
  EXPECT_EQ(ran.code, 0) << ran.out;
  EXPECT_THAT(ran.out, AllOf(Not(HasSubstr("warn")), Not(HasSubstr("stop"))));
  EXPECT_THAT(ran.out, AllOf(HasSubstr("1 service declared"), HasSubstr("1 secret: can be opened")));
}

TEST_F(DoctorTest, EveryDeclarationThatCannotBeReadIsNamedAndTheOthersAreLookedAt) {
  declare("bad", "summry = \"typo\"\n");
  declare("worse", std::string(kFiles) + "[run]\ncommand = \"no array\"\n");
  declare("good", std::string(kFiles) + "[[secret]]\nhandle = \"good/key\"\nrequired = true\n");
  const auto told = findings("stop", "declaration", 1);
  ASSERT_EQ(told.size(), 2u);
  EXPECT_THAT(told[0], AllOf(HasSubstr(home("services/bad.toml") + ":2:"), HasSubstr("summry")));
  EXPECT_THAT(told[1], AllOf(HasSubstr(home("services/worse.toml") + ":7:"), HasSubstr("run.command")));
  EXPECT_THAT(finding("stop", "secret", 1), HasSubstr("good/key: it is required and missing"));
  // One that names a broken one is not broken itself.
  declare("good", std::string("after = [\"bad\"]\n") + kFiles);
  EXPECT_EQ(findings("stop", "declaration", 1).size(), 2u);
}

TEST_F(DoctorTest, WhatDeclarationsShowOnlyTogetherIsToldToo) {
  declare("one", kFiles);
  declare("one", kFiles, "twice");
  EXPECT_THAT(finding("stop", "declaration", 1), HasSubstr("name is one, as in"));
  ASSERT_EQ(::unlink(home("services/twice.toml").c_str()), 0);
  declare("two", "after = [\"nobody\"]\n");
  EXPECT_THAT(finding("stop", "declaration", 1), HasSubstr("after names the service nobody"));
}

TEST_F(DoctorTest, FaultsOfTheContextsAreNamed) {
  write_file(home("contexts.toml"), "[[context]]\nname = \"a\"\nid = 1\n[[context]]\nname = \"b\"\nid = 1\n");
  declare("wiki", "[[surface]]\nname = \"pages\"\nkind = \"files\"\npath = \"{data}/{context}/pages\"\n");
  make("data/wiki/a/pages");
  EXPECT_THAT(finding("stop", "contexts", 1),
              AllOf(HasSubstr(home("contexts.toml") + ":4"), HasSubstr("context.id is there twice: 1")));
  EXPECT_THAT(ask({"doctor"}).out, Not(HasSubstr("stray"))) << "nobody knows which are there";
}

TEST_F(DoctorTest, SecretsThatAreMissingOrCannotBeOpenedAreNamedByHandleAlone) {
  declare("notes",
          std::string(kFiles) +
              "[[secret]]\nhandle = \"notes/{context}/key\"\nrequired = true\n[[secret]]\nhandle = \"notes/extra\"\n");
  ASSERT_EQ(ask({"context", "add", "geo"}).code, 0);
  EXPECT_THAT(finding("stop", "secret", 1), AllOf(StartsWith("notes/geo/key: it is required and missing"),
                                                  HasSubstr("spl secret set notes/geo/key")));
  ASSERT_EQ(ask({"secret", "set", "notes/geo/key"}, "sesame").code, 0);
  ASSERT_EQ(ask({"secret", "set", "old/forgotten"}, "sesame").code, 0);
  EXPECT_EQ(ask({"doctor"}).code, 0);
  // The key has stayed on another machine: that is told once.
  ASSERT_EQ(::rename(path("key").c_str(), path("moved").c_str()), 0);
  EXPECT_THAT(finding("stop", "secret key", 1),
              AllOf(HasSubstr("2 secrets are sealed under this key"), HasSubstr("SPL_SECRET_KEY_FILE")));
  EXPECT_THAT(ask({"doctor"}).out, Not(HasSubstr("stop  secret: ")));
  // Another key.
  write_file(path("key"), std::string(32, 'x'));
  set_mode(path("key"), 0600);
  EXPECT_EQ(findings("stop", "secret", 1).size(), 2u);
  EXPECT_THAT(ask({"doctor"}).out, Not(HasSubstr("sesame")));
  ASSERT_EQ(::rename(path("moved").c_str(), path("key").c_str()), 0);
  set_mode(path("key"), 0640);
  EXPECT_THAT(finding("stop", "secret key", 1), AllOf(HasSubstr("0640"), HasSubstr("chmod 600")));
  set_mode(path("key"), 0600);
  if (::geteuid() == 0) {
    ASSERT_EQ(::chown(path("key").c_str(), 12345, 0), 0);
    EXPECT_THAT(finding("stop", "secret key", 1), HasSubstr("it belongs to 12345"));
    ASSERT_EQ(::chown(path("key").c_str(), 0, 0), 0);
  }
  EXPECT_EQ(ask({"doctor"}).code, 0);
}

TEST_F(DoctorTest, ModesAndOwnersAreAsWhoOwnsWhatSays) {
  declare("notes", std::string(kFiles) + "[run]\ncommand = [\"/bin/sleep\", \"9\"]\n");
  make("data/notes/files");
  EXPECT_EQ(findings("warn", "modes", 0).size(), 0u);
  set_mode(home("data/notes"), 0755);
  EXPECT_THAT(finding("warn", "modes", 0), AllOf(HasSubstr("0755"), HasSubstr("chmod 750 " + home("data/notes"))));
  set_mode(home("data/notes"), 0750);
  set_mode(path("h"), 0755);
  EXPECT_THAT(finding("warn", "modes", 0), HasSubstr("chmod 711 " + path("h")));
  set_mode(path("h"), 0757);
  EXPECT_THAT(finding("stop", "modes", 1), HasSubstr("everybody may put things of theirs there"));
  set_mode(path("h"), 0711);
  for (const auto& [name, mode] :
       {std::pair("secrets", 0700), std::pair("services", 0700), std::pair("hub.db", 0600)}) {
    set_mode(home(name), static_cast<mode_t>(mode) | 0044);
    EXPECT_THAT(finding("stop", "modes", 1), HasSubstr(home(name) + ": it is not closed to others"));
    set_mode(home(name), static_cast<mode_t>(mode));
  }
  if (::geteuid() != 0) return;
  ASSERT_EQ(::chown(home("data/notes").c_str(), 12345, 0), 0);
  EXPECT_THAT(finding("stop", "modes", 1), HasSubstr("it belongs to 12345, and should to root"));
  ASSERT_EQ(::chown(home("data/notes").c_str(), 0, 0), 0);
  declare("notes", std::string(kFiles) + "[run]\ncommand = [\"/bin/sleep\", \"9\"]\nuser = \"nobody-of-this-name\"\n");
  EXPECT_THAT(finding("stop", "user", 1), HasSubstr("there is no user nobody-of-this-name"));
}

TEST_F(DoctorTest, WhatNobodyDeclaredAndWhatIsOfNoContextIsAWarning) {
  declare("wiki", "[[surface]]\nname = \"pages\"\nkind = \"files\"\npath = \"{data}/{context}/pages\"\n");
  ASSERT_EQ(ask({"context", "add", "geo"}).code, 0);
  for (const char* name : {"data/wiki", "data/wiki/geo/pages", "data/wiki/ghost/pages", "data/wiki/cache"}) make(name);
  EXPECT_THAT(finding("warn", "stray", 0),
              AllOf(StartsWith(home("data/wiki/ghost/pages")), HasSubstr("there is no context ghost")));
  EXPECT_THAT(finding("warn", "undeclared", 0),
              AllOf(StartsWith(home("data/wiki/cache")), HasSubstr("no backup has it")));
}

TEST_F(DoctorTest, APauseThatIsUnderWayAndOneThatCannotBeTakenUpAreTold) {
  const std::string file = home("run/pause.json");
  const auto mark = env::process_mark(::getpid());
  ASSERT_TRUE(mark);
  write_file(file, "{\"by\":{\"pid\":" + std::to_string(::getpid()) + ",\"mark\":\"" + *mark + "\"},\"frozen\":[]}");
  EXPECT_THAT(finding("warn", "pause", 0), HasSubstr("paused by the process " + std::to_string(::getpid())));
  ASSERT_EQ(::unlink(file.c_str()), 0);
  make("run/pause.json/x");
  EXPECT_THAT(finding("stop", "pause", 1), HasSubstr("cut off"));
}

TEST_F(DoctorTest, RestoresThatWereCutOffAndWhatTheyHaveReplacedAreTold) {
  declare("notes", kFiles);
  make("data/notes/files");
  write_file(home("data/notes/files/page"), std::string(3u << 20, 'x'));
  ASSERT_EQ(ask({"export", "--out", path("b.spl"), "--plaintext"}).code, 0);
  const Ran restored = ask({"service", "all", "restore", "--from", path("b.spl"), "--replace"});
  ASSERT_EQ(restored.code, 0) << restored.err;
  EXPECT_THAT(finding("warn", "previous", 0),
              AllOf(StartsWith("notes: "), HasSubstr("3 MiB"), HasSubstr("--discard-previous")));
  const auto journals = names_in(home("restores"));
  ASSERT_EQ(journals.size(), 1u);
  const std::string journal = home("restores/" + journals.front());
  std::string text = read_file(journal);
  const std::string previous = text;
  const std::size_t at = text.find("\"previous\"");
  ASSERT_NE(at, std::string::npos) << text;
  write_file(journal, text.replace(at, 10, "\"switching\""));
  EXPECT_THAT(finding("stop", "restore", 1), HasSubstr("was cut off while switching"));
  EXPECT_EQ(read_file(journal), text) << "doctor changes nothing";
  write_file(journal, "no journal");
  EXPECT_THAT(finding("stop", "restore", 1), HasSubstr(journals.front()));
  // A journal that somebody has removed.
  ASSERT_EQ(::rename(journal.c_str(), path("journal").c_str()), 0);
  EXPECT_THAT(finding("warn", "restore", 0), HasSubstr(".spl-"));
  write_file(journal, previous);
  EXPECT_EQ(ask({"service", "all", "restore", "--discard-previous"}).code, 0);
  EXPECT_EQ(findings("warn", "previous", 0).size(), 0u);
}

TEST_F(DoctorTest, AServiceThatShouldRunAndDoesNotIsTold) {
  write_file(path("program"), "#!/bin/sh\nwhile [ ! -e '" + path("poison") + "' ]; do sleep 0.05; done\n");
  set_mode(path("program"), 0755);
  declare("notes", "[run]\ncommand = [\"" + path("program") + "\"]\n");
  EXPECT_THAT(finding("ok", "service", 0), HasSubstr("notes: it is down, as it is to be"));
  ASSERT_EQ(ask({"service", "notes", "start"}).code, 0);
  EXPECT_EQ(finding("ok", "service", 0), "notes: it runs");
  ASSERT_EQ(ask({"service", "notes", "pause"}).code, 0);
  EXPECT_THAT(finding("warn", "service", 0), HasSubstr("notes: it is paused"));
  ASSERT_EQ(ask({"service", "notes", "resume"}).code, 0);
  write_file(path("poison"), "");
  const auto end = std::chrono::steady_clock::now() + 20s;
  while (ask({"doctor"}).code == 0 && std::chrono::steady_clock::now() < end) std::this_thread::sleep_for(20ms);
  EXPECT_THAT(ask({"doctor"}).out, HasSubstr("notes: it should run, and ends again and again"));
  // As after the machine was started anew: nobody supervises it any more.
  ASSERT_EQ(::unlink(path("poison").c_str()), 0);
  ASSERT_EQ(ask({"service", "all", "stop"}).code, 0);
  EXPECT_EQ(ask({"doctor"}).code, 0);
  ASSERT_EQ(::unlink(home("run/runit/notes/down").c_str()), 0);
  EXPECT_THAT(finding("stop", "service", 1), HasSubstr("notes: it should run, and does not"));
  write_file(home("run/runit/notes/held"), "");
  EXPECT_THAT(finding("stop", "service", 1), HasSubstr("notes: a restore keeps it down"));
  ASSERT_EQ(::unlink(home("run/runit/notes/held").c_str()), 0);
  EXPECT_EQ(ask({"service", "notes", "start"}).code, 0);
}

TEST_F(DoctorTest, RunitIsMissedWhereAServiceIsToBeRun) {
  const std::string without = "unshare -m sh -c 'mount -t tmpfs none /usr/bin && exec \"$@\"' sh '" + spl_program() +
                              "' --home '" + path("h") + "' doctor > '" + path("out") + "' 2>&1";
  if (shell("unshare -m mount -t tmpfs none /usr/bin 2>/dev/null") != 0) GTEST_SKIP() << "no name space of mounts";
  EXPECT_EQ(shell(without), 0) << read_file(path("out"));
  declare("notes", "[run]\ncommand = [\"/bin/sleep\", \"9\"]\n");
  EXPECT_EQ(shell(without), 1);
  EXPECT_THAT(read_file(path("out")), HasSubstr("runit is not installed: there is no "));
}

}  // namespace
}  // namespace spl::cli_test
