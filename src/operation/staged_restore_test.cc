// A model of services and their parts, whose every step can fail or be the last before a crash: whatever step that is,
// all parts are the old ones or all are the new ones after the next start, by the commit line, and the services run.
#include "operation/staged_restore.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <map>

#include "env/posix_env.h"
#include "surface/spooled_part.h"
#include "testing/fake_clock.h"
#include "testing/sim_file_system.h"

namespace spl::operation {
namespace {

using surface::Count;
using ::testing::AnyOf;
using ::testing::HasSubstr;
using ::testing::IsEmpty;
using ::testing::Not;

// What outlives a crash.
struct World {
  struct Side {
    std::string live;  // "" is nothing
    std::optional<std::string> other;
    bool swapped = false;
  };
  struct Service {
    bool runs = true;
    bool is_held = false;
  };
  std::map<std::string, Side> parts;
  std::map<std::string, Service> services;
  bool has_context = false;
  bool is_committed = false;

  // Steps are counted from 1. The one with the number `fails_at` fails and changes nothing; with `stays_off` all after
  // it, too.
  int steps = 0;
  int fails_at = 0;
  bool stays_off = false;
  std::string done;  // since somebody looked
  Result<void> step(const std::string& what) {
    ++steps;
    done += what + "\n";
    if (fails_at != 0 && (steps == fails_at || (stays_off && steps > fails_at))) return fail(what + " failed");
    return {};
  }
};

class ModelPart final : public surface::RestorePart {
 public:
  ModelPart(World& world, std::string name) : world_(world), name_(std::move(name)) {}
  Result<void> inspect(std::vector<surface::Finding>& findings) override {
    findings.clear();
    return {};
  }
  Result<std::string> stage(surface::PartSource& files, base::Progress& progress) override {
    progress.update("staging", 0, 0, "");
    TRY(files.next());
    TRY(world_.step("stage " + name_));
    side().other = "new";
    side().swapped = false;
    TRY(world_.step("make " + name_ + " durable"));
    return "mark of " + name_;
  }
  Result<std::vector<Count>> check(std::string_view mark, base::Progress& progress) override {
    progress.update("checking", 0, 0, "");
    EXPECT_EQ(mark, "mark of " + name_);
    TRY(world_.step("check " + name_));
    return std::vector<Count>{{"files", 1}};
  }
  Result<void> swap(std::string_view mark) override { return turn(mark, true); }
  Result<void> swap_back(std::string_view mark) override { return turn(mark, false); }
  Result<std::vector<Count>> count_live() override { return std::vector<Count>{{"files", 1}}; }
  Result<bool> has_other(std::string_view mark) override {
    EXPECT_EQ(mark, "mark of " + name_);
    return side().other && !side().other->empty();
  }
  Result<void> discard(std::string_view mark) override {
    EXPECT_THAT(mark, AnyOf("", "mark of " + name_));
    TRY(world_.step("discard " + name_));
    side().other.reset();
    return {};
  }

 private:
  World::Side& side() { return world_.parts.at(name_); }
  Result<void> turn(std::string_view mark, bool forward) {
    EXPECT_EQ(mark, "mark of " + name_);
    TRY(world_.step("swap " + name_));
    if (!side().other || side().swapped == forward) return {};
    std::swap(side().live, *side().other);
    side().swapped = forward;
    return {};
  }

  World& world_;
  const std::string name_;
};

class ModelControl final : public ServiceControl {
 public:
  explicit ModelControl(World& world) : world_(world) {}
  Result<void> hold_down(const std::string& service) override {
    TRY(world_.step("stop " + service));
    world_.services.at(service) = {.runs = false, .is_held = true};
    return {};
  }
  Result<void> let_up(const std::string& service) override {
    TRY(world_.step("let up " + service));
    world_.services.at(service).is_held = false;
    return {};
  }
  Result<void> start(const std::string& service, base::Progress& progress) override {
    progress.update("starting", 0, 0, "");
    TRY(world_.step("start " + service));
    EXPECT_FALSE(world_.services.at(service).is_held) << service;
    world_.services.at(service).runs = true;
    return {};
  }

 private:
  World& world_;
};

class StagedRestoreModel : public ::testing::Test {
 protected:
  // An engine with a part of its own and one within it, and a service with two parts, of which one replaces nothing.
  static World world() {
    World world;
    world.parts = {
        {"db/files", {"old", {}}}, {"db/redis", {"old", {}}}, {"notes/files", {"old", {}}}, {"notes/sqlite", {"", {}}}};
    world.services = {{"db", {}}, {"notes", {}}};
    return world;
  }

