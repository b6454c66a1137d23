// What services derive from their data, made anew after a restore: in the background, before the start where a service
// is not well without it, and again after a crash.
#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <signal.h>

#include "services_kit.h"

namespace spl::cli_test {
namespace {

using ::testing::HasSubstr;
using ::testing::Not;

// Writes what it derives from "files" into "index", when "go" is there; says who it is while it waits.
constexpr char kIndex[] = R"sh(#!/bin/sh
mkdir -p "$1/index"
echo $$ >"$1/indexing"
while [ ! -e "$1/go" ]; do sleep 0.02; done
[ ! -e "$1/broken" ] || { echo "the index is broken" >&2; exit 6; }
cat "$1"/files/* >"$1/index/all"
rm -f "$1/indexing"
)sh";

class RebuildTest : public ServicesKit {
 protected:
  RebuildTest() : index_(write_script("index", kIndex)) {}
  ~RebuildTest() override {
    // Nothing of it goes on.
    for (const char* home : {"a", "b"}) {
      if (!exists(path(home))) continue;
      (void)shell("touch " + data(home) + "/go");
      if (exists(path(home) + "/rebuilds")) wait_until([&] { return !is_waiting(home); }, "what was begun ends");
    }
  }

  [[nodiscard]] std::string data(const std::string& home) const { return path(home) + "/data/notes"; }
  [[nodiscard]] std::string surfaces(const std::string& data_class = "derived") const {
    return "[[surface]]\nname = \"files\"\nkind = \"files\"\npath = \"{data}/files\"\n"
           "[[surface]]\nname = \"index\"\nkind = \"files\"\npath = \"{data}/index\"\nclass = \"" +
           data_class + "\"\nrebuild = [\"" + index_ + "\", \"{data}\"]\n";
  }
  void make(const std::string& home, const std::string& rest) {
    init(home);
    declare(home, "notes", rest);
  }
  void fill(const std::string& home, const std::string& text) {
    ASSERT_EQ(shell("mkdir -p " + data(home) + "/files " + data(home) + "/index"), 0);
    write_file(data(home) + "/files/note", text);
    write_file(data(home) + "/index/all", text);
  }
  std::string status(const std::string& home) { return ask(home, {"status"}).out; }
  bool is_waiting(const std::string& home) {
    const std::string text = json_on(home, {"service", "all", "status"}).text();
    return text.find(R"("state":"waiting","since")") != std::string::npos ||
           text.find(R"("state":"running","since")") != std::string::npos;
  }
  void wait_for_index(const std::string& home, const std::string& content) {
    wait_until([&] { return exists(data(home) + "/index/all") && read_file(data(home) + "/index/all") == content; },
               "the index is made");
    wait_until([&] { return !is_waiting(home); }, "the status says so");
  }
  std::string did(const std::string& home) { return text_of(json_on(home, {"identity", "show"}), "did"); }

  const std::string index_;
};

TEST_F(RebuildTest, WhatIsDerivedIsNotInTheBundleAndIsMadeInTheBackground) {
  make("a", surfaces());
  fill("a", "one");
  ASSERT_EQ(backup("a", "a.spl").code, 0);
  EXPECT_THAT(ask("a", {"bundle", "list", path("a.spl")}).out, Not(HasSubstr("index")));
  make("b", surfaces());
  const auto report = json_on("b", {"service", "all", "restore", "--from", path("a.spl")});
  EXPECT_THAT(report.text(), HasSubstr("is rebuilt in the background"));
  wait_until([&] { return exists(data("b") + "/indexing"); }, "it is begun");
  EXPECT_THAT(status("b"), HasSubstr("rebuild: notes/index running"));
  EXPECT_THAT(ask("b", {"service", "notes", "status"}).out, HasSubstr("rebuild: notes/index running"));
  EXPECT_FALSE(exists(data("b") + "/index/all"));
  write_file(data("b") + "/go", "");
  wait_for_index("b", "one");
  EXPECT_THAT(status("b"), Not(HasSubstr("rebuild")));
}

// As a search of another service's texts has it: nothing of it is in the bundle but that it is there.
TEST_F(RebuildTest, AServiceWithNothingButWhatIsDerivedIsRebuiltToo) {
  const std::string search =
      "[[surface]]\nname = \"index\"\nkind = \"files\"\npath = \"{data}/index\"\nclass = \"derived\"\nrebuild = "
      "[\"/bin/sh\", \"-ec\", \"mkdir -p $0/index; cp $1/files/note $0/index/all\", \"{data}\", "
      "\"{home}/data/notes\"]\n";
  const std::string index = path("b") + "/data/search/index/all";
  make("a", surfaces());
  declare("a", "search", search);
  fill("a", "one");
  ASSERT_EQ(backup("a", "a.spl").code, 0);
  make("b", surfaces());
  declare("b", "search", search);
  ASSERT_EQ(shell("mkdir -p " + data("b") + " && touch " + data("b") + "/go"), 0);
  ASSERT_EQ(restore("b", "a.spl").code, 0);
  wait_until([&] { return exists(index) && read_file(index) == "one"; }, "the other service's index is made");
  wait_for_index("b", "one");
}

TEST_F(RebuildTest, WhatIsCostlyIsInTheBundleAndIsMadeOnlyWhereItWasLeftOut) {
  make("a", surfaces("derived-costly"));
  fill("a", "one");
  ASSERT_EQ(backup("a", "a.spl").code, 0);
  make("b", surfaces("derived-costly"));
  ASSERT_EQ(restore("b", "a.spl").code, 0);
  EXPECT_EQ(read_file(data("b") + "/index/all"), "one");
  EXPECT_FALSE(exists(data("b") + "/indexing"));
  EXPECT_THAT(status("b"), Not(HasSubstr("rebuild")));
}

TEST_F(RebuildTest, WhatFailedIsToldUntilSomebodyDoesItAgain) {
  make("a", surfaces());
  fill("a", "one");
  ASSERT_EQ(backup("a", "a.spl").code, 0);
  make("b", surfaces());
  ASSERT_EQ(shell("mkdir -p " + data("b") + " && touch " + data("b") + "/go " + data("b") + "/broken"), 0);
  ASSERT_EQ(restore("b", "a.spl").code, 0);
  wait_until([&] { return status("b").find("rebuild: notes/index failed") != std::string::npos; }, "it fails");
  EXPECT_THAT(status("b"), HasSubstr("the index is broken"));
  EXPECT_EQ(ask("b", {"service", "notes", "rebuild"}).code, 1);
  ASSERT_EQ(shell("rm " + data("b") + "/broken"), 0);
  const Ran again = ask("b", {"service", "notes", "rebuild"});
  EXPECT_EQ(again.code, 0) << again.err;
  EXPECT_THAT(again.out, HasSubstr("rebuilt: notes/index"));
  EXPECT_EQ(read_file(data("b") + "/index/all"), "one");
  EXPECT_THAT(status("b"), Not(HasSubstr("rebuild")));
}

TEST_F(RebuildTest, AServiceThatIsNotWellWithoutItGetsItBeforeItStarts) {
  const std::string serve =
      write_script("serve", "#!/bin/sh\n[ -e \"$1/index/all\" ] || exit 1\ntouch \"$1/up\"\nexec sleep 1000\n");
  const std::string rest = "[run]\ncommand = [\"" + serve +
                           "\", \"{data}\"]\nhealth = [\"/usr/bin/test\", \"-e\", \"{data}/up\"]\n"
                           "start_timeout_ms = 2000\n" +
                           surfaces();
  make("a", rest);
  fill("a", "one");
  ASSERT_EQ(backup("a", "a.spl").code, 0);
  make("b", rest);
  ASSERT_EQ(shell("mkdir -p " + data("b") + " && touch " + data("b") + "/go"), 0);
  const Ran ran = restore("b", "a.spl");
  ASSERT_EQ(ran.code, 0) << ran.out << ran.err;
  EXPECT_EQ(read_file(data("b") + "/index/all"), "one");
  EXPECT_THAT(ask("b", {"service", "notes", "status"}).out, HasSubstr("running"));
  EXPECT_THAT(status("b"), Not(HasSubstr("rebuild")));
}

TEST_F(RebuildTest, TheNextStartGoesOnWhereAKillEndedIt) {
  make("a", surfaces());
  fill("a", "one");
  ASSERT_EQ(backup("a", "a.spl").code, 0);
  make("b", surfaces());
  ASSERT_EQ(restore("b", "a.spl").code, 0);
  wait_until([&] { return exists(data("b") + "/indexing"); }, "it is begun");
  // The one who rebuilds is the parent of the command.
  const std::string pid = read_file(data("b") + "/indexing");
  const std::string parent = output_of("awk '/^PPid/ { print $2 }' /proc/$(cat " + data("b") + "/indexing)/status");
  ASSERT_EQ(::kill(std::stoi(parent), SIGKILL), 0);
  ASSERT_EQ(::kill(std::stoi(pid), SIGKILL), 0);
  ASSERT_EQ(shell("rm " + data("b") + "/indexing"), 0);
  EXPECT_THAT(status("b"), HasSubstr("rebuild: notes/index waiting"));
  // Any command that takes the home's lock starts it again.
  ASSERT_EQ(ask("b", {"context", "add", "geo"}).code, 0);
  wait_until([&] { return exists(data("b") + "/indexing"); }, "it is begun again");
  write_file(data("b") + "/go", "");
  wait_for_index("b", "one");
}

TEST_F(RebuildTest, WhatIsSwappedBackIsDerivedAnewToo) {
  make("a", surfaces());
  fill("a", "one");
  ASSERT_EQ(backup("a", "a.spl").code, 0);
  fill("a", "two");
  write_file(data("a") + "/go", "");
  ASSERT_EQ(restore("a", "a.spl", {"--replace"}).code, 0);
  wait_for_index("a", "one");
  ASSERT_EQ(ask("a", {"service", "all", "restore", "--previous"}).code, 0);
  wait_for_index("a", "two");
}

TEST_F(RebuildTest, WhatIsToBeRunAfterARestoreIsRunOnceTheServicesRunAgainAndAFailureIsToldAndKept) {
  const std::string after = write_script("after",
                                         "#!/bin/sh\n[ -e \"$1/may\" ] || { echo not yet >&2; exit 3; }\n"
                                         "cp \"$1/files/note\" \"$1/after\"\n");
  const std::string rest = "[restore]\nafter = [\"" + after + "\", \"{data}\"]\n" +
                           "[[surface]]\nname = \"files\"\nkind = \"files\"\npath = \"{data}/files\"\n";
  make("a", rest);
  fill("a", "one");
  ASSERT_EQ(backup("a", "a.spl").code, 0);
  make("b", rest);
  const Ran ran = restore("b", "a.spl");
  EXPECT_EQ(ran.code, 0) << ran.err;
  EXPECT_THAT(ran.out + ran.err, HasSubstr("not yet"));
  EXPECT_THAT(status("b"), HasSubstr("rebuild: [restore].after of notes failed"));
  write_file(data("b") + "/may", "");
  EXPECT_EQ(ask("b", {"service", "notes", "rebuild"}).code, 0);
  EXPECT_EQ(read_file(data("b") + "/after"), "one");
  EXPECT_THAT(status("b"), Not(HasSubstr("rebuild")));
}

}  // namespace
}  // namespace spl::cli_test
