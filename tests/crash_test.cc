// The power is cut, or a call fails, at every file-system call of every operation that writes, and what must hold holds
// (docs/decisions/D-05-identity-and-store.md, records.md "The store"). The quick set takes every so many-th call; the
// suites with Sweep in their names take all of them, and more of what a cut may leave.
#include <gtest/gtest.h>

#include "crash_fixture.h"
#include "crash_operations.h"
#include "env/output_file.h"
#include "operation/import.h"

namespace spl {
namespace {

using instance::Instance;
using instance::OpenFor;
using testing::CrashMachine;
using testing::CrashOptions;
using testing::CrashSweep;
using testing::foreign_bundle;
using testing::home_in_use;
using testing::home_with_identity;
using testing::Image;
using testing::kCrashHome;
using testing::SimError;
using testing::Survivors;
using testing::SweepExtent;
using testing::SweepSize;
using testing::swept_operations;
using testing::SweptOperation;

// How many calls are tried, or pairs of them: less where each takes longer.
struct Extents {
  SweepExtent quick;
  SweepExtent all;
  SweepExtent pairs;
};
Extents extents_of(SweepSize size) {
  switch (size) {
    case SweepSize::kSmall:
      break;
    case SweepSize::kLarge:
      return {{.points_max = 3, .seeds = 0}, {.points_max = 80, .seeds = 1}, {.points_max = 40, .seeds = 0}};
    case SweepSize::kSlow:
      return {{.points_max = 2, .seeds = 0}, {.points_max = 20, .seeds = 1}, {.points_max = 10, .seeds = 0}};
  }
  return {{.points_max = 10, .seeds = 0}, {.points_max = 400, .seeds = 3}, {.points_max = 600, .seeds = 0}};
}

class Crash : public ::testing::TestWithParam<SweptOperation> {
 protected:
  CrashSweep sweep{GetParam().make()};
  const Extents extents = extents_of(GetParam().size);
};

TEST_P(Crash, LeavesTheOldStateOrTheNew) {
  sweep.cut_power(extents.quick);
}
TEST_P(Crash, AFaultIsReportedAndCanBeRepeated) {
  sweep.fail_once(extents.quick, SimError::kEio);
  sweep.fail_once(extents.quick, SimError::kEnospc);
  sweep.fail_from(extents.quick, SimError::kEio);
  sweep.fail_from(extents.quick, SimError::kEnospc);
  if (GetParam().size == SweepSize::kSmall) sweep.fail_twice(extents.quick, SimError::kEio);
}

class CrashSweepOfAllCalls : public Crash {};

TEST_P(CrashSweepOfAllCalls, LeavesTheOldStateOrTheNew) {
  sweep.cut_power(extents.all);
}
TEST_P(CrashSweepOfAllCalls, AnInputErrorIsReportedAndCanBeRepeated) {
  sweep.fail_once(extents.all, SimError::kEio);
}
TEST_P(CrashSweepOfAllCalls, AFullDiskIsReportedAndCanBeRepeated) {
  sweep.fail_once(extents.all, SimError::kEnospc);
}
TEST_P(CrashSweepOfAllCalls, ADiskThatStaysBrokenIsReportedAndCanBeRepeated) {
  sweep.fail_from(extents.all, SimError::kEio);
}
TEST_P(CrashSweepOfAllCalls, ADiskThatStaysFullIsReportedAndCanBeRepeated) {
  sweep.fail_from(extents.all, SimError::kEnospc);
}
TEST_P(CrashSweepOfAllCalls, ASecondFaultIsReportedAndCanBeRepeated) {
  sweep.fail_twice(extents.pairs, SimError::kEio);
}

std::string name_of(const ::testing::TestParamInfo<SweptOperation>& info) {
  return info.param.name;
}
INSTANTIATE_TEST_SUITE_P(Of, Crash, ::testing::ValuesIn(swept_operations()), name_of);
INSTANTIATE_TEST_SUITE_P(Of, CrashSweepOfAllCalls, ::testing::ValuesIn(swept_operations()), name_of);

// An import that was to fill a new home, failed, and takes the home away again.
Result<void> fail_to_fill_a_new_home(CrashMachine& machine) {
  auto made = TRY(machine.open(OpenFor::kCreating));
  const auto report = testing::import_text(*made, foreign_bundle().substr(0, foreign_bundle().size() / 2));
  if (report) return fail("half a bundle was imported");
  return Instance::close_and_unmake(std::move(made));
}

// A fault, or faults from there on, or a cut and what is left after it.
constexpr std::uint64_t kWaysToFail = 6;

void fail_unmaking(CrashMachine& machine, std::uint64_t call, std::uint64_t way) {
  const std::uint64_t at = machine.fs.calls() + call;
  if (way == 0) machine.fs.fail_at(at, SimError::kEio);
  if (way == 1) machine.fs.fail_at(at, SimError::kEnospc);
  if (way == 2) machine.fs.fail_from(at, SimError::kEio);
  if (way == 3) machine.fs.fail_from(at, SimError::kEnospc);
  if (way > 3) machine.fs.cut_at(at);
  (void)fail_to_fill_a_new_home(machine);
  machine.fs.mend();
  if (way == 4) machine.reboot(Survivors::synced_only());
  if (way == 5) machine.reboot(Survivors::everything());
  if (way > 5) machine.reboot(Survivors::seeded(call * 16 + way));
}

void sweep_unmaking(const SweepExtent& extent, const CrashOptions& options = {}) {
  CrashMachine whole({}, options);
  const Image before = whole.fs.contents();
  const std::uint64_t calls_before = whole.fs.calls();
  ASSERT_TRUE(fail_to_fill_a_new_home(whole));
  const std::uint64_t calls = whole.fs.calls() - calls_before;
  // The lock of a store outside the home stays.
  EXPECT_TRUE(whole.fs.contents() == before || !options.store_url.empty()) << "nothing is left";
  for (const std::uint64_t call : testing::swept_calls(calls, extent)) {
    for (std::uint64_t way = 0; way < kWaysToFail + extent.seeds; ++way) {
      SCOPED_TRACE("unmake: call " + std::to_string(call) + " of " + std::to_string(calls) + ", way " +
                   std::to_string(way));
      CrashMachine machine({}, options);
      fail_unmaking(machine, call, way);
      // Whatever is left, a home can be made there, and works.
      const auto opened = machine.open(OpenFor::kCreating);
      ASSERT_TRUE(opened) << opened.error().message;
      ASSERT_TRUE((*opened)->store().check());
      const auto report = testing::import_text(**opened, foreign_bundle());
      ASSERT_TRUE(report) << report.error().message;
      ASSERT_TRUE((*opened)->verify_identity());
    }
  }
}

TEST(CrashOfUnmaking, LeavesWhatAHomeCanBeMadeOf) {
  sweep_unmaking({.points_max = 12, .seeds = 1});
}
TEST(CrashSweepOfUnmaking, LeavesWhatAHomeCanBeMadeOf) {
  sweep_unmaking(extents_of(SweepSize::kSmall).all);
}
TEST(CrashSweepOfUnmaking, LeavesWhatAHomeCanBeMadeOfWithAStoreElsewhere) {
  sweep_unmaking(extents_of(SweepSize::kSmall).all, {.store_url = "sqlite:/out/hub.db"});
}

TEST(Unmaking, LeavesAHomeThatWasThereBefore) {
  CrashMachine machine(home_in_use());
  const Image before = machine.fs.contents();
  ASSERT_TRUE(fail_to_fill_a_new_home(machine));
  EXPECT_EQ(machine.fs.contents(), before);
}

TEST(Unmaking, ComesAfterTheErrorThatItFollows) {
  CrashMachine machine;
  auto made = machine.open(OpenFor::kCreating);
  ASSERT_TRUE(made);
  machine.fs.cut_at(machine.fs.calls() + 1);
  const Error error = Instance::unmade_after(std::move(*made), {ErrorCode::kVerification, "first", "do this"});
  EXPECT_EQ(error.code, ErrorCode::kVerification);
  EXPECT_EQ(error.message, "first");
  EXPECT_TRUE(error.hint.starts_with("do this; the home that was made for it is not all gone: ")) << error.hint;
}

TEST(Unmaking, TakesTheDirectoriesAboveANewHomeToo) {
  CrashMachine machine;
  const Image before = machine.fs.contents();
  env::NullLog log;
  auto made = Instance::open(machine.env(), {.home = "/home/um/q/r", .store_url = "memory:"}, OpenFor::kCreating);
  ASSERT_TRUE(made) << made.error().message;
  ASSERT_TRUE(Instance::close_and_unmake(std::move(*made)));
  EXPECT_EQ(machine.fs.contents(), before);
}

// Wherever one call fails: the bundle's private key is not on the disk after an import that failed.
void expect_no_key_left(const Image& image, OpenFor how) {
  std::uint64_t failed = 0;
  for (std::uint64_t call = 1; call < 300; ++call) {
    SCOPED_TRACE("call " + std::to_string(call));
    CrashMachine machine(image);
    auto opened = machine.open(how);
    ASSERT_TRUE(opened) << opened.error().message;
    machine.fs.fail_at(machine.fs.calls() + call, SimError::kEnospc);
    if (testing::import_text(**opened, foreign_bundle())) continue;
    ++failed;
    EXPECT_FALSE(machine.fs.contents().contains(std::string(kCrashHome) + "/identity/incoming/"));
    if (how != OpenFor::kCreating) continue;
    ASSERT_TRUE(Instance::close_and_unmake(std::move(*opened)));
    EXPECT_EQ(machine.fs.contents().size(), CrashMachine().fs.contents().size()) << "nothing is left";
  }
  EXPECT_GT(failed, 20U);
}

TEST(ImportThatFails, LeavesNoKeyInAHome) {
  expect_no_key_left(home_with_identity(), OpenFor::kWriting);
}
TEST(ImportThatFails, LeavesNothingOfANewHome) {
  expect_no_key_left({}, OpenFor::kCreating);
}

TEST(IdentityThatCannotBeRead, SaysWhy) {
  CrashMachine machine(home_with_identity());
  const std::string did = *(*machine.open(OpenFor::kReading))->did();
  const std::string directory = std::string(kCrashHome) + "/identity";
  const std::uint64_t before = machine.fs.calls();
  ASSERT_TRUE(substrate::load_identity(machine.env(), directory, did));
  const std::uint64_t calls = machine.fs.calls() - before;
  for (std::uint64_t call = 1; call <= calls; ++call) {
    machine.fs.fail_at(machine.fs.calls() + call, SimError::kEio);
    const auto loaded = substrate::load_identity(machine.env(), directory, did);
    ASSERT_FALSE(loaded) << call;
    EXPECT_EQ(loaded.error().message.find("are not those of"), std::string::npos) << loaded.error().message;
  }
}

// The directory of an output file after the process was killed at call `call` of its making, or not at all; how many
// calls there are.
std::pair<Image, std::uint64_t> killed_while_writing(std::uint64_t call, const Image& before, bool nameable) {
  CrashMachine machine;
  for (const auto& [path, content] : before) EXPECT_TRUE(env::write_file_atomically(machine.fs, path, content));
  machine.fs.set_nameable(nameable);
  const std::uint64_t first = machine.fs.calls();
  if (call > 0) machine.fs.cut_at(first + call);
  {
    base::NoProgress progress;
    const auto out = env::OutputFile::create(machine.env_of_files(), "/out/f", progress);
    const bool done = out && (*out)->write("the ") && (*out)->write("key") && (*out)->commit();
    EXPECT_EQ(done, call == 0);
  }
  const std::uint64_t calls = machine.fs.calls() - first;
  machine.fs.reboot(Survivors::everything());
  Image left = machine.fs.contents();
  std::erase_if(left, [](const auto& entry) { return !entry.first.starts_with("/out/") || entry.first == "/out/"; });
  return {left, calls};
}

TEST(OutputFile, OfAProcessThatIsKilledLeavesNothingBesideANewTarget) {
  const Image whole{{"/out/f", "the key"}};
  const auto [done, calls] = killed_while_writing(0, {}, true);
  EXPECT_EQ(done, whole);
  for (std::uint64_t call = 1; call <= calls; ++call) {
    const Image left = killed_while_writing(call, {}, true).first;
    EXPECT_TRUE(left.empty() || left == whole) << call;
  }
}

TEST(OutputFile, OfAProcessThatIsKilledLeavesTheOldTargetOrTheNew) {
  const Image old{{"/out/f", "old"}};
  for (const bool nameable : {true, false}) {
    const auto [done, calls] = killed_while_writing(0, old, nameable);
    EXPECT_EQ(done, (Image{{"/out/f", "the key"}}));
    std::size_t temporaries = 0;
    for (std::uint64_t call = 1; call <= calls; ++call) {
      const Image left = killed_while_writing(call, old, nameable).first;
      EXPECT_TRUE(left.at("/out/f") == "old" || left.at("/out/f") == "the key") << call;
      temporaries += left.size() - 1;
    }
    // Only between its naming and its renaming has an unnamed file another name.
    EXPECT_EQ(temporaries == 1, nameable) << temporaries;
  }
}

// A file system where something happens just before a lock is taken, once.
class Meanwhile final : public env::FileSystem {
 public:
  Meanwhile(env::FileSystem& fs, std::function<void()> happens) : fs_(fs), happens_(std::move(happens)) {}
  Result<std::unique_ptr<env::Lock>> try_lock(const std::string& path) override { return fs_.try_lock(path); }
  Result<std::unique_ptr<env::Lock>> try_lock_directory(const std::string& path) override {
    if (happens_) std::exchange(happens_, nullptr)();
    return fs_.try_lock_directory(path);
  }
  Result<std::unique_ptr<env::File>> open(const std::string& path, env::OpenMode how, std::uint32_t mode) override {
    return fs_.open(path, how, mode);
  }
  Result<std::unique_ptr<env::File>> open_unnamed(const std::string& directory) override {
    return fs_.open_unnamed(directory);
  }
  Result<std::unique_ptr<env::UnnamedFile>> open_nameable(const std::string& directory, std::uint32_t mode) override {
    return fs_.open_nameable(directory, mode);
  }
  Result<std::optional<env::FileInfo>> info(const std::string& path) override { return fs_.info(path); }
  Result<void> make_directory(const std::string& path, std::uint32_t mode) override {
    return fs_.make_directory(path, mode);
  }
  Result<void> rename(const std::string& from, const std::string& to) override { return fs_.rename(from, to); }
  Result<void> rename_to_new(const std::string& from, const std::string& to) override {
    return fs_.rename_to_new(from, to);
  }
  Result<void> exchange(const std::string& one, const std::string& other) override { return fs_.exchange(one, other); }
  Result<void> make_symbolic_link(const std::string& target, const std::string& path) override {
    return fs_.make_symbolic_link(target, path);
  }
  Result<std::string> read_symbolic_link(const std::string& path) override { return fs_.read_symbolic_link(path); }
  Result<void> make_hard_link(const std::string& existing, const std::string& path) override {
    return fs_.make_hard_link(existing, path);
  }
  Result<void> set_mode(const std::string& path, std::uint32_t mode) override { return fs_.set_mode(path, mode); }
  Result<void> set_owner(const std::string& path, std::uint32_t uid, std::uint32_t gid) override {
    return fs_.set_owner(path, uid, gid);
  }
  Result<void> set_modified(const std::string& path, env::FileTime time) override {
    return fs_.set_modified(path, time);
  }
  Result<std::vector<env::ExtendedAttribute>> attributes(const std::string& path) override {
    return fs_.attributes(path);
  }
  Result<void> set_attribute(const std::string& path, const env::ExtendedAttribute& attribute) override {
    return fs_.set_attribute(path, attribute);
  }
  Result<void> remove(const std::string& path) override { return fs_.remove(path); }
  Result<std::vector<std::string>> list(const std::string& directory) override { return fs_.list(directory); }
  Result<void> sync_directory(const std::string& directory) override { return fs_.sync_directory(directory); }
  Result<void> sync_all(const std::string& directory) override { return fs_.sync_all(directory); }
  Result<std::uint64_t> free_bytes(const std::string& directory) override { return fs_.free_bytes(directory); }

 private:
  env::FileSystem& fs_;
  std::function<void()> happens_;
};

// Two processes make one home: what the first has put there by the time the second gets the lock is not the second's
// to take away.
TEST(Unmaking, LeavesAStoreThatAnotherMadeMeanwhile) {
  CrashMachine machine;
  Meanwhile fs(machine.fs, [&machine] {
    const auto first = machine.open(OpenFor::kCreating);
    ASSERT_TRUE(first && (*first)->generate_identity());
  });
  env::NullLog log;
  {
    auto second = machine.open(OpenFor::kCreating, {fs, machine.clock, machine.random, log});
    ASSERT_TRUE(second) << second.error().message;
    ASSERT_TRUE(Instance::close_and_unmake(std::move(*second)));
  }
  const auto opened = machine.open(OpenFor::kWriting);
  ASSERT_TRUE(opened) << opened.error().message;
  EXPECT_TRUE((*opened)->did()) << "the identity of the first";
}

}  // namespace
}  // namespace spl
