// A machine whose power can be cut at any file-system call, with an instance on it, store and all; and how a sweep over
// all the calls of an operation goes.
//
// An operation is a list of steps, each of which reports success or failure to whoever asked for it. A run without any
// fault tells the state after each step: S(0), S(1), ... After a cut, with n steps reported as done, the reopened
// instance is in S(n) or in S(n+1) and in nothing else; the whole operation can be run again, and ends in the last
// state. After an error the same holds, and the instance that is still open shows what one that is opened anew shows.
#pragma once

#include <algorithm>
#include <functional>
#include <map>
#include <memory>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "instance/instance.h"
#include "operation/export.h"
#include "sample_instance.h"
#include "testing/fake_clock.h"
#include "testing/sim_file_system.h"
#include "testing/sim_vfs.h"

namespace spl::testing {

inline constexpr char kCrashHome[] = "/home/spl";
inline constexpr char kCrashBundle[] = "/out/my.spl";

// All files of a disk, as SimFileSystem::contents() gives them.
using Image = std::map<std::string, std::string>;

// Random numbers that begin again when they are told to.
class RepeatedRandom final : public env::Random {
 public:
  void fill(std::span<char> out) override { now_->fill(out); }
  void begin_again() { now_ = std::make_unique<SeededRandom>(kSeed); }

 private:
  static constexpr std::uint64_t kSeed = 7;
  std::unique_ptr<SeededRandom> now_ = std::make_unique<SeededRandom>(kSeed);
};

// Of every instance that is opened on a machine.
struct CrashOptions {
  std::string store_url = {};
  store::StoreSizes sizes = {};
};

class CrashMachine {
 public:
  // A disk on which all of the image is durable.
  explicit CrashMachine(const Image& image = {}, CrashOptions options = {});
  env::Env env() { return {fs, clock, random, log_}; }
  // Random numbers that go on after a reboot, for names of temporary files.
  env::Env env_of_files() { return {fs, clock, random_of_files_, log_}; }
  Result<std::unique_ptr<instance::Instance>> open(instance::OpenFor how) { return open(how, env()); }
  // Through another Env, whose file system is a decorator of this machine's.
  Result<std::unique_ptr<instance::Instance>> open(instance::OpenFor how, env::Env env);
  // Nothing may be open. The program starts anew with the same random numbers, so that it makes the same identity.
  void reboot(Survivors how);

  SimFileSystem fs;
  FakeClock clock;
  RepeatedRandom random;

