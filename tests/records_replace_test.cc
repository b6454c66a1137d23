// --records replace through the program: a bundle's records in the place of all that are here, and the way back.
#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <signal.h>

#include <chrono>
#include <thread>

#include "cli_harness.h"

namespace spl::cli_test {
namespace {

using ::testing::HasSubstr;
using ::testing::IsEmpty;

class RecordsReplaceTest : public CliTest {
 protected:
  ~RecordsReplaceTest() override {
    if (exists(path("a/run/runit"))) (void)on("a", {"service", "all", "stop"});
  }
  // A home whose records have changed since its bundle a.spl was made.
  void make() {
    make_home("a");
    ASSERT_EQ(on("a", {"know", "of the bundle"}).code, 0);
    ASSERT_EQ(on("a", {"export", "--out", path("a.spl"), "--plaintext"}).code, 0);
    ASSERT_EQ(on("a", {"know", "later"}).code, 0);
    ASSERT_EQ(on("a", {"know", "and later", "--body", R"({"x":1})"}).code, 0);
  }
  Ran replace(Words more = {}) {
    Words words{"import", path("a.spl"), "--records", "replace"};
    words.insert(words.end(), more.begin(), more.end());
    return on("a", words);
  }
  Ran previous() { return on("a", {"service", "all", "restore", "--previous"}); }
  // Every record with its signature, by the order of a bundle.
  std::string records() {
    EXPECT_EQ(on("a", {"export", "--out", path("look.spl"), "--plaintext", "--force"}).code, 0);
    EXPECT_EQ(shell("rm -rf " + path("look")), 0);
    EXPECT_EQ(run({"bundle", "extract", path("look.spl"), "records/", "--to", path("look")}).code, 0);
    EXPECT_EQ(shell("cd " + path("look") + " && find . -type f | sort | xargs sha256sum >" + path("sums")), 0);
    return read_file(path("sums"));
  }
  std::string did() { return text_of(json_on("a", {"identity", "show"}), "did"); }
  void expect_nothing_kept() {
    if (exists(path("a/restores"))) {
      EXPECT_THAT(names_in(path("a/restores")), IsEmpty());
    }
  }
};

TEST_F(RecordsReplaceTest, TheBundlesRecordsAreAllThatThereIsUntilTheOldOnesComeBack) {
  make();
  const std::string before = records();
  const std::string own = did();
  const auto dry = json_on("a", {"import", path("a.spl"), "--records", "replace", "--dry-run"});
  EXPECT_EQ(number_of(dry, "records_inserted"), 5u);
  EXPECT_EQ(records(), before) << "a dry run changes nothing";

  const Ran ran = replace();
  ASSERT_EQ(ran.code, 0) << ran.out << ran.err;
  EXPECT_THAT(ran.out, HasSubstr("take the place of 7 that are here"));
  EXPECT_EQ(number_of(json_on("a", {"status"}), "record_count"), 5u);
  EXPECT_EQ(did(), own);
  EXPECT_EQ(on("a", {"doctor"}).code, 0);
  ASSERT_EQ(on("a", {"know", "after it"}).code, 0) << "clocks go on from the bundle's";

  const Ran again = replace();
  EXPECT_EQ(again.code, 3) << again.out;
  EXPECT_THAT(again.err, HasSubstr("--discard-previous"));
  const Ran back = previous();
  ASSERT_EQ(back.code, 0) << back.err;
  EXPECT_EQ(records(), before);
  EXPECT_EQ(did(), own);
  expect_nothing_kept();
  EXPECT_EQ(previous().code, 3);

  ASSERT_EQ(replace().code, 0);
  const Ran discarded = on("a", {"service", "all", "restore", "--discard-previous"});
  EXPECT_EQ(discarded.code, 0) << discarded.err;
  EXPECT_THAT(discarded.out, HasSubstr("discarded"));
  expect_nothing_kept();
  EXPECT_EQ(previous().code, 3);
  EXPECT_EQ(number_of(json_on("a", {"status"}), "record_count"), 5u);
}

TEST_F(RecordsReplaceTest, ADaemonDoesTheSame) {
  make();
  const std::string before = records();
  start_daemon("a");
  ASSERT_EQ(replace().code, 0);
  EXPECT_EQ(number_of(json_on("a", {"status"}), "record_count"), 5u);
  ASSERT_EQ(on("a", {"know", "after it"}).code, 0);
  ASSERT_EQ(previous().code, 0);
  EXPECT_EQ(number_of(json_on("a", {"status"}), "record_count"), 7u);
  ASSERT_EQ(on("a", {"stop"}).code, 0);
  EXPECT_EQ(records(), before);
}

TEST_F(RecordsReplaceTest, AStrangersBundleIsRefusedAndNeverTouchesTheIdentity) {
  make();
  make_home("other", 1);
  ASSERT_EQ(on("other", {"export", "--out", path("a.spl"), "--plaintext", "--force"}).code, 0);
  const std::string before = records();
  const std::string own = did();
  const Ran refused = replace();
  EXPECT_EQ(refused.code, 3) << refused.out;
  EXPECT_THAT(refused.err, HasSubstr("--expect-did"));
  EXPECT_EQ(records(), before);
  const std::string theirs = text_of(json_on("other", {"identity", "show"}), "did");
  ASSERT_EQ(replace({"--expect-did", theirs}).code, 0);
  EXPECT_EQ(number_of(json_on("a", {"status"}), "record_count"), 2u);
  EXPECT_EQ(did(), own);
  ASSERT_EQ(previous().code, 0);
  EXPECT_EQ(records(), before);
}

TEST_F(RecordsReplaceTest, OnlyAWholeInstanceReplacesRecords) {
  make();
  EXPECT_EQ(replace({"--context", "geo"}).code, 2);
  EXPECT_EQ(on("a", {"service", "notes", "restore", "--from", path("a.spl"), "--records", "replace"}).code, 2);
  // Into an empty home there is nothing to be replaced, and nothing is kept.
  ASSERT_EQ(on("empty", {"import", path("a.spl"), "--records", "replace"}).code, 0);
  EXPECT_EQ(number_of(json_on("empty", {"status"}), "record_count"), 5u);
  EXPECT_EQ(on("empty", {"service", "all", "restore", "--previous"}).code, 3);
}

TEST_F(RecordsReplaceTest, RecordsAndServicesChangeTogetherOrNotAtAll) {
  make();
  write_file(path("a/services/notes.toml"),
             "name = \"notes\"\n[run]\ncommand = [\"/bin/sh\", \"-c\", \"test -e $0/files/poison && exit 1; exec sleep "
             "600\", \"{data}\"]\n[[surface]]\nname = \"files\"\nkind = \"files\"\npath = \"{data}/files\"\n");
  ASSERT_EQ(shell("mkdir -p " + path("a/data/notes/files")), 0);
  write_file(path("a/data/notes/files/note"), "of the bundle");
  ASSERT_EQ(on("a", {"export", "--out", path("a.spl"), "--plaintext", "--force"}).code, 0);
  write_file(path("a/data/notes/files/poison"), "");
  ASSERT_EQ(on("a", {"export", "--out", path("poison.spl"), "--plaintext", "--force"}).code, 0);
  ASSERT_EQ(shell("rm " + path("a/data/notes/files/poison")), 0);
  write_file(path("a/data/notes/files/note"), "live");
  ASSERT_EQ(on("a", {"know", "the last"}).code, 0);
  const std::string before = records();

  const Ran failed =
      on("a", {"service", "all", "restore", "--from", path("poison.spl"), "--replace", "--records", "replace"});
  EXPECT_EQ(failed.code, 6) << failed.out << failed.err;
  EXPECT_EQ(records(), before);
  EXPECT_EQ(read_file(path("a/data/notes/files/note")), "live");
  expect_nothing_kept();

  const Ran ran = on("a", {"service", "all", "restore", "--from", path("a.spl"), "--replace", "--records", "replace"});
  ASSERT_EQ(ran.code, 0) << ran.out << ran.err;
  EXPECT_EQ(number_of(json_on("a", {"status"}), "record_count"), 7u);
  EXPECT_EQ(read_file(path("a/data/notes/files/note")), "of the bundle");
  const Ran one = on("a", {"service", "notes", "restore", "--previous"});
  EXPECT_EQ(one.code, 3) << one.out;
  EXPECT_THAT(one.err, HasSubstr("together with the records"));
  ASSERT_EQ(previous().code, 0);
  EXPECT_EQ(records(), before);
  EXPECT_EQ(read_file(path("a/data/notes/files/note")), "live");
  expect_nothing_kept();
}

// Killed at any time, the store has the old records or the new ones, and the old ones come back.
TEST_F(RecordsReplaceTest, AKillAtAnyMomentLeavesTheOldRecordsOrTheNew) {
  make();
  const std::string before = records();
  int cut_off = 0;
  // What stands in a journal, that of `--previous` but for the state that it begins with.
  const auto at_work = [this] {
    if (!exists(path("a/restores"))) return false;
    return shell("grep -qsE '\"phase\": ?\"(staging|switching)\"' " + path("a/restores/*.json")) == 0;
  };
  for (int step = 0; step < 24; ++step) {
    const bool back = step % 3 == 2;
    if (back) (void)replace();
    Words words{"--home", path("a")};
    const Words rest = back ? Words{"service", "all", "restore", "--previous"}
                            : Words{"import", path("a.spl"), "--records", "replace"};
    words.insert(words.end(), rest.begin(), rest.end());
    Process process(words);
    // Some at any moment, and some as soon as there is a journal.
    const auto until = std::chrono::steady_clock::now() + std::chrono::milliseconds(step % 2 == 0 ? 4 * step : 500);
    while (std::chrono::steady_clock::now() < until && (step % 2 == 0 || !at_work())) std::this_thread::yield();
    ::kill(process.pid(), SIGKILL);
    (void)process.wait();
    cut_off += at_work() ? 1 : 0;
    const std::uint64_t count = number_of(json_on("a", {"status"}), "record_count");
    EXPECT_TRUE(count == 7 || count == 5) << step << ": " << count;
    const Ran ran = previous();
    EXPECT_TRUE(ran.code == 0 || ran.code == 3) << step << ran.err;
    EXPECT_EQ(records(), before) << step;
    expect_nothing_kept();
  }
  EXPECT_GT(cut_off, 0) << "no kill met a journal";
}

TEST_F(RecordsReplaceTest, KeptRecordsThatAreDamagedAreFoundBeforeAnythingIsBegun) {
  make();
  ASSERT_EQ(replace().code, 0);
  ASSERT_EQ(shell("truncate -s -10 " + path("a/restores/*.kept/records.ndjson")), 0);
  const Ran ran = previous();
  EXPECT_EQ(ran.code, 1) << ran.out << ran.err;
  EXPECT_THAT(ran.err, HasSubstr("the kept records"));
  EXPECT_EQ(number_of(json_on("a", {"status"}), "record_count"), 5u);
  ASSERT_EQ(on("a", {"know", "it goes on"}).code, 0) << "no start is held up by it";
  ASSERT_EQ(on("a", {"service", "all", "restore", "--discard-previous"}).code, 0);
  expect_nothing_kept();
}

}  // namespace
}  // namespace spl::cli_test
