// Trees on file systems that have snapshots: real ones, mounted from files.
#include <fcntl.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include <atomic>
#include <functional>
#include <thread>

#include "env/acting_user.h"
#include "env/descriptor.h"
#include "surface/conformance.h"
#include "surface/files/disk_fixture_test_util.h"
#include "surface/snapshot_list.h"

namespace spl::surface {
namespace {

using ::testing::HasSubstr;

// Without a list there are no snapshots: then files share their blocks.
class BtrfsClonesFixture : public DiskFixture {
 public:
  BtrfsClonesFixture() : DiskFixture("btrfs") { surroundings_.snapshot_list.clear(); }
};

class XfsFixture : public DiskFixture {
 public:
  XfsFixture() : DiskFixture("xfs") {}
};

INSTANTIATE_TYPED_TEST_SUITE_P(FilesOnBtrfs, DriverConformance, BtrfsFixture);
INSTANTIATE_TYPED_TEST_SUITE_P(FilesClonedOnBtrfs, DriverConformance, BtrfsClonesFixture);
INSTANTIATE_TYPED_TEST_SUITE_P(FilesOnXfs, DriverConformance, XfsFixture);

TEST(FilesOnXfs, AreClonedAheadAndWhatChangedIsClonedAgain) {
  XfsFixture fixture;
  if (!fixture.why_not().empty()) GTEST_SKIP() << fixture.why_not();
  const Place place = fixture.place(0);
  fixture.fill(place, 1);
  fixture.write(place.path + "/changes", std::string(100'000, 'a'));
  auto part = fixture.backup(copy_of_place(place));
  base::NoProgress progress;
  EXPECT_EQ(must(part->plan(progress)).method, "cloned ahead, compared in the pause: xfs has no snapshots");
  must(part->prepare(progress));
  fixture.write(place.path + "/changes", std::string(70'001, 'b'));
  const std::string then = fixture.state(place);
  const auto deadline = fixture.surroundings().env.clock.since_boot() + std::chrono::seconds(60);
  EXPECT_EQ(must(part->open(Writers::kPaused, deadline)), Consistency::kQuiesced);
  fixture.fill(place, 2);
  SpooledPart files = must(SpooledPart::make(fixture.surroundings().env, fixture.surroundings().spool));
  must(part->stream(files, progress));
  files.rewind();
  const auto restore =
      fixture.restore(fixture.place(1), {.id = "0123456789abcdef", .signer = Trust::kOwn, .engine = {}});
  const std::string mark = must(restore->stage(files, progress));
  must(restore->swap(mark));
  EXPECT_EQ(fixture.state(fixture.place(1)), then);
}

class FilesOnBtrfs : public ::testing::Test {
 protected:
  void SetUp() override {
    if (!fixture_.why_not().empty()) GTEST_SKIP() << fixture_.why_not();
    place_ = fixture_.place(0);
    must(env::make_directories(fixture_.fs(), place_.path));
  }

  static void run(const std::string& command) { ASSERT_TRUE(LoopDisk::run(command)) << command; }
  std::chrono::nanoseconds soon() { return fixture_.surroundings().env.clock.since_boot() + std::chrono::seconds(60); }
  // Everything that stands on the disk, by name.
  std::string names() {
    std::string text;
    const TreeFilter all;
    const auto add = [&](const auto& self, const std::string& directory) -> void {
      for (const std::string& name : must(fixture_.fs().list(directory))) {
        const std::string path = directory + "/" + name;
        text += path + "\n";
        const auto info = must(fixture_.fs().info(path));
        if (info && info->type == env::FileType::kDirectory) self(self, path);
      }
    };
    add(add, fixture_.disk());
    return text;
  }
  // The tree as a bundle has it, restored beside it.
  std::string restored(BackupPart& part) {
    SpooledPart files = must(SpooledPart::make(fixture_.surroundings().env, fixture_.surroundings().spool));
    base::NoProgress progress;
    must(part.stream(files, progress));
    files.rewind();
    const auto restore =
        fixture_.restore(fixture_.place(1), {.id = "0123456789abcdef", .signer = Trust::kOwn, .engine = {}});
    const std::string mark = must(restore->stage(files, progress));
    must(restore->swap(mark));
    std::string state = fixture_.state(fixture_.place(1));
    must(restore->discard(mark));
    must(env::remove_tree(fixture_.fs(), fixture_.place(1).path));
    return state;
  }
  std::unique_ptr<BackupPart> prepared(const Place& place, const std::string& method) {
    auto part = fixture_.backup(copy_of_place(place));
    base::NoProgress progress;
    const BackupPlan plan = must(part->plan(progress));
    EXPECT_EQ(plan.method, method);
    must(part->prepare(progress));
    return part;
  }

  BtrfsFixture fixture_;
  Place place_;
};

TEST_F(FilesOnBtrfs, TheMomentIsThatOfThePauseAndNothingIsLeft) {
  fixture_.fill(place_, 1);
  const std::string before = names();
  auto part = prepared(place_, "a btrfs snapshot");
  fixture_.write(place_.path + "/late", "before the pause");
  const std::string then = fixture_.state(place_);
  EXPECT_EQ(must(part->open(Writers::kPaused, soon())), Consistency::kQuiesced);
  fixture_.fill(place_, 2);
  EXPECT_EQ(restored(*part), then);
  part.reset();
  must(fixture_.fs().remove(place_.path + "/only in the second"));
  EXPECT_EQ(names(), before);
  EXPECT_FALSE(must(fixture_.fs().info(fixture_.path("snapshots.json"))));
}

// It writes the next number into one file after the other, each durable before the next: at one moment the first files
// have the newest number, and the others the one before it. Without O_DSYNC btrfs keeps no order, as after a power cut.
TEST_F(FilesOnBtrfs, AWriterThatIsNotFrozenIsSeenAtOneMoment) {
  constexpr int kFiles = 20;
  std::vector<env::Descriptor> files;
  for (int i = 0; i < kFiles; ++i) {
    const std::string path = place_.path + "/f" + std::to_string(100 + i);
    files.emplace_back(::open(path.c_str(), O_RDWR | O_CREAT | O_DSYNC, 0600));
    ASSERT_EQ(::pwrite(files.back().number(), "00000000", 8, 0), 8);
  }
  for (int round = 0; round < 3; ++round) {
    std::atomic<bool> ends = false;
    std::atomic<int> rounds = 0;
    std::jthread writer([&] {
      for (int number = 1; !ends; ++number) {
        const std::string text = std::to_string(10'000'000 + number);
        for (const env::Descriptor& file : files) (void)!::pwrite(file.number(), text.data(), 8, 0);
        rounds = number;
      }
    });
    auto part = prepared(place_, "a btrfs snapshot");
    const int before = rounds;
    while (rounds < before + 2) std::this_thread::yield();
    EXPECT_EQ(must(part->open(Writers::kRunning, soon())), Consistency::kFilesystem);
    const int after = rounds;
    while (rounds < after + 2) std::this_thread::yield();
    ends = true;
    writer.join();
    const std::string state = restored(*part);
    std::vector<int> numbers;
    for (std::size_t at = state.find(" = "); at != std::string::npos; at = state.find(" = ", at + 1))
      numbers.push_back(std::stoi(state.substr(at + 3, 8)));
    ASSERT_EQ(numbers.size(), static_cast<std::size_t>(kFiles));
    EXPECT_TRUE(std::ranges::is_sorted(numbers, std::greater<>()));
    EXPECT_LE(numbers.front() - numbers.back(), 1);
  }
}

TEST_F(FilesOnBtrfs, SubvolumesWithinTheTreeAreOpenedToo) {
  run("btrfs subvolume create " + place_.path + "/sub");
  run("mkdir " + place_.path + "/sub/d && btrfs subvolume create " + place_.path + "/sub/d/deep");
  fixture_.write(place_.path + "/sub/f", "in the subvolume");
  fixture_.write(place_.path + "/sub/d/deep/f", "in the deep one");
  fixture_.write(place_.path + "/after", "in the root");
  const std::string then = fixture_.state(place_);
  const std::string before = names();
  auto part = prepared(place_, "a btrfs snapshot");
  EXPECT_EQ(must(part->open(Writers::kPaused, soon())), Consistency::kQuiesced);
  fixture_.write(place_.path + "/sub/d/deep/f", "something else");
  EXPECT_EQ(restored(*part), then);
  part.reset();
  EXPECT_EQ(names(), before);
}

TEST_F(FilesOnBtrfs, ASubvolumeThatCameMeanwhileFailsTheBackupByName) {
  auto part = prepared(place_, "a btrfs snapshot");
  run("btrfs subvolume create " + place_.path + "/new && touch " + place_.path + "/new/f");
  must(part->open(Writers::kPaused, soon()));
  SpooledPart files = must(SpooledPart::make(fixture_.surroundings().env, fixture_.surroundings().spool));
  base::NoProgress progress;
  const auto streamed = part->stream(files, progress);
  ASSERT_FALSE(streamed);
  EXPECT_THAT(streamed.error().message, HasSubstr(place_.path + "/new"));
}

TEST_F(FilesOnBtrfs, AMountBelowIsOpenedTooWhereItHasSnapshots) {
  const LoopDisk other("btrfs");
  run("mkdir " + place_.path + "/mounted && mount --bind " + other.path() + " " + place_.path + "/mounted");
  fixture_.write(place_.path + "/mounted/f", "on the other disk");
  {
    auto part = prepared(place_, "a btrfs snapshot");
    EXPECT_EQ(must(part->open(Writers::kRunning, soon())), Consistency::kCrash) << "two disks have no one moment";
    fixture_.write(place_.path + "/mounted/f", "something else");
    EXPECT_THAT(restored(*part), HasSubstr("= on the other disk"));
  }
  run("umount " + place_.path + "/mounted");
}

TEST_F(FilesOnBtrfs, WhatIsMountedWithoutSnapshotsIsTakenAheadAndWhatComesMeanwhileFails) {
  run("mkdir " + place_.path + "/mounted && mount -t tmpfs none " + place_.path + "/mounted");
  fixture_.write(place_.path + "/mounted/f", "in memory");
  {
    auto part = prepared(place_, "cloned ahead, compared in the pause: tmpfs has no snapshots, on which mounted lies");
    EXPECT_EQ(must(part->open(Writers::kPaused, soon())), Consistency::kQuiesced);
    EXPECT_THAT(restored(*part), HasSubstr("= in memory"));
  }
  run("umount " + place_.path + "/mounted");
  auto part = prepared(place_, "a btrfs snapshot");
  run("mount -t tmpfs none " + place_.path + "/mounted");
  const auto opened = part->open(Writers::kPaused, soon());
  run("umount " + place_.path + "/mounted");
  ASSERT_FALSE(opened);
  EXPECT_THAT(opened.error().message, HasSubstr(place_.path + "/mounted was mounted"));
}

TEST_F(FilesOnBtrfs, TheRootOfAMountHasItsSnapshotWithin) {
  place_.path = fixture_.disk();
  fixture_.write(place_.path + "/f", "in the root");
  const std::string then = fixture_.state(place_);
  auto part = prepared(place_, "a btrfs snapshot");
  must(part->open(Writers::kPaused, soon()));
  const TreeFilter filter = TreeFilter::of(place_.path, {}, {});
  base::NoProgress progress;
  SpooledPart files = must(SpooledPart::make(fixture_.surroundings().env, fixture_.surroundings().spool));
  must(part->stream(files, progress));
  files.rewind();
  std::string paths;
  while (const auto entry = must(files.next())) paths += entry->path + "\n";
  EXPECT_EQ(paths, "tree.mtree\ntree/data\ntree/data/tree0\ntree/f\n");
}

TEST_F(FilesOnBtrfs, TwoPartsOfOneSubvolumeShareItsSnapshot) {
  SharedViews views;
  Surroundings surroundings = fixture_.surroundings();
  surroundings.views = &views;
  Place other = fixture_.place(2);
  must(env::make_directories(fixture_.fs(), other.path));
  auto one = files_backup(surroundings, copy_of_place(place_));
  auto two = files_backup(surroundings, copy_of_place(other));
  base::NoProgress progress;
  for (const auto* part : {&one, &two}) {
    must((*part)->plan(progress));
    must((*part)->prepare(progress));
  }
  must(one->open(Writers::kPaused, soon()));
  must(two->open(Writers::kPaused, soon()));
  SnapshotList list(surroundings.env, surroundings.snapshot_list);
  EXPECT_EQ(must(list.all()).size(), 1u);
  one.reset();
  EXPECT_EQ(must(list.all()).size(), 1u);
  two.reset();
  EXPECT_TRUE(must(list.all()).empty());
}

// A disk on which a user has a subvolume of their own.
class UsersDisk : public DiskFixture {
 public:
  static constexpr env::UserIds kUser{65534, 65534};
  explicit UsersDisk(const std::string& options) : DiskFixture("btrfs", options) {
    if (!why_not().empty()) return;
    EXPECT_TRUE(LoopDisk::run("btrfs subvolume create " + data() + "/own && mkdir " + data() + "/own/tree"));
    EXPECT_TRUE(
        LoopDisk::run("echo text >" + data() + "/own/tree/f && chown -R 65534:65534 " + data() + " " + path("")));
    EXPECT_TRUE(LoopDisk::run("chmod 0711 " + disk() + "/.."));
  }
  Place own() {
    Place own = place(0);
    own.path = data() + "/own/tree";
    return own;
  }
  // Takes it, and gives whether that was done by this method and nothing is left.
  bool takes(const std::string& method) {
    auto part = backup(own());
    base::NoProgress progress;
    const auto plan = part->plan(progress);
    if (!plan || plan->method != method || !part->prepare(progress)) return false;
    if (!part->open(Writers::kPaused, surroundings_.env.clock.since_boot() + std::chrono::seconds(60))) return false;
    auto files = SpooledPart::make(surroundings_.env, surroundings_.spool);
    if (!files || !part->stream(*files, progress)) return false;
    part.reset();
    return *fs_.list(data() + "/own") == std::vector<std::string>{"tree"} && !*fs_.info(path("snapshots.json"));
  }
  bool takes_as_that_user(const std::string& method) {
    const pid_t child = ::fork();
    if (child == 0) {
      const bool is_user = ::setgid(kUser.gid) == 0 && ::setuid(kUser.uid) == 0;
      ::_exit(is_user && takes(method) ? 0 : 1);
    }
    int status = 0;
    return ::waitpid(child, &status, 0) == child && WIFEXITED(status) && WEXITSTATUS(status) == 0;
  }
};

TEST(FilesOfAUser, AreTakenBySnapshotsOnlyWhereTheUserMayRemoveThem) {
  UsersDisk allowed("user_subvol_rm_allowed");
  if (!allowed.why_not().empty()) GTEST_SKIP() << allowed.why_not();
  EXPECT_TRUE(allowed.takes_as_that_user("a btrfs snapshot"));
  UsersDisk usual("");
  EXPECT_TRUE(
      usual.takes_as_that_user("cloned ahead, compared in the pause: btrfs is mounted without user_subvol_rm_allowed"));
  EXPECT_TRUE(usual.takes("a btrfs snapshot")) << "root takes the tree of another user";
}

TEST(FilesOfAUser, AreTakenByRootThatActsForTheUser) {
  UsersDisk disk("");
  if (!disk.why_not().empty()) GTEST_SKIP() << disk.why_not();
  const env::AsFileUser as(UsersDisk::kUser);
  EXPECT_TRUE(disk.takes("a btrfs snapshot"));
}

}  // namespace
}  // namespace spl::surface
