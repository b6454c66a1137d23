#include "surface/command/command.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <sys/stat.h>

#include <chrono>
#include <csignal>
#include <functional>

#include "surface/conformance.h"
#include "surface/driver_test_util.h"

namespace spl::surface {
namespace {

using ::testing::HasSubstr;
using ::testing::Not;

// A program's state is lines in a file; its commands are small shells.
class CommandFixture : public DriverRoom {
 public:
  CommandFixture() { (void)std::signal(SIGPIPE, SIG_IGN); }

  Place place(int n) {
    const std::string live = data() + "/" + std::to_string(n);
    Place place;
    place.kind = bundle::SurfaceKind::kCommand;
    place.subject = "notes/legacy of " + std::to_string(n);
    place.commands.emplace();
    place.commands->dump = shell("[ ! -e \"$1\" ] || cat \"$1\"", live);
    place.commands->restore = shell(
        "cat >\"$1.new\"; if [ -s \"$1.new\" ]; then mv \"$1.new\" \"$1\"; else rm -f \"$1\" \"$1.new\"; fi", live);
    place.commands->check = shell("n=0; while read -r line; do n=$((n+1)); done; echo \"$n lines\"", live);
    place.commands->surroundings = [](env::Env) -> Result<env::ChildOptions> {
      return env::ChildOptions{.arguments = {}, .environment = {"PATH=/usr/bin:/bin", "WORD=secret"}};
    };
    place.commands->log = [this](env::Env, std::string_view said) { log_text += said; };
    return place;
  }
  static std::vector<std::string> shell(const std::string& script, const std::string& argument = {}) {
    return {"/bin/sh", "-c", script, "sh", argument};
  }
  void fill(const Place& place, int variant) {
    const auto file = must(fs_.open(place.commands->dump.back(), env::OpenMode::kCreate));
    must(file->truncate(0));
    must(file->write_at(0, variant == 1 ? "one\ntwo\n" : "three\n"));
  }
  std::string state(const Place& place) {
    const std::string& live = place.commands->dump.back();
    return must(fs_.info(live)) ? must(env::read_file(fs_, live, 1000)) : "";
  }
  std::string traces() {
    std::string found;
    for (const char* below : {"spool", "scratch", "kept"}) {
      for (const std::string& name : must(fs_.list(path(below)))) found += name + "\n";
    }
    return found;
  }
  std::unique_ptr<BackupPart> backup(Place place) { return command_backup(surroundings_, std::move(place)); }
  std::unique_ptr<RestorePart> restore(Place place, RestoreRequest request) {
    request.keep_directory = path("kept") + "/of" + place.subject.substr(place.subject.size() - 1);
    return command_restore(surroundings_, std::move(place), std::move(request));
  }

  std::string log_text;
};

INSTANTIATE_TYPED_TEST_SUITE_P(Command, DriverConformance, CommandFixture);

class CommandTest : public ::testing::Test {
 protected:
  static constexpr std::string_view kId = "0123456789abcdef";

  Place with(const std::function<void(PartCommands&)>& change, int n = 0) {
    Place place = room_.place(n);
    change(*place.commands);
    return place;
  }
  std::chrono::nanoseconds in(std::chrono::milliseconds time) {
    return room_.surroundings().env.clock.since_boot() + time;
  }
  Result<Consistency> open(BackupPart& part, Writers writers = Writers::kPaused,
                           std::chrono::milliseconds time = std::chrono::seconds(60)) {
    must(part.plan(progress_));
    must(part.prepare(progress_));
    return part.open(writers, in(time));
  }
  SpooledPart spool() { return must(SpooledPart::make(room_.surroundings().env, room_.surroundings().spool)); }
  SpooledPart dump_of(std::string_view content) {
    SpooledPart files = spool();
    must(files.add(std::string(kCommandDump), content));
    files.rewind();
    return files;
  }
  std::unique_ptr<RestorePart> restore(Place place, Trust signer = Trust::kOwn) {
    RestoreRequest request;
    request.id = kId;
    request.data = InTheWay::kIsReplaced;
    request.signer = signer;
    return room_.restore(std::move(place), std::move(request));
  }
  std::string staged(RestorePart& part, std::string_view content) {
    SpooledPart files = dump_of(content);
    return must(part.stage(files, progress_));
  }
  std::string state(int n = 0) { return room_.state(room_.place(n)); }

