#include "spool/spool.h"

#include <gtest/gtest.h>

#include "env/posix_env.h"
#include "env/posix_file_system.h"
#include "spool/receive.h"
#include "testing/fake_clock.h"
#include "testing/sim_file_system.h"
#include "testing/temp_directory.h"
#include "testing/tree_contents.h"

namespace spl::spool {
namespace {

class SpoolOf : public ::testing::TestWithParam<SpoolOptions> {
 protected:
  Spool make() {
    SpoolOptions options = GetParam();
    options.directory = directory_.path();
    auto spool = Spool::make({fs_, clock_, random_, log_}, options);
    EXPECT_TRUE(spool);
    return std::move(*spool);
  }

  env::PosixFileSystem fs_;
  testing::FakeClock clock_;
  env::SystemRandom random_;
  env::NullLog log_;
  testing::TempDirectory directory_;
};

INSTANTIATE_TEST_SUITE_P(, SpoolOf,
                         ::testing::Values(SpoolOptions{"", Secrecy::kPlain, 0},
                                           SpoolOptions{"", Secrecy::kEncrypted, 0},
                                           SpoolOptions{"", Secrecy::kPlain, 100'000},
                                           SpoolOptions{"", Secrecy::kEncrypted, 100'000},
                                           SpoolOptions{"", Secrecy::kEncrypted, 10'000'000}),
                         [](const auto& options) {
                           return std::string(options.param.secrecy == Secrecy::kPlain ? "Plain" : "Encrypted") +
                                  std::to_string(options.param.held_bytes_max);
                         });

TEST_P(SpoolOf, GivesBackWhatWasAppended) {
  Spool spool = make();
  std::string all;
  for (std::size_t i = 0; i < 300; ++i) {
    const std::string piece(i * 37, static_cast<char>('a' + i % 26));
    ASSERT_TRUE(spool.append(piece));
    all += piece;
  }
  EXPECT_EQ(spool.size_bytes(), all.size());
  base::StringSink out;
  ASSERT_TRUE(spool.write_to(out));
  EXPECT_TRUE(out.text == all);
  // From any place, and fewer at the end alone.
  for (const std::size_t at : {std::size_t{0}, std::size_t{1}, std::size_t{65'537}, all.size() - 5, all.size()}) {
    std::string part(10, '\0');
    part.resize(spool.read_at(at, part).value());
    EXPECT_EQ(part, all.substr(at, 10)) << at;
  }
}

TEST_P(SpoolOf, HasNoName) {
  Spool spool = make();
  ASSERT_TRUE(spool.append("secret"));
  EXPECT_TRUE(testing::tree_contents(directory_.path()).empty());
}

TEST_P(SpoolOf, OfNothingIsEmpty) {
  Spool spool = make();
  base::StringSink out;
  ASSERT_TRUE(spool.write_to(out));
  EXPECT_EQ(out.text, "");
}

TEST(BoundedLines, EndWhereALineIsLongerThanItMayBe) {
  base::StringSource rest("56\n123456\n1234567\n");
  auto lines = BoundedLines::after("1\n1234", rest, 6);
  ASSERT_TRUE(lines);
  char one[4];
  Result<std::size_t> read = 1;
  while (read && *read > 0) read = lines->read(one);
  ASSERT_FALSE(read);
  EXPECT_EQ(read.error().code, ErrorCode::kUsage);
  EXPECT_EQ(read.error().message, "line 4: longer than a record may be");
  EXPECT_FALSE(BoundedLines::after("1234567", rest, 6));
}

// A stream that does not end is given up while there is still room for something else.
TEST(Received, KeepsSomeRoomOnItsDisk) {
  struct Endless final : Source {
    Result<std::size_t> read(std::span<char> out) override {
      read_bytes += out.size();
      std::ranges::fill(out, 'x');
      return out.size();
    }
    std::uint64_t read_bytes = 0;
  } endless;
  testing::SimFileSystem fs;
  ASSERT_TRUE(fs.make_directory("/run"));
  testing::FakeClock clock;
  env::SystemRandom random;
  env::NullLog log;
  fs.set_free_bytes(kRoomKeptBytes - 1);
  base::NoProgress progress;
  const auto received = Received::all_of({fs, clock, random, log}, "/run", endless, progress, "receiving");
  ASSERT_FALSE(received);
  EXPECT_EQ(received.error().cause, Cause::kNoSpace);
  EXPECT_LT(endless.read_bytes, 32u << 20);
}

}  // namespace
}  // namespace spl::spool
