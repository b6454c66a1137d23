// What every env::FileSystem does, as tests. A test program includes this once and runs it for its implementation:
//   INSTANTIATE_TEST_SUITE_P(Sim, FileSystemConformance, ::testing::Values(FileSystemMaker{"memory", make}),
//                            file_system_maker_name);
#pragma once

#include <gtest/gtest.h>

#include <atomic>
#include <memory>
#include <ostream>
#include <string>
#include <string_view>
#include <thread>
#include <vector>

#include "env/file_system.h"

namespace spl::testing {

class FileSystemUnderTest {
 public:
  virtual ~FileSystemUnderTest() = default;
  virtual env::FileSystem& fs() = 0;
  // An empty directory that is there.
  virtual std::string root() = 0;
};

struct FileSystemMaker {
  std::string name;
  std::unique_ptr<FileSystemUnderTest> (*make)();
};
inline std::ostream& operator<<(std::ostream& out, const FileSystemMaker& maker) {
  return out << maker.name;
}
inline std::string file_system_maker_name(const ::testing::TestParamInfo<FileSystemMaker>& info) {
  return info.param.name;
}

class FileSystemConformance : public ::testing::TestWithParam<FileSystemMaker> {
 protected:
  [[nodiscard]] std::string at(std::string_view name) const { return env::join(root_, name); }

  void put(const std::string& name, std::string_view content) {
    auto file = fs_.open(at(name), env::OpenMode::kCreate);
    ASSERT_TRUE(file) << file.error().message;
    ASSERT_TRUE((*file)->truncate(0));
    ASSERT_TRUE((*file)->write_at(0, content));
  }
  std::string get(const std::string& name) {
    auto content = env::read_file(fs_, at(name), 1 << 20);
    return content ? *content : "error: " + content.error().message;
  }
  bool is_there(const std::string& name) {
    const auto info = fs_.info(at(name));
    EXPECT_TRUE(info);
    return info && info->has_value();
  }

