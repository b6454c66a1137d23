// Command surfaces through the program: a service of the operator's own, whose data only its own tools can read.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "services_kit.h"

namespace spl::cli_test {
namespace {

using ::testing::HasSubstr;
using ::testing::Not;

// Its data is lines of a file that is locked while it runs, and its tools take "dump FILE", "load FILE".
constexpr char kTools[] = R"sh(#!/bin/sh
set -e
case $1 in
  dump)
    [ -e "$2" ] || exit 0
    cat "$2" ;;
  load)
    echo "loading $2" >&2
    mkdir -p "$(dirname "$2")"
    cat >"$2.new"
    if grep -q refuse "$2.new"; then echo "I will not take that" >&2; exit 4; fi
    if [ -s "$2.new" ]; then mv "$2.new" "$2"; else rm -f "$2" "$2.new"; fi ;;
  check)
    awk '{ n++ } END { print n + 0, "lines" }' ;;
esac
)sh";

class CommandSurfaceTest : public ServicesKit {
 protected:
  std::string surface(const std::string& tools) {
    return "[[surface]]\nname = \"legacy\"\nkind = \"command\"\ndump = [\"" + tools +
           "\", \"dump\", \"{data}/{context}/lines\"]\nrestore = [\"" + tools +
           "\", \"load\", \"{data}/{context}/lines\"]\ncheck = [\"" + tools + "\", \"check\"]\n";
  }
  void make(const std::string& home, const std::string& more = {}) {
    init(home);
    declare(home, "notes", more + surface(write_script("tools", kTools)));
  }
  [[nodiscard]] std::string lines_of(const std::string& home, const std::string& context) const {
    return path(home) + "/data/notes/" + context + "/lines";
  }
  void fill(const std::string& home, const std::string& context, const std::string& text) {
    ASSERT_EQ(shell("mkdir -p " + path(home) + "/data/notes/" + context), 0);
    write_file(lines_of(home, context), text);
  }
  std::string did(const std::string& home) { return text_of(json_on(home, {"identity", "show"}), "did"); }
};

TEST_F(CommandSurfaceTest, WhatItsDumpPrintsComesBackForEachContext) {
  make("a");
  add_contexts("a", {"geo", "three"});
  fill("a", "geo", "one\ntwo\n");
  fill("a", "three", "drei\n");
  ASSERT_EQ(backup("a", "a.spl").code, 0);
  make("b");
  const Ran ran = restore("b", "a.spl");
  ASSERT_EQ(ran.code, 0) << ran.out << ran.err;
  EXPECT_EQ(read_file(lines_of("b", "geo")), "one\ntwo\n");
  EXPECT_EQ(read_file(lines_of("b", "three")), "drei\n");
  EXPECT_THAT(read_file(path("b") + "/logs/services/notes.log"), HasSubstr("loading"));
  EXPECT_EQ(left("b"), "");
}

TEST_F(CommandSurfaceTest, WhereOneLoadFailsAllIsAsBefore) {
  make("a");
  add_contexts("a", {"geo", "three"});
  fill("a", "geo", "one\n");
  fill("a", "three", "refuse\n");
  ASSERT_EQ(backup("a", "a.spl").code, 0);
  make("b");
  add_contexts("b", {"geo", "three"});
  fill("b", "geo", "old\n");
  const Ran ran = restore("b", "a.spl", {"--replace", "--expect-did", did("a")});
  EXPECT_EQ(ran.code, 1) << ran.out << ran.err;
  EXPECT_THAT(ran.err, HasSubstr("I will not take that"));
  EXPECT_EQ(read_file(lines_of("b", "geo")), "old\n");
  EXPECT_FALSE(exists(lines_of("b", "three")));
  EXPECT_EQ(left("b"), "");
}

TEST_F(CommandSurfaceTest, WhatWasReplacedIsKeptAndSwappedBack) {
  make("a");
  add_contexts("a", {"geo"});
  fill("a", "geo", "one\n");
  ASSERT_EQ(backup("a", "a.spl").code, 0);
  make("b");
  add_contexts("b", {"geo"});
  fill("b", "geo", "old\n");
  EXPECT_EQ(restore("b", "a.spl", {"--expect-did", did("a")}).code, 5) << "data is in the way";
  ASSERT_EQ(restore("b", "a.spl", {"--replace", "--expect-did", did("a")}).code, 0);
  EXPECT_EQ(read_file(lines_of("b", "geo")), "one\n");
  ASSERT_EQ(ask("b", {"service", "all", "restore", "--previous"}).code, 0);
  EXPECT_EQ(read_file(lines_of("b", "geo")), "old\n");
  ASSERT_EQ(restore("b", "a.spl", {"--replace", "--expect-did", did("a")}).code, 0);
  ASSERT_EQ(ask("b", {"service", "all", "restore", "--discard-previous"}).code, 0);
  EXPECT_EQ(read_file(lines_of("b", "geo")), "one\n");
  EXPECT_EQ(shell("test -z \"$(ls -A " + path("b") + "/restores)\""), 0);
}