 private:
  const CrashOptions options_;
  SqliteVfs vfs_;
  SeededRandom random_of_files_{99};
  env::NullLog log_;
};

// What must be the old or the new, never something between.
struct CrashState {
  Contents contents;
  std::string incarnation;
  std::string identity_created_at;
  std::string key;                              // hexadecimal, of the identity in force
  std::map<std::string, std::string> previous;  // below identity/previous
  std::string bundle;  // what the file kCrashBundle holds: its bundle_sha256; "" where it is not there
  std::string bundle_number;
  bool operator==(const CrashState&) const = default;
};
std::string difference(const CrashState& is, const CrashState& wanted);

// What a run has in its hands; closed in this order: the export, the instance.
struct CrashRun {
  explicit CrashRun(CrashMachine& on) : machine(on) {}
  CrashMachine& machine;
  std::unique_ptr<instance::Instance> instance;
  std::unique_ptr<operation::PreparedExport> prepared;
};

struct CrashOperation {
  std::string name;
  Image image;  // of the disk before
  CrashOptions options = {};
  instance::OpenFor how = instance::OpenFor::kWriting;
  // After the instance was opened, which is step 0 of all.
  std::vector<std::function<Result<void>(CrashRun&)>> steps;
  // Takes out of a state what no two runs make the same.
  std::function<void(CrashState&)> forget = [](CrashState&) {};
  // And what a second run after a first may make otherwise.
  std::function<void(CrashState&)> forget_when_run_again = [](CrashState&) {};
  // False where the operation run again does something more, such as another record.
  bool idempotent = true;
  // True where the identity's files of the image must be under identity/previous at the end.
  bool replaces_identity = false;
  // That open what is at kCrashBundle; they outlive the sweep.
  std::span<const crypto::AgeIdentity> keys = {};
};

// How many of the calls are swept, evenly spread, and in how many ways.
struct SweepExtent {
  std::uint64_t points_max = 1;
  std::uint64_t seeds = 3;
};
// From 1 to `calls`, both among them, ascending.
std::vector<std::uint64_t> swept_calls(std::uint64_t calls, const SweepExtent& extent);

// What comes after an error.
enum class Then : std::uint8_t {
  kReopen,    // the instance is closed, and another opened
  kGoOn,      // the operation is run again on the same instance
  kPowerCut,  // with what was synced
  kKill,      // of the process: with everything
  kRestart,   // the same, and nobody looks before it is run again
};
inline constexpr Then kAllThens[] = {Then::kReopen, Then::kGoOn, Then::kPowerCut, Then::kKill, Then::kRestart};
// After more than one fault.
inline constexpr Then kThensOfMany[] = {Then::kReopen, Then::kGoOn, Then::kPowerCut, Then::kKill};

// What a sync that failed has lost can be seen until the machine is rebooted, and no later sync tells of it. After one
// fault all is put right. Where that fails too, what is seen is whole, but it is durable only after a reboot.
enum class Trust : bool { kDisk, kWhatIsSeen };

class CrashSweep {
 public:
  // Runs the operation without a fault, step by step.
  explicit CrashSweep(CrashOperation operation);
  [[nodiscard]] std::uint64_t calls() const { return calls_; }
  // Cuts the power at the calls in turn; each cut is looked at with what was synced, with everything (a kill), and with
  // some that the seeds choose.
  void cut_power(const SweepExtent& extent);
  // Lets the calls fail once each, in turn: the operation goes on and succeeds, or fails and can be run again, whatever
  // comes after the error. Without seeds, that is one of the ways in turn, else all of them.
  void fail_once(const SweepExtent& extent, SimError error);
  // The same with a disk that stays full or broken until the operation has ended. While it is full, it can be read.
  void fail_from(const SweepExtent& extent, SimError error);
  // Lets a second call fail after a first, in what is done to take the operation back: of all such pairs, evenly
  // spread.
  void fail_twice(const SweepExtent& extent, SimError error);

 private:
  struct Outcome {
    std::size_t done = 0;  // steps, the opening among them
    std::optional<Error> error;
  };
  Outcome run(CrashRun& run, std::size_t steps);
  // Opens, looks at everything, closes. A failure fails the test.
  CrashState look(CrashMachine& machine) const;
  Result<CrashState> seen_by(CrashMachine& machine, instance::Instance& instance) const;
  void expect_readable(CrashMachine& machine, std::size_t done) const;
  [[nodiscard]] std::size_t next_of(std::size_t done) const { return std::min(done + 1, states_.size() - 1); }
  void expect_one_of(const CrashState& is, std::size_t done) const;
  // Expects the last state.
  void expect_done(CrashState is, std::string_view after) const;
  // Runs it all again and expects the last state, and no other names on the disk than a run without a fault leaves.
  void run_again(CrashMachine& machine, Trust trust = Trust::kDisk);
  void cut_power_at(std::uint64_t call, Survivors how);
  // Runs the operation on a disk that `arm` has prepared.
  using Arm = std::function<void(SimFileSystem&)>;
  void try_fault(const Arm& arm, Then then, Trust trust);
  void expect_whole_after(CrashRun& run, const Outcome& outcome);
  void fail_each(const SweepExtent& extent, std::string_view how, std::span<const Then> thens, Trust trust,
                 const std::function<void(SimFileSystem&, std::uint64_t)>& arm);
  void print(std::uint64_t points, std::uint64_t runs, std::string_view what) const;

  CrashOperation operation_;
  std::vector<CrashState> states_;  // after each count of steps
  std::vector<std::string> names_;  // of the disk at the end
  std::uint64_t calls_ = 0;
  std::uint64_t same_instance_went_on_ = 0;
  std::uint64_t reported_ = 0;
};

// Names on a disk but for what SQLite keeps beside the store, and for the output file that a killed export leaves under
// a name that begins with a dot: nobody knows whose it is.
std::vector<std::string> names_of(const SimFileSystem& fs);

}  // namespace spl::testing
