#include "testing/sim_file_system.h"

#include <gtest/gtest.h>

#include <set>

#include "testing/file_system_conformance.h"

namespace spl::testing {
namespace {

using env::OpenMode;
using Tree = std::map<std::string, std::string>;

class SimUnderTest final : public FileSystemUnderTest {
 public:
  SimUnderTest() { EXPECT_TRUE(fs_.make_directory("/root")); }
  env::FileSystem& fs() override { return fs_; }
  std::string root() override { return "/root"; }

 private:
  SimFileSystem fs_;
};

INSTANTIATE_TEST_SUITE_P(Sim, FileSystemConformance,
                         ::testing::Values(FileSystemMaker{"memory",
                                                           []() -> std::unique_ptr<FileSystemUnderTest> {
                                                             return std::make_unique<SimUnderTest>();
                                                           }}),
                         file_system_maker_name);

void write_synced(SimFileSystem& fs, const std::string& path, std::string_view content) {
  auto file = *fs.open(path, OpenMode::kCreate);
  ASSERT_TRUE(file->write_at(0, content));
  ASSERT_TRUE(file->sync());
  ASSERT_TRUE(fs.sync_directory(env::parent_of(path)));
}

TEST(SimFileSystem, WithoutADirectorySyncTheNameIsLost) {
  SimFileSystem fs;
  auto file = *fs.open("/f", OpenMode::kCreateNew);
  ASSERT_TRUE(file->write_at(0, "data"));
  ASSERT_TRUE(file->sync());
  fs.reboot(Survivors::synced_only());
  EXPECT_EQ(fs.contents(), Tree());
}

TEST(SimFileSystem, WithoutAFileSyncTheContentIsLost) {
  SimFileSystem fs;
  auto file = *fs.open("/f", OpenMode::kCreateNew);
  ASSERT_TRUE(file->write_at(0, "data"));
  ASSERT_TRUE(fs.sync_directory("/"));
  fs.reboot(Survivors::synced_only());
  EXPECT_EQ(fs.contents(), (Tree{{"/f", ""}}));
}

TEST(SimFileSystem, ANameThatIsGivenLateIsDurableWithItsDirectory) {
  SimFileSystem fs;
  auto file = *fs.open_nameable("/");
  ASSERT_TRUE(file->write_at(0, "data"));
  ASSERT_TRUE(file->sync());
  ASSERT_TRUE(file->give_name("/f"));
  ASSERT_TRUE(fs.sync_directory("/"));
  fs.reboot(Survivors::synced_only());
  EXPECT_EQ(fs.contents(), (Tree{{"/f", "data"}}));
  auto unsynced = *fs.open_nameable("/");
  ASSERT_TRUE(unsynced->give_name("/g"));
  fs.reboot(Survivors::synced_only());
  EXPECT_EQ(fs.contents(), (Tree{{"/f", "data"}}));
  EXPECT_FALSE(unsynced->give_name("/h")) << "from before the reboot";
}

TEST(SimFileSystem, NamesFilesAtOnceWhereItIsTold) {
  SimFileSystem fs;
  fs.set_nameable(false);
  EXPECT_EQ(*fs.open_nameable("/"), nullptr);
}

TEST(SimFileSystem, WhatIsSyncedStays) {
  SimFileSystem fs;
  write_synced(fs, "/f", "data");
  auto file = *fs.open("/f", OpenMode::kReadWrite);
  ASSERT_TRUE(file->write_at(0, "DA"));
  ASSERT_TRUE(file->truncate(3));
  fs.reboot(Survivors::synced_only());
  EXPECT_EQ(fs.contents(), (Tree{{"/f", "data"}}));
}

TEST(SimFileSystem, SyncingAllKeepsContentsAndNames) {
  SimFileSystem fs;
  ASSERT_TRUE(fs.make_directory("/a"));
  const auto file = *fs.open("/a/f", OpenMode::kCreateNew);
  ASSERT_TRUE(file->write_at(0, "data"));
  ASSERT_TRUE(fs.sync_all("/a"));
  ASSERT_TRUE(file->write_at(0, "lost"));
  fs.reboot(Survivors::synced_only());
  EXPECT_EQ(fs.contents(), (Tree{{"/a/", ""}, {"/a/f", "data"}}));
}

TEST(SimFileSystem, ADirectoryInAnUnsyncedDirectoryIsLost) {
  SimFileSystem fs;
  ASSERT_TRUE(fs.make_directory("/a"));
  write_synced(fs, "/a/f", "data");
  fs.reboot(Survivors::synced_only());
  EXPECT_EQ(fs.contents(), Tree());
}

TEST(SimFileSystem, MadeDirectoriesAreDurableAlsoWhereAnEarlierRunWasKilled) {
  SimFileSystem fs;
  ASSERT_TRUE(env::make_directories(fs, "/a/b"));
  fs.reboot(Survivors::synced_only());
  EXPECT_EQ(fs.contents(), (Tree{{"/a/", ""}, {"/a/b/", ""}}));
  ASSERT_TRUE(fs.make_directory("/a/c"));
  fs.reboot(Survivors::everything());
  ASSERT_TRUE(env::make_directories(fs, "/a/c/d"));
  fs.reboot(Survivors::synced_only());
  EXPECT_TRUE(fs.contents().contains("/a/c/d/"));
}

TEST(SimFileSystem, RenameIsOneStepAlsoBetweenDirectories) {
  for (const char* synced : {"/from", "/to", ""}) {
    SimFileSystem fs;
    ASSERT_TRUE(env::make_directories(fs, "/from"));
    ASSERT_TRUE(env::make_directories(fs, "/to"));
    write_synced(fs, "/from/f", "data");
    ASSERT_TRUE(fs.rename("/from/f", "/to/g"));
    if (*synced != '\0') {
      ASSERT_TRUE(fs.sync_directory(synced));
    }
    fs.reboot(Survivors::synced_only());
    EXPECT_EQ(fs.contents().contains("/to/g"), *synced != '\0') << synced;
    EXPECT_EQ(fs.contents().contains("/from/f"), *synced == '\0') << synced;
  }
}

TEST(SimFileSystem, AnExchangeIsOneStepAlsoBetweenDirectories) {
  for (const char* synced : {"/a", "/b", ""}) {
    SimFileSystem fs;
    ASSERT_TRUE(env::make_directories(fs, "/a"));
    ASSERT_TRUE(env::make_directories(fs, "/b"));
    write_synced(fs, "/a/f", "one");
    write_synced(fs, "/b/g", "other");
    ASSERT_TRUE(fs.exchange("/a/f", "/b/g"));
    if (*synced != '\0') {
      ASSERT_TRUE(fs.sync_directory(synced));
    }
    fs.reboot(Survivors::synced_only());
    const bool done = *synced != '\0';
    EXPECT_EQ(fs.contents(),
              (Tree{{"/a/", ""}, {"/a/f", done ? "other" : "one"}, {"/b/", ""}, {"/b/g", done ? "one" : "other"}}))
        << synced;
  }
}

TEST(SimFileSystem, ASeedKeepsAnExchangeWholeOrNotAtAll) {
  bool kept = false;
  bool lost = false;
  for (std::uint64_t seed = 0; seed < 40; ++seed) {
    SimFileSystem fs;
    ASSERT_TRUE(env::make_directories(fs, "/d"));
    write_synced(fs, "/f", "one");
    write_synced(fs, "/d/g", "other");
    ASSERT_TRUE(fs.exchange("/f", "/d/g"));
    fs.reboot(Survivors::seeded(seed));
    const Tree tree = fs.contents();
    EXPECT_NE(tree.at("/f"), tree.at("/d/g")) << seed;
    (tree.at("/f") == "other" ? kept : lost) = true;
  }
  EXPECT_TRUE(kept && lost);
}

TEST(SimFileSystem, EachNameOfAFileIsDurableByItself) {
  SimFileSystem fs;
  ASSERT_TRUE(env::make_directories(fs, "/d"));
  write_synced(fs, "/f", "data");
  ASSERT_TRUE(fs.make_hard_link("/f", "/d/g"));
  ASSERT_TRUE(fs.sync_directory("/d"));
  ASSERT_TRUE(fs.make_hard_link("/f", "/h"));
  ASSERT_TRUE(fs.rename("/d/g", "/d/i"));
  ASSERT_TRUE(fs.sync_directory("/d"));
  fs.reboot(Survivors::synced_only());
  EXPECT_EQ(fs.contents(), (Tree{{"/d/", ""}, {"/d/i", "data"}, {"/f", "data"}}));
  EXPECT_EQ((**fs.info("/f")).links, 2u);
}

TEST(SimFileSystem, ModesAndTimesAreDurableWithTheContent) {
  SimFileSystem fs;
  write_synced(fs, "/f", "data");
  ASSERT_TRUE(fs.set_mode("/f", 0640));
  fs.reboot(Survivors::synced_only());
  EXPECT_EQ((**fs.info("/f")).mode, 0600u);
  ASSERT_TRUE(fs.set_mode("/f", 0640));
  ASSERT_TRUE(fs.set_modified("/f", {7, 8}));
  ASSERT_TRUE((*fs.open("/f", env::OpenMode::kReadWrite))->sync());
  fs.reboot(Survivors::synced_only());
  EXPECT_EQ((**fs.info("/f")).mode, 0640u);
  EXPECT_EQ((**fs.info("/f")).modified, (env::FileTime{7, 8}));
}

TEST(SimFileSystem, AnUnsyncedRenameOverAFileLeavesTheOldOne) {
  SimFileSystem fs;
  write_synced(fs, "/f", "old");
  write_synced(fs, "/g", "new");
  ASSERT_TRUE(fs.rename("/g", "/f"));
  EXPECT_EQ(fs.contents(), (Tree{{"/f", "new"}}));
  fs.reboot(Survivors::synced_only());
  EXPECT_EQ(fs.contents(), (Tree{{"/f", "old"}, {"/g", "new"}}));
}

TEST(SimFileSystem, AnUnsyncedRemovalComesBack) {
  SimFileSystem fs;
  write_synced(fs, "/f", "data");
  ASSERT_TRUE(fs.remove("/f"));
  EXPECT_EQ(fs.contents(), Tree());
  fs.reboot(Survivors::synced_only());
  EXPECT_EQ(fs.contents(), (Tree{{"/f", "data"}}));
}

TEST(SimFileSystem, AKilledProcessLosesNothingButAPowerCutAfterItMay) {
  SimFileSystem fs;
  auto file = *fs.open("/f", OpenMode::kCreateNew);
  ASSERT_TRUE(file->write_at(0, "data"));
  fs.reboot(Survivors::everything());
  EXPECT_EQ(fs.contents(), (Tree{{"/f", "data"}}));
  EXPECT_FALSE(file->sync());
  fs.reboot(Survivors::synced_only());
  EXPECT_EQ(fs.contents(), Tree());
}

TEST(SimFileSystem, ACutFailsThatCallAndAllAfterItUntilTheReboot) {
  SimFileSystem fs;
  auto file = *fs.open("/f", OpenMode::kCreateNew);
  EXPECT_EQ(fs.calls(), 1u);
  fs.cut_at(3);
  EXPECT_TRUE(file->write_at(0, "one"));
  EXPECT_FALSE(fs.is_off());
  EXPECT_FALSE(file->write_at(3, "two"));
  EXPECT_TRUE(fs.is_off());
  EXPECT_FALSE(file->sync());
  EXPECT_FALSE(fs.info("/f"));
  EXPECT_FALSE(fs.list("/"));
  EXPECT_EQ(fs.calls(), 6u);
  fs.reboot(Survivors::everything());
  EXPECT_FALSE(file->size());
  EXPECT_EQ(fs.calls(), 6u);
  EXPECT_EQ(*env::read_file(fs, "/f", 10), "one");
}

TEST(SimFileSystem, AFaultFailsOneCall) {
  SimFileSystem fs;
  auto file = *fs.open("/f", OpenMode::kCreateNew);
  fs.fail_at(2, SimError::kEnospc);
  const auto written = file->write_at(0, "12345678");
  ASSERT_FALSE(written);
  EXPECT_NE(written.error().message.find("No space"), std::string::npos);
  EXPECT_EQ(fs.contents(), (Tree{{"/f", "1234"}}));
  EXPECT_TRUE(file->write_at(0, "12345678"));
  fs.fail_at(4, SimError::kEio);
  EXPECT_FALSE(fs.rename("/f", "/g"));
  EXPECT_EQ(fs.contents(), (Tree{{"/f", "12345678"}}));
}

TEST(SimFileSystem, AFailedSyncLosesWhatWasDirtyAndTheNextOneSaysNothing) {
  SimFileSystem fs;
  write_synced(fs, "/f", "old");
  auto file = *fs.open("/f", OpenMode::kReadWrite);
  ASSERT_TRUE(file->write_at(0, "new"));
  fs.fail_at(fs.calls() + 1, SimError::kEio);
  EXPECT_FALSE(file->sync());
  EXPECT_TRUE(file->sync());
  EXPECT_EQ(fs.contents(), (Tree{{"/f", "new"}}));
  fs.reboot(Survivors::synced_only());
  EXPECT_EQ(fs.contents(), (Tree{{"/f", "old"}}));
}

TEST(SimFileSystem, AFailedDirectorySyncLosesTheNames) {
  SimFileSystem fs;
  ASSERT_TRUE(fs.make_directory("/a"));
  fs.fail_at(fs.calls() + 1, SimError::kEio);
  EXPECT_FALSE(fs.sync_directory("/"));
  EXPECT_TRUE(fs.sync_directory("/"));
  fs.reboot(Survivors::synced_only());
  EXPECT_EQ(fs.contents(), Tree());
}

TEST(SimFileSystem, AFailedSyncOfAllLosesAll) {
  SimFileSystem fs;
  write_synced(fs, "/f", "old");
  ASSERT_TRUE(fs.make_directory("/a"));
  ASSERT_TRUE((*fs.open("/f", OpenMode::kReadWrite))->write_at(0, "new"));
  fs.fail_at(fs.calls() + 1, SimError::kEio);
  EXPECT_FALSE(fs.sync_all("/"));
  EXPECT_TRUE(fs.sync_all("/"));
  fs.reboot(Survivors::synced_only());
  EXPECT_EQ(fs.contents(), (Tree{{"/f", "old"}}));
}

TEST(SimFileSystem, ABrokenDiskStaysBrokenUntilItIsMended) {
  SimFileSystem fs;
  write_synced(fs, "/f", "old");
  auto file = *fs.open("/f", OpenMode::kReadWrite);
  fs.fail_from(fs.calls() + 2, SimError::kEio);
  EXPECT_TRUE(fs.info("/f"));
  for (int i = 0; i < 2; ++i) {
    EXPECT_FALSE(fs.info("/f"));
    EXPECT_FALSE(file->write_at(0, "new!"));
    EXPECT_FALSE(file->sync());
    EXPECT_FALSE(fs.remove("/f"));
    EXPECT_FALSE(fs.try_lock("/f"));
  }
  fs.mend();
  EXPECT_TRUE(fs.info("/f"));
  EXPECT_TRUE(file->sync());
  EXPECT_EQ(fs.contents(), (Tree{{"/f", "ned"}}));
  fs.reboot(Survivors::synced_only());
  EXPECT_EQ(fs.contents(), (Tree{{"/f", "old"}}));
}

TEST(SimFileSystem, AFullDiskIsReadAndEmptied) {
  SimFileSystem fs;
  ASSERT_TRUE(fs.make_directory("/a"));
  write_synced(fs, "/f", "old");
  write_synced(fs, "/g", "old");
  auto file = *fs.open("/f", OpenMode::kReadWrite);
  fs.fail_from(fs.calls() + 1, SimError::kEnospc);
  EXPECT_FALSE(file->write_at(0, "new!"));
  EXPECT_FALSE(file->truncate(100));
  EXPECT_TRUE(file->truncate(2));
  EXPECT_TRUE(file->sync());
  EXPECT_FALSE(fs.open("/new", OpenMode::kCreate));
  EXPECT_FALSE(fs.open_unnamed("/"));
  EXPECT_FALSE(fs.try_lock("/lock"));
  EXPECT_FALSE(fs.make_directory("/b"));
  EXPECT_FALSE(fs.rename("/f", "/h"));
  EXPECT_EQ(*fs.free_bytes("/"), 0U);
  EXPECT_TRUE(fs.open("/f", OpenMode::kCreate));
  EXPECT_TRUE(fs.try_lock("/f"));
  EXPECT_EQ(*env::read_file(fs, "/g", 100), "old");
  EXPECT_TRUE(fs.remove("/g"));
  EXPECT_TRUE(fs.sync_directory("/"));
  fs.reboot(Survivors::synced_only());
  EXPECT_EQ(fs.contents(), (Tree{{"/a/", ""}, {"/f", "ne"}}));
  EXPECT_TRUE(fs.make_directory("/b"));
}

TEST(SimFileSystem, ASeedTearsWritesAtSectorsAndIsTheSameEachTime) {
  constexpr std::size_t kLength = 8 * kSimSectorBytes;
  std::set<std::string> outcomes;
  for (std::uint64_t seed = 0; seed < 64; ++seed) {
    std::string first;
    for (int run = 0; run < 2; ++run) {
      SimFileSystem fs;
      write_synced(fs, "/f", std::string(kLength, 'o'));
      auto file = *fs.open("/f", OpenMode::kReadWrite);
      ASSERT_TRUE(file->write_at(100, std::string(kLength - 200, 'n')));
      fs.reboot(Survivors::seeded(seed));
      const std::string content = fs.contents().at("/f");
      ASSERT_EQ(content.size(), kLength);
      EXPECT_EQ(content.substr(0, 100) + content.substr(kLength - 100), std::string(200, 'o'));
      for (std::size_t at = 101; at < kLength - 100; ++at) {
        if (at % kSimSectorBytes != 0) {
          EXPECT_EQ(content[at], content[at - 1]);
        }
      }
      if (run == 0) first = content;
      EXPECT_EQ(content, first);
    }
    outcomes.insert(first);
  }
  EXPECT_GT(outcomes.size(), 5u);
}

TEST(SimFileSystem, ASeedKeepsAPartOfTheNames) {
  std::set<std::size_t> counts;
  for (std::uint64_t seed = 0; seed < 64; ++seed) {
    SimFileSystem fs;
    for (const char* name : {"/a", "/b", "/c", "/d"}) ASSERT_TRUE(fs.make_directory(name));
    fs.reboot(Survivors::seeded(seed));
    counts.insert(fs.contents().size());
  }
  EXPECT_EQ(counts, (std::set<std::size_t>{0, 1, 2, 3, 4}));
}

TEST(SimFileSystem, ASeedNeverLosesAFileThatIsMoved) {
  for (std::uint64_t seed = 0; seed < 64; ++seed) {
    SimFileSystem fs;
    ASSERT_TRUE(env::make_directories(fs, "/from"));
    ASSERT_TRUE(env::make_directories(fs, "/to"));
    write_synced(fs, "/from/f", "data");
    ASSERT_TRUE(fs.rename("/from/f", "/to/f"));
    ASSERT_TRUE(fs.rename("/to/f", "/to/g"));
    ASSERT_TRUE(fs.rename("/to/g", "/from/h"));
    fs.reboot(Survivors::seeded(seed));
    const Tree tree = fs.contents();
    ASSERT_EQ(tree.size(), 3u);  // the directories, and the file under one of its names
    for (const auto& [path, content] : tree) {
      if (path.back() != '/') {
        EXPECT_EQ(content, "data");
      }
    }
  }
}

TEST(SimFileSystem, LocksGoAtAReboot) {
  SimFileSystem fs;
  auto before = *fs.try_lock("/lock");
  fs.reboot(Survivors::everything());
  const auto after = *fs.try_lock("/lock");
  EXPECT_TRUE(after);
  before.reset();
  EXPECT_FALSE(*fs.try_lock("/lock"));
}

// The old content or the new, at every cut, and the new once it was promised.
TEST(SimFileSystem, AnAtomicWriteHoldsAtEveryCut) {
  bool ended = false;
  for (std::uint64_t call = 1; !ended; ++call) {
    for (std::uint64_t seed = 0; seed < 18; ++seed) {
      SimFileSystem fs;
      ASSERT_TRUE(env::write_file_atomically(fs, "/f", "old content"));
      fs.cut_at(fs.calls() + call);
      const bool promised = env::write_file_atomically(fs, "/f", "new content").has_value();
      ended = !fs.is_off();
      fs.reboot(seed == 0 ? Survivors::synced_only() : seed == 1 ? Survivors::everything() : Survivors::seeded(seed));
      const std::string content = *env::read_file(fs, "/f", 100);
      EXPECT_TRUE(content == "new content" || (content == "old content" && !promised))
          << call << " " << seed << " " << content;
      EXPECT_TRUE(env::write_file_atomically(fs, "/f", "newer"));
      EXPECT_EQ(fs.contents(), (Tree{{"/f", "newer"}}));
    }
  }
}

TEST(SimFileSystem, AnAtomicWriteSaysWhenItFailed) {
  for (std::uint64_t call = 1; call < 100; ++call) {
    SimFileSystem fs;
    ASSERT_TRUE(env::write_file_atomically(fs, "/f", "old content"));
    const std::uint64_t before = fs.calls();
    fs.fail_at(before + call, SimError::kEio);
    const bool promised = env::write_file_atomically(fs, "/f", "new content").has_value();
    const bool ended = fs.calls() < before + call;
    EXPECT_EQ(promised, ended) << call;
    if (ended) return;
  }
  FAIL() << "the sweep did not end";
}

}  // namespace
}  // namespace spl::testing
