// What a backup leaves that is killed, and what the next start does about it.
#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <sys/wait.h>
#include <unistd.h>

#include <csignal>
#include <functional>

#include "surface/files/disk_fixture_test_util.h"
#include "surface/snapshot_list.h"

namespace spl::surface {
namespace {

class FilesLeftovers : public ::testing::Test {
 protected:
  void SetUp() override {
    if (!fixture_.why_not().empty()) GTEST_SKIP() << fixture_.why_not();
    must(env::make_directories(fixture_.fs(), fixture_.place(0).path));
  }

  // A process that works on a backup and is killed by its own hand.
  void killed_after(const std::function<void(BackupPart&)>& work) {
    const pid_t child = ::fork();
    if (child == 0) {
      auto part = fixture_.backup(fixture_.place(0));
      base::NoProgress progress;
      if (part->plan(progress) && part->prepare(progress)) work(*part);
      ::kill(::getpid(), SIGKILL);
    }
    int status = 0;
    ASSERT_EQ(::waitpid(child, &status, 0), child);
    ASSERT_TRUE(WIFSIGNALED(status));
  }
  Result<void> start() {
    return remove_leftover_snapshots(fixture_.surroundings().env, list_path(), std::string(kToolPath));
  }
  std::string list_path() { return fixture_.path("snapshots.json"); }
  std::vector<ListedSnapshot> listed() { return must(SnapshotList(fixture_.surroundings().env, list_path()).all()); }
  std::vector<std::string> beside() { return must(fixture_.fs().list(fixture_.data())); }
  void list(const ListedSnapshot& snapshot) {
    must(SnapshotList(fixture_.surroundings().env, list_path()).put(snapshot));
    // Of a process that has ended.
    std::string text = must(env::read_file(fixture_.fs(), list_path(), 1u << 20));
    const std::string own = "\"pid\":" + std::to_string(::getpid());
    text.replace(text.find(own), own.size(), "\"pid\":0");
    must(env::write_file_atomically(fixture_.fs(), list_path(), text));
  }
  // What a killed backup has left, and the list of that.
  ListedSnapshot left() {
    killed_after([this](BackupPart& part) { (void)part.open(Writers::kPaused, soon()); });
    return listed().at(0);
  }
  std::chrono::nanoseconds soon() { return fixture_.surroundings().env.clock.since_boot() + std::chrono::seconds(60); }
  static void run(const std::string& command) { ASSERT_TRUE(LoopDisk::run(command)) << command; }