  static std::vector<RestoredPart> parts_of(World& world, const std::vector<JournalPart>& places) {
    using bundle::SurfaceKind;
    std::vector<RestoredPart> parts;
    for (const JournalPart& place : places) {
      RestoredPart part;
      part.place = place;
      part.kind = place.surface == "redis" ? SurfaceKind::kRedis
                                           : (place.surface == "sqlite" ? SurfaceKind::kSqlite : SurfaceKind::kFiles);
      part.part = std::make_unique<ModelPart>(world, place.service + "/" + place.surface);
      parts.push_back(std::move(part));
    }
    return parts;
  }

  static StagedRestoreOptions options(World& world, RestoreJournal journal) {
    const auto set = [&world](bool there) {
      return [&world, there](const RestoreJournal& of) -> Result<void> {
        TRY(world.step("context " + of.added_contexts.at(0).name));
        world.has_context = there;
        return {};
      };
    };
    return {std::move(journal), {"db"}, set(true), set(false)};
  }

  RestoreJournals journals(testing::SimFileSystem& fs) {
    return {env::Env{fs, clock_, random_, log_}, home::HomePaths{"/home"}};
  }

  // From the first step to the last; an error is where it ended.
  Result<void> restore(World& world, testing::SimFileSystem& fs) {
    RestoreJournals journals = this->journals(fs);
    ModelControl control(world);
    base::NoProgress progress;
    RestoreJournal journal;
    journal.id = "0123456789abcdef";
    journal.services = {"db", "notes"};
    journal.added_contexts = {{"geomind", 7}};
    std::vector<JournalPart> places;
    for (const auto& [name, side] : world.parts) {
      const std::size_t slash = name.find('/');
      places.push_back({name.substr(0, slash), name.substr(slash + 1), "geomind", ""});
    }
    StagedRestore restore(journals, control, parts_of(world, places), options(world, journal));
    TRY(restore.begin());
    for (std::size_t i = 0; i < restore.parts().size(); ++i) {
      auto files = TRY(surface::SpooledPart::make({fs, clock_, random_, log_}, {"/", spool::Secrecy::kPlain, 1024}));
      TRY(restore.stage(i, files, progress));
    }
    TRY(restore.check(progress));
    TRY(restore.switch_over(progress));
    if (const auto committed = world.step("commit"); !committed) {
      TRY(restore.switch_back());
      return committed;
    }
    world.is_committed = true;
    TRY(restore.finish());
    return {};
  }

  // What every start does.
  Result<void> recover(World& world, testing::SimFileSystem& fs) {
    RestoreJournals journals = this->journals(fs);
    ModelControl control(world);
    base::NoProgress progress;
    for (RestoreJournal& journal : TRY(journals.all())) {
      auto parts = parts_of(world, journal.parts);
      StagedRestore restore(journals, control, std::move(parts), options(world, std::move(journal)));
      TRY(restore.recover(world.is_committed));
      // Whoever reads it starts what did not start.
      for (auto& [name, service] : world.services) {
        if (restore.not_started().find(name + " does not start again") != std::string::npos) service.runs = true;
      }
    }
    return {};
  }

  void expect_whole(const World& world, testing::SimFileSystem& fs) {
    const bool is_new = world.is_committed;
    for (const auto& [name, side] : world.parts) {
      const std::string old = name == "notes/sqlite" ? "" : "old";
      EXPECT_EQ(side.live, is_new ? "new" : old) << name;
      if (is_new) {
        EXPECT_TRUE(!side.other || *side.other == old) << name;
      } else {
        EXPECT_FALSE(side.other) << name << " is staged for ever";
      }
    }
    for (const auto& [name, service] : world.services) {
      EXPECT_TRUE(service.runs && !service.is_held) << name;
    }
    EXPECT_EQ(world.has_context, is_new);
    const auto left = journals(fs).all();
    ASSERT_TRUE(left) << left.error().message;
    ASSERT_EQ(left->size(), is_new ? 1u : 0u);
    if (is_new) {
      EXPECT_EQ(left->front().phase, RestorePhase::kPrevious);
    }
  }

  static std::unique_ptr<testing::SimFileSystem> file_system() {
    auto fs = std::make_unique<testing::SimFileSystem>();
    EXPECT_TRUE(env::make_directories(*fs, "/home"));
    return fs;
  }

