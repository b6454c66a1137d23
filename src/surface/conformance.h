// What every driver promises, whatever its kind: the suite that each of them passes. A driver's test defines a fixture
// and says INSTANTIATE_TYPED_TEST_SUITE_P(Kind, DriverConformance, TheFixture).
//
// A fixture has:
//   const Surroundings& surroundings();
//   Place place(int n);                      // 0 and 1: two places that share nothing; nothing is there at first
//   void fill(const Place&, int variant);    // 1 and 2: replaces what is there by one of two states that differ
//   std::string state(const Place&);         // what a client sees there, as text; "" where nothing is
//   std::string why_not();                   // if it has it: why nothing can be tried on this machine; "" if it can
//   std::string traces();                    // whatever else there is beside the places: staged, previous, roles,
//   files std::unique_ptr<BackupPart> backup(Place); std::unique_ptr<RestorePart> restore(Place, RestoreRequest);
#pragma once

#include <gtest/gtest.h>

#include <algorithm>
#include <chrono>
#include <memory>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "surface/part.h"
#include "surface/spooled_part.h"

namespace spl::surface {

template <class Fixture>
class DriverConformance : public ::testing::Test {
 protected:
  static constexpr std::string_view kId = "0123456789abcdef";

  void SetUp() override {
    if constexpr (requires { fixture_.why_not(); }) {
      if (!fixture_.why_not().empty()) GTEST_SKIP() << fixture_.why_not();
    }
  }

  SpooledPart spool() {
    auto made = SpooledPart::make(fixture_.surroundings().env, fixture_.surroundings().spool);
    EXPECT_TRUE(made) << made.error().message;
    return std::move(*made);
  }

  std::chrono::nanoseconds soon() { return fixture_.surroundings().env.clock.since_boot() + std::chrono::seconds(60); }

  // Everything up to the end of the pause.
  std::unique_ptr<BackupPart> opened(int place) {
    auto part = fixture_.backup(fixture_.place(place));
    base::NoProgress progress;
    must(part->plan(progress));
    must(part->prepare(progress));
    must(part->hold(std::chrono::seconds(60)));
    const auto consistency = part->open(Writers::kPaused, soon());
    must(consistency);
    if (consistency) {
      EXPECT_EQ(*consistency, Consistency::kQuiesced);
    }
    part->release();
    return part;
  }

  SpooledPart streamed(BackupPart& part) {
    SpooledPart files = spool();
    base::NoProgress progress;
    must(part.stream(files, progress));
    files.rewind();
    return files;
  }

  SpooledPart taken(int place) { return streamed(*opened(place)); }

  static RestoreRequest request(InTheWay data = InTheWay::kIsReplaced) {
    return {.id = std::string(kId), .data = data, .signer = Trust::kOwn, .bytes = 1, .engine = ""};
  }
  std::unique_ptr<RestorePart> restore(int place, InTheWay data = InTheWay::kIsReplaced) {
    return fixture_.restore(fixture_.place(place), request(data));
  }

  std::string staged(RestorePart& part, SpooledPart& files) {
    base::NoProgress progress;
    files.rewind();
    auto mark = part.stage(files, progress);
    must(mark);
    if (!mark) return {};
    must(part.check(*mark, progress));
    return std::move(*mark);
  }

  static bool stops(RestorePart& part) {
    std::vector<Finding> findings;
    must(part.inspect(findings));
    return std::ranges::any_of(findings, [](const Finding& f) { return f.status == FindingStatus::kStop; });
  }

  template <class T>
  static void must(const Result<T>& result) {
    EXPECT_TRUE(result) << result.error().message << " (" << result.error().hint << ")";
  }

  std::string state(int place) { return fixture_.state(fixture_.place(place)); }

