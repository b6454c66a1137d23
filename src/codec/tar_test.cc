#include "codec/tar.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <cstring>
#include <filesystem>
#include <fstream>
#include <functional>
#include <iterator>
#include <vector>

#include "codec/tar_format.h"
#include "codec/tar_test_util.h"

namespace spl::codec {
namespace {

std::string header_of(const TarEntry& entry) {
  std::string text;
  append_tar_header(text, entry);
  return text;
}

TEST(TarHeader, IsByteForByteWhatTheFormatSays) {
  TarEntry entry = file("records/t/a.json", 300);
  entry.mode = 0640;
  entry.uid = 8;
  entry.gid = 9;
  entry.mtime_s = 1'700'000'000;
  std::string expected(kTarBlock, '\0');
  const auto put = [&](std::size_t at, std::string_view text) { text.copy(&expected[at], text.size()); };
  put(0, "records/t/a.json");
  put(100, "0000640");
  put(108, "0000010");
  put(116, "0000011");
  put(124, "00000000454");
  put(136, "14524770400");
  put(156, "0");
  put(257, {"ustar\00000", 8});
  put(329, "0000000");
  put(337, "0000000");
  put(148, "        ");
  unsigned sum = 0;
  for (const char c : expected) sum += static_cast<unsigned char>(c);
  put(148, {"000000\0 ", 8});
  for (std::size_t at = 153; sum != 0; sum /= 8) expected[at--] = static_cast<char>('0' + sum % 8);
  EXPECT_EQ(header_of(entry), expected);
}

TEST(TarHeader, SplitsALongPathAtTheFirstSlashThatLeavesRoom) {
  const std::string path = "a/b/" + std::string(96, 'c') + "/d";
  ASSERT_EQ(path.size(), 102u);
  const std::string block = header_of(file(path));
  EXPECT_EQ(block.size(), kTarBlock);
  EXPECT_EQ(block.substr(345, 3), std::string("a\0\0", 3));
  EXPECT_EQ(block.substr(0, 100), path.substr(2));  // a full field has no NUL
}

TEST(TarHeader, TakesPaxOnlyWhereNoSplitFits) {
  const std::string name(100, 'n');
  const auto blocks = [](const TarEntry& entry) {
    EXPECT_EQ(header_of(entry).size(), tar_header_bytes(entry));
    return tar_header_bytes(entry) / kTarBlock;
  };
  EXPECT_EQ(blocks(file(name)), 1u);
  EXPECT_EQ(blocks(file(name + "n")), 3u);
  EXPECT_EQ(blocks(directory(std::string(99, 'n'))), 1u);
  EXPECT_EQ(blocks(directory(name)), 3u) << "the slash has no room";
  EXPECT_EQ(blocks(directory("p/" + std::string(99, 'n'))), 1u);
  EXPECT_EQ(blocks(file(std::string(155, 'p') + "/" + name)), 1u);
  EXPECT_EQ(blocks(file(std::string(156, 'p') + "/" + name)), 3u);
  EXPECT_EQ(blocks(file(std::string(155, 'p') + "/" + name + "n")), 3u);
  EXPECT_EQ(blocks(symlink("l", name)), 1u);
  EXPECT_EQ(blocks(symlink("l", name + "n")), 3u);
  EXPECT_EQ(blocks(file("f", ustar::kSizeMax)), 1u);
  EXPECT_EQ(blocks(file("f", ustar::kSizeMax + 1)), 3u);
}

TEST(TarHeader, LengthOfAPaxRecordCountsItself) {
  for (std::size_t bytes = 101; bytes <= 255; ++bytes) {
    const std::string path(bytes, 'p');
    const std::string text = header_of(file(path));
    const std::string body = text.substr(kTarBlock);
    const std::size_t said = std::stoul(body);
    EXPECT_EQ(body[said - 1], '\n') << bytes;
    EXPECT_EQ(body.substr(0, said), std::to_string(said) + " path=" + path + "\n");
  }
}

TEST(TarHeader, WritesZeroWhereUstarCannotSayANumber) {
  TarEntry entry = file("f");
  entry.uid = ustar::kIdMax + 1;
  entry.gid = ~std::uint64_t{0};
  entry.mtime_s = -1;
  EXPECT_EQ(header_of(entry), header_of(file("f")));
  entry.mtime_s = static_cast<std::int64_t>(ustar::kSizeMax) + 1;
  EXPECT_EQ(header_of(entry), header_of(file("f")));
  entry.uid = entry.gid = ustar::kIdMax;
  entry.mtime_s = static_cast<std::int64_t>(ustar::kSizeMax);
  EXPECT_EQ(header_of(entry).substr(108, 16), std::string("7777777\0007777777\0", 16));
  EXPECT_EQ(header_of(entry).substr(136, 12), std::string("77777777777\0", 12));
}

TEST(TarHeader, EndFillsTheRecord) {
  for (const std::uint64_t before : {0u, 512u, 9216u, 9728u, 10240u, 1u << 30}) {
    std::string text;
    append_tar_end(text, before);
    EXPECT_EQ((before + text.size()) % kTarRecord, 0u);
    EXPECT_GE(text.size(), 2 * kTarBlock);
    EXPECT_LT(text.size(), 2 * kTarBlock + kTarRecord);
  }
}

TEST(TarHeader, PaddingEndsTheBlock) {
  EXPECT_EQ(tar_padding(0), 0u);
  EXPECT_EQ(tar_padding(1), 511u);
  EXPECT_EQ(tar_padding(511), 1u);
  EXPECT_EQ(tar_padding(512), 0u);
  EXPECT_EQ(tar_padding((std::uint64_t{1} << 62) + 1), 511u);
}

TEST(TarReader, ReadsWhatWasWritten) {
  const std::vector<Member> members = every_kind();
  const std::string tar = tar_of(members);
  for (const std::size_t piece : {1u, 7u, 511u, 512u, 100'000u}) {
    const auto read = read_tar(tar, piece);
    ASSERT_TRUE(read) << read.error().message;
    ASSERT_EQ(read->size(), members.size());
    std::uint64_t offset = 0;
    for (std::size_t i = 0; i < members.size(); ++i) {
      const TarEntry& entry = members[i].entry;
      EXPECT_TRUE(same(read->at(i), members[i])) << entry.path;
      EXPECT_EQ(read->at(i).entry.header_offset, offset) << entry.path;
      offset += tar_header_bytes(entry) + entry.size_bytes + tar_padding(entry.size_bytes);
    }
  }
}

TEST(TarReader, SkipsContentThatNobodyReads) {
  const std::string big(700'000, 'b');
  const std::string tar = tar_of({{file("a", big.size()), big}, {file("b", 3), "xyz"}});
  PieceSource source(tar, 100'000);
  TarReader reader(source);
  ASSERT_EQ(reader.next().value()->path, "a");
  char some[5];
  EXPECT_EQ(reader.read(some).value(), 5u);
  ASSERT_EQ(reader.next().value()->path, "b");
  std::string content = "before ";
  ASSERT_TRUE(reader.append_content(content));
  EXPECT_EQ(content, "before xyz");
  EXPECT_EQ(reader.read(some).value(), 0u);
  EXPECT_FALSE(reader.next().value());
  EXPECT_EQ(reader.offset(), tar.size());
  EXPECT_FALSE(reader.next().value()) << "the end stays the answer";
}

TEST(TarReader, ReadsLargeContentInWhateverPieces) {
  std::string big(1'000'003, '\0');
  for (std::size_t i = 0; i < big.size(); ++i) big[i] = static_cast<char>(i * 131 >> 3);
  const std::string tar = tar_of({{file("big", big.size()), big}});
  for (const std::size_t piece : {1u, 4096u, 262'144u, 300'001u, 2'000'000u}) {
    base::StringSource source(tar);
    TarReader reader(source);
    ASSERT_TRUE(reader.next().value());
    std::string content;
    std::string part(piece, '\0');
    for (;;) {
      const std::size_t n = reader.read(part).value();
      if (n == 0) break;
      content.append(part, 0, n);
    }
    EXPECT_TRUE(content == big);
    EXPECT_FALSE(reader.next().value());
  }
}

TEST(TarReader, TellsTheOffsetOfHeaderAndContent) {
  const std::string tar = tar_of({{file(std::string(150, 'p'), 5), "hello"}, {file("q"), ""}});
  base::StringSource source(tar);
  TarReader reader(source);
  EXPECT_EQ(reader.next().value()->header_offset, 0u);
  EXPECT_EQ(reader.offset(), 3 * kTarBlock);
  EXPECT_EQ(reader.next().value()->header_offset, 4 * kTarBlock);
}

TEST(TarReader, ReadsAnySplitAndDeviceFieldsOfNuls) {
  std::string tar = tar_of({{file("some/long/path"), ""}});
  put(tar, 0, std::string(100, '\0'));
  put(tar, 0, "long/path");
  put(tar, 345, "some");
  put(tar, 329, std::string(8, '\0'));
  set_checksum(tar, 0);
  const auto read = read_tar(tar);
  ASSERT_TRUE(read) << read.error().message;
  EXPECT_EQ(read->at(0).entry.path, "some/long/path");
}

TEST(TarReader, ReadsASizeBeyondUstar) {
  for (const std::uint64_t size : {ustar::kSizeMax, ustar::kSizeMax + 1, std::uint64_t{1} << 62}) {
    const std::string text = header_of(file("huge", size));
    base::StringSource source(text);
    TarReader reader(source);
    const auto entry = reader.next();
    ASSERT_TRUE(entry) << entry.error().message;
    EXPECT_EQ((*entry)->size_bytes, size);
    const auto after = reader.next();
    ASSERT_FALSE(after);
    EXPECT_EQ(after.error().message, "huge: truncated at byte " + std::to_string(text.size()));
  }
}

TEST(TarReader, PassesOnTheErrorsOfItsSource) {
  FailingSource source(header_of(file("a", 10)));
  TarReader reader(source);
  ASSERT_TRUE(reader.next());
  char octet[1];
  for (int i = 0; i < 2; ++i) {
    const auto result = reader.read(octet);
    ASSERT_FALSE(result);
    EXPECT_EQ(result.error().code, ErrorCode::kFailed);
    EXPECT_EQ(result.error().message, "the disk is gone");
  }
  EXPECT_EQ(source.failures, 1) << "an error is final";
}

TEST(TarReader, RefusesTruncationAtEveryByte) {
  const std::string tar = tar_of(every_kind());
  for (std::size_t bytes = 0; bytes < tar.size(); ++bytes) {
    const auto read = read_tar(std::string_view(tar).substr(0, bytes));
    ASSERT_FALSE(read) << bytes;
    ASSERT_EQ(read.error().code, ErrorCode::kVerification);
    ASSERT_TRUE(read.error().message.ends_with(": truncated at byte " + std::to_string(bytes))) << read.error().message;
  }
}

// A flipped bit is found, or lies where tar has no redundancy: content, and the text of a pax
// header. There the same entries come out with that content, path or link changed.
TEST(TarReader, FindsEveryFlippedBitOutsideContentAndPaxText) {
  const std::vector<Member> members = every_kind();
  std::string tar = tar_of(members);
  std::size_t unseen = 0;
  for (std::size_t bit = 0; bit < 8 * tar.size(); ++bit) {
    const auto flip = [&] { tar[bit / 8] = static_cast<char>(tar[bit / 8] ^ (1 << bit % 8)); };
    flip();
    const auto read = read_tar(tar);
    flip();
    if (!read) {
      ASSERT_EQ(read.error().code, ErrorCode::kVerification);
      continue;
    }
    ++unseen;
    ASSERT_EQ(read->size(), members.size());
    int changed = 0;
    for (std::size_t i = 0; i < members.size(); ++i) {
      if (same(read->at(i), members[i])) continue;
      ++changed;
      const std::uint64_t begin = read->at(i).entry.header_offset;
      const std::uint64_t header = tar_header_bytes(members[i].entry);
      const bool in_content = bit / 8 >= begin + header;
      const bool in_pax = header > kTarBlock && bit / 8 >= begin + kTarBlock && bit / 8 < begin + header - kTarBlock;
      ASSERT_TRUE(in_content || in_pax) << "byte " << bit / 8;
      ASSERT_NE(in_content, read->at(i).content == members[i].content);
    }
    ASSERT_EQ(changed, 1) << "byte " << bit / 8;
  }
  EXPECT_GT(unseen, 0u);
}

TEST(TarReader, ReadsTheGoldenTar) {
  const std::filesystem::path path = SPL_SOURCE_DIR "/src/codec/testdata/golden.tar";
  std::ifstream stream(path, std::ios::binary);
  const std::string golden{std::istreambuf_iterator<char>(stream), {}};
  EXPECT_TRUE(tar_of(every_kind()) == golden) << "the writer no longer makes the same tar";
  const auto read = read_tar(golden);
  ASSERT_TRUE(read) << read.error().message;
  EXPECT_TRUE(std::ranges::equal(*read, every_kind(), same));
}

}  // namespace
}  // namespace spl::codec