  testing::FakeClock clock_;
  env::SystemRandom random_;
  env::NullLog log_;
};

TEST_F(StagedRestoreModel, BringsAllPartsAndKeepsWhatWasReplaced) {
  World world = this->world();
  const auto fs = file_system();
  const auto done = restore(world, *fs);
  ASSERT_TRUE(done) << done.error().message;
  expect_whole(world, *fs);
  const auto kept = journals(*fs).all();
  ASSERT_TRUE(kept);
  EXPECT_EQ(kept->front().parts.size(), 4u);
  EXPECT_EQ(kept->front().parts[1].mark, "mark of db/redis");
  ASSERT_TRUE(recover(world, *fs)) << "nothing is to be done";
  expect_whole(world, *fs);
}

TEST_F(StagedRestoreModel, AStepThatFailsTakesEverythingBack) {
  for (int step = 1;; ++step) {
    SCOPED_TRACE(step);
    World world = this->world();
    world.fails_at = step;
    const auto fs = file_system();
    const auto done = restore(world, *fs);
    if (world.steps < step) {
      EXPECT_TRUE(done);
      EXPECT_GT(step, 24) << "all steps were tried";
      break;
    }
    EXPECT_FALSE(done);
    EXPECT_FALSE(world.is_committed);
    expect_whole(world, *fs);
    ASSERT_TRUE(recover(world, *fs));
    expect_whole(world, *fs);
  }
}

TEST_F(StagedRestoreModel, ACrashAtAnyStepIsFinishedOrTakenBack) {
  bool kept_old = false;
  bool kept_new = false;
  for (int step = 1;; ++step) {
    SCOPED_TRACE(step);
    World world = this->world();
    world.fails_at = step;
    world.stays_off = true;
    const auto fs = file_system();
    (void)restore(world, *fs);
    const bool crashed = world.steps >= step;
    world.fails_at = 0;
    ASSERT_TRUE(recover(world, *fs));
    expect_whole(world, *fs);
    (world.is_committed ? kept_new : kept_old) = true;
    if (!crashed) break;
  }
  EXPECT_TRUE(kept_old && kept_new);
}

// What is live after the commit line is the services' own: it may have changed, and no part is swapped again for it.
TEST_F(StagedRestoreModel, WhatWasCommittedIsOnlyFinished) {
  bool was_finished = false;
  for (std::uint64_t call = 1;; ++call) {
    SCOPED_TRACE(call);
    World world = this->world();
    const auto fs = file_system();
    fs->cut_at(fs->calls() + call);
    (void)restore(world, *fs);
    const bool cut = fs->is_off();
    fs->reboot(testing::Survivors::synced_only());
    world.done.clear();
    ASSERT_TRUE(recover(world, *fs));
    if (!cut) break;
    if (!world.is_committed) continue;
    was_finished = was_finished || !world.done.empty();
    EXPECT_THAT(world.done, Not(AnyOf(HasSubstr("swap"), HasSubstr("stop"), HasSubstr("start"))));
    expect_whole(world, *fs);
  }
  EXPECT_TRUE(was_finished);
}

TEST_F(StagedRestoreModel, ACrashInTheRecoveryIsRecoveredToo) {
  for (int step = 9;; ++step) {
    World crashed = this->world();
    crashed.fails_at = step;
    crashed.stays_off = true;
    const auto before = file_system();
    (void)restore(crashed, *before);
    if (crashed.steps < step) break;
    for (int again = 1;; ++again) {
      SCOPED_TRACE(std::to_string(step) + " " + std::to_string(again));
      World world = this->world();
      world.fails_at = step;
      world.stays_off = true;
      const auto fs = file_system();
      (void)restore(world, *fs);
      world.steps = 0;
      world.fails_at = again;
      (void)recover(world, *fs);
      const bool crashed_again = world.steps >= again;
      world.fails_at = 0;
      ASSERT_TRUE(recover(world, *fs));
      expect_whole(world, *fs);
      if (!crashed_again) break;
    }
  }
}

TEST_F(StagedRestoreModel, APowerCutAtAnyCallOfTheJournalIsFinishedOrTakenBack) {
  for (std::uint64_t call = 1;; ++call) {
    SCOPED_TRACE(call);
    World world = this->world();
    const auto fs = file_system();
    const std::uint64_t before = fs->calls();
    fs->cut_at(before + call);
    (void)restore(world, *fs);
    const bool cut = fs->is_off();
    fs->reboot(testing::Survivors::synced_only());
    ASSERT_TRUE(recover(world, *fs));
    expect_whole(world, *fs);
    if (!cut) break;
  }
}

TEST_F(StagedRestoreModel, AJournalThatCannotBeReadStopsAndIsNamed) {
  const auto fs = file_system();
  ASSERT_TRUE(env::make_directories(*fs, "/home/restores"));
  ASSERT_TRUE(env::write_file_atomically(*fs, "/home/restores/0123456789abcdef.json", "{\"id\":\"x\"}\n"));
  const auto all = journals(*fs).all();
  ASSERT_FALSE(all);
  EXPECT_THAT(all.error().message, HasSubstr("/home/restores/0123456789abcdef.json"));
  ASSERT_TRUE(journals(*fs).remove("0123456789abcdef"));
  ASSERT_TRUE(journals(*fs).remove("0123456789abcdef"));
  EXPECT_THAT(*journals(*fs).all(), IsEmpty());
}

}  // namespace
}  // namespace spl::operation
