#include "instance/ingest.h"

#include <gtest/gtest.h>

#include "env/posix_env.h"
#include "env/posix_file_system.h"
#include "record/thread.h"
#include "testing/fake_clock.h"
#include "testing/temp_directory.h"

namespace spl::instance {
namespace {

Emission emission(record::Act act, const std::optional<std::string>& thread = {}) {
  Emission made;
  made.act = act;
  made.text = "all of it";
  made.thread = thread;
  return made;
}

// 252,000 names of what ended it would be longer than a record may be.
TEST(Emit, AnIntendOpensAThreadAnewThatVeryManyRecordsHaveEnded) {
  testing::TempDirectory home;
  env::PosixFileSystem fs;
  env::SystemClock clock;
  env::SystemRandom random;
  testing::MemoryLog log;
  const auto opened =
      Instance::open({fs, clock, random, log}, {.home = home.path() + "/home", .store_url = {}}, OpenFor::kCreating);
  ASSERT_TRUE(opened) << opened.error().message;
  Instance& instance = **opened;
  ASSERT_TRUE(instance.generate_identity());
  const auto first = emit(instance, emission(record::Act::kIntend));
  ASSERT_TRUE(first) << first.error().message;
  std::vector<Record> endings;
  for (int i = 0; i < 10'001; ++i) {
    endings.push_back(record::parse_record(R"({"act":"KNOW","actor":"did:x:)" + std::to_string(i % 2) +
                                           R"(","body":{"fulfills":")" + first->id.hex() + R"("},"clock":)" +
                                           std::to_string(i) + R"(,"data_type":"SCALAR","parents":[],"thread":")" +
                                           first->thread + "\"}")
                          .value());
  }
  ASSERT_TRUE(put_records(instance, endings));
  const auto state = [&] { return instance.store().reader().value()->thread(first->thread).value()->state; };
  ASSERT_EQ(state(), record::ThreadState::kClosed);
  const auto again = emit(instance, emission(record::Act::kIntend, first->thread));
  ASSERT_TRUE(again) << again.error().message;
  EXPECT_EQ(state(), record::ThreadState::kOpen);
  const auto record = instance.store().reader().value()->find(again->id);
  ASSERT_TRUE(record && *record);
  EXPECT_LT((*record)->parents().size(), 1000u);
  EXPECT_EQ(record::body_string((*record)->body(), "answers"), record::kAnswersEarlier);
  ASSERT_TRUE(emit(instance, emission(record::Act::kDo, first->thread)));
  EXPECT_EQ(state(), record::ThreadState::kActive);
}

}  // namespace
}  // namespace spl::instance
