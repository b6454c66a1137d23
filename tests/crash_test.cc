// The power is cut, or a call fails, at every file-system call of every operation that writes, and what must hold holds
// (docs/decisions/D-05-identity-and-store.md, records.md "The store"). The quick set takes every so many-th call; the
// suites with Sweep in their names take all of them, and more of what a cut may leave.
#include <gtest/gtest.h>

#include "cli/output_file.h"
#include "crash_fixture.h"
#include "instance/access.h"
#include "instance/import.h"
#include "instance/ingest.h"

namespace spl {
namespace {

using instance::ImportOptions;
using instance::Instance;
using instance::OpenFor;
using testing::CrashMachine;
using testing::CrashOperation;
using testing::CrashRun;
using testing::CrashState;
using testing::CrashSweep;
using testing::Image;
using testing::kCrashHome;
using testing::SimError;
using testing::Survivors;
using testing::SweepExtent;

constexpr SweepExtent kAll{.every = 1, .seeds = 3};

std::string image_error(const auto& result) {
  return result ? "" : result.error().message;
}

// A disk after `make` worked on an instance in a home that was made for it.
Image disk_after(const std::function<void(Instance&)>& make) {
  CrashMachine machine;
  {
    const auto made = machine.open(OpenFor::kCreating);
    EXPECT_TRUE(made) << image_error(made);
    make(**made);
  }
  return machine.fs.contents();
}

Image home_without_identity() {
  return disk_after([](Instance&) {});
}
Image home_with_identity() {
  return disk_after([](Instance& instance) { EXPECT_TRUE(instance.generate_identity()); });
}
// With records and an account of its own, and with a finished export.
Image home_in_use() {
  CrashMachine machine;
  {
    const auto made = machine.open(OpenFor::kCreating);
    EXPECT_TRUE(made) << image_error(made);
    Instance& instance = **made;
    EXPECT_TRUE(instance.generate_identity());
    EXPECT_TRUE(instance::put_records(instance, testing::many_records("th_own", 10)));
    EXPECT_TRUE(instance::create_account(instance, {.name = "ci", .scopes = {"records:read"}, .actors = {}}));
    instance::NoProgress progress;
    const auto prepared = instance::prepare_export(instance, {}, progress);
    EXPECT_TRUE(prepared) << image_error(prepared);
    auto out = cli::OutputFile::create(machine.env_of_files(), testing::kCrashBundle, progress);
    EXPECT_TRUE(out && (*prepared)->write(**out) && (*out)->commit() && (*prepared)->committed());
  }
  return machine.fs.contents();
}

// A bundle of another instance, with 20 records, an account and a token.
const std::string& foreign_bundle() {
  static const std::string kBundle = [] {
    testing::Machine machine(5);
    const auto source = machine.make("source");
    EXPECT_TRUE(instance::put_records(*source, testing::many_records("th_foreign", 20)));
    EXPECT_TRUE(instance::create_account(*source, {.name = "far", .scopes = {"records:read"}, .actors = {}}));
    EXPECT_TRUE(
        instance::create_token(*source, {.account = "far", .environment = "t", .scopes = {}, .expires_at = {}}));
    instance::ExportOptions options;
    options.carry_tokens = true;
    return testing::export_text(*source, std::move(options)).value_or("");
  }();
  return kBundle;
}

std::string ndjson(const std::string& thread, std::uint64_t count) {
  std::string lines;
  for (const Record& record : testing::many_records(thread, count)) lines += record.canonical + "\n";
  return lines;
}

std::function<Result<void>(CrashRun&)> import_step(const ImportOptions& options) {
  return [options](CrashRun& run) -> Result<void> {
    TRY(testing::import_text(*run.instance, foreign_bundle(), options));
    return {};
  };
}

// For an import that must end with this code; any other end is given on as an error.
std::function<Result<void>(CrashRun&)> refused_import_step(std::string bundle, ErrorCode code) {
  return [bundle = std::move(bundle), code](CrashRun& run) -> Result<void> {
    const auto report = testing::import_text(*run.instance, bundle);
    if (report) return fail("an import that was to be refused went through");
    if (report.error().code != code) return std::unexpected(report.error());
    return {};
  };
}

void forget_incarnation(CrashState& state) {
  state.incarnation.clear();
}

CrashOperation init_operation() {
  return {.name = "init",
          .image = {},
          .how = OpenFor::kCreating,
          .steps = {[](CrashRun& run) -> Result<void> {
            if (TRY(run.instance->identity_summary())) return {};
            TRY(run.instance->generate_identity());
            return {};
          }},
          .forget = forget_incarnation};
}

CrashOperation identity_operation() {
  CrashOperation operation = init_operation();
  operation.name = "identity generate";
  operation.image = home_without_identity();
  operation.how = OpenFor::kWriting;
  operation.forget = [](CrashState&) {};
  return operation;
}

// Three that each are acknowledged for themselves.
CrashOperation put_operation() {
  return {.name = "record put",
          .image = home_in_use(),
          .steps = {[](CrashRun& run) -> Result<void> {
                      const std::string lines = ndjson("th_lines", 20);
                      base::StringSource source(lines);
                      instance::NoProgress progress;
                      TRY(instance::put_ndjson(*run.instance, source, progress));
                      return {};
                    },
                    [](CrashRun& run) -> Result<void> {
                      TRY(instance::put_records(*run.instance, testing::many_records("th_group", 3)));
                      return {};
                    },
                    [](CrashRun& run) -> Result<void> {
                      TRY(instance::put_records(*run.instance, testing::many_records("th_group", 5)));
                      return {};
                    }}};
}

CrashOperation emit_operation() {
  return {.name = "emit",
          .image = home_in_use(),
          .steps = {[](CrashRun& run) -> Result<void> {
            instance::Emission emission;
            emission.text = "do it";
            emission.thread = "th_own";
            TRY(instance::emit(*run.instance, emission));
            return {};
          }},
          .idempotent = false};
}

CrashOperation import_new_operation() {
  return {.name = "import into a new home",
          .image = {},
          .how = OpenFor::kCreating,
          .steps = {import_step({})},
          .forget = forget_incarnation};
}

CrashOperation import_empty_operation() {
  return {.name = "import into an empty home with an identity",
          .image = home_with_identity(),
          .steps = {import_step({})},
          .replaces_identity = true};
}

CrashOperation import_adopt_operation() {
  ImportOptions options;
  options.force_overwrite = options.adopt_identity = true;
  options.expect_did = testing::verify_bundle(foreign_bundle())->manifest.source_did;
  return {.name = "import --force-overwrite --adopt-identity",
          .image = home_in_use(),
          .steps = {import_step(options)},
          .replaces_identity = true};
}

CrashOperation import_merge_operation() {
  ImportOptions options;
  options.force_overwrite = true;
  return {.name = "import --force-overwrite", .image = home_in_use(), .steps = {import_step(options)}};
}

CrashOperation import_refused_operation() {
  return {.name = "import refused",
          .image = home_in_use(),
          .steps = {refused_import_step(foreign_bundle(), ErrorCode::kRefused)}};
}

CrashOperation import_broken_operation() {
  return {.name = "import of a bundle that breaks off",
          .image = home_with_identity(),
          .steps = {refused_import_step(foreign_bundle().substr(0, foreign_bundle().size() * 3 / 4),
                                        ErrorCode::kVerification)}};
}

CrashOperation export_operation() {
  static instance::NoProgress progress;
  return {.name = "export",
          .image = home_in_use(),
          .steps = {[](CrashRun& run) -> Result<void> {
                      run.prepared = TRY(instance::prepare_export(*run.instance, {}, progress));
                      return {};
                    },
                    [](CrashRun& run) -> Result<void> {
                      const auto out =
                          TRY(cli::OutputFile::create(run.machine.env_of_files(), testing::kCrashBundle, progress));
                      TRY(run.prepared->write(*out));
                      return out->commit();
                    },
                    [](CrashRun& run) { return run.prepared->committed(); }},
          // A number may be burned.
          .forget_when_run_again = [](CrashState& state) {
            state.contents.export_sequence.clear();
            state.bundle_number.clear();
          }};
}

CrashOperation export_into_a_new_file_operation() {
  CrashOperation operation = export_operation();
  operation.name = "export into a new file";
  operation.image.erase(testing::kCrashBundle);
  return operation;
}

CrashOperation export_by_a_temporary_name_operation() {
  CrashOperation operation = export_operation();
  operation.name = "export where no file is without a name";
  const auto prepare = operation.steps.front();
  operation.steps.front() = [prepare](CrashRun& run) {
    run.machine.fs.set_nameable(false);
    return prepare(run);
  };
  return operation;
}

struct Swept {
  const char* name;
  CrashOperation (*make)();
  std::uint64_t quick_every;
};
constexpr Swept kOperations[] = {
    {"Init", init_operation, 7},
    {"IdentityGenerate", identity_operation, 3},
    {"RecordPut", put_operation, 7},
    {"Emit", emit_operation, 5},
    {"ImportIntoANewHome", import_new_operation, 11},
    {"ImportIntoAnEmptyHome", import_empty_operation, 7},
    {"ImportThatAdopts", import_adopt_operation, 7},
    {"ImportThatMerges", import_merge_operation, 11},
    {"ImportRefused", import_refused_operation, 11},
    {"ImportBrokenOff", import_broken_operation, 11},
    {"Export", export_operation, 5},
    {"ExportIntoANewFile", export_into_a_new_file_operation, 5},
    {"ExportByATemporaryName", export_by_a_temporary_name_operation, 5},
};
std::ostream& operator<<(std::ostream& out, const Swept& swept) {
  return out << swept.name;
}

class Crash : public ::testing::TestWithParam<Swept> {};

TEST_P(Crash, LeavesTheOldStateOrTheNew) {
  CrashSweep(GetParam().make()).cut_power({.every = GetParam().quick_every, .seeds = 1});
}
TEST_P(Crash, AFaultIsReportedAndCanBeRepeated) {
  CrashSweep sweep(GetParam().make());
  sweep.fail_once({.every = GetParam().quick_every, .seeds = 0}, SimError::kEio);
  sweep.fail_once({.every = 2 * GetParam().quick_every, .seeds = 0}, SimError::kEnospc);
}

class CrashSweepOfAllCalls : public ::testing::TestWithParam<Swept> {};

TEST_P(CrashSweepOfAllCalls, LeavesTheOldStateOrTheNew) {
  CrashSweep(GetParam().make()).cut_power(kAll);
}
TEST_P(CrashSweepOfAllCalls, AnInputErrorIsReportedAndCanBeRepeated) {
  CrashSweep(GetParam().make()).fail_once(kAll, SimError::kEio);
}
TEST_P(CrashSweepOfAllCalls, AFullDiskIsReportedAndCanBeRepeated) {
  CrashSweep(GetParam().make()).fail_once(kAll, SimError::kEnospc);
}

std::string name_of(const ::testing::TestParamInfo<Swept>& info) {
  return info.param.name;
}
INSTANTIATE_TEST_SUITE_P(Of, Crash, ::testing::ValuesIn(kOperations), name_of);
INSTANTIATE_TEST_SUITE_P(Of, CrashSweepOfAllCalls, ::testing::ValuesIn(kOperations), name_of);

// An import that was to fill a new home, failed, and takes the home away again.
Result<void> fail_to_fill_a_new_home(CrashMachine& machine) {
  auto made = TRY(machine.open(OpenFor::kCreating));
  const auto report = testing::import_text(*made, foreign_bundle().substr(0, foreign_bundle().size() / 2));
  if (report) return fail("half a bundle was imported");
  return Instance::close_and_unmake(std::move(made));
}

void sweep_unmaking(const SweepExtent& extent) {
  CrashMachine whole;
  const Image before = whole.fs.contents();
  const std::uint64_t calls_before = whole.fs.calls();
  ASSERT_TRUE(fail_to_fill_a_new_home(whole));
  const std::uint64_t calls = whole.fs.calls() - calls_before;
  EXPECT_EQ(whole.fs.contents(), before) << "nothing is left";
  for (std::uint64_t call = 1; call <= calls; call += extent.every) {
    for (int way = 0; way < static_cast<int>(4 + extent.seeds); ++way) {
      SCOPED_TRACE("unmake: call " + std::to_string(call) + " of " + std::to_string(calls) + ", way " +
                   std::to_string(way));
      CrashMachine machine;
      const std::uint64_t at = machine.fs.calls() + call;
      if (way == 0) machine.fs.fail_at(at, SimError::kEio);
      if (way == 1) machine.fs.fail_at(at, SimError::kEnospc);
      if (way > 1) machine.fs.cut_at(at);
      (void)fail_to_fill_a_new_home(machine);
      if (way == 2) machine.reboot(Survivors::synced_only());
      if (way == 3) machine.reboot(Survivors::everything());
      if (way > 3) machine.reboot(Survivors::seeded(call * 16 + static_cast<std::uint64_t>(way)));
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
  sweep_unmaking({.every = 13, .seeds = 1});
}
TEST(CrashSweepOfUnmaking, LeavesWhatAHomeCanBeMadeOf) {
  sweep_unmaking(kAll);
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
  auto made = Instance::open(machine.env(), {"/home/um/q/r", "", "memory:"}, OpenFor::kCreating);
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
    instance::NoProgress progress;
    const auto out = cli::OutputFile::create(machine.env_of_files(), "/out/f", progress);
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
  Result<std::unique_ptr<env::Lock>> try_lock(const std::string& path) override {
    if (happens_) std::exchange(happens_, nullptr)();
    return fs_.try_lock(path);
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
