// What becomes of a file that is there already.
#include "env/output_file.h"

#include <gtest/gtest.h>
#include <linux/filter.h>
#include <linux/seccomp.h>
#include <sys/prctl.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#include <array>
#include <cerrno>
#include <cstddef>

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

// As FAT and SMB have it: every file can be read by all, and chmod(2) is refused.
class WithoutModes final : public PosixFileSystem {
 public:
  Result<std::unique_ptr<File>> open(const std::string& path, OpenMode how, std::uint32_t mode) override {
    if (how == OpenMode::kCreateNew) return base::fail_errno("cannot open " + path, EPERM);
    auto file = TRY(PosixFileSystem::open(path, how, mode));
    TRY(set_mode(path, 0755));
    return file;
  }
  Result<std::unique_ptr<UnnamedFile>> open_nameable(const std::string&, std::uint32_t) override {
    return std::unique_ptr<UnnamedFile>();
  }
};

TEST(OutputFileWithoutModes, HoldsOnlyWhatOthersMaySee) {
  const testing::TempDirectory scratch;
  WithoutModes fs;
  SystemClock clock;
  SystemRandom random;
  NullLog log;
  base::NoProgress progress;
  const Env env{fs, clock, random, log};
  const std::string path = join(scratch.path(), "f");
  const auto is_sealed = [](std::string_view first) { return first.starts_with("sealed"); };
  {
    const auto plain = OutputFile::create(env, path, progress, Existing::kKept, is_sealed);
    ASSERT_TRUE(plain) << plain.error().message;
    EXPECT_TRUE((*plain)->others_can_read());
    const auto written = (*plain)->write("plain");
    ASSERT_FALSE(written);
    EXPECT_EQ(written.error().code, ErrorCode::kRefused);
  }
  EXPECT_EQ(fs.list(scratch.path()).value().size(), 0u);
  const auto sealed = OutputFile::create(env, path, progress, Existing::kKept, is_sealed);
  ASSERT_TRUE(sealed);
  ASSERT_TRUE((*sealed)->write("sealed"));
  ASSERT_TRUE((*sealed)->write("whatever"));
  ASSERT_TRUE((*sealed)->commit());
  EXPECT_EQ(read_file(fs, path, 100).value(), "sealedwhatever");
}

// The kernel refuses this process the call from then on. Source: seccomp(2).
bool deny(unsigned call, int reason) {
  std::array<sock_filter, 4> program{{BPF_STMT(BPF_LD | BPF_W | BPF_ABS, offsetof(seccomp_data, nr)),
                                      BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, call, 0, 1),
                                      BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_ERRNO | static_cast<unsigned>(reason)),
                                      BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_ALLOW)}};
  sock_fprog filter{static_cast<unsigned short>(program.size()), program.data()};
  return ::prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) == 0 && ::prctl(PR_SET_SECCOMP, SECCOMP_MODE_FILTER, &filter) == 0;
}

// Android, AppArmor: no link(2). SMB, GVfs, WebDAV: no chmod(2).
TEST_P(OutputFileTest, IsMadeWhereAFileSystemCannotDoAll) {
  for (const auto& [call, reason] : {std::pair(SYS_linkat, EPERM), std::pair(SYS_linkat, EACCES),
                                     std::pair(SYS_fchmod, EOPNOTSUPP), std::pair(SYS_fchmod, EPERM)}) {
    const pid_t child = ::fork();
    if (child == 0)
      ::_exit(deny(static_cast<unsigned>(call), reason) && write(Existing::kKept, "first") &&
                      !write(Existing::kKept, "second") && write(Existing::kReplaced, "third")
                  ? 0
                  : 1);
    int status = 0;
    ASSERT_EQ(::waitpid(child, &status, 0), child);
    EXPECT_EQ(status, 0) << call << " " << reason;
    EXPECT_EQ(content(), "third");
    EXPECT_EQ(names(), 1u);
    ASSERT_TRUE(fs_.remove(path()));
  }
}

INSTANTIATE_TEST_SUITE_P(Posix, OutputFileTest,
                         ::testing::Values(PosixFileSystem::Unnamed::kTmpfile,
                                           PosixFileSystem::Unnamed::kCreateAndUnlink));

}  // namespace
}  // namespace spl::env
