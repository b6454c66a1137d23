#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <sys/stat.h>
#include <unistd.h>

#include "codec/mtree.h"
#include "surface/conformance.h"
#include "surface/files/files_fixture_test_util.h"

namespace spl::surface {
namespace {

using ::testing::HasSubstr;

INSTANTIATE_TYPED_TEST_SUITE_P(Files, DriverConformance, FilesFixture);

class FilesDriver : public ::testing::Test {
 protected:
  SpooledPart spool() {
    auto made = SpooledPart::make(fixture_.surroundings().env, fixture_.surroundings().spool);
    EXPECT_TRUE(made);
    return std::move(*made);
  }

  SpooledPart taken(Place place, const std::function<void()>& after_prepare = {}) {
    const auto part = fixture_.backup(std::move(place));
    base::NoProgress progress;
    EXPECT_TRUE(part->plan(progress));
    EXPECT_TRUE(part->prepare(progress));
    if (after_prepare) after_prepare();
    const auto opened =
        part->open(Writers::kPaused, fixture_.surroundings().env.clock.since_boot() + std::chrono::seconds(60));
    EXPECT_TRUE(opened) << opened.error().message;
    SpooledPart files = spool();
    const auto streamed = part->stream(files, progress);
    EXPECT_TRUE(streamed) << streamed.error().message;
    files.rewind();
    return files;
  }

  Result<std::string> stage(PartSource& files, RestoreRequest request = {.id = "0123456789abcdef", .engine = {}}) {
    base::NoProgress progress;
    return fixture_.restore(fixture_.place(1), std::move(request))->stage(files, progress);
  }

  [[nodiscard]] std::string staged() const { return fixture_.data() + "/.spl-0123456789abcdef-tree1"; }

