#include "codec/mtree.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace spl::codec {
namespace {

using ::testing::HasSubstr;

const std::string kSample =
    "#mtree\n"
    ". type=dir mode=0750 uid=33 gid=33 time=1700000000.000000000\n"
    "./a\\040b type=file mode=0644 uid=33 gid=33 time=1700000001.123456789\n"
    "./logs type=dir mode=0755 uid=33 gid=33 time=1700000002.000000000\n"
    "./logs/now type=link mode=0777 uid=33 gid=33 time=1700000003.500000000 link=../a\\040b\n"
    "./one type=file mode=0600 uid=33 gid=33 time=-1.500000000 inode=1\n"
    "./two type=file mode=0600 uid=33 gid=33 time=-1.500000000 inode=1\n";

struct Read {
  std::vector<MtreeEntry> entries;
  std::string error;
};

Read read(std::string_view text) {
  base::StringSource in(text);
  MtreeReader reader(in);
  Read read;
  for (;;) {
    const auto entry = reader.next();
    if (!entry) {
      EXPECT_EQ(entry.error().code, ErrorCode::kVerification);
      read.error = entry.error().message;
      return read;
    }
    if (!*entry) return read;
    read.entries.push_back(**entry);
  }
}

std::string written(const std::vector<MtreeEntry>& entries) {
  std::string text(kMtreeFirstLine);
  for (const MtreeEntry& entry : entries) append_mtree_line(text, entry);
  return text;
}

// A tree of one line after the root's.
std::string with_line(std::string_view line) {
  return "#mtree\n./d type=dir mode=0700 uid=0 gid=0 time=0.000000000\n" + std::string(line) + "\n";
}

constexpr std::string_view kRest = " type=file mode=0600 uid=0 gid=0 time=0.000000000";

TEST(Mtree, ReadsWhatTheFormatsPageShowsAndWritesItAgain) {
  const Read sample = read(kSample);
  ASSERT_EQ(sample.error, "");
  ASSERT_EQ(sample.entries.size(), 6u);
  EXPECT_EQ(sample.entries[0].path, "");
  EXPECT_EQ(sample.entries[1].path, "a b");
  EXPECT_EQ(sample.entries[1].modified_ns, 123456789u);
  EXPECT_EQ(sample.entries[3].link, "../a b");
  EXPECT_EQ(sample.entries[4].modified_s, -1);
  EXPECT_EQ(sample.entries[5].inode, 1u);
  EXPECT_EQ(written(sample.entries), kSample);
}

TEST(Mtree, EveryOctetThatANameCanHaveComesBack) {
  std::vector<MtreeEntry> entries;
  for (int octet = 1; octet < 256; ++octet) {
    if (octet == '/' || octet == '.') continue;
    MtreeEntry entry;
    entry.path = std::string("x") + static_cast<char>(octet);
    entries.push_back(entry);
  }
  const Read again = read(written(entries));
  EXPECT_EQ(again.error, "");
  EXPECT_EQ(again.entries, entries);
}

TEST(Mtree, TakesTheWordsInAnyOrder) {
  const Read one = read(with_line("./f time=1.000000002 gid=4294967294 inode=9 uid=3 mode=7777 type=file"));
  ASSERT_EQ(one.error, "");
  EXPECT_EQ(one.entries[1], (MtreeEntry{.path = "f",
                                        .mode = 07777,
                                        .uid = 3,
                                        .gid = 4294967294,
                                        .modified_s = 1,
                                        .modified_ns = 2,
                                        .link = {},
                                        .inode = 9}));
}

TEST(Mtree, OrderIsThatOfWholePathsAndDirectoriesComeFirst) {
  // "-" is less than "/": what is in "a" comes after "a-b" and what is in that.
  const std::string rest(kRest);
  const std::string directory = " type=dir mode=0700 uid=0 gid=0 time=0.000000000\n";
  const std::string text = "#mtree\n./a" + directory + "./a-b" + directory + "./a-b/x" + rest + "\n./a/x" + rest + "\n";
  EXPECT_EQ(read(text).error, "");
  EXPECT_THAT(read("#mtree\n./b" + rest + "\n./a" + rest + "\n").error, HasSubstr("not in ascending order"));
  EXPECT_THAT(read("#mtree\n./b" + rest + "\n./b" + rest + "\n").error, HasSubstr("not in ascending order"));
  EXPECT_THAT(read("#mtree\n./b/c" + rest + "\n").error, HasSubstr("its directory has no line before it"));
  EXPECT_THAT(read("#mtree\n./b" + rest + "\n./b/c" + rest + "\n").error, HasSubstr("its directory has no line"));
  EXPECT_THAT(read("#mtree\n./b/c" + directory + "./b/c/d" + rest + "\n").error, HasSubstr("line 2: its directory"));
}

TEST(Mtree, RefusesWhatIsWrittenOtherwise) {
  const std::string rest(kRest);
  const std::vector<std::pair<std::string, std::string>> cases = {
      {"f" + rest, "does not begin with ./"},
      {"./" + rest, "path"},
      {"./a/../f" + rest, "path"},
      {"./d/./f" + rest, "path"},
      {"./d//f" + rest, "path"},
      {"./\\060" + rest, "not escaped"},
      {"./\\04" + rest, "not escaped"},
      {"./\\400" + rest, "not escaped"},
      {"./f\\000" + rest, "NUL"},
      {"./f\xff" + rest, "not escaped"},
      {"./f#" + rest, "not escaped"},
      {"./f type=file", "mode is missing"},
      {"./f" + rest + " ", "without ="},
      {"./f  type=file", "without ="},
      {"./f" + rest + " mode=0600", "mode stands twice"},
      {"./f" + rest + " size=3", "a word that there is not: size"},
      {"./f" + rest + " link=a", "link does not agree"},
      {"./f" + rest + " inode=0", "inode has a value"},
      {"./f" + rest + " inode=01", "inode has a value"},
      {"./f type=link mode=0777 uid=0 gid=0 time=0.000000000", "link does not agree"},
      {"./f type=link mode=0777 uid=0 gid=0 time=0.000000000 link=", "link has a value"},
      {"./f type=link mode=0777 uid=0 gid=0 time=0.000000000 link=a inode=1", "inode is not of a file"},
      {"./f type=fifo mode=0600 uid=0 gid=0 time=0.000000000", "type has a value"},
      {"./f type=file mode=600 uid=0 gid=0 time=0.000000000", "mode has a value"},
      {"./f type=file mode=0800 uid=0 gid=0 time=0.000000000", "mode has a value"},
      {"./f type=file mode=0600 uid=-0 gid=0 time=0.000000000", "uid has a value"},
      {"./f type=file mode=0600 uid=4294967295 gid=0 time=0.000000000", "uid has a value"},
      {"./f type=file mode=0600 uid=0 gid=00 time=0.000000000", "gid has a value"},
      {"./f type=file mode=0600 uid=0 gid=0 time=0", "time has a value"},
      {"./f type=file mode=0600 uid=0 gid=0 time=0.0", "time has a value"},
      {"./f type=file mode=0600 uid=0 gid=0 time=-0.000000000", "time has a value"},
      {"./f type=file mode=0600 uid=0 gid=0 time=9223372036854775808.000000000", "time has a value"},
      {"# a comment", "path"},
      {"", "path"},
  };
  for (const auto& [line, rule] : cases) {
    EXPECT_THAT(read(with_line(line)).error, HasSubstr(rule)) << line;
    EXPECT_THAT(read(with_line(line)).error, HasSubstr("line 3")) << line;
  }
}

TEST(Mtree, RefusesWhatIsNoWholeFile) {
  EXPECT_THAT(read("").error, HasSubstr("the first line is not #mtree"));
  EXPECT_THAT(read("#mtree v2.0\n").error, HasSubstr("the first line"));
  EXPECT_THAT(read("#mtree").error, HasSubstr("no newline ends it"));
  EXPECT_EQ(read("#mtree\n").error, "");
  const std::string whole = kSample;
  for (std::size_t cut = 0; cut < whole.size(); ++cut) {
    const Read part = read(std::string_view(whole).substr(0, cut));
    EXPECT_TRUE(!part.error.empty() || whole[cut - 1] == '\n') << cut;
  }
  EXPECT_THAT(read("#mtree\n./" + std::string(kMtreeLineBytesMax + (70u << 10), 'a')).error,
              HasSubstr("longer than a line can be"));
}

TEST(Mtree, AHeaderMatchesItsLineInAllThatUstarCanSay) {
  MtreeEntry entry{.path = "f", .mode = 0640, .uid = 1u << 21, .gid = 5, .modified_s = -1, .link = {}};
  TarEntry header = tar_entry_of(entry, "tree/", 7);
  EXPECT_EQ(header.path, "tree/f");
  EXPECT_EQ(header.size_bytes, 7u);
  EXPECT_EQ(header.uid, 0u) << "ustar cannot say it";
  EXPECT_EQ(header.gid, 5u);
  EXPECT_EQ(header.mtime_s, 0);
  EXPECT_EQ(mtree_mismatch(entry, header, "tree/"), "");
  const auto mismatch = [&](auto change) {
    TarEntry changed = header;
    change(changed);
    return std::string(mtree_mismatch(entry, changed, "tree/"));
  };
  EXPECT_THAT(mismatch([](TarEntry& e) { e.path = "tree/g"; }), HasSubstr("path"));
  EXPECT_THAT(mismatch([](TarEntry& e) { e.type = TarType::kDirectory; }), HasSubstr("type"));
  EXPECT_THAT(mismatch([](TarEntry& e) { e.mode = 0641; }), HasSubstr("mode"));
  EXPECT_THAT(mismatch([](TarEntry& e) { e.uid = 1; }), HasSubstr("owner"));
  EXPECT_THAT(mismatch([](TarEntry& e) { e.mtime_s = 1; }), HasSubstr("time"));
  EXPECT_THAT(mismatch([](TarEntry& e) { e.link = "x"; }), HasSubstr("target"));
}

TEST(TreeAttributesLine, ComesBackAndIsStrict) {
  const TreeAttributes attributes{"a b\n", {{"system.posix_acl_access", std::string("\0\xff", 2)}, {"user.x", ""}}};
  std::string line;
  append_attributes_line(line, attributes);
  EXPECT_EQ(line, "{\"path\":\"YSBiCg==\",\"xattrs\":{\"system.posix_acl_access\":\"AP8=\",\"user.x\":\"\"}}\n");
  line.pop_back();
  const auto again = parse_attributes_line(line);
  ASSERT_TRUE(again) << again.error().message;
  EXPECT_EQ(*again, attributes);
  const std::vector<std::string> refused = {
      "",
      "[]",
      "{\"path\":\"YQ==\"}",
      "{\"path\":\"YQ==\",\"xattrs\":{}}",
      "{\"path\":\"YQ\",\"xattrs\":{\"user.x\":\"\"}}",
      "{\"path\":\"Li4=\",\"xattrs\":{\"user.x\":\"\"}}",
      "{\"path\":\"YQ==\",\"xattrs\":{\"user.y\":\"\",\"user.x\":\"\"}}",
      "{\"path\":\"YQ==\",\"xattrs\":{\"user.x\":\"\",\"user.x\":\"\"}}",
      "{\"path\":\"YQ==\",\"xattrs\":{\"user.x\":1}}",
      "{\"path\":\"YQ==\",\"xattrs\":{\"user.x\":\"?\"}}",
      "{\"path\":\"YQ==\", \"xattrs\":{\"user.x\":\"\"}}",
      "{\"xattrs\":{\"user.x\":\"\"},\"path\":\"YQ==\"}",
      "{\"path\":\"YQ==\",\"xattrs\":{\"user.x\":\"\"},\"z\":1}",
      "{\"path\":\"YQ==\",\"xattrs\":{\"" + std::string(256, 'n') + "\":\"\"}}",
  };
  for (const std::string& text : refused) {
    const auto parsed = parse_attributes_line(text);
    EXPECT_FALSE(parsed) << text;
    if (!parsed) {
      EXPECT_EQ(parsed.error().code, ErrorCode::kVerification) << text;
    }
  }
}

}  // namespace
}  // namespace spl::codec
