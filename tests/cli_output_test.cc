// Where a command writes files: what it never writes over, what stands under a name and when.
#include <unistd.h>

#include <csignal>
#include <filesystem>
#include <map>

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
    const auto before = contents();
    const Ran ran = on("h", {"export", "--out", target}, input);
    EXPECT_EQ(ran.code, 3) << ran.out << ran.err;
    EXPECT_TRUE(ran.err.starts_with("spl: export refused: " + target)) << ran.err;
    EXPECT_NE(ran.err.find(" — "), std::string::npos) << ran.err;
    EXPECT_EQ(contents(), before);
  }
  // Without what a daemon may be writing just now.
  std::map<std::string, std::string> contents() {
    auto all = tree_contents(path("h"));
    all.erase("logs/spl.log");
    return all;
  }
};

TEST_F(CliOutputTest, AnExportDoesNotReplaceWhatTheHomeLivesBy) {
  make_home("h", 1);
  std::filesystem::create_directories(path("h/identity/previous/1"));
  for (const char* name : {"hub.db", "hub.db-wal", "hub.db-shm", "hub.db-journal", "hub.db.lock", "config.toml",
                           "contexts.toml", "identity/private_key.bin", "identity/new", "identity/previous/1/x",
                           "secrets/x", "services/x", "data/x", "run/spl.pid", "run/x", "logs/spl.log"})
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

TEST_F(CliOutputTest, AnExportThatIsKilledLeavesNothing) {
  make_home("h", 1);
  std::string lines;
  for (int i = 0; i < 3000; ++i) lines += record_text("th_many", i) + "\n";
  ASSERT_EQ(on("h", {"record", "put", "--ndjson"}, {.text = lines}).code, 0);
  std::filesystem::create_directory(path("out"));
  for (int i = 0; i < 10; ++i) {
    Process process({"--home", path("h"), "export", "--out", path("out/a.spl")});
    ::usleep(static_cast<useconds_t>(10'000 + 8'000 * i));
    ::kill(process.pid(), SIGKILL);
    const bool done = process.wait().code == 0;
    const Words left = names_in(path("out"));
    EXPECT_EQ(left, done || !left.empty() ? Words{"a.spl"} : Words{});
    EXPECT_TRUE(left.empty() || run({"bundle", "verify", path("out/a.spl")}).code == 0);
    std::filesystem::remove(path("out/a.spl"));
  }
}

TEST_F(CliOutputTest, ErrorsNameWhatWasAskedFor) {
  make_home("h", 1);
  ASSERT_EQ(on("h", {"export", "--out", path("a.spl")}).code, 0);
  const auto error = [this](const Words& words) { return on("h", words).err; };
  EXPECT_EQ(error({"export", "--out", path("nope/x")}), "spl: cannot write " + path("nope/x") + ": the directory " +
                                                            path("nope") +
                                                            " does not exist — make it, or name another\n");
  EXPECT_EQ(error({"bundle", "extract", path("a.spl"), "", "--to", path("nope/x")}),
            "spl: cannot make " + path("nope/x") + ": the directory " + path("nope") +
                " does not exist — make it, or name another\n");
  EXPECT_EQ(error({"export", "--out", path("a.spl/x")}),
            "spl: cannot write " + path("a.spl/x") + ": " + path("a.spl") + " is not a directory — name another\n");
  EXPECT_EQ(
      error({"export", "--out", path("x"), "--spool", path("nope")}),
      "spl: spool: cannot make a temporary file in " + path("nope") +
          ": No such file or directory — check the path: nothing of that name is there, or name another directory for "
          "it with --spool DIR\n");
  // A file may be as long as 64 KiB: the bundle is longer, and so is its spool.
  std::string lines = record_text("th_long", 0, "DO", "{\"text\":\"" + std::string(100'000, 'x') + "\"}") + "\n";
  for (int i = 0; i < 5000; ++i) lines += record_text("th_many", i) + "\n";
  ASSERT_EQ(on("h", {"record", "put", "--ndjson"}, {.text = lines}).code, 0);
  const auto limited = [this](const std::string& words, const std::string& kibibytes = "64") {
    const std::string program = spl_program() + " --home " + path("h") + " ";
    EXPECT_EQ(shell("bash -c 'ulimit -f " + kibibytes + "; " + program + words + " 2>" + path("err") + "'"), 1);
    return read_file(path("err"));
  };
  const std::string spool = limited("export --out " + path("x"));
  EXPECT_NE(spool.find("cannot write a temporary file in " + path("h/run") + ": File too large"), std::string::npos)
      << spool;
  EXPECT_NE(spool.find("--spool DIR"), std::string::npos) << spool;
  // What SQLite wants for the store is longer than that.
  const std::string record = limited("intend x", "16");
  EXPECT_NE(record.find(": File too large — raise the limit on the size of files (ulimit -f)"), std::string::npos)
      << record;
  ASSERT_EQ(on("h", {"export", "--out", path("long.spl")}).code, 0);
  const std::string extract = limited("bundle extract " + path("long.spl") + " records/ --to " + path("to"));
  EXPECT_TRUE(extract.starts_with("spl: cannot write " + path("to/records/"))) << extract;
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
