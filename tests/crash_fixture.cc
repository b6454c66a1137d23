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

Result<CrashState> state_of(CrashMachine& machine, Instance& instance) {
  CrashState state;
  TRY(instance.store().check());
  state.contents = TRY(contents_of(instance));
  state.incarnation = TRY(TRY(instance.store().reader())->incarnation());
  state.identity_created_at = TRY(setting_of(instance, "identity_created_at"));
  if (!state.contents.did.empty()) {
    TRY(instance.verify_identity());
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
    const auto verified = TRY_IN(kCrashBundle, verify_bundle(file->second));
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

CrashMachine::CrashMachine(const Image& image) : vfs_(fs, next_vfs_name()) {
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
  return Instance::open(env, {kCrashHome, vfs_.name(), ""}, how);
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

CrashSweep::CrashSweep(CrashOperation operation) : operation_(std::move(operation)) {
  for (std::size_t steps = 0; steps <= operation_.steps.size() + 1; ++steps) {
    CrashMachine machine(operation_.image);
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
  auto state = state_of(machine, **opened);
  EXPECT_TRUE(state) << state.error().message;
  EXPECT_FALSE(machine.fs.contents().contains(std::string(kCrashHome) + "/identity/incoming/"));
  if (!state) return {};
  operation_.forget(*state);
  return *state;
}

void CrashSweep::expect_one_of(const CrashState& is, std::size_t done) const {
  const std::size_t next = std::min(done + 1, states_.size() - 1);
  if (is == states_[done] || is == states_[next]) return;
  ADD_FAILURE() << "after " << done << " steps: differs from the state before in " << difference(is, states_[done])
                << "and from the next in " << difference(is, states_[next]);
}

void CrashSweep::run_again(CrashMachine& machine) {
  machine.random.begin_again();
  {
    CrashRun again(machine);
    const Outcome outcome = run(again, operation_.steps.size() + 1);
    EXPECT_FALSE(outcome.error) << "run again, step " << outcome.done << ": " << outcome.error->message;
  }
  if (!operation_.idempotent) return;
  EXPECT_EQ(names_of(machine.fs), names_);
  machine.reboot(Survivors::synced_only());
  expect_done(look(machine), "run again");
}

void CrashSweep::expect_done(CrashState is, std::string_view after) const {
  CrashState wanted = states_.back();
  operation_.forget_when_run_again(is);
  operation_.forget_when_run_again(wanted);
  EXPECT_TRUE(is == wanted) << after << ", differs in " << difference(is, wanted);
}

void CrashSweep::cut_power_at(std::uint64_t call, Survivors how) {
  CrashMachine machine(operation_.image);
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
  for (std::uint64_t call = 1; call <= calls_; call += extent.every) {
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
  std::printf("%s: %llu calls, %llu power cuts\n", operation_.name.c_str(), static_cast<unsigned long long>(calls_),
              static_cast<unsigned long long>(runs));
}

void CrashSweep::fail_at(std::uint64_t call, SimError error, bool on_the_same_instance) {
  CrashMachine machine(operation_.image);
  machine.fs.fail_at(machine.fs.calls() + call, error);
  const std::size_t all = operation_.steps.size() + 1;
  Outcome outcome;
  bool went_on = false;
  {
    CrashRun faulty(machine);
    outcome = run(faulty, all);
    if (outcome.error && on_the_same_instance && faulty.instance) {
      faulty.prepared.reset();
      machine.random.begin_again();
      went_on = !run(faulty, all).error;
      if (went_on) ++same_instance_went_on_;
    }
  }
  if (!outcome.error) {
    // What was reported as done is durable.
    machine.reboot(Survivors::synced_only());
    const CrashState end = look(machine);
    EXPECT_TRUE(end == states_.back()) << "reported as done, differs in " << difference(end, states_.back());
  } else if (!on_the_same_instance) {
    expect_one_of(look(machine), outcome.done);
  }
  if (!went_on) run_again(machine);
  if (went_on && operation_.idempotent) expect_done(look(machine), "went on");
}

void CrashSweep::fail_once(const SweepExtent& extent, SimError error) {
  std::uint64_t runs = 0;
  same_instance_went_on_ = 0;
  for (std::uint64_t call = 1; call <= calls_; call += extent.every) {
    for (const bool same : {false, true}) {
      SCOPED_TRACE(operation_.name + ": call " + std::to_string(call) + " of " + std::to_string(calls_) +
                   (error == SimError::kEio ? " fails with EIO" : " fails with ENOSPC") +
                   (same ? ", and the same instance goes on" : ""));
      fail_at(call, error, same);
      ++runs;
      if (::testing::Test::HasFailure()) return;
    }
  }
  std::printf("%s: %llu calls, %llu faults; the same instance went on after %llu\n", operation_.name.c_str(),
              static_cast<unsigned long long>(calls_), static_cast<unsigned long long>(runs),
              static_cast<unsigned long long>(same_instance_went_on_));
}

}  // namespace spl::testing
