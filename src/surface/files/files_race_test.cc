// A service's user changes the tree while root takes it: nothing that lies outside comes into the bundle.
#include <fcntl.h>
#include <gtest/gtest.h>
#include <linux/magic.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <sys/vfs.h>
#include <unistd.h>

#include <array>
#include <atomic>
#include <chrono>
#include <filesystem>
#include <fstream>
#include <thread>

#include "surface/files/files_fixture_test_util.h"
#include "surface/spooled_part.h"

namespace spl::surface {
namespace {

constexpr std::string_view kForeign = "nobody but root reads this";

// For it, all that is there has been for a while.
class ClockAhead final : public env::Clock {
 public:
  std::chrono::system_clock::time_point now() override { return clock_.now() + std::chrono::seconds(10); }
  std::chrono::steady_clock::time_point steady() override { return clock_.steady(); }
  std::chrono::nanoseconds since_boot() override { return clock_.since_boot(); }
  void sleep_for(std::chrono::nanoseconds time) override { clock_.sleep_for(time); }

 private:
  env::SystemClock clock_;
};

class FilesRace : public ::testing::Test {
 protected:
  void SetUp() override {
    std::filesystem::create_directories(root_ + "/d");
    std::filesystem::create_directories(foreign_);
    std::ofstream(root_ + "/d/file") << "the service's own, as long as it";
    std::ofstream(foreign_ + "/file") << kForeign;
  }

  FilesFixture fixture_;
  const std::string root_ = fixture_.place(0).path;
  const std::string foreign_ = fixture_.path("foreign");
};

TEST_F(FilesRace, AWalkGoesThroughNoLinkThatTookTheNameOfADirectory) {
  const TreeFilter all;
  TreeWalk walk(fixture_.fs(), root_, all);
  while (must(walk.next())->path != "d") {
  }
  ASSERT_EQ(::rename((root_ + "/d").c_str(), fixture_.path("aside").c_str()), 0);
  ASSERT_EQ(::symlink(foreign_.c_str(), (root_ + "/d").c_str()), 0);
  EXPECT_FALSE(must(walk.next()));
}

TEST_F(FilesRace, ADirectoryThatTurnsIntoALinkAndBackLeadsNoBackupElsewhere) {
  ASSERT_EQ(::symlink(foreign_.c_str(), (root_ + "/e").c_str()), 0);
  std::atomic<bool> is_over = false;
  std::thread changing([&] {
    while (!is_over) ::renameat2(AT_FDCWD, (root_ + "/d").c_str(), AT_FDCWD, (root_ + "/e").c_str(), RENAME_EXCHANGE);
  });
  base::NoProgress progress;
  constexpr int kRounds = 300;
  for (int i = 0; i < kRounds; ++i) {
    const auto part = fixture_.backup(fixture_.place(0));
    must(part->plan(progress));
    must(part->prepare(progress));
    const auto end = fixture_.surroundings().env.clock.since_boot() + std::chrono::seconds(60);
    must(part->open(Writers::kRunning, end));
    SpooledPart files = must(SpooledPart::make(fixture_.surroundings().env, fixture_.surroundings().spool));
    must(part->stream(files, progress));
    files.rewind();
    while (const auto entry = must(files.next())) {
      PartContent content(files);
      EXPECT_EQ(must(base::read_all(content, 1u << 20)).find(kForeign), std::string::npos);
    }
  }
  is_over = true;
  changing.join();
}

TEST_F(FilesRace, WhatAMappedFileGotAfterItWasReadIsFoundInThePause) {
  struct statfs about{};
  ASSERT_EQ(::statfs(root_.c_str(), &about), 0);
  if (about.f_type == TMPFS_MAGIC) GTEST_SKIP() << "left out: tmpfs keeps no times of what is written by mappings";
  const std::string path = root_ + "/d/file";
  const env::Descriptor file(::open(path.c_str(), O_RDWR | O_CLOEXEC));
  auto* const mapped = static_cast<char*>(::mmap(nullptr, 8, PROT_READ | PROT_WRITE, MAP_SHARED, file.number(), 0));
  ASSERT_NE(mapped, MAP_FAILED);
  mapped[0] = '1';
  // Old enough to be taken for settled, with its page dirty.
  const std::array<timespec, 2> times{timespec{.tv_sec = 0, .tv_nsec = UTIME_OMIT},
                                      timespec{.tv_sec = 1'700'000'000, .tv_nsec = 0}};
  ASSERT_EQ(::futimens(file.number(), times.data()), 0);
  ClockAhead clock;
  const env::Env env = fixture_.surroundings().env;
  const Surroundings surroundings{{env.fs, clock, env.random, env.log}, fixture_.surroundings().spool, {}};
  const auto part = files_backup(surroundings, fixture_.place(0));
  base::NoProgress progress;
  must(part->plan(progress));
  must(part->prepare(progress));
  mapped[0] = '2';
  must(part->open(Writers::kPaused, fixture_.surroundings().env.clock.since_boot() + std::chrono::seconds(60)));
  SpooledPart files = must(SpooledPart::make(fixture_.surroundings().env, fixture_.surroundings().spool));
  must(part->stream(files, progress));
  files.rewind();
  std::string taken;
  while (const auto entry = must(files.next())) {
    PartContent content(files);
    const std::string text = must(base::read_all(content, 1u << 20));
    if (entry->path == "tree/d/file") taken = text;
  }
  ::munmap(mapped, 8);
  EXPECT_EQ(taken.substr(0, 1), "2");
}

TEST_F(FilesRace, RootTakesNoTreeThroughALinkOfAnothers) {
  if (::geteuid() != 0) GTEST_SKIP() << "left out: it is root that could be led elsewhere";
  std::filesystem::rename(root_, fixture_.path("aside"));
  std::filesystem::create_directories(fixture_.path("users"));
  ASSERT_EQ(::symlink(fixture_.path("aside").c_str(), fixture_.path("users/way").c_str()), 0);
  ASSERT_EQ(::lchown(fixture_.path("users/way").c_str(), 65534, 65534), 0);
  Place place = fixture_.place(0);
  place.path = fixture_.path("users/way/d");
  base::NoProgress progress;
  const auto plan = fixture_.backup(std::move(place))->plan(progress);
  ASSERT_FALSE(plan);
  EXPECT_EQ(plan.error().cause, Cause::kDenied);
}

}  // namespace
}  // namespace spl::surface
