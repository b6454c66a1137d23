#include "crash_fixture.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <atomic>
#include <cstdio>
#include <cstdlib>

#include "base/encoding.h"

namespace spl::testing {
namespace {

using instance::Instance;
using instance::OpenFor;

// Each machine's SQLite goes through a VFS of its own.
std::string next_vfs_name() {
  static std::atomic<int> count = 0;
  return "crash" + std::to_string(++count);
}

std::string shown(Survivors how) {
  switch (how.kind) {
    case Survivors::Kind::kSyncedOnly:
      return "what was synced survives";
    case Survivors::Kind::kEverything:
      return "everything survives";
    case Survivors::Kind::kSeeded:
      break;
  }
  return "seed " + std::to_string(how.seed) + " survives";
}

std::string_view shown(Then then) {
  switch (then) {
    case Then::kReopen:
      return "reopened";
    case Then::kGoOn:
      return "the same instance goes on";
    case Then::kPowerCut:
      return "then the power is cut";
    case Then::kKill:
      return "then the process is killed";
    case Then::kRestart:
      break;
  }
  return "then the process is killed, and one runs it again at once";
}

std::string_view shown(SimError error) {
  return error == SimError::kEio ? "EIO" : "ENOSPC";
}

bool is_unsettled(const CrashMachine& machine) {
  return machine.fs.contents().contains(std::string(kCrashHome) + "/identity/incoming/");
}

Result<CrashState> state_of(CrashMachine& machine, Instance& instance, std::span<const crypto::AgeIdentity> keys) {
  CrashState state;
  TRY(instance.store().check());
  state.contents = TRY(contents_of(instance));
  state.incarnation = TRY(TRY(instance.store().reader())->incarnation());
  state.identity_created_at = TRY(setting_of(instance, "identity_created_at"));
  if (!state.contents.did.empty()) {
    // Until its files are in their place, only an open instance has it.
    if (!is_unsettled(machine)) TRY(instance.verify_identity());
    const auto identity = instance.identity();
    if (!identity || identity->did != state.contents.did) return fail("another identity is in force than the store's");
    state.key = base::to_hex(identity->key.seed().reveal());
  } else if (instance.identity()) {
    return fail("there is an identity that the store does not know");
  }
  const std::string previous = instance.paths().identity() + "/previous/";
  for (const auto& [path, content] : machine.fs.contents()) {
    if (path.starts_with(previous) && !path.ends_with('/')) state.previous[path] = content;
  }
  const Image disk = machine.fs.contents();
  if (const auto file = disk.find(kCrashBundle); file != disk.end()) {
    const auto verified = TRY_IN(kCrashBundle, verify_bundle(file->second, {.identities = keys}));
    state.bundle = base::to_hex(verified.manifest.bundle_sha256.view());
    state.bundle_number = std::to_string(verified.manifest.export_sequence);
    const auto last = TRY(setting_of(instance, store::kExportSequenceSetting));
    if (verified.manifest.source_did == state.contents.did &&
        std::strtoull(last.c_str(), nullptr, 10) < verified.manifest.export_sequence)
      return fail("a finished file has number " + state.bundle_number + ", and the store's last is " + last);
  }
  return state;
}

}  // namespace

CrashMachine::CrashMachine(const Image& image, CrashOptions options)
    : options_(std::move(options)), vfs_(fs, next_vfs_name(), "/", Overwrite::kPowersafe) {
  EXPECT_TRUE(fs.make_directory("/home"));
  EXPECT_TRUE(fs.make_directory("/out"));
  for (const auto& [path, content] : image) {
    if (path.ends_with('/')) {
      const std::string directory = path.substr(0, path.size() - 1);
      if (directory == "/home" || directory == "/out") continue;
      EXPECT_TRUE(fs.make_directory(directory)) << directory;
    } else {
      const auto file = fs.open(path, env::OpenMode::kCreateNew);
      EXPECT_TRUE(file && (*file)->write_at(0, content) && (*file)->sync()) << path;
    }
  }
  EXPECT_TRUE(fs.sync_directory("/"));
  for (const auto& [path, content] : fs.contents()) {
    if (!path.ends_with('/')) continue;
    EXPECT_TRUE(fs.sync_directory(path)) << path;
  }
}

Result<std::unique_ptr<Instance>> CrashMachine::open(OpenFor how, env::Env env) {
  return Instance::open(env, {kCrashHome, options_.store_url, "", {vfs_.name(), options_.sizes}}, how);
}

void CrashMachine::reboot(Survivors how) {
  fs.reboot(how);
  vfs_.drop_shared_memory();
  random.begin_again();
}

std::string difference(const CrashState& is, const CrashState& wanted) {
  std::string text;
  const auto compare = [&text](const char* what, const auto& a, const auto& b) {
    if (a != b) text.append(what).append(" ");
  };
  compare("records", is.contents.records, wanted.contents.records);
  compare("threads", is.contents.threads, wanted.contents.threads);
  compare("tokens", is.contents.tokens, wanted.contents.tokens);
  compare("did", is.contents.did, wanted.contents.did);
  compare("export_sequence", is.contents.export_sequence, wanted.contents.export_sequence);
  compare("previous_export", is.contents.previous_export, wanted.contents.previous_export);
  compare("incarnation", is.incarnation, wanted.incarnation);
  compare("identity_created_at", is.identity_created_at, wanted.identity_created_at);
  compare("key", is.key, wanted.key);
  compare("identity/previous", is.previous, wanted.previous);
  compare("bundle", is.bundle, wanted.bundle);
  compare("bundle's number", is.bundle_number, wanted.bundle_number);
  return text;
}

std::vector<std::string> names_of(const SimFileSystem& fs) {
  std::vector<std::string> names;
  for (const auto& [path, content] : fs.contents()) {
    const bool is_temporary_output = path.starts_with("/out/.") && path.ends_with(".tmp");
    if (!path.ends_with("hub.db-wal") && !path.ends_with("hub.db-journal") && !is_temporary_output)
      names.push_back(path);
  }
  return names;
}

std::vector<std::uint64_t> swept_calls(std::uint64_t calls, const SweepExtent& extent) {
  std::vector<std::uint64_t> swept;
  const std::uint64_t points = std::min(calls, std::max<std::uint64_t>(extent.points_max, 2));
  for (std::uint64_t i = 0; i < points; ++i) swept.push_back(points == 1 ? 1 : 1 + i * (calls - 1) / (points - 1));
  return swept;
}

CrashSweep::CrashSweep(CrashOperation operation) : operation_(std::move(operation)) {
  for (std::size_t steps = 0; steps <= operation_.steps.size() + 1; ++steps) {
    CrashMachine machine(operation_.image, operation_.options);
    const std::uint64_t before = machine.fs.calls();
    {
      CrashRun all(machine);
      const Outcome outcome = run(all, steps);
      EXPECT_FALSE(outcome.error) << operation_.name << ", step " << outcome.done << ": " << outcome.error->message;
    }
    calls_ = machine.fs.calls() - before;
    names_ = names_of(machine.fs);
    machine.reboot(Survivors::synced_only());
    states_.push_back(look(machine));
  }
  EXPECT_EQ(states_.back().previous.empty(), !operation_.replaces_identity);
  if (!operation_.replaces_identity) return;
  const std::string directory = std::string(kCrashHome) + "/identity/";
  for (const char* name : {"private_key.bin", "did_document.json"}) {
    const std::string old_file = directory + "previous/" + states_.front().contents.did + "/" + name;
    EXPECT_EQ(states_.back().previous[old_file], operation_.image.at(directory + name)) << old_file;
  }
}

CrashSweep::Outcome CrashSweep::run(CrashRun& run, std::size_t steps) {
  Outcome outcome;
  if (steps == 0) return outcome;
  if (!run.instance) {
    auto opened = run.machine.open(operation_.how);
    if (!opened) {
      outcome.error = std::move(opened).error();
      return outcome;
    }
    run.instance = std::move(*opened);
  }
  for (outcome.done = 1; outcome.done < steps; ++outcome.done) {
    const auto done = operation_.steps[outcome.done - 1](run);
    if (!done) {
      outcome.error = done.error();
      return outcome;
    }
  }
  return outcome;
}

CrashState CrashSweep::look(CrashMachine& machine) const {
  // Who only reads comes first, and makes nothing good again.
  if (operation_.how != OpenFor::kCreating) {
    const auto reading = machine.open(OpenFor::kReading);
    EXPECT_TRUE(reading) << reading.error().message;
  }
  const auto opened = machine.open(operation_.how);
  EXPECT_TRUE(opened) << opened.error().message;
  if (!opened) return {};
  auto state = seen_by(machine, **opened);
  EXPECT_TRUE(state) << state.error().message;
  EXPECT_FALSE(is_unsettled(machine));
  return state ? *state : CrashState();
}

Result<CrashState> CrashSweep::seen_by(CrashMachine& machine, Instance& instance) const {
  CrashState state = TRY(state_of(machine, instance, operation_.keys));
  operation_.forget(state);
  return state;
}

// By who only reads, while nothing can be written.
void CrashSweep::expect_readable(CrashMachine& machine, std::size_t done) const {
  const auto reading = machine.open(OpenFor::kReading);
  ASSERT_TRUE(reading) << reading.error().message;
  const auto contents = contents_of(**reading);
  ASSERT_TRUE(contents) << contents.error().message;
  EXPECT_TRUE(*contents == states_[done].contents || *contents == states_[next_of(done)].contents) << "read meanwhile";
}

void CrashSweep::expect_one_of(const CrashState& is, std::size_t done) const {
  const std::size_t next = next_of(done);
  if (is == states_[done] || is == states_[next]) return;
  ADD_FAILURE() << "after " << done << " steps: differs from the state before in " << difference(is, states_[done])
                << "and from the next in " << difference(is, states_[next]);
}

void CrashSweep::run_again(CrashMachine& machine, Trust trust) {
  machine.random.begin_again();
  {
    CrashRun again(machine);
    const Outcome outcome = run(again, operation_.steps.size() + 1);
    EXPECT_FALSE(outcome.error) << "run again, step " << outcome.done << ": " << outcome.error->message;
  }
  if (!operation_.idempotent) return;
  EXPECT_EQ(names_of(machine.fs), names_);
  machine.reboot(trust == Trust::kDisk ? Survivors::synced_only() : Survivors::everything());
  expect_done(look(machine), "run again");
}

void CrashSweep::expect_done(CrashState is, std::string_view after) const {
  CrashState wanted = states_.back();
  operation_.forget_when_run_again(is);
  operation_.forget_when_run_again(wanted);
  EXPECT_TRUE(is == wanted) << after << ", differs in " << difference(is, wanted);
}

void CrashSweep::print(std::uint64_t points, std::uint64_t runs, std::string_view what) const {
  std::printf("%s: %llu calls, %llu of them tried, %llu %s", operation_.name.c_str(),
              static_cast<unsigned long long>(calls_), static_cast<unsigned long long>(points),
              static_cast<unsigned long long>(runs), std::string(what).c_str());
}

void CrashSweep::cut_power_at(std::uint64_t call, Survivors how) {
  CrashMachine machine(operation_.image, operation_.options);
  machine.fs.cut_at(machine.fs.calls() + call);
  Outcome outcome;
  {
    CrashRun cut(machine);
    outcome = run(cut, operation_.steps.size() + 1);
  }
  EXPECT_TRUE(machine.fs.is_off());
  machine.reboot(how);
  expect_one_of(look(machine), outcome.done);
  run_again(machine);
}

void CrashSweep::cut_power(const SweepExtent& extent) {
  std::uint64_t runs = 0;
  const std::vector<std::uint64_t> calls = swept_calls(calls_, extent);
  for (const std::uint64_t call : calls) {
    std::vector<Survivors> ways = {Survivors::synced_only(), Survivors::everything()};
    for (std::uint64_t seed = 0; seed < extent.seeds; ++seed) ways.push_back(Survivors::seeded(call * 16 + seed));
    for (const Survivors& how : ways) {
      SCOPED_TRACE(operation_.name + ": power cut at call " + std::to_string(call) + " of " + std::to_string(calls_) +
                   ", " + shown(how));
      cut_power_at(call, how);
      ++runs;
      if (::testing::Test::HasFailure()) return;
    }
  }
  print(calls.size(), runs, "power cuts\n");
}

// The process lives on after `outcome`: what it shows is what is there.
void CrashSweep::expect_whole_after(CrashRun& run, const Outcome& outcome) {
  run.prepared.reset();
  auto seen = seen_by(run.machine, *run.instance);
  run.instance.reset();
  ASSERT_TRUE(seen) << "still open: " << seen.error().message;
  const CrashState is = look(run.machine);
  if (outcome.error) expect_one_of(is, outcome.done);
  // The files of an identity follow the store, at the latest when it is opened.
  seen->previous = is.previous;
  EXPECT_TRUE(is == *seen) << "reopened, differs from what the open instance shows in " << difference(is, *seen);
}

void CrashSweep::try_fault(const Arm& arm, Then then, Trust trust) {
  CrashMachine machine(operation_.image, operation_.options);
  arm(machine.fs);
  const std::size_t all = operation_.steps.size() + 1;
  std::optional<CrashRun> faulty(machine);
  const Outcome outcome = run(*faulty, all);
  reported_ += outcome.error ? 1 : 0;
  if (outcome.error && machine.fs.is_full() && operation_.how != OpenFor::kCreating)
    expect_readable(machine, outcome.done);
  if (then == Then::kPowerCut || then == Then::kKill || then == Then::kRestart) {
    // Nobody closes anything.
    machine.fs.cut_at(machine.fs.calls() + 1);
    faulty.reset();
    machine.reboot(then == Then::kPowerCut ? Survivors::synced_only() : Survivors::everything());
    if (then == Then::kPowerCut) trust = Trust::kDisk;
    if (then == Then::kRestart) return run_again(machine, trust);
  } else {
    machine.fs.mend();
  }
  if (then == Then::kGoOn && outcome.error && faulty->instance) {
    faulty->prepared.reset();
    machine.random.begin_again();
    if (!run(*faulty, all).error) {
      ++same_instance_went_on_;
      faulty.reset();
      if (operation_.idempotent) expect_done(look(machine), "went on");
      return;
    }
  }
  const bool is_open = faulty && faulty->instance;
  if (is_open) expect_whole_after(*faulty, outcome);
  faulty.reset();
  if (!outcome.error) {
    // What was reported as done is durable.
    machine.reboot(trust == Trust::kDisk ? Survivors::synced_only() : Survivors::everything());
    const CrashState end = look(machine);
    EXPECT_TRUE(end == states_.back()) << "reported as done, differs in " << difference(end, states_.back());
  } else if (!is_open) {
    expect_one_of(look(machine), outcome.done);
  }
  run_again(machine, trust);
}

void CrashSweep::fail_each(const SweepExtent& extent, std::string_view how, std::span<const Then> thens, Trust trust,
                           const std::function<void(SimFileSystem&, std::uint64_t)>& arm) {
  std::uint64_t runs = 0;
  same_instance_went_on_ = reported_ = 0;
  const std::vector<std::uint64_t> calls = swept_calls(calls_, extent);
  for (std::size_t i = 0; i < calls.size(); ++i) {
    const std::uint64_t call = calls[i];
    for (const Then then : thens) {
      if (extent.seeds == 0 && then != thens[i % thens.size()]) continue;
      SCOPED_TRACE(operation_.name + ": call " + std::to_string(call) + " of " + std::to_string(calls_) +
                   std::string(how) + ", " + std::string(shown(then)));
      try_fault([&](SimFileSystem& fs) { arm(fs, fs.calls() + call); }, then, trust);
      ++runs;
      if (::testing::Test::HasFailure()) return;
    }
  }
  print(calls.size(), runs, "faults");
  std::printf("; %llu reported, the same instance went on after %llu\n", static_cast<unsigned long long>(reported_),
              static_cast<unsigned long long>(same_instance_went_on_));
}

void CrashSweep::fail_once(const SweepExtent& extent, SimError error) {
  fail_each(extent, " fails with " + std::string(shown(error)), kAllThens, Trust::kDisk,
            [error](SimFileSystem& fs, std::uint64_t call) { fs.fail_at(call, error); });
}

void CrashSweep::fail_from(const SweepExtent& extent, SimError error) {
  fail_each(extent, " and all later ones fail with " + std::string(shown(error)), kThensOfMany,
            error == SimError::kEio ? Trust::kWhatIsSeen : Trust::kDisk,
            [error](SimFileSystem& fs, std::uint64_t call) { fs.fail_from(call, error); });
}

void CrashSweep::fail_twice(const SweepExtent& extent, SimError error) {
  std::vector<std::pair<std::uint64_t, std::uint64_t>> pairs;
  for (std::uint64_t first = 1; first <= calls_; ++first) {
    CrashMachine machine(operation_.image, operation_.options);
    const std::uint64_t before = machine.fs.calls();
    machine.fs.fail_at(before + first, error);
    CrashRun faulty(machine);
    if (!run(faulty, operation_.steps.size() + 1).error) continue;
    for (std::uint64_t second = first + 1; second <= machine.fs.calls() - before; ++second)
      pairs.emplace_back(first, second);
  }
  const std::vector<std::uint64_t> tried = swept_calls(pairs.size(), extent);
  for (const std::uint64_t number : tried) {
    const auto [first, second] = pairs[number - 1];
    const Then then = kThensOfMany[number % std::size(kThensOfMany)];
    SCOPED_TRACE(operation_.name + ": calls " + std::to_string(first) + " and " + std::to_string(second) + " of " +
                 std::to_string(calls_) + " fail with " + std::string(shown(error)) + ", " + std::string(shown(then)));
    try_fault(
        [&, one = first, other = second](SimFileSystem& fs) {
          const std::uint64_t before = fs.calls();
          fs.fail_at(before + one, error);
          fs.fail_at(before + other, error);
        },
        then, Trust::kWhatIsSeen);
    if (::testing::Test::HasFailure()) return;
  }
  std::printf("%s: %zu pairs of faults, %zu of them tried\n", operation_.name.c_str(), pairs.size(), tried.size());
}

}  // namespace spl::testing
