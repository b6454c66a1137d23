#include "env/json_log.h"

#include <gtest/gtest.h>

#include <thread>
#include <vector>

#include "base/utf8.h"
#include "testing/fake_clock.h"
#include "testing/sim_file_system.h"

namespace spl::env {
namespace {

class JsonLogTest : public ::testing::Test {
 protected:
  std::string content(const std::string& path) {
    const auto tree = fs_.contents();
    const auto file = tree.find(path);
    return file == tree.end() ? "(none)" : file->second;
  }
  spl::testing::SimFileSystem fs_;
  spl::testing::FakeClock clock_;
};

TEST_F(JsonLogTest, WritesOneObjectALine) {
  JsonLog log(fs_, clock_, "/log");
  log.write(LogLevel::kInfo, "started", {});
  clock_.advance(std::chrono::seconds(1));
  log.write(LogLevel::kError, "failed",
            {{"path", "/a\"b\n"}, {"count", 3}, {"took", std::chrono::microseconds(1500)}, {"whole", false}});
  EXPECT_EQ(content("/log"), R"({"time":"2026-01-31T12:00:00Z","level":"info","event":"started"})"
                             "\n"
                             R"({"time":"2026-01-31T12:00:01Z","level":"error","event":"failed",)"
                             R"("path":"/a\"b\n","count":3,"took":1.500,"whole":false})"
                             "\n");
}

TEST_F(JsonLogTest, AppendsToWhatIsThere) {
  JsonLog(fs_, clock_, "/log").write(LogLevel::kInfo, "one", {});
  JsonLog(fs_, clock_, "/log").write(LogLevel::kWarn, "two", {});
  EXPECT_EQ(content("/log"), R"({"time":"2026-01-31T12:00:00Z","level":"info","event":"one"})"
                             "\n"
                             R"({"time":"2026-01-31T12:00:00Z","level":"warn","event":"two"})"
                             "\n");
}

TEST_F(JsonLogTest, ALineThatWasCutShortStaysAlone) {
  ASSERT_TRUE(write_file_atomically(fs_, "/log", R"({"time":"20)"));
  JsonLog(fs_, clock_, "/log").write(LogLevel::kInfo, "one", {});
  EXPECT_TRUE(content("/log").starts_with("{\"time\":\"20\n{\"time\":\"2026"));
}

TEST_F(JsonLogTest, ForeignOctetsAreEscaped) {
  JsonLog log(fs_, clock_, "/log");
  log.write(LogLevel::kInfo, "e", {{"name", "a\xFF\x80 b\xC3"}, {"\xFE", "é"}});
  EXPECT_TRUE(base::is_utf8(content("/log")));
  EXPECT_NE(content("/log").find(R"("name":"a\\xff\\x80 b\\xc3")"), std::string::npos) << content("/log");
  EXPECT_NE(content("/log").find(R"("\\xfe":"é")"), std::string::npos);
}

TEST_F(JsonLogTest, LongValuesAreCutBetweenCharacters) {
  JsonLog log(fs_, clock_, "/log");
  std::string value = "x";
  while (value.size() <= kLogValueBytesMax) value += "é";
  log.write(LogLevel::kInfo, "e", {{"v", value}, {"bad", std::string(kLogValueBytesMax * 2, '\xFF')}});
  EXPECT_TRUE(base::is_utf8(content("/log")));
  EXPECT_NE(content("/log").find("é...\""), std::string::npos);
  EXPECT_LT(content("/log").size(), 6 * kLogValueBytesMax + 200);
}

TEST_F(JsonLogTest, RotatesAndForgetsTheOldest) {
  constexpr int kFiles = kLogFilesOldMax + 3;
  for (int i = 0; i < kFiles; ++i) {
    if (i > 0) {
      // As if the file were full.
      auto file = *fs_.open("/log", OpenMode::kReadWrite);
      ASSERT_TRUE(file->write_at(kLogFileBytesMax - 1, "\n"));
    }
    JsonLog log(fs_, clock_, "/log");
    log.write(LogLevel::kInfo, "file", {{"number", i}});
    log.write(LogLevel::kInfo, "second", {});
  }
  const auto holds = [&](const std::string& path, int number) {
    return content(path).find("\"number\":" + std::to_string(number) + "}") != std::string::npos;
  };
  EXPECT_TRUE(holds("/log", kFiles - 1));
  EXPECT_TRUE(content("/log").ends_with("\"second\"}\n"));
  for (int old = 1; old <= kLogFilesOldMax; ++old) {
    EXPECT_TRUE(holds("/log." + std::to_string(old), kFiles - 1 - old)) << old;
  }
  EXPECT_EQ(fs_.contents().size(), static_cast<std::size_t>(kLogFilesOldMax) + 1);
}

TEST_F(JsonLogTest, AFailureIsDroppedAndTheNextEventIsWritten) {
  // Open, size, and the first two writes.
  for (std::uint64_t call = 1; call <= 4; ++call) {
    fs_.reboot(spl::testing::Survivors::everything());
    ASSERT_TRUE(fs_.remove("/log"));
    JsonLog log(fs_, clock_, "/log");
    fs_.fail_at(fs_.calls() + call, spl::testing::SimError::kEnospc);
    log.write(LogLevel::kInfo, "one", {});
    log.write(LogLevel::kInfo, "two", {});
    log.write(LogLevel::kInfo, "three", {});
    EXPECT_TRUE(content("/log").ends_with("\"event\":\"three\"}\n")) << call;
  }
}

TEST_F(JsonLogTest, LinesOfManyThreadsDoNotMix) {
  JsonLog log(fs_, clock_, "/log");
  std::vector<std::thread> threads;
  for (int i = 0; i < 4; ++i) {
    threads.emplace_back([&log] {
      for (int k = 0; k < 50; ++k) log.write(LogLevel::kInfo, "e", {});
    });
  }
  for (std::thread& thread : threads) thread.join();
  const std::string line = R"({"time":"2026-01-31T12:00:00Z","level":"info","event":"e"})"
                           "\n";
  std::string expected;
  for (int i = 0; i < 200; ++i) expected += line;
  EXPECT_EQ(content("/log"), expected);
}

}  // namespace
}  // namespace spl::env