TEST_F(CommandSurfaceTest, ItIsQuiescedWhereAHookHoldsItsServiceAndElseSaysThatItIsNot) {
  make("a");
  add_contexts("a", {"geo"});
  fill("a", "geo", "one\n");
  const auto consistency = [&] {
    const Ran ran = backup("a", "a.spl");
    EXPECT_EQ(ran.code, 0) << ran.err;
    const auto manifest = json_on("a", {"bundle", "show", path("a.spl")});
    return manifest.text();
  };
  EXPECT_THAT(consistency(), HasSubstr(R"("consistency":"crash")"));
  declare("a", "notes",
          "[quiesce]\nmethod = \"hook\"\nbefore = [\"/bin/true\"]\nafter = [\"/bin/true\"]\n" + surface(path("tools")));
  EXPECT_THAT(consistency(), HasSubstr(R"("consistency":"quiesced")"));
}

TEST_F(CommandSurfaceTest, ADumpThatStallsInAPauseEndsItAndFailsTheBackup) {
  make("a");
  const std::string stalls = write_script("stalls", "#!/bin/sh\necho half\nexec sleep 1000\n");
  declare("a", "notes",
          "[quiesce]\nmethod = \"hook\"\nbefore = [\"/bin/true\"]\nafter = [\"/bin/true\"]\ntimeout_ms = 300\n"
          "[[surface]]\nname = \"legacy\"\nkind = \"command\"\ndump = [\"" +
              stalls + "\"]\nrestore = [\"/bin/true\"]\n");
  const Ran ran = backup("a", "a.spl");
  EXPECT_EQ(ran.code, 1) << ran.out;
  EXPECT_THAT(ran.err, HasSubstr("notes/legacy"));
  EXPECT_FALSE(exists(path("a.spl")));
  EXPECT_EQ(left("a"), "");
}

TEST_F(CommandSurfaceTest, ADumpThatWouldAskAFrozenProcessIsRefusedByItsDeclaration) {
  make("a", "[run]\ncommand = [\"/bin/sleep\", \"1000\"]\n");
  const Ran ran = backup("a", "a.spl");
  EXPECT_EQ(ran.code, 2) << ran.out;
  EXPECT_THAT(ran.err, HasSubstr("say hook or none"));
}

TEST_F(CommandSurfaceTest, ItsServiceIsDownWhileItIsLoaded) {
  const std::string serve = write_script("serve",
                                         "#!/bin/sh\ntouch \"$1/up\"\ntrap 'rm -f \"$1/up\"; exit 0' TERM\n"
                                         "while :; do sleep 0.05; done\n");
  const std::string load = write_script("load",
                                        "#!/bin/sh\n[ ! -e \"$1/up\" ] || { echo it runs >&2; exit 5; }\n"
                                        "cat >\"$1/lines\"\n");
  const auto declared = "[run]\ncommand = [\"" + serve + "\", \"{run}\"]\n[quiesce]\nmethod = \"none\"\n" +
                        "[[surface]]\nname = \"legacy\"\nkind = \"command\"\ndump = [\"/bin/sh\", \"-c\", \"cat "
                        "$0/lines 2>/dev/null || :\", \"{run}\"]\nrestore = [\"" +
                        load + "\", \"{run}\"]\n";
  init("a");
  declare("a", "notes", declared);
  start("a");
  write_file(run_directory("a", "notes") + "/lines", "one\n");
  ASSERT_EQ(backup("a", "a.spl").code, 0);
  write_file(run_directory("a", "notes") + "/lines", "two\n");
  wait_until([&] { return exists(run_directory("a", "notes") + "/up"); }, "the service runs");
  const Ran ran = restore("a", "a.spl", {"--replace"});
  ASSERT_EQ(ran.code, 0) << ran.out << ran.err;
  EXPECT_EQ(read_file(run_directory("a", "notes") + "/lines"), "one\n");
  EXPECT_THAT(ask("a", {"service", "notes", "status"}).out, HasSubstr("running"));
}

}  // namespace
}  // namespace spl::cli_test