  BtrfsFixture fixture_;
};

TEST_F(FilesLeftovers, AreRemovedByTheNextStartWhereverTheBackupWasKilled) {
  using Work = std::function<void(BackupPart&)>;
  for (const Work& work :
       {Work([](BackupPart&) {}), Work([this](BackupPart& part) { (void)part.open(Writers::kPaused, soon()); })}) {
    killed_after(work);
    EXPECT_EQ(listed().size(), 1u);
    EXPECT_EQ(beside().size(), 2u);
    must(start());
    EXPECT_EQ(beside(), std::vector<std::string>{"tree0"});
    EXPECT_FALSE(must(fixture_.fs().info(list_path())));
    must(start());
  }
}

TEST_F(FilesLeftovers, WhatIsListedAndWasNeverMadeIsForgotten) {
  ListedSnapshot snapshot = left();
  must(start());
  snapshot.inode = 0;
  list(snapshot);
  must(start());
  EXPECT_TRUE(listed().empty());
  // The directory was made, and its inode not yet noted.
  run("mkdir " + snapshot.where);
  list(snapshot);
  must(start());
  EXPECT_TRUE(listed().empty());
  EXPECT_EQ(beside(), std::vector<std::string>{"tree0"});
}

TEST_F(FilesLeftovers, WhatAProcessWorksOnThatIsAliveStays) {
  auto part = fixture_.backup(fixture_.place(0));
  base::NoProgress progress;
  must(part->plan(progress));
  must(part->prepare(progress));
  must(part->open(Writers::kPaused, soon()));
  must(start());
  EXPECT_EQ(listed().size(), 1u);
  EXPECT_EQ(beside().size(), 2u);
}

TEST_F(FilesLeftovers, OfANameThatSomebodyElseTookNothingIsRemoved) {
  const ListedSnapshot snapshot = left();
  // Another directory of the name, with a snapshot of the same subvolume in it.
  run("mv " + snapshot.where + " " + fixture_.data() + "/kept && mkdir " + snapshot.where);
  run("btrfs subvolume snapshot -r " + fixture_.disk() + " " + snapshot.where + "/snapshot");
  must(start());
  EXPECT_TRUE(listed().empty());
  EXPECT_TRUE(must(fixture_.fs().info(snapshot.where + "/snapshot/data")));
  EXPECT_TRUE(must(fixture_.fs().info(fixture_.data() + "/kept/snapshot/data")));
}

TEST_F(FilesLeftovers, AForgedListRemovesNothing) {
  const ListedSnapshot snapshot = left();
  run("btrfs subvolume create " + fixture_.disk() + "/other && mkdir " + fixture_.disk() + "/other/d");
  run("mkdir " + fixture_.disk() + "/theirs && btrfs subvolume snapshot -r " + fixture_.disk() + "/other " +
      fixture_.disk() + "/theirs/snapshot");
  const std::uint64_t theirs = must(fixture_.fs().info(fixture_.disk() + "/theirs"))->inode;
  const auto with = [&](const std::function<void(ListedSnapshot&)>& change) {
    ListedSnapshot changed = snapshot;
    change(changed);
    return changed;
  };
  const ListedSnapshot forged[] = {
      // A path that is none of spl's, with the right inode.
      with([&](auto& s) { s.where = fixture_.disk() + "/theirs", s.inode = theirs; }),
      with([&](auto& s) { s.where = "theirs", s.inode = theirs; }),
      with([&](auto& s) { s.id = "../../../theirs", s.where = fixture_.disk() + "/theirs", s.inode = theirs; }),
      // Of another subvolume, and of another disk.
      with([&](auto& s) { s.of = s.of.substr(0, 33) + std::string(32, '1'); }),
      with([&](auto& s) { s.of = std::string(32, '1') + s.of.substr(32); }),
      with([&](auto& s) { s.of.clear(); }),
      with([&](auto& s) { ++s.inode; }),
      // Through a link.
      with([&](auto& s) { s.where = fixture_.disk() + "/link/" + snapshot_name(s.id); }),
  };
  run("ln -s data " + fixture_.disk() + "/link");
  must(fixture_.fs().remove(list_path()));
  for (const ListedSnapshot& one : forged) {
    list(one);
    (void)start();
    EXPECT_TRUE(must(fixture_.fs().info(snapshot.where + "/snapshot/data"))) << one.where << " " << one.of;
    EXPECT_TRUE(must(fixture_.fs().info(fixture_.disk() + "/theirs/snapshot/d"))) << one.where << " " << one.of;
    must(fixture_.fs().remove(list_path()));
  }
  // The true one does.
  list(snapshot);
  must(start());
  EXPECT_FALSE(must(fixture_.fs().info(snapshot.where)));
}

TEST_F(FilesLeftovers, WhatLiesOnADiskThatIsNotMountedWaitsForIt) {
  const ListedSnapshot snapshot = left();
  run("mkdir " + fixture_.disk() + "-away && mount --move " + fixture_.disk() + " " + fixture_.disk() + "-away || " +
      "{ mount --bind " + fixture_.disk() + " " + fixture_.disk() + "-away && umount " + fixture_.disk() + " ; }");
  must(start());
  EXPECT_EQ(listed().size(), 1u);
  run("mount --bind " + fixture_.disk() + "-away " + fixture_.disk() + " && umount " + fixture_.disk() + "-away");
  must(start());
  EXPECT_TRUE(listed().empty());
  EXPECT_FALSE(must(fixture_.fs().info(snapshot.where)));
}

TEST_F(FilesLeftovers, AListThatCannotBeReadIsNamedAndStays) {
  must(env::write_file_atomically(fixture_.fs(), list_path(), "{"));
  const auto started = start();
  ASSERT_FALSE(started);
  EXPECT_THAT(started.error().message, ::testing::HasSubstr("file-system snapshots that are to be removed"));
  EXPECT_TRUE(must(fixture_.fs().info(list_path())));
}

}  // namespace
}  // namespace spl::surface
