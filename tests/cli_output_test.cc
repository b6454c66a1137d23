// Where a command writes files: what it never writes over, what stands under a name and when.
#include <unistd.h>

#include <filesystem>

#include "cli_harness.h"
#include "testing/tree_contents.h"

namespace spl::cli_test {
namespace {

using spl::testing::tree_contents;

class CliOutputTest : public CliTest {
 protected:
  // The export refuses to write there and leaves the home `h` and what stands at `target` as they were.
  void refuses(const std::string& target, const Input& input = {}) {
    SCOPED_TRACE(target);
    const auto before = tree_contents(path("h"));
    const Ran ran = on("h", {"export", "--out", target}, input);
    EXPECT_EQ(ran.code, 3) << ran.out << ran.err;
    EXPECT_TRUE(ran.err.starts_with("spl: export refused: " + target)) << ran.err;
    EXPECT_NE(ran.err.find(" — "), std::string::npos) << ran.err;
    EXPECT_EQ(tree_contents(path("h")), before);
  }
};

TEST_F(CliOutputTest, AnExportDoesNotReplaceWhatTheHomeLivesBy) {
  make_home("h", 1);
  std::filesystem::create_directories(path("h/identity/previous/1"));
  for (const char* name : {"hub.db", "hub.db-wal", "hub.db-shm", "hub.db-journal", "hub.db.lock", "config.toml",
                           "contexts.toml", "identity/private_key.bin", "identity/new", "identity/previous/1/x",
                           "secrets/x", "services/x", "data/x", "run/spl.pid", "run/spl.lock", "run/x", "logs/spl.log"})
    refuses(path("h/") + name);
  EXPECT_EQ(on("h", {"export", "--out", path("h/x.spl")}).code, 0);
  EXPECT_EQ(on("h", {"export", "--out", path("hub.db")}).code, 0);
  EXPECT_EQ(on("h", {"doctor"}).code, 0);
}

TEST_F(CliOutputTest, NoSpellingAndNoLinkLeadsAnExportIntoTheHome) {
  make_home("h", 1);
  std::filesystem::create_directory_symlink(path("h"), path("link"));
  std::filesystem::create_directory_symlink(path("h/identity"), path("inside"));
  refuses(path("link/hub.db"));
  refuses(path("link/./run/../hub.db"));
  refuses(path("inside/x"));
  refuses("hub.db", {.directory = path("h")});
  refuses("./x", {.directory = path("h/run")});
  // The home by a link, the target by its own name.
  EXPECT_EQ(run({"--home", path("link"), "export", "--out", path("h/config.toml")}).code, 3);
  // A part of the home that lies elsewhere.
  std::filesystem::rename(path("h/logs"), path("logs"));
  std::filesystem::create_directory_symlink(path("logs"), path("h/logs"));
  refuses(path("logs/x"));
  EXPECT_EQ(on("h", {"doctor"}).code, 0);
}

TEST_F(CliOutputTest, AStoreOutsideTheHomeIsNotReplaced) {
  make_home("h", 1);
  std::filesystem::create_directory(path("disk"));
  std::filesystem::rename(path("h/hub.db"), path("disk/store"));
  for (const char* suffix : {"-wal", "-shm"}) std::filesystem::remove(path("h/hub.db") + suffix);
  std::filesystem::create_symlink(path("disk/store"), path("h/hub.db"));
  refuses(path("disk/store"));
  std::filesystem::remove(path("h/hub.db"));
  write_file(path("h/config.toml"), "store = \"sqlite:" + path("disk/store") + "\"\n");
  for (const char* name : {"disk/store", "disk/store-wal", "disk/store.lock", "disk/../disk/store", "h/hub.db"})
    refuses(path(name));
  EXPECT_EQ(on("h", {"export", "--out", path("disk/x")}).code, 0);
  EXPECT_EQ(on("h", {"doctor"}).code, 0);
}

TEST_F(CliOutputTest, TheStoreOfARunningDaemonIsNotReplaced) {
  ASSERT_EQ(on("h", {"serve", "--daemon", "--port", "0", "--store", "sqlite:" + path("elsewhere.db")}).code, 0);
  ASSERT_EQ(on("h", {"identity", "generate"}).code, 0);
  refuses(path("elsewhere.db"));
  refuses(path("h/run/spl.pid"));
  EXPECT_EQ(on("h", {"export", "--out", path("x.spl")}).code, 0);
  EXPECT_EQ(on("h", {"stop"}).code, 0);
}

TEST_F(CliOutputTest, FilesOfABundleAreNotExtractedIntoTheHomesOwnDirectories) {
  make_home("h", 1);
  ASSERT_EQ(on("h", {"export", "--out", path("a.spl")}).code, 0);
  for (const char* name : {"h/identity/previous", "h/secrets/x", "h/hub.db-journal"}) {
    const Ran ran = on("h", {"bundle", "extract", path("a.spl"), "", "--to", path(name)});
    EXPECT_EQ(ran.code, 3) << ran.err;
    EXPECT_FALSE(exists(path(name)));
  }
  EXPECT_EQ(on("h", {"bundle", "extract", path("a.spl"), "", "--to", path("h/x")}).code, 0);
}

}  // namespace
}  // namespace spl::cli_test