  std::unique_ptr<FileSystemUnderTest> owner_ = GetParam().make();
  env::FileSystem& fs_ = owner_->fs();
  const std::string root_ = owner_->root();
};

// For suites that a program includes and does not run.
GTEST_ALLOW_UNINSTANTIATED_PARAMETERIZED_TEST(FileSystemConformance);

TEST_P(FileSystemConformance, ReadsWhatWasWritten) {
  auto file = *fs_.open(at("f"), env::OpenMode::kCreateNew);
  ASSERT_TRUE(file->write_at(0, "hello"));
  ASSERT_TRUE(file->write_at(3, "p me"));
  ASSERT_TRUE(file->sync());
  char out[16];
  EXPECT_EQ(*file->read_at(0, out), 7u);
  EXPECT_EQ(std::string_view(out, 7), "help me");
  EXPECT_EQ(*file->size(), 7u);
}

TEST_P(FileSystemConformance, ReadsShortOnlyAtTheEnd) {
  put("f", "0123456789");
  auto file = *fs_.open(at("f"), env::OpenMode::kRead);
  char out[4];
  EXPECT_EQ(*file->read_at(2, out), 4u);
  EXPECT_EQ(*file->read_at(8, out), 2u);
  EXPECT_EQ(*file->read_at(10, out), 0u);
  EXPECT_EQ(*file->read_at(1000, out), 0u);
}

TEST_P(FileSystemConformance, FillsAGapWithZeros) {
  auto file = *fs_.open(at("f"), env::OpenMode::kCreateNew);
  ASSERT_TRUE(file->write_at(3, "x"));
  EXPECT_EQ(get("f"), std::string("\0\0\0x", 4));
}

TEST_P(FileSystemConformance, AWriteOfNothingDoesNotGrowTheFile) {
  auto file = *fs_.open(at("f"), env::OpenMode::kCreateNew);
  ASSERT_TRUE(file->write_at(10, ""));
  EXPECT_EQ(*file->size(), 0u);
}

TEST_P(FileSystemConformance, TruncatesAndGrows) {
  put("f", "0123456789");
  auto file = *fs_.open(at("f"), env::OpenMode::kReadWrite);
  ASSERT_TRUE(file->truncate(4));
  EXPECT_EQ(get("f"), "0123");
  ASSERT_TRUE(file->truncate(6));
  EXPECT_EQ(get("f"), std::string("0123\0\0", 6));
}

TEST_P(FileSystemConformance, RefusesOffsetsBeyondAnyFile) {
  auto file = *fs_.open(at("f"), env::OpenMode::kCreateNew);
  EXPECT_FALSE(file->write_at(~std::uint64_t{0}, "x"));
  EXPECT_FALSE(file->truncate(~std::uint64_t{0}));
  EXPECT_EQ(*file->size(), 0u);
}

TEST_P(FileSystemConformance, WritesAtOnceToRangesThatDoNotOverlap) {
  auto file = *fs_.open(at("f"), env::OpenMode::kCreateNew);
  std::vector<std::thread> threads;
  for (char c = 'a'; c < 'e'; ++c) {
    threads.emplace_back([&file, c] {
      for (std::uint64_t i = 0; i < 50; ++i) {
        ASSERT_TRUE(file->write_at(static_cast<std::uint64_t>(c - 'a') * 500 + i * 10, std::string(10, c)));
      }
    });
  }
  for (std::thread& thread : threads) thread.join();
  EXPECT_EQ(get("f"), std::string(500, 'a') + std::string(500, 'b') + std::string(500, 'c') + std::string(500, 'd'));
}

TEST_P(FileSystemConformance, OpensWhatIsThereAndMakesWhatItShould) {
  EXPECT_FALSE(fs_.open(at("f"), env::OpenMode::kRead));
  EXPECT_FALSE(fs_.open(at("f"), env::OpenMode::kReadWrite));
  EXPECT_FALSE(is_there("f"));
  EXPECT_TRUE(fs_.open(at("f"), env::OpenMode::kCreate));
  EXPECT_TRUE(is_there("f"));
  put("f", "kept");
  EXPECT_TRUE(fs_.open(at("f"), env::OpenMode::kCreate));
  EXPECT_TRUE(fs_.open(at("f"), env::OpenMode::kRead));
  EXPECT_TRUE(fs_.open(at("f"), env::OpenMode::kReadWrite));
  EXPECT_EQ(get("f"), "kept");
  const auto again = fs_.open(at("f"), env::OpenMode::kCreateNew);
  ASSERT_FALSE(again);
  EXPECT_EQ(again.error().code, ErrorCode::kFailed);
  EXPECT_FALSE(fs_.open(at("none/f"), env::OpenMode::kCreate));
  EXPECT_FALSE(fs_.open(at("f/g"), env::OpenMode::kCreate));
}

TEST_P(FileSystemConformance, NamesThePathInAnError) {
  const auto file = fs_.open(at("missing"), env::OpenMode::kRead);
  ASSERT_FALSE(file);
  EXPECT_NE(file.error().message.find("missing"), std::string::npos) << file.error().message;
}

TEST_P(FileSystemConformance, DoesNotWriteToAFileOpenedForReading) {
  put("f", "kept");
  auto file = *fs_.open(at("f"), env::OpenMode::kRead);
  EXPECT_FALSE(file->write_at(0, "x"));
  EXPECT_FALSE(file->truncate(0));
  EXPECT_EQ(get("f"), "kept");
}

TEST_P(FileSystemConformance, DoesNotOpenADirectoryAsAFile) {
  for (const auto how :
       {env::OpenMode::kRead, env::OpenMode::kReadWrite, env::OpenMode::kCreate, env::OpenMode::kCreateNew}) {
    EXPECT_FALSE(fs_.open(root_, how));
  }
}

TEST_P(FileSystemConformance, GivesExactlyTheModeAskedFor) {
  ASSERT_TRUE(fs_.open(at("a"), env::OpenMode::kCreateNew, 0666));
  ASSERT_TRUE(fs_.open(at("b"), env::OpenMode::kCreate, 0600));
  ASSERT_TRUE(fs_.open(at("b"), env::OpenMode::kCreate, 0644));  // already there
  ASSERT_TRUE(fs_.make_directory(at("d"), 0777));
  EXPECT_EQ((**fs_.info(at("a"))).mode, 0666u);
  EXPECT_EQ((**fs_.info(at("b"))).mode, 0600u);
  EXPECT_EQ((**fs_.info(at("d"))).mode, 0777u);
}

TEST_P(FileSystemConformance, TellsWhatANameIs) {
  put("f", "12345");
  ASSERT_TRUE(fs_.make_directory(at("d")));
  const auto file = *fs_.info(at("f"));
  ASSERT_TRUE(file);
  EXPECT_EQ(file->type, env::FileType::kFile);
  EXPECT_EQ(file->size_bytes, 5u);
  EXPECT_EQ((**fs_.info(at("d"))).type, env::FileType::kDirectory);
  EXPECT_FALSE(is_there("none"));
  EXPECT_FALSE(is_there("none/below"));
  EXPECT_FALSE(is_there("f/below"));
}

TEST_P(FileSystemConformance, UnnamedFilesHaveNoName) {
  auto file = *fs_.open_unnamed(root_);
  ASSERT_TRUE(file->write_at(0, "secret"));
  char out[6];
  EXPECT_EQ(*file->read_at(0, out), 6u);
  EXPECT_EQ(std::string_view(out, 6), "secret");
  EXPECT_TRUE(fs_.list(root_)->empty());
  EXPECT_FALSE(fs_.open_unnamed(at("none")));
}

TEST_P(FileSystemConformance, AFileIsNamedWhenItIsWhole) {
  auto file = *fs_.open_nameable(root_, 0640);
  if (!file) GTEST_SKIP() << "this file system names files when they are made";
  ASSERT_TRUE(file->write_at(0, "whole"));
  ASSERT_TRUE(file->sync());
  EXPECT_TRUE(fs_.list(root_)->empty());
  EXPECT_FALSE(file->give_name(at("none/f")));
  put("taken", "kept");
  EXPECT_FALSE(file->give_name(at("taken")));
  EXPECT_EQ(get("taken"), "kept");
  ASSERT_TRUE(file->give_name(at("f")));
  EXPECT_EQ(get("f"), "whole");
  EXPECT_EQ((**fs_.info(at("f"))).mode, 0640u);
  EXPECT_FALSE(file->give_name(at("second")));
  ASSERT_TRUE(file->write_at(5, "!"));
  EXPECT_EQ(get("f"), "whole!");
  file.reset();
  EXPECT_TRUE(is_there("f"));
  EXPECT_FALSE(fs_.open_nameable(at("none")));
}

TEST_P(FileSystemConformance, AFileThatWasNotNamedIsGone) {
  auto file = *fs_.open_nameable(root_);
  if (!file) GTEST_SKIP() << "this file system names files when they are made";
  ASSERT_TRUE(file->write_at(0, "secret"));
  file.reset();
  EXPECT_TRUE(fs_.list(root_)->empty());
}

TEST_P(FileSystemConformance, ListsNamesInOrder) {
  for (const char* name : {"b", "a", ".hidden", "B"}) put(name, "");
  ASSERT_TRUE(fs_.make_directory(at("d")));
  EXPECT_EQ(*fs_.list(root_), (std::vector<std::string>{".hidden", "B", "a", "b", "d"}));
  EXPECT_FALSE(fs_.list(at("none")));
  EXPECT_FALSE(fs_.list(at("a")));
}

TEST_P(FileSystemConformance, MakesOneDirectory) {
  EXPECT_TRUE(fs_.make_directory(at("d")));
  EXPECT_FALSE(fs_.make_directory(at("d")));
  EXPECT_FALSE(fs_.make_directory(at("none/d")));
}

TEST_P(FileSystemConformance, RenameReplacesAFile) {
  put("a", "new");
  put("b", "old");
  auto old = *fs_.open(at("b"), env::OpenMode::kRead);
  ASSERT_TRUE(fs_.rename(at("a"), at("b")));
  EXPECT_EQ(get("b"), "new");
  EXPECT_FALSE(is_there("a"));
  char out[3];
  EXPECT_EQ(*old->read_at(0, out), 3u);
  EXPECT_EQ(std::string_view(out, 3), "old");
  EXPECT_FALSE(fs_.rename(at("none"), at("c")));
  EXPECT_FALSE(is_there("c"));
}

TEST_P(FileSystemConformance, RenameMovesADirectoryWithAllBelow) {
  ASSERT_TRUE(fs_.make_directory(at("a")));
  ASSERT_TRUE(fs_.make_directory(at("b")));
  put("a/f", "1");
  ASSERT_TRUE(fs_.rename(at("a"), at("b/c")));
  EXPECT_EQ(get("b/c/f"), "1");
  EXPECT_FALSE(is_there("a"));
  EXPECT_FALSE(fs_.rename(at("b"), at("b/c/b")));
  put("g", "");
  EXPECT_FALSE(fs_.rename(at("g"), at("b")));
  EXPECT_FALSE(fs_.rename(at("b"), at("g")));
  ASSERT_TRUE(fs_.make_directory(at("h")));
  EXPECT_FALSE(fs_.rename(at("h"), at("b")));
  EXPECT_TRUE(fs_.rename(at("b"), at("h")));
}

TEST_P(FileSystemConformance, RemovesFilesAndEmptyDirectories) {
  ASSERT_TRUE(fs_.make_directory(at("d")));
  put("d/f", "");
  EXPECT_FALSE(fs_.remove(at("d")));
  EXPECT_TRUE(fs_.remove(at("d/f")));
  EXPECT_TRUE(fs_.remove(at("d/f")));
  EXPECT_TRUE(fs_.remove(at("d")));
  EXPECT_TRUE(fs_.remove(at("none/below")));
  EXPECT_TRUE(fs_.list(root_)->empty());
}

TEST_P(FileSystemConformance, AnOpenFileOutlivesItsName) {
  put("f", "kept");
  auto file = *fs_.open(at("f"), env::OpenMode::kReadWrite);
  ASSERT_TRUE(fs_.remove(at("f")));
  char out[4];
  EXPECT_EQ(*file->read_at(0, out), 4u);
  EXPECT_TRUE(file->write_at(4, "!"));
  EXPECT_FALSE(is_there("f"));
}

TEST_P(FileSystemConformance, SyncsDirectories) {
  EXPECT_TRUE(fs_.sync_directory(root_));
  EXPECT_FALSE(fs_.sync_directory(at("none")));
  put("f", "");
  EXPECT_FALSE(fs_.sync_directory(at("f")));
}

TEST_P(FileSystemConformance, ALockHasOneHolder) {
  auto first = *fs_.try_lock(at("lock"));
  ASSERT_TRUE(first);
  EXPECT_FALSE(*fs_.try_lock(at("lock")));
  EXPECT_TRUE(*fs_.try_lock(at("other")));
  first.reset();
  EXPECT_TRUE(*fs_.try_lock(at("lock")));
  EXPECT_EQ((**fs_.info(at("lock"))).mode, 0600u);
  EXPECT_FALSE(fs_.try_lock(at("none/lock")));
}

TEST_P(FileSystemConformance, ALockOfARemovedFileDoesNotHoldTheNextOne) {
  const auto first = *fs_.try_lock(at("lock"));
  ASSERT_TRUE(fs_.remove(at("lock")));
  EXPECT_TRUE(*fs_.try_lock(at("lock")));
}

TEST_P(FileSystemConformance, ALockOfADirectoryHasOneHolderWhateverBecomesOfWhatIsInIt) {
  ASSERT_TRUE(fs_.make_directory(at("d")));
  auto first = *fs_.try_lock_directory(at("d"));
  ASSERT_TRUE(first);
  put("d/f", "");
  ASSERT_TRUE(fs_.remove(at("d/f")));
  EXPECT_FALSE(*fs_.try_lock_directory(at("d")));
  first.reset();
  EXPECT_TRUE(*fs_.try_lock_directory(at("d")));
  EXPECT_FALSE(fs_.try_lock_directory(at("none")));
  EXPECT_FALSE(*fs_.info(at("none")));
}

TEST_P(FileSystemConformance, OneOfManyThreadsGetsTheLock) {
  std::atomic<int> holders = 0;
  std::vector<std::unique_ptr<env::Lock>> locks(8);
  std::vector<std::thread> threads;
  for (auto& lock : locks) {
    threads.emplace_back([&] {
      lock = *fs_.try_lock(at("lock"));
      if (lock) ++holders;
    });
  }
  for (std::thread& thread : threads) thread.join();
  EXPECT_EQ(holders, 1);
}

TEST_P(FileSystemConformance, SaysHowMuchIsFree) {
  EXPECT_GT(*fs_.free_bytes(root_), 0u);
  EXPECT_FALSE(fs_.free_bytes(at("none")));
}

TEST_P(FileSystemConformance, ReadsWholeFilesUpToALimit) {
  put("f", "12345");
  EXPECT_EQ(*env::read_file(fs_, at("f"), 5), "12345");
  EXPECT_FALSE(env::read_file(fs_, at("f"), 4));
  put("empty", "");
  EXPECT_EQ(*env::read_file(fs_, at("empty"), 0), "");
  EXPECT_FALSE(env::read_file(fs_, at("none"), 4));
}

TEST_P(FileSystemConformance, WritesAFileInOneStep) {
  ASSERT_TRUE(env::write_file_atomically(fs_, at("f"), "one", 0640));
  EXPECT_EQ(get("f"), "one");
  EXPECT_EQ((**fs_.info(at("f"))).mode, 0640u);
  put(".f.tmp", "left by one that was killed");
  ASSERT_TRUE(env::write_file_atomically(fs_, at("f"), "two"));
  EXPECT_EQ(get("f"), "two");
  EXPECT_EQ((**fs_.info(at("f"))).mode, 0600u);
  EXPECT_EQ(*fs_.list(root_), (std::vector<std::string>{"f"}));
  EXPECT_FALSE(env::write_file_atomically(fs_, at("none/f"), ""));
}

TEST_P(FileSystemConformance, AnAtomicWriteThatFailsLeavesNothingBehind) {
  ASSERT_TRUE(fs_.make_directory(at("d")));
  put("d/f", "");
  EXPECT_FALSE(env::write_file_atomically(fs_, at("d"), "x"));
  EXPECT_EQ(*fs_.list(root_), (std::vector<std::string>{"d"}));
}

TEST_P(FileSystemConformance, RemovesATree) {
  ASSERT_TRUE(env::make_directories(fs_, at("a/b/c")));
  put("a/f", "");
  put("a/b/c/g", "");
  ASSERT_TRUE(env::remove_tree(fs_, at("a")));
  EXPECT_FALSE(is_there("a"));
  EXPECT_TRUE(env::remove_tree(fs_, at("a")));
  put("f", "");
  EXPECT_TRUE(env::remove_tree(fs_, at("f")));
  EXPECT_FALSE(is_there("f"));
}

TEST_P(FileSystemConformance, MakesTheDirectoriesThatAreMissing) {
  EXPECT_TRUE(env::make_directories(fs_, root_));
  ASSERT_TRUE(env::make_directories(fs_, at("a/b"), 0750));
  EXPECT_TRUE(env::make_directories(fs_, at("a/b/")));
  EXPECT_TRUE(env::make_directories(fs_, at("a/b/c/")));
  EXPECT_EQ((**fs_.info(at("a"))).mode, 0750u);
  EXPECT_EQ((**fs_.info(at("a/b/c"))).mode, 0700u);
  put("f", "");
  EXPECT_FALSE(env::make_directories(fs_, at("f")));
  EXPECT_FALSE(env::make_directories(fs_, at("f/d")));
}

TEST_P(FileSystemConformance, RenamesToANewNameOnly) {
  put("f", "f");
  put("g", "g");
  EXPECT_EQ(fs_.rename_to_new(at("f"), at("g")).error().cause, Cause::kFileExists);
  EXPECT_EQ(get("g"), "g");
  ASSERT_TRUE(fs_.rename_to_new(at("f"), at("h")));
  EXPECT_EQ(get("h"), "f");
  EXPECT_FALSE(is_there("f"));
  EXPECT_EQ(fs_.rename_to_new(at("none"), at("i")).error().cause, Cause::kNoSuchFile);
}

TEST_P(FileSystemConformance, ExchangesTwoNames) {
  put("f", "f");
  ASSERT_TRUE(fs_.make_directory(at("d")));
  put("d/g", "g");
  ASSERT_TRUE(fs_.exchange(at("f"), at("d")));
  EXPECT_EQ(get("d"), "f");
  EXPECT_EQ(get("f/g"), "g");
  ASSERT_TRUE(fs_.exchange(at("f"), at("d")));
  EXPECT_EQ(get("f"), "f");
  ASSERT_TRUE(fs_.exchange(at("f"), at("f")));
  EXPECT_EQ(fs_.exchange(at("f"), at("none")).error().cause, Cause::kNoSuchFile);
  EXPECT_FALSE(fs_.exchange(at("d"), at("d/g"))) << "a directory does not come into itself";
  EXPECT_EQ(get("d/g"), "g");
}

TEST_P(FileSystemConformance, MakesSymbolicLinksAndFollowsNone) {
  put("f", "f");
  ASSERT_TRUE(fs_.make_symbolic_link("f", at("l")));
  ASSERT_TRUE(fs_.make_symbolic_link("../no such\n", at("m")));
  EXPECT_EQ(*fs_.read_symbolic_link(at("l")), "f");
  EXPECT_EQ(*fs_.read_symbolic_link(at("m")), "../no such\n");
  EXPECT_EQ((**fs_.info(at("l"))).type, env::FileType::kSymlink);
  EXPECT_EQ((**fs_.info(at("l"))).size_bytes, 1u);
  EXPECT_EQ(fs_.make_symbolic_link("g", at("l")).error().cause, Cause::kFileExists);
  EXPECT_FALSE(fs_.open(at("l"), env::OpenMode::kRead));
  EXPECT_FALSE(fs_.read_symbolic_link(at("f")));
  EXPECT_EQ(fs_.read_symbolic_link(at("none")).error().cause, Cause::kNoSuchFile);
  EXPECT_FALSE(fs_.set_mode(at("l"), 0600));
  ASSERT_TRUE(fs_.remove(at("l")));
  EXPECT_EQ(get("f"), "f");
}

TEST_P(FileSystemConformance, GivesAFileAnotherName) {
  put("f", "f");
  ASSERT_TRUE(fs_.make_directory(at("d")));
  ASSERT_TRUE(fs_.make_hard_link(at("f"), at("d/g")));
  const env::FileInfo one = **fs_.info(at("f"));
  const env::FileInfo other = **fs_.info(at("d/g"));
  EXPECT_EQ(one.inode, other.inode);
  EXPECT_EQ(one.device, other.device);
  EXPECT_EQ(one.links, 2u);
  put("d/g", "both");
  EXPECT_EQ(get("f"), "both");
  EXPECT_EQ(fs_.make_hard_link(at("f"), at("d/g")).error().cause, Cause::kFileExists);
  EXPECT_EQ(fs_.make_hard_link(at("none"), at("h")).error().cause, Cause::kNoSuchFile);
  EXPECT_FALSE(fs_.make_hard_link(at("d"), at("h")));
  ASSERT_TRUE(fs_.remove(at("f")));
  EXPECT_EQ(get("d/g"), "both");
  EXPECT_EQ((**fs_.info(at("d/g"))).links, 1u);
  put("other", "");
  EXPECT_NE((**fs_.info(at("other"))).inode, other.inode);
}

TEST_P(FileSystemConformance, SetsModesOwnersAndTimes) {
  put("f", "f");
  ASSERT_TRUE(fs_.make_symbolic_link("f", at("l")));
  const env::FileInfo before = **fs_.info(at("f"));
  ASSERT_TRUE(fs_.set_owner(at("f"), before.uid, before.gid));
  ASSERT_TRUE(fs_.set_owner(at("l"), before.uid, before.gid));
  ASSERT_TRUE(fs_.set_mode(at("f"), 04751));
  const env::FileTime time{-2, 123456789};
  ASSERT_TRUE(fs_.set_modified(at("f"), time));
  const env::FileTime of_link{1'700'000'000, 1};
  ASSERT_TRUE(fs_.set_modified(at("l"), of_link));
  const env::FileInfo after = **fs_.info(at("f"));
  EXPECT_EQ(after.mode, 04751u);
  EXPECT_EQ(after.modified, time);
  EXPECT_EQ(after.uid, before.uid);
  EXPECT_EQ((**fs_.info(at("l"))).modified, of_link);
  // A mode that lets nobody in is no reason not to change it.
  ASSERT_TRUE(fs_.set_mode(at("f"), 0));
  ASSERT_TRUE(fs_.set_mode(at("f"), 0600));
  EXPECT_EQ(get("f"), "f");
  EXPECT_EQ(fs_.set_mode(at("none"), 0600).error().cause, Cause::kNoSuchFile);
  EXPECT_EQ(fs_.set_owner(at("none"), 0, 0).error().cause, Cause::kNoSuchFile);
  EXPECT_EQ(fs_.set_modified(at("none"), time).error().cause, Cause::kNoSuchFile);
}

TEST_P(FileSystemConformance, KeepsExtendedAttributes) {
  put("f", "f");
  if (!fs_.set_attribute(at("f"), {"user.b", std::string("\0\xff", 2)})) GTEST_SKIP() << "this file system has none";
  ASSERT_TRUE(fs_.set_attribute(at("f"), {"user.a", ""}));
  ASSERT_TRUE(fs_.set_attribute(at("f"), {"user.a", "anew"}));
  const auto attributes = fs_.attributes(at("f"));
  ASSERT_TRUE(attributes);
  EXPECT_EQ(*attributes,
            (std::vector<env::ExtendedAttribute>{{"user.a", "anew"}, {"user.b", std::string("\0\xff", 2)}}));
  ASSERT_TRUE(fs_.make_symbolic_link("f", at("l")));
  EXPECT_TRUE(fs_.attributes(at("l"))->empty());
  EXPECT_EQ(fs_.attributes(at("none")).error().cause, Cause::kNoSuchFile);
  EXPECT_EQ(fs_.set_attribute(at("none"), {"user.a", ""}).error().cause, Cause::kNoSuchFile);
}

}  // namespace spl::testing