  base::NoProgress progress_;
  CommandFixture room_;
};

TEST_F(CommandTest, ADumpThatFailsFailsTheBackupAndSaysWhy) {
  const auto part = room_.backup(
      with([](PartCommands& c) { c.dump = CommandFixture::shell("echo half; echo the disk is gone >&2; exit 3"); }));
  const auto opened = open(*part);
  ASSERT_FALSE(opened);
  EXPECT_THAT(opened.error().message, HasSubstr("exit code 3: the disk is gone"));
  EXPECT_THAT(room_.log_text, HasSubstr("the disk is gone"));
  EXPECT_EQ(room_.traces(), "");
}

TEST_F(CommandTest, ADumpThatStallsEndsWithThePause) {
  const auto part =
      room_.backup(with([](PartCommands& c) { c.dump = CommandFixture::shell("echo half; exec sleep 1000"); }));
  const auto opened = open(*part, Writers::kPaused, std::chrono::milliseconds(50));
  ASSERT_FALSE(opened);
  EXPECT_EQ(opened.error().cause, Cause::kTimeout);
  EXPECT_THAT(opened.error().message, HasSubstr("notes/legacy"));
}

TEST_F(CommandTest, ADumpWithoutAnEndEndsWithThePause) {
  const auto part = room_.backup(with([](PartCommands& c) { c.dump = {"/usr/bin/yes"}; }));
  const auto opened = open(*part, Writers::kPaused, std::chrono::milliseconds(200));
  ASSERT_FALSE(opened);
  EXPECT_EQ(opened.error().cause, Cause::kTimeout);
  EXPECT_EQ(room_.traces(), "") << "the spool has no name";
}

TEST_F(CommandTest, WithWritersThatRunItIsDumpedAfterThePauseAndIsCrash) {
  const auto part = room_.backup(room_.place(0));
  room_.fill(room_.place(0), 1);
  EXPECT_EQ(must(open(*part, Writers::kRunning)), Consistency::kCrash);
  room_.fill(room_.place(0), 2);
  SpooledPart files = spool();
  must(part->stream(files, progress_));
  files.rewind();
  const auto entry = must(files.next());
  ASSERT_TRUE(entry);
  EXPECT_EQ(entry->size_bytes, 6u) << "what is there when it is read";
}

TEST_F(CommandTest, AProgramThatIsNotThereIsFoundByThePlan) {
  const auto plan = room_.backup(with([](PartCommands& c) { c.dump = {"/nowhere/dump"}; }))->plan(progress_);
  ASSERT_FALSE(plan);
  EXPECT_EQ(plan.error().code, ErrorCode::kUnavailable);
}

TEST_F(CommandTest, WhatItsCheckRefusesIsNeverLoaded) {
  room_.fill(room_.place(0), 2);
  const auto part = restore(with([](PartCommands& c) {
    c.check = CommandFixture::shell("grep -q end && echo 1 ends || { echo no end >&2; exit 1; }");
  }));
  const std::string mark = staged(*part, "half");
  const auto checked = part->check(mark, progress_);
  ASSERT_FALSE(checked);
  EXPECT_THAT(checked.error().message, HasSubstr("no end"));
  must(part->discard(mark));
  EXPECT_EQ(state(), "three\n");
}

TEST_F(CommandTest, ALoadThatFailsHalfWayIsTakenBack) {
  room_.fill(room_.place(0), 2);
  const Place good = room_.place(0);
  const std::string live = good.commands->dump.back();
  const auto part = restore(with([&](PartCommands& c) {
    c.restore = CommandFixture::shell(
        "if read -r l && [ \"$l\" = bad ]; then echo half >\"$1\"; exit 9; fi; echo \"$l\" >\"$1\"", live);
  }));
  const std::string mark = staged(*part, "bad\n");
  must(part->check(mark, progress_));
  const auto swapped = part->swap(mark);
  ASSERT_FALSE(swapped);
  EXPECT_THAT(swapped.error().message, HasSubstr("exit code 9"));
  EXPECT_EQ(state(), "half\n");
  must(part->swap_back(mark));
  EXPECT_EQ(state(), "three\n");
  must(part->discard(mark));
  EXPECT_EQ(room_.traces(), "");
}

TEST_F(CommandTest, ALoadThatWasCutOffGoesOnOrBack) {
  for (const bool goes_on : {true, false}) {
    room_.fill(room_.place(0), 2);
    const auto part = restore(room_.place(0));
    const std::string mark = staged(*part, "one\n");
    must(part->swap(mark));
    // As a kill within the restore command leaves it.
    must(env::write_file_atomically(room_.fs(), room_.path("kept") + "/of0/turn", "loading"));
    room_.fill(room_.place(0), 1);
    if (goes_on) {
      must(restore(room_.place(0))->swap(mark));
    } else {
      must(restore(room_.place(0))->swap_back(mark));
    }
    EXPECT_EQ(state(), goes_on ? "one\n" : "three\n");
    must(part->discard(mark));
  }
}

TEST_F(CommandTest, WhatCannotBeDumpedFirstIsNotLoadedOver) {
  room_.fill(room_.place(0), 2);
  const auto part = restore(with([](PartCommands& c) { c.dump = CommandFixture::shell("echo half; exit 1"); }));
  std::vector<Finding> findings;
  must(part->inspect(findings));
  EXPECT_EQ(findings.at(0).status, FindingStatus::kStop);
  const std::string mark = staged(*part, "one\n");
  EXPECT_FALSE(part->swap(mark));
  EXPECT_EQ(state(), "three\n");
  must(part->swap_back(mark));
  EXPECT_EQ(state(), "three\n");
}

TEST_F(CommandTest, ALoadThatDoesNothingIsFound) {
  for (const bool has_check : {true, false}) {
    const auto part = restore(with([&](PartCommands& c) {
      c.restore = {"/bin/true"};
      if (!has_check) c.check.clear();
    }));
    const std::string mark = staged(*part, "one\n");
    const auto wanted = must(part->check(mark, progress_));
    must(part->swap(mark));
    EXPECT_NE(must(part->count_live()), wanted);
    must(part->discard(mark));
  }
}

TEST_F(CommandTest, ContentThatOnlyItsCheckTellsApartIsFound) {
  const auto part = restore(with([](PartCommands& c) {
    const std::string live = c.dump.back();
    c.check = {"/usr/bin/sha256sum"};
    c.restore = CommandFixture::shell("echo other >\"$1\"", live);
  }));
  const std::string mark = staged(*part, "one\n");
  must(part->check(mark, progress_));
  must(part->swap(mark));
  const auto live = part->count_live();
  ASSERT_FALSE(live);
  EXPECT_THAT(live.error().message, HasSubstr("other content"));
}

TEST_F(CommandTest, ARestoreThatHasClosedItsOutputStillGetsAllOfIt) {
  const Place place = room_.place(0);
  const std::string live = place.commands->dump.back();
  const auto part = restore(with([&](PartCommands& c) {
    c.restore = CommandFixture::shell("exec >\"$1\"; sleep 0.1; cat", live);
    c.check.clear();
  }));
  const std::string all(1u << 20, 'x');
  const std::string mark = staged(*part, all);
  must(part->swap(mark));
  EXPECT_EQ(must(room_.fs().info(live))->size_bytes, all.size());
}

TEST_F(CommandTest, WhatACheckSaysIsBoundedAndCountedWhereItIsANumberAndAName) {
  const auto counts_of = [&](const std::string& script) {
    const auto part =
        restore(with([&](PartCommands& c) { c.check = CommandFixture::shell("cat >/dev/null; " + script); }));
    const std::string mark = staged(*part, "one\n");
    const auto counts = part->check(mark, progress_);
    if (!counts) return counts.error().message;
    std::string text;
    for (const Count& count : *counts) text += std::to_string(count.number) + " " + count.what + "; ";
    return text;
  };
  EXPECT_EQ(counts_of("echo 12 notes; echo 3 old users; echo 9 notes"), "12 notes; 3 old users; ");
  EXPECT_EQ(counts_of("echo 99999999999999999999 notes; echo '-1 x'; echo '7 \033[2J'; echo 8"), "1 dumps; ");
  EXPECT_THAT(counts_of("exec yes"), HasSubstr("its check writes more than 65536 bytes"));
  EXPECT_THAT(counts_of("i=0; while [ $i -lt 100 ]; do echo $i n$i; i=$((i+1)); done"), Not(HasSubstr("n16")));
}

TEST_F(CommandTest, AStrangersDumpIsAWarning) {
  std::vector<Finding> findings;
  must(restore(room_.place(0), Trust::kStranger)->inspect(findings));
  ASSERT_EQ(findings.size(), 1u);
  EXPECT_EQ(findings[0].status, FindingStatus::kWarn);
  EXPECT_THAT(findings[0].message, HasSubstr("stranger"));
}

TEST_F(CommandTest, APartOfMoreOrOtherFilesIsRefused) {
  const auto refused = [&](const std::vector<std::string>& names) {
    SpooledPart files = spool();
    for (const std::string& name : names) must(files.add(name, "x"));
    files.rewind();
    const auto part = restore(room_.place(0));
    const auto mark = part->stage(files, progress_);
    EXPECT_FALSE(mark);
    must(part->discard(""));
    return mark ? ErrorCode::kFailed : mark.error().code;
  };
  EXPECT_EQ(refused({}), ErrorCode::kVerification);
  EXPECT_EQ(refused({"dump.bin", "dump.bin2"}), ErrorCode::kVerification);
  EXPECT_EQ(room_.traces(), "");
}

}  // namespace
}  // namespace spl::surface
