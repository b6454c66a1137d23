#include "env/posix_file_system.h"

#include <gtest/gtest.h>
#include <sys/stat.h>
#include <unistd.h>

#include <stdexcept>
#include <utility>

#include "testing/file_system_conformance.h"
#include "testing/temp_directory.h"

namespace spl::env {
namespace {

using spl::testing::FileSystemConformance;
using spl::testing::FileSystemMaker;
using spl::testing::FileSystemUnderTest;
using spl::testing::TempDirectory;

template <PosixFileSystem::Unnamed unnamed>
class PosixUnderTest final : public FileSystemUnderTest {
 public:
  static std::unique_ptr<FileSystemUnderTest> make() { return std::make_unique<PosixUnderTest>(); }
  FileSystem& fs() override { return fs_; }
  std::string root() override { return directory_.path(); }

 private:
  TempDirectory directory_;
  PosixFileSystem fs_{unnamed};
};

}  // namespace
}  // namespace spl::env

namespace spl::testing {

using Unnamed = env::PosixFileSystem::Unnamed;
INSTANTIATE_TEST_SUITE_P(Posix, FileSystemConformance,
                         ::testing::Values(FileSystemMaker{"tmpfile", env::PosixUnderTest<Unnamed::kTmpfile>::make},
                                           FileSystemMaker{"unlinked",
                                                           env::PosixUnderTest<Unnamed::kCreateAndUnlink>::make}),
                         file_system_maker_name);

}  // namespace spl::testing