  FilesFixture fixture_;
};

TEST_F(FilesDriver, EntriesAreInTheOrderOfTheirPathsAndAgreeWithMtree) {
  fixture_.fill(fixture_.place(0), 1);
  SpooledPart files = taken(fixture_.place(0));
  const auto list = files.next();
  ASSERT_TRUE(list && *list);
  EXPECT_EQ((*list)->path, "tree.mtree");
  PartContent content(files);
  const auto text = base::read_all(content, 1u << 20);
  ASSERT_TRUE(text);
  base::StringSource source(*text);
  codec::MtreeReader lines(source);
  EXPECT_EQ((*lines.next())->path, "");
  std::string before;
  std::size_t entries = 0;
  for (;;) {
    const auto entry = files.next();
    ASSERT_TRUE(entry);
    const auto line = lines.next();
    ASSERT_TRUE(line) << line.error().message;
    ASSERT_EQ(entry->has_value(), line->has_value());
    if (!*entry) break;
    EXPECT_EQ(codec::mtree_mismatch(**line, **entry, "tree/"), "");
    EXPECT_LT(before, (*entry)->path);
    before = (*entry)->path;
    ++entries;
  }
  EXPECT_EQ(entries, 8u);
}

TEST_F(FilesDriver, TakesWhatChangedGrewShrankCameAndWentBetweenReadingAndThePause) {
  const Place place = fixture_.place(0);
  const std::string root = place.path;
  ASSERT_TRUE(env::make_directories(fixture_.fs(), root));
  const env::FileTime old{1'000'000'000, 0};
  for (int i = 0; i < 500; ++i) {
    fixture_.write(root + "/f" + std::to_string(i), "before");
    ASSERT_TRUE(fixture_.fs().set_modified(root + "/f" + std::to_string(i), old));
  }
  SpooledPart files = taken(fixture_.place(0), [&] {
    fixture_.write(root + "/f10", "after");
    // The same size and time: what the kernel says of the change tells it.
    fixture_.write(root + "/f11", "BEFORE");
    ASSERT_TRUE(fixture_.fs().set_modified(root + "/f11", old));
    fixture_.write(root + "/f12", std::string(300'000, 'x'));
    fixture_.write(root + "/f13", "");
    ASSERT_TRUE(fixture_.fs().remove(root + "/f14"));
    fixture_.write(root + "/new", "new");
    ASSERT_TRUE(fixture_.fs().remove(root + "/f15"));
    ASSERT_TRUE(fixture_.fs().make_directory(root + "/f15"));
    fixture_.write(root + "/f15/in", "in");
  });
  const std::string then = fixture_.state(place);
  ASSERT_TRUE(stage(files, {.id = "0123456789abcdef", .signer = Trust::kOwn, .engine = {}}));
  Place copy = fixture_.place(1);
  copy.path = staged();
  EXPECT_EQ(fixture_.state(copy), then);
}

TEST_F(FilesDriver, TheDeadlineEndsALargeFileToo) {
  const Place place = fixture_.place(0);
  ASSERT_TRUE(env::make_directories(fixture_.fs(), place.path));
  fixture_.write(place.path + "/large", std::string(1u << 20, 'x'));
  const auto part = fixture_.backup(fixture_.place(0));
  base::NoProgress progress;
  ASSERT_TRUE(part->plan(progress) && part->prepare(progress));
  // It is younger than two seconds, and so it is to be read again.
  const auto opened = part->open(Writers::kPaused, std::chrono::nanoseconds(1));
  ASSERT_FALSE(opened);
  EXPECT_EQ(opened.error().cause, Cause::kTimeout);
}

// A progress that is told and then asks to end.
class Cancelled final : public base::Progress {
 public:
  void update(std::string_view, std::uint64_t, std::uint64_t, std::string_view) override {}
  bool cancelled() override { return true; }
};

TEST_F(FilesDriver, ACancelEndsTheReadingAhead) {
  fixture_.fill(fixture_.place(0), 1);
  const auto part = fixture_.backup(fixture_.place(0));
  base::NoProgress progress;
  ASSERT_TRUE(part->plan(progress));
  Cancelled cancelled;
  const auto prepared = part->prepare(cancelled);
  ASSERT_FALSE(prepared);
  EXPECT_EQ(prepared.error().cause, Cause::kCancelled);
}

TEST_F(FilesDriver, KeepsAttributesAndHoles) {
  const Place place = fixture_.place(0);
  ASSERT_TRUE(env::make_directories(fixture_.fs(), place.path));
  const std::string path = place.path + "/sparse";
  {
    const auto file = fixture_.fs().open(path, env::OpenMode::kCreate);
    ASSERT_TRUE(file);
    ASSERT_TRUE((*file)->write_at((8u << 20) - 1, "e"));
  }
  const bool has_attributes = fixture_.fs().set_attribute(path, {"user.note", "kept"}).has_value();
  SpooledPart files = taken(fixture_.place(0));
  ASSERT_TRUE(stage(files));
  const std::string copy = staged() + "/sparse";
  EXPECT_EQ(*env::read_file(fixture_.fs(), copy, 8u << 20), std::string((8u << 20) - 1, '\0') + "e");
  struct stat status{};
  ASSERT_EQ(::stat(copy.c_str(), &status), 0);
  EXPECT_LT(status.st_blocks * 512, 1 << 20);
  if (!has_attributes) GTEST_SKIP() << "this file system has no extended attributes";
  EXPECT_EQ(*fixture_.fs().attributes(copy), (std::vector<env::ExtendedAttribute>{{"user.note", "kept"}}));
}

TEST_F(FilesDriver, LeavesOutWhatIsExcludedOrInnerAndCarriesItOver) {
  const std::string root = fixture_.place(0).path;
  ASSERT_TRUE(env::make_directories(fixture_.fs(), root + "/cache"));
  ASSERT_TRUE(env::make_directories(fixture_.fs(), root + "/db"));
  fixture_.write(root + "/cache/c", "cached");
  fixture_.write(root + "/db/live", "another surface's");
  fixture_.write(root + "/f", "old");
  Place place = fixture_.place(0);
  place.inner = {root + "/db"};
  const auto with_inner = [&] {
    Place again = fixture_.place(0);
    again.inner = {root + "/db"};
    return again;
  };
  SpooledPart files = taken(with_inner());
  fixture_.write(root + "/f", "new");
  const auto part =
      fixture_.restore(with_inner(), {.id = "0123456789abcdef", .data = InTheWay::kIsReplaced, .engine = {}});
  base::NoProgress progress;
  const auto mark = part->stage(files, progress);
  ASSERT_TRUE(mark) << mark.error().message;
  EXPECT_EQ(*fixture_.fs().list(fixture_.data() + "/.spl-0123456789abcdef-tree0"), (std::vector<std::string>{"f"}));
  for (int i = 0; i < 2; ++i) {
    ASSERT_TRUE(part->swap(*mark));
    EXPECT_EQ(*env::read_file(fixture_.fs(), root + "/f", 100), "old");
    EXPECT_EQ(*env::read_file(fixture_.fs(), root + "/cache/c", 100), "cached");
    EXPECT_EQ(*env::read_file(fixture_.fs(), root + "/db/live", 100), "another surface's");
  }
  for (int i = 0; i < 2; ++i) {
    ASSERT_TRUE(part->swap_back(*mark));
    EXPECT_EQ(*env::read_file(fixture_.fs(), root + "/f", 100), "new");
    EXPECT_EQ(*env::read_file(fixture_.fs(), root + "/cache/c", 100), "cached");
    EXPECT_EQ(*env::read_file(fixture_.fs(), root + "/db/live", 100), "another surface's");
  }
}

TEST_F(FilesDriver, NamesWhatCannotBeCarried) {
  const Place place = fixture_.place(0);
  ASSERT_TRUE(env::make_directories(fixture_.fs(), place.path));
  ASSERT_EQ(::mkfifo((place.path + "/pipe").c_str(), 0600), 0);
  base::NoProgress progress;
  const auto plan = fixture_.backup(fixture_.place(0))->plan(progress);
  ASSERT_TRUE(plan);
  EXPECT_THAT(plan->warnings, ::testing::ElementsAre(HasSubstr("1 FIFO, socket or device: pipe")));
  SpooledPart files = taken(fixture_.place(0));
  EXPECT_TRUE(stage(files));
  EXPECT_TRUE(fixture_.fs().list(staged())->empty());
}

TEST_F(FilesDriver, AStrangersTreeGetsNoPrivileges) {
  const Place place = fixture_.place(0);
  ASSERT_TRUE(env::make_directories(fixture_.fs(), place.path));
  fixture_.write(place.path + "/program", "x");
  ASSERT_TRUE(fixture_.fs().set_mode(place.path + "/program", 06755));
  SpooledPart files = taken(fixture_.place(0));
  ASSERT_TRUE(stage(files));
  EXPECT_EQ((**fixture_.fs().info(staged() + "/program")).mode, 0755u);
  files.rewind();
  ASSERT_TRUE(stage(files, {.id = "0123456789abcdef", .signer = Trust::kOwn, .engine = {}}));
  EXPECT_EQ((**fixture_.fs().info(staged() + "/program")).mode, 06755u);
}

TEST_F(FilesDriver, ALinkThatLeavesTheTreeStopsTheRestoreOfAContext) {
  const Place place = fixture_.place(0);
  ASSERT_TRUE(env::make_directories(fixture_.fs(), place.path + "/d"));
  ASSERT_TRUE(fixture_.fs().make_symbolic_link("../d/./..", place.path + "/d/within"));
  SpooledPart within = taken(fixture_.place(0));
  const RestoreRequest of_context{.id = "0123456789abcdef", .of_context = true, .engine = {}};
  EXPECT_TRUE(stage(within, of_context));
  for (const char* target : {"/etc/passwd", "../..", "x/../../../y"}) {
    ASSERT_TRUE(fixture_.fs().remove(place.path + "/d/within"));
    ASSERT_TRUE(fixture_.fs().make_symbolic_link(target, place.path + "/d/within"));
    SpooledPart files = taken(fixture_.place(0));
    const auto staged = stage(files, of_context);
    ASSERT_FALSE(staged) << target;
    EXPECT_EQ(staged.error().code, ErrorCode::kStop);
    files.rewind();
    EXPECT_TRUE(stage(files)) << "a whole restore takes it";
  }
}

// A part as an attacker makes it.
TEST_F(FilesDriver, WritesNothingOutsideTheTreeAndBelievesNoList) {
  const std::string rest = " mode=0755 uid=0 gid=0 time=0.000000000";
  struct Case {
    std::string mtree;
    std::vector<codec::TarEntry> entries;
    std::string rule;
  };
  const auto entry = [](std::string path, codec::TarType type, std::string link = {}) {
    codec::TarEntry made;
    made.path = std::move(path);
    made.type = type;
    made.mode = 0755;
    made.link = std::move(link);
    return made;
  };
  using enum codec::TarType;
  const std::string link = "./l type=link" + rest + " link=../..\n";
  const Case cases[] = {
      {"#mtree\n" + link + "./l/f type=file" + rest + "\n",
       {entry("tree/l", kSymlink, "../.."), entry("tree/l/f", kFile)},
       "its directory has no line before it"},
      {"#mtree\n" + link, {entry("tree/l", kSymlink, "../.."), entry("tree/l/f", kFile)}, "has no line for it"},
      {"#mtree\n" + link, {}, "has a line without an entry"},
      {"#mtree\n./f type=file" + rest + "\n", {entry("tree/../f", kFile)}, "another path"},
      {"#mtree\n./f type=file" + rest + "\n", {entry("tree/f", kSymlink, "x")}, "another type"},
      {"nonsense\n", {}, "the first line is not #mtree"},
  };
  const std::string before = fixture_.traces();
  for (const Case& c : cases) {
    SpooledPart files = spool();
    ASSERT_TRUE(files.add("tree.mtree", c.mtree));
    for (const codec::TarEntry& one : c.entries) ASSERT_TRUE(files.begin(one));
    files.rewind();
    const auto staged = stage(files);
    ASSERT_FALSE(staged) << c.rule;
    EXPECT_EQ(staged.error().code, ErrorCode::kVerification);
    EXPECT_THAT(staged.error().message, HasSubstr(c.rule));
    ASSERT_TRUE(fixture_.restore(fixture_.place(1), {.id = "0123456789abcdef", .engine = {}})->discard(""));
    EXPECT_EQ(fixture_.traces(), before);
  }
}

}  // namespace
}  // namespace spl::surface
