// What writes files without an instance: bundle extract, and what a daemon says of itself. At every file-system call
// the power is cut, or the call fails, or the disk stays full or broken from there on.
#include <gtest/gtest.h>
#include <unistd.h>

#include <cstdio>

#include "bundle/reader.h"
#include "crash_fixture.h"
#include "crash_operations.h"
#include "env/process.h"
#include "home/daemon_mark.h"
#include "operation/bundle_extract.h"

namespace spl {
namespace {

using testing::CrashMachine;
using testing::Image;
using testing::SimError;
using testing::SimFileSystem;
using testing::Survivors;
using testing::SweepExtent;

constexpr char kTarget[] = "/out/files";

// Each of these is the old one or the new one for itself.
using Shown = std::map<std::string, std::string>;

struct FileOperation {
  Image image;  // of the disk before
  std::function<Result<void>(env::Env)> run;
  std::function<Shown(CrashMachine&)> shown;
  // Whether it may be run when it is done already.
  bool repeatable = true;
};

enum class Way : std::uint8_t { kEio, kEnospc, kBroken, kFull, kCut };

class FileSweep {
 public:
  explicit FileSweep(FileOperation operation) : operation_(std::move(operation)) {
    CrashMachine machine(operation_.image);
    old_ = operation_.shown(machine);
    old_tree_ = machine.fs.contents();
    const std::uint64_t before = machine.fs.calls();
    const auto done = operation_.run(machine.env_of_files());
    EXPECT_TRUE(done) << done.error().message;
    calls_ = machine.fs.calls() - before;
    new_tree_ = machine.fs.contents();
    machine.reboot(Survivors::synced_only());
    new_ = operation_.shown(machine);
    EXPECT_NE(new_, old_);
  }

  void sweep(const SweepExtent& extent) {
    std::uint64_t runs = 0;
    std::uint64_t reported = 0;
    const auto calls = testing::swept_calls(calls_, extent);
    for (const std::uint64_t call : calls) {
      std::vector<Survivors> ways = {Survivors::synced_only(), Survivors::everything()};
      for (std::uint64_t seed = 0; seed < extent.seeds; ++seed) ways.push_back(Survivors::seeded(call * 16 + seed));
      for (const Way way : {Way::kEio, Way::kEnospc, Way::kBroken, Way::kFull, Way::kCut}) {
        for (const Survivors& how : ways) {
          SCOPED_TRACE("call " + std::to_string(call) + " of " + std::to_string(calls_) + ", way " +
                       std::to_string(static_cast<int>(way)) + ", survivors " +
                       std::to_string(static_cast<int>(how.kind)) + " " + std::to_string(how.seed));
          reported += try_at(call, way, how) ? 0 : 1;
          ++runs;
          if (::testing::Test::HasFailure()) return;
        }
      }
    }
    std::printf("%llu calls, %zu of them tried, %llu cuts and faults, %llu reported\n",
                static_cast<unsigned long long>(calls_), calls.size(), static_cast<unsigned long long>(runs),
                static_cast<unsigned long long>(reported));
  }

 private:
  static void arm(SimFileSystem& fs, std::uint64_t at, Way way) {
    switch (way) {
      case Way::kEio:
        return fs.fail_at(at, SimError::kEio);
      case Way::kEnospc:
        return fs.fail_at(at, SimError::kEnospc);
      case Way::kBroken:
        return fs.fail_from(at, SimError::kEio);
      case Way::kFull:
        return fs.fail_from(at, SimError::kEnospc);
      case Way::kCut:
        return fs.cut_at(at);
    }
  }

  void expect_old_or_new(CrashMachine& machine) const {
    const Shown is = operation_.shown(machine);
    ASSERT_EQ(is.size(), old_.size());
    for (const auto& [name, content] : is)
      EXPECT_TRUE(content == old_.at(name) || content == new_.at(name)) << name << " is neither old nor new";
  }