namespace spl::env {
namespace {

// The value, or the end of the test.
template <class T>
T must(Result<T> result) {
  EXPECT_TRUE(result) << result.error().message;
  if (!result) throw std::runtime_error(result.error().message);
  return std::move(*result);
}
void must(const Result<void>& result) {
  EXPECT_TRUE(result) << result.error().message;
}

class PosixFileSystemTest : public ::testing::Test {
 protected:
  [[nodiscard]] std::string at(std::string_view name) const { return join(directory_.path(), name); }
  TempDirectory directory_;
  PosixFileSystem fs_;
};

TEST_F(PosixFileSystemTest, OpensNoSymbolicLink) {
  ASSERT_TRUE(write_file_atomically(fs_, at("target"), "kept"));
  ASSERT_EQ(::symlink(at("target").c_str(), at("link").c_str()), 0);
  ASSERT_EQ(::symlink(at("none").c_str(), at("dangling").c_str()), 0);
  for (const auto how : {OpenMode::kRead, OpenMode::kReadWrite, OpenMode::kCreate, OpenMode::kCreateNew}) {
    EXPECT_FALSE(fs_.open(at("link"), how));
    EXPECT_FALSE(fs_.open(at("dangling"), how));
  }
  EXPECT_FALSE(fs_.try_lock(at("dangling")));
  EXPECT_FALSE(fs_.info(at("none"))->has_value());
  EXPECT_EQ((**fs_.info(at("link"))).type, FileType::kSymlink);
}

TEST_F(PosixFileSystemTest, OpensNoFifo) {
  ASSERT_EQ(::mkfifo(at("fifo").c_str(), 0600), 0);
  EXPECT_FALSE(fs_.open(at("fifo"), OpenMode::kRead));
  EXPECT_FALSE(fs_.open(at("fifo"), OpenMode::kCreate));
  EXPECT_EQ((**fs_.info(at("fifo"))).type, FileType::kOther);
}

TEST_F(PosixFileSystemTest, RemovesALinkAndNotWhereItLeads) {
  ASSERT_TRUE(make_directories(fs_, at("outside")));
  ASSERT_TRUE(write_file_atomically(fs_, at("outside/f"), "kept"));
  ASSERT_TRUE(make_directories(fs_, at("tree")));
  ASSERT_EQ(::symlink(at("outside").c_str(), at("tree/link").c_str()), 0);
  ASSERT_TRUE(remove_tree(fs_, at("tree")));
  EXPECT_EQ(*read_file(fs_, at("outside/f"), 10), "kept");
  ASSERT_EQ(::symlink(at("outside").c_str(), at("link").c_str()), 0);
  ASSERT_TRUE(remove_tree(fs_, at("link")));
  EXPECT_EQ(*read_file(fs_, at("outside/f"), 10), "kept");
}

TEST_F(PosixFileSystemTest, MakesDirectoriesBelowALinkToADirectory) {
  ASSERT_TRUE(make_directories(fs_, at("real")));
  ASSERT_EQ(::symlink(at("real").c_str(), at("home").c_str()), 0);
  ASSERT_EQ(::symlink(at("none").c_str(), at("dangling").c_str()), 0);
  EXPECT_TRUE(make_directories(fs_, at("home/a")));
  EXPECT_TRUE(make_directories(fs_, at("home")));
  EXPECT_EQ(*fs_.list(at("home")), (std::vector<std::string>{"a"}));
  EXPECT_FALSE(make_directories(fs_, at("dangling")));
}

TEST_F(PosixFileSystemTest, GivesExactlyTheModeAskedForWhateverTheUmask) {
  const mode_t before = ::umask(0777);
  const bool file_made = fs_.open(at("f"), OpenMode::kCreateNew, 0640).has_value();
  const bool directory_made = fs_.make_directory(at("d"), 0750).has_value();
  const bool locked = fs_.try_lock(at("lock")).has_value();
  ::umask(before);
  ASSERT_TRUE(file_made && directory_made && locked);
  EXPECT_EQ((**fs_.info(at("f"))).mode, 0640u);
  EXPECT_EQ((**fs_.info(at("d"))).mode, 0750u);
  EXPECT_EQ((**fs_.info(at("lock"))).mode, 0600u);
}

TEST_F(PosixFileSystemTest, ALockHoldsAgainstAnotherFileSystemObject) {
  PosixFileSystem other;
  const auto held = *fs_.try_lock(at("lock"));
  EXPECT_FALSE(*other.try_lock(at("lock")));
}

TEST_F(PosixFileSystemTest, ShowsForeignNamesEscapedInErrors) {
  const auto file = fs_.open(at("a\nb"), OpenMode::kRead);
  ASSERT_FALSE(file);
  EXPECT_EQ(file.error().message.find('\n'), std::string::npos);
}

TEST_F(PosixFileSystemTest, AnOpenDirectoryReachesWhatIsInItWhateverBecomesOfItsName) {
  must(make_directories(fs_, at("tree/d/e")));
  must(write_file_atomically(fs_, at("tree/d/e/file"), "its own"));
  must(make_directories(fs_, at("foreign/e")));
  must(write_file_atomically(fs_, at("foreign/e/file"), "another's"));
  const auto root = must(fs_.open_directory(at("tree")));
  const auto directory = must(root->below("d/e"));
  ASSERT_TRUE(directory);
  must(fs_.rename(at("tree/d"), at("tree/moved")));
  must(fs_.make_symbolic_link(at("foreign"), at("tree/d")));
  const auto file = must(directory->open("file"));
  ASSERT_TRUE(file);
  std::string text(7, '\0');
  EXPECT_EQ(must(file->read_at(0, text)), 7U);
  EXPECT_EQ(text, "its own");
  EXPECT_EQ(must(directory->list()), std::vector<std::string>{"file"});
  EXPECT_EQ(must(directory->info("file"))->size_bytes, 7U);
  EXPECT_EQ(must(directory->info(""))->type, FileType::kDirectory);
  // Through the link there is nothing.
  EXPECT_FALSE(must(root->below("d/e")));
  EXPECT_FALSE(must(root->below("d")));
  EXPECT_FALSE(must(root->below("no/such")));
  EXPECT_TRUE(must(root->below("moved/e")));
  EXPECT_EQ(must(root->link_target("d")), at("foreign"));
}

TEST_F(PosixFileSystemTest, AnOpenDirectoryOpensNothingButFiles) {
  must(write_file_atomically(fs_, at("target"), "kept"));
  must(fs_.make_symbolic_link("target", at("link")));
  ASSERT_EQ(::mkfifo(at("fifo").c_str(), 0600), 0);
  const auto directory = must(fs_.open_directory(directory_.path()));
  for (const char* name : {"link", "fifo", "", "..", "gone"}) EXPECT_FALSE(must(directory->open(name))) << name;
  EXPECT_FALSE(must(directory->link_target("target")));
  EXPECT_FALSE(must(directory->attributes("gone")));
  EXPECT_TRUE(must(directory->attributes("target")));
  EXPECT_FALSE(must(directory->info("gone")));
}

TEST_F(PosixFileSystemTest, RootGoesToADirectoryThroughItsOwnLinksAlone) {
  if (::geteuid() != 0) GTEST_SKIP() << "wants root";
  constexpr uid_t kNobody = 65534;
  must(make_directories(fs_, at("real/tree")));
  must(write_file_atomically(fs_, at("real/tree/file"), ""));
  must(fs_.make_symbolic_link("../" + directory_.path().substr(directory_.path().rfind('/') + 1) + "/real", at("own")));
  must(fs_.make_symbolic_link(at("own"), at("again")));
  must(fs_.make_symbolic_link("real", at("users")));
  ASSERT_EQ(::lchown(at("users").c_str(), kNobody, kNobody), 0);
  must(fs_.make_symbolic_link("round", at("round")));
  EXPECT_EQ(must(must(fs_.open_directory(at("again/tree")))->list()), std::vector<std::string>{"file"});
  const auto led = fs_.open_directory(at("users/tree"));
  ASSERT_FALSE(led);
  EXPECT_EQ(led.error().cause, Cause::kDenied);
  EXPECT_FALSE(fs_.open_directory(at("round/tree")));
  const auto none = fs_.open_directory(at("again/none"));
  ASSERT_FALSE(none);
  EXPECT_EQ(none.error().cause, Cause::kNoSuchFile);
}

}  // namespace
}  // namespace spl::env