  Fixture fixture_;
};

TYPED_TEST_SUITE_P(DriverConformance);

TYPED_TEST_P(DriverConformance, WhatWasTakenComesBackWhereNothingWas) {
  this->fixture_.fill(this->fixture_.place(0), 1);
  const std::string before = this->state(0);
  ASSERT_NE(before, "");
  const std::string traces = this->fixture_.traces();
  SpooledPart files = this->taken(0);
  const auto part = this->restore(1, InTheWay::kStops);
  EXPECT_FALSE(this->stops(*part));
  const std::string mark = this->staged(*part, files);
  EXPECT_EQ(this->state(1), "");
  this->must(part->swap(mark));
  EXPECT_EQ(this->state(1), before);
  EXPECT_EQ(this->state(0), before);
  this->must(part->discard(mark));
  EXPECT_EQ(this->state(1), before);
  EXPECT_EQ(this->fixture_.traces(), traces);
}

TYPED_TEST_P(DriverConformance, TakesTheMomentAtWhichItWasOpened) {
  this->fixture_.fill(this->fixture_.place(0), 1);
  const std::string then = this->state(0);
  const auto backup = this->opened(0);
  this->fixture_.fill(this->fixture_.place(0), 2);
  ASSERT_NE(this->state(0), then);
  SpooledPart files = this->streamed(*backup);
  const auto part = this->restore(1);
  const std::string mark = this->staged(*part, files);
  this->must(part->swap(mark));
  EXPECT_EQ(this->state(1), then);
  this->must(part->discard(mark));
}

TYPED_TEST_P(DriverConformance, DataInTheWayIsFoundBeforeAnyWrite) {
  this->fixture_.fill(this->fixture_.place(1), 2);
  EXPECT_TRUE(this->stops(*this->restore(1, InTheWay::kStops)));
  EXPECT_FALSE(this->stops(*this->restore(1, InTheWay::kIsReplaced)));
}

TYPED_TEST_P(DriverConformance, EverySwapCanBeRepeatedAndTakenBack) {
  this->fixture_.fill(this->fixture_.place(0), 1);
  this->fixture_.fill(this->fixture_.place(1), 2);
  const std::string wanted = this->state(0);
  const std::string before = this->state(1);
  const std::string traces = this->fixture_.traces();
  SpooledPart files = this->taken(0);
  const auto part = this->restore(1);
  const std::string mark = this->staged(*part, files);
  EXPECT_EQ(this->state(1), before);
  this->must(part->swap_back(mark));
  EXPECT_EQ(this->state(1), before);
  for (int i = 0; i < 2; ++i) {
    this->must(part->swap(mark));
    EXPECT_EQ(this->state(1), wanted);
  }
  EXPECT_TRUE(part->has_other(mark).value_or(false));
  for (int i = 0; i < 2; ++i) {
    this->must(part->swap_back(mark));
    EXPECT_EQ(this->state(1), before);
  }
  this->must(part->swap(mark));
  this->must(part->discard(mark));
  this->must(part->discard(mark));
  EXPECT_EQ(this->state(1), wanted);
  EXPECT_EQ(this->fixture_.traces(), traces);
  EXPECT_FALSE(part->has_other(mark).value_or(true));
}

TYPED_TEST_P(DriverConformance, TheWayBackCanBeGoneAgainAfterADiscard) {
  this->fixture_.fill(this->fixture_.place(0), 1);
  for (const bool is_something_there : {false, true}) {
    if (is_something_there) this->fixture_.fill(this->fixture_.place(1), 2);
    const std::string before = this->state(1);
    const std::string traces = this->fixture_.traces();
    SpooledPart files = this->taken(0);
    const std::string mark = this->staged(*this->restore(1), files);
    this->must(this->restore(1)->swap(mark));
    for (int i = 0; i < 3; ++i) {
      const auto part = this->restore(1);
      this->must(part->swap_back(mark));
      this->must(part->discard(mark));
      EXPECT_EQ(this->state(1), before);
      EXPECT_EQ(this->fixture_.traces(), traces);
    }
  }
}

TYPED_TEST_P(DriverConformance, WhereNothingWasNothingIsAgainAfterASwapBack) {
  this->fixture_.fill(this->fixture_.place(0), 1);
  const std::string traces = this->fixture_.traces();
  SpooledPart files = this->taken(0);
  const auto part = this->restore(1);
  const std::string mark = this->staged(*part, files);
  this->must(part->swap(mark));
  EXPECT_EQ(this->state(1), this->state(0));
  for (int i = 0; i < 2; ++i) {
    this->must(part->swap_back(mark));
    EXPECT_EQ(this->state(1), "");
  }
  this->must(part->discard(mark));
  EXPECT_EQ(this->state(1), "");
  EXPECT_EQ(this->fixture_.traces(), traces);
}

TYPED_TEST_P(DriverConformance, WhatIsRetiredAfterTheCommitComesBackOrGoes) {
  this->fixture_.fill(this->fixture_.place(0), 1);
  this->fixture_.fill(this->fixture_.place(1), 2);
  const std::string wanted = this->state(0);
  const std::string before = this->state(1);
  const std::string traces = this->fixture_.traces();
  SpooledPart files = this->taken(0);
  for (const bool comes_back : {true, false}) {
    const std::string mark = this->staged(*this->restore(1), files);
    this->must(this->restore(1)->swap(mark));
    for (int i = 0; i < 2; ++i) {
      this->must(this->restore(1)->retire(mark));
      EXPECT_EQ(this->state(1), wanted);
      EXPECT_TRUE(this->restore(1)->has_other(mark).value_or(false));
      // It is done, and not done again.
      this->must(this->restore(1)->swap(mark));
      EXPECT_EQ(this->state(1), wanted);
    }
    for (int i = 0; i < 2 && comes_back; ++i) {
      this->must(this->restore(1)->swap_back(mark));
      EXPECT_EQ(this->state(1), before);
    }
    this->must(this->restore(1)->discard(mark));
    EXPECT_EQ(this->state(1), comes_back ? before : wanted);
    EXPECT_FALSE(this->restore(1)->has_other(mark).value_or(true));
    EXPECT_EQ(this->fixture_.traces(), traces);
  }
}

TYPED_TEST_P(DriverConformance, APartMadeAnewGoesOnWhereACrashLeftIt) {
  this->fixture_.fill(this->fixture_.place(0), 1);
  this->fixture_.fill(this->fixture_.place(1), 2);
  const std::string before = this->state(1);
  SpooledPart files = this->taken(0);
  const std::string mark = this->staged(*this->restore(1), files);
  this->must(this->restore(1)->swap(mark));
  EXPECT_EQ(this->state(1), this->state(0));
  this->must(this->restore(1)->swap_back(mark));
  EXPECT_EQ(this->state(1), before);
  this->must(this->restore(1)->swap(mark));
  this->must(this->restore(1)->discard(mark));
  EXPECT_EQ(this->state(1), this->state(0));
}

TYPED_TEST_P(DriverConformance, WhatACrashLeftStagedIsDiscardedWithoutItsMark) {
  this->fixture_.fill(this->fixture_.place(0), 1);
  this->fixture_.fill(this->fixture_.place(1), 2);
  const std::string before = this->state(1);
  const std::string traces = this->fixture_.traces();
  SpooledPart files = this->taken(0);
  (void)this->staged(*this->restore(1), files);
  this->must(this->restore(1)->discard(""));
  EXPECT_EQ(this->state(1), before);
  EXPECT_EQ(this->fixture_.traces(), traces);
}

TYPED_TEST_P(DriverConformance, StagingAgainBeginsAnew) {
  this->fixture_.fill(this->fixture_.place(0), 1);
  this->fixture_.fill(this->fixture_.place(1), 2);
  const std::string traces = this->fixture_.traces();
  SpooledPart files = this->taken(0);
  (void)this->staged(*this->restore(1), files);
  const auto part = this->restore(1);
  const std::string mark = this->staged(*part, files);
  this->must(part->swap(mark));
  EXPECT_EQ(this->state(1), this->state(0));
  this->must(part->discard(mark));
  EXPECT_EQ(this->fixture_.traces(), traces);
}

TYPED_TEST_P(DriverConformance, FilesThatAreNotAPartAreRefused) {
  this->fixture_.fill(this->fixture_.place(1), 2);
  const std::string before = this->state(1);
  const std::string traces = this->fixture_.traces();
  SpooledPart files = this->spool();
  this->must(files.add("nonsense", "not a part of anything"));
  files.rewind();
  const auto part = this->restore(1);
  base::NoProgress progress;
  const auto mark = part->stage(files, progress);
  ASSERT_FALSE(mark);
  EXPECT_EQ(mark.error().code, ErrorCode::kVerification) << mark.error().message;
  this->must(part->discard(""));
  EXPECT_EQ(this->state(1), before);
  EXPECT_EQ(this->fixture_.traces(), traces);
}

TYPED_TEST_P(DriverConformance, CountsWhatIsThere) {
  this->fixture_.fill(this->fixture_.place(0), 1);
  SpooledPart files = this->taken(0);
  const auto part = this->restore(1);
  files.rewind();
  base::NoProgress progress;
  const auto mark = part->stage(files, progress);
  this->must(mark);
  ASSERT_TRUE(mark);
  const auto staged = part->check(*mark, progress);
  this->must(staged);
  this->must(part->swap(*mark));
  const auto live = part->count_live();
  this->must(live);
  ASSERT_TRUE(staged && live);
  EXPECT_FALSE(live->empty());
  for (const Count& count : *live) {
    EXPECT_NE(std::ranges::find(*staged, count), staged->end()) << count.what << " " << count.number;
  }
  this->must(part->discard(*mark));
}

REGISTER_TYPED_TEST_SUITE_P(DriverConformance, WhatWasTakenComesBackWhereNothingWas, TakesTheMomentAtWhichItWasOpened,
                            DataInTheWayIsFoundBeforeAnyWrite, EverySwapCanBeRepeatedAndTakenBack,
                            TheWayBackCanBeGoneAgainAfterADiscard, WhereNothingWasNothingIsAgainAfterASwapBack,
                            WhatIsRetiredAfterTheCommitComesBackOrGoes, APartMadeAnewGoesOnWhereACrashLeftIt,
                            WhatACrashLeftStagedIsDiscardedWithoutItsMark, StagingAgainBeginsAnew,
                            FilesThatAreNotAPartAreRefused, CountsWhatIsThere);

}  // namespace spl::surface
