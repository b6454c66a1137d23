// What becomes of a file that is there already.
#include "env/output_file.h"

#include <gtest/gtest.h>

#include "env/posix_env.h"
#include "env/posix_file_system.h"
#include "testing/temp_directory.h"

namespace spl::env {
namespace {

// On file systems that have files without a name, and on others.
class OutputFileTest : public ::testing::TestWithParam<PosixFileSystem::Unnamed> {
 protected:
  [[nodiscard]] Env env() { return {fs_, clock_, random_, log_}; }
  [[nodiscard]] std::string path() const { return join(scratch_.path(), "f"); }
  Result<std::unique_ptr<OutputFile>> create(Existing existing) {
    return OutputFile::create(env(), path(), progress_, existing);
  }
  Result<void> write(Existing existing, std::string_view content) {
    const auto file = TRY(create(existing));
    TRY(file->write(content));
    return file->commit();
  }
  std::string content() { return read_file(fs_, path(), 100).value(); }
  [[nodiscard]] std::size_t names() { return fs_.list(scratch_.path()).value().size(); }

  testing::TempDirectory scratch_;
  PosixFileSystem fs_{GetParam()};
  SystemClock clock_;
  SystemRandom random_;
  NullLog log_;
  base::NoProgress progress_;
};

TEST_P(OutputFileTest, IsMadeWhereNothingIs) {
  EXPECT_TRUE(write(Existing::kKept, "new"));
  EXPECT_EQ(content(), "new");
  EXPECT_EQ(names(), 1u);
}

TEST_P(OutputFileTest, ReplacesAFileOnlyWhereItMay) {
  ASSERT_TRUE(write(Existing::kKept, "old"));
  const auto refused = write(Existing::kKept, "new");
  ASSERT_FALSE(refused);
  EXPECT_EQ(refused.error().code, ErrorCode::kRefused);
  EXPECT_EQ(refused.error().cause, Cause::kFileExists);
  EXPECT_EQ(content(), "old");
  EXPECT_TRUE(write(Existing::kReplaced, "new"));
  EXPECT_EQ(content(), "new");
  EXPECT_EQ(names(), 1u);
}

TEST_P(OutputFileTest, KeepsAFileThatCameWhileItWasWritten) {
  {
    const auto file = create(Existing::kKept);
    ASSERT_TRUE(file);
    ASSERT_TRUE((*file)->write("new"));
    ASSERT_TRUE(write(Existing::kKept, "first"));
    const auto committed = (*file)->commit();
    ASSERT_FALSE(committed);
    EXPECT_EQ(committed.error().cause, Cause::kFileExists);
  }
  EXPECT_EQ(content(), "first");
  EXPECT_EQ(names(), 1u);
}

INSTANTIATE_TEST_SUITE_P(Posix, OutputFileTest,
                         ::testing::Values(PosixFileSystem::Unnamed::kTmpfile,
                                           PosixFileSystem::Unnamed::kCreateAndUnlink));

}  // namespace
}  // namespace spl::env