  // Whether it was reported as done.
  bool try_at(std::uint64_t call, Way way, const Survivors& how) const {
    CrashMachine machine(operation_.image);
    arm(machine.fs, machine.fs.calls() + call, way);
    const bool done = operation_.run(machine.env_of_files()).has_value();
    machine.fs.mend();
    if (way != Way::kCut) {
      expect_old_or_new(machine);
      const Image tree = machine.fs.contents();
      // One fault keeps nobody from cleaning up.
      if ((way == Way::kEio || way == Way::kEnospc) && old_.size() == 1) {
        EXPECT_TRUE(tree == old_tree_ || tree == new_tree_) << "something is left";
      }
    }
    machine.reboot(how);
    expect_old_or_new(machine);
    if (done) {
      EXPECT_EQ(operation_.shown(machine), new_) << "was reported as done";
    }
    if (operation_.shown(machine) != new_ || operation_.repeatable) {
      const auto again = operation_.run(machine.env_of_files());
      EXPECT_TRUE(again) << again.error().message;
    }
    machine.reboot(Survivors::synced_only());
    if (operation_.repeatable || done) {
      EXPECT_EQ(operation_.shown(machine), new_) << "was run again";
    }
    return done;
  }

  FileOperation operation_;
  Shown old_;
  Shown new_;
  Image old_tree_;
  Image new_tree_;
  std::uint64_t calls_ = 0;
};

FileOperation extract_operation(const Image& image) {
  return {.image = image,
          .run = [](env::Env env) -> Result<void> {
            base::StringSource source(testing::foreign_bundle());
            const auto reader = TRY(bundle::BundleReader::open(source, {}));
            base::NoProgress progress;
            TRY(operation::extract_bundle(env, *reader, "", kTarget, progress));
            return {};
          },
          .shown = [](CrashMachine& machine) -> Shown {
            std::string files;
            for (const auto& [path, content] : machine.fs.contents()) {
              if (path.starts_with(std::string(kTarget) + "/") && path.size() > sizeof kTarget)
                files.append(path).append(1, '\0').append(content).append(1, '\0');
            }
            return {{kTarget, std::move(files)}};
          },
          // Where the last sync fails, the directory is there.
          .repeatable = false};
}

// A daemon was killed, and its successor writes.
FileOperation daemon_operation() {
  const home::HomePaths paths{testing::kCrashHome};
  Image image = testing::home_without_identity();
  image[paths.pid()] = "2147483647\n";
  image[paths.run() + "/daemon.json"] = "{}\n";
  return {.image = image,
          .run = [paths](env::Env env) -> Result<void> {
            const int pid = ::getpid();
            return home::write_daemon_mark(env, paths,
                                           {pid, env::process_mark(pid).value().value(), "http://127.0.0.1:1", 1, "x"});
          },
          .shown = [paths](CrashMachine& machine) -> Shown {
            const Image tree = machine.fs.contents();
            const auto running = home::running_daemon(machine.env(), paths);
            EXPECT_TRUE(running) << running.error().message;
            return {{"pid", tree.at(paths.pid())}, {"json", tree.at(paths.run() + "/daemon.json")}};
          }};
}

constexpr SweepExtent kQuick{.points_max = 12, .seeds = 1};
constexpr SweepExtent kAll{.points_max = 1000, .seeds = 8};

TEST(CrashOfExtract, LeavesAllFilesOrNone) {
  FileSweep(extract_operation({})).sweep(kQuick);
  FileSweep(extract_operation({{std::string(kTarget) + "/", ""}})).sweep(kQuick);
}
TEST(CrashSweepOfExtract, LeavesAllFilesOrNone) {
  FileSweep(extract_operation({})).sweep(kAll);
}
TEST(CrashSweepOfExtract, LeavesAllFilesOrNoneInAnEmptyDirectorysPlace) {
  FileSweep(extract_operation({{std::string(kTarget) + "/", ""}})).sweep(kAll);
}

TEST(CrashOfDaemonInfo, LeavesWholeFiles) {
  FileSweep(daemon_operation()).sweep(kQuick);
}
TEST(CrashSweepOfDaemonInfo, LeavesWholeFiles) {
  FileSweep(daemon_operation()).sweep(kAll);
}

}  // namespace
}  // namespace spl
