#include "codec/zstd.h"

#include <gtest/gtest.h>
#include <sys/wait.h>
#include <zstd.h>

#include <algorithm>
#include <array>
#include <cstdio>
#include <cstdlib>
#include <fstream>
#include <string>
#include <vector>

#include "codec/little_endian.h"
#include "codec/tar_test_util.h"
#include "testing/temp_directory.h"

namespace spl::codec {
namespace {

constexpr int kLevel = 3;

// Text that compresses, and never the same.
std::string text_of(std::size_t bytes, unsigned seed = 1) {
  std::string text;
  text.reserve(bytes + 32);
  for (std::uint64_t x = seed; text.size() < bytes;) {
    x = x * 6364136223846793005u + 1442695040888963407u;
    text += "{\"n\":" + std::to_string(x >> 40) + "}\n";
  }
  text.resize(bytes);
  return text;
}

std::string frame_of(std::string_view text, int level = kLevel) {
  std::string out;
  ZstdCompressor(level).compress_frame(text, out);
  return out;
}

Result<std::string> decompressed(std::string_view zstd, std::size_t in_piece = 1u << 20,
                                 std::size_t out_piece = 1u << 20) {
  PieceSource in(zstd, in_piece);
  ZstdSource source(in);
  std::string all;
  std::string part(out_piece, '\0');
  for (;;) {
    const std::size_t n = TRY(source.read(part));
    if (n == 0) return all;
    all.append(part, 0, n);
  }
}

std::string why(std::string_view zstd) {
  const auto result = decompressed(zstd);
  if (result) return "accepted";
  EXPECT_EQ(result.error().code, ErrorCode::kVerification);
  return result.error().message;
}

// A skippable frame of `bytes` (at least 8) in all, which means nothing.
std::string padding(std::size_t bytes) {
  std::string out;
  append_le32(out, 0x184D2A50);
  append_le32(out, static_cast<std::uint32_t>(bytes - 8));
  return out.append(bytes - 8, '\0');
}

// A skippable frame with a seek table's magic number.
std::string skippable_of(std::string_view content) {
  std::string out;
  append_le32(out, kSeekTableMagic);
  append_le32(out, static_cast<std::uint32_t>(content.size()));
  return out.append(content);
}

std::string table_of(std::string_view frame) {
  SeekTable table;
  table.add(frame.size(), 1);
  std::string out;
  table.append_to(out);
  return out;
}

// Two frames with padding between, and a seek table.
std::string file_of(std::string_view first, std::string_view second) {
  SeekTable table;
  std::string file = frame_of(first);
  table.add(file.size(), first.size());
  file += padding(100);
  table.add(100, 0);
  const std::size_t at = file.size();
  file += frame_of(second);
  table.add(file.size() - at, second.size());
  table.append_to(file);
  return file;
}

TEST(Zstd, RoundTripsWhateverThePieces) {
  const std::string first = text_of(300'000);
  const std::string second = text_of(77, 2);
  const std::string file = file_of(first, second);
  for (const std::size_t in : {1u, 17u, 131'072u, 1u << 20}) {
    for (const std::size_t out : {1u, 1000u, 1u << 20}) {
      const auto result = decompressed(file, in, out);
      ASSERT_TRUE(result) << result.error().message;
      EXPECT_TRUE(*result == first + second);
    }
  }
}

TEST(Zstd, OneContextMakesTheSameFrameAsManyDo) {
  ZstdCompressor compressor(kLevel);
  std::string out = "kept";
  for (const std::size_t bytes : {0u, 1u, 100u, 5'000'000u, 10u}) {
    const std::string text = text_of(bytes);
    const std::size_t at = out.size();
    compressor.compress_frame(text, out);
    EXPECT_TRUE(out.substr(at) == frame_of(text));
  }
  EXPECT_TRUE(out.starts_with("kept"));
}

TEST(Zstd, FramesSayTheirSizeAndHaveAChecksum) {
  std::string frame = frame_of(text_of(1000));
  EXPECT_EQ(ZSTD_getFrameContentSize(frame.data(), frame.size()), 1000u);
  EXPECT_EQ(frame[4] & 4, 4);
  frame.back() = static_cast<char>(frame.back() ^ 1);
  EXPECT_EQ(why(frame), "zstd: Restored data doesn't match checksum");
}

TEST(Zstd, EmptyFramesAndSkippableOnesGiveNothing) {
  const std::string small = padding(8);
  const std::string large = padding(1'000'000);
  EXPECT_EQ(decompressed(small + frame_of("") + frame_of("x") + small + frame_of("y")).value(), "xy");
  EXPECT_EQ(decompressed(large + frame_of("x") + large + frame_of("y")).value(), "xy");
  // The magic number of a seek table does not make one.
  EXPECT_EQ(decompressed(frame_of("x") + skippable_of("not a table") + frame_of("y")).value(), "xy");
}

TEST(Zstd, AfterTheLastContentStandsNothingButOneSeekTable) {
  const std::string x = frame_of("x");
  const std::string table = table_of(x);
  EXPECT_EQ(decompressed(x + table).value(), "x");
  const std::string after = "zstd: bytes after the seek table";
  for (const std::string& more : {table, x, frame_of(""), padding(8), std::string("y"), std::string(1, '\0')})
    EXPECT_EQ(why(x + table + more), after);
  EXPECT_EQ(why(table + x), after);
  const std::string only = "zstd: after the last frame that holds something, only a seek table may stand";
  for (const std::string& end : {padding(8), frame_of(""), skippable_of("not a table")}) {
    EXPECT_EQ(why(x + end), only);
    EXPECT_EQ(why(x + end + table), only);
    EXPECT_EQ(why(end), only) << "and no frame holds anything";
  }
  EXPECT_EQ(why(table), only);
}

TEST(Zstd, RefusesAMalformedSeekTable) {
  const std::string x = frame_of("x");
  std::string longer = table_of(x);
  const std::string content = longer.substr(8);
  EXPECT_EQ(why(x + skippable_of("more" + longer)), "zstd: seek table: its size is wrong");
  EXPECT_EQ(why(x + skippable_of("more" + content)), "zstd: seek table: it is not in a skippable frame");
  EXPECT_EQ(why(x + skippable_of("more" + content) + x), "zstd: seek table: it is not in a skippable frame");
  std::string reserved = longer;
  reserved[reserved.size() - 5] = 4;
  EXPECT_EQ(why(x + reserved), "zstd: seek table: reserved bits are set");
  // With a count that no table has, in a frame that is too long to be one.
  std::string huge(kSeekTableBytesMax - 7, '\0');
  huge.replace(huge.size() - 9, 9, content.substr(content.size() - 9));
  EXPECT_EQ(why(x + skippable_of(huge)),
            "zstd: after the last frame that holds something, only a seek table may stand");
}

TEST(Zstd, TheEndStaysTheEnd) {
  const std::string frame = frame_of("x");
  base::StringSource in(frame);
  ZstdSource source(in);
  std::array<char, 8> out{};
  EXPECT_EQ(source.read(out).value(), 1u);
  EXPECT_EQ(source.read(out).value(), 0u);
  EXPECT_EQ(source.read(out).value(), 0u);
}

TEST(Zstd, IsToldByItsFirstOctets) {
  EXPECT_TRUE(looks_like_zstd(frame_of("")));
  EXPECT_TRUE(looks_like_zstd(padding(8)));
  EXPECT_FALSE(looks_like_zstd("\x28\xB5\x2F"));
  EXPECT_FALSE(looks_like_zstd("mani"));
  EXPECT_FALSE(looks_like_zstd("\x1F\x8B\x08\x00"));
}

TEST(Zstd, RefusesWhatIsNoFrame) {
  EXPECT_EQ(why(""), "zstd: it does not begin with a frame");
  EXPECT_EQ(why("a tar, say"), "zstd: it does not begin with a frame");
  EXPECT_EQ(why(frame_of("x") + "y"), "zstd: bytes after a frame that are no frame");
  EXPECT_EQ(why(frame_of("x") + std::string(1000, '\0')), "zstd: bytes after a frame that are no frame");
  EXPECT_EQ(why(frame_of("x").substr(0, 3)), "zstd: it does not begin with a frame");
  // The magic number of version 0.7, which libzstd may know.
  EXPECT_EQ(why(frame_of("x") + "\x27\xB5\x2F\xFD" + frame_of("x").substr(4)),
            "zstd: bytes after a frame that are no frame");
}

TEST(Zstd, RefusesTruncationAtEveryByte) {
  const std::string file = file_of("some text", "more text");
  const std::size_t first = frame_of("some text").size();
  const std::size_t second = first + 100 + frame_of("more text").size();
  for (std::size_t bytes = 0; bytes < file.size(); ++bytes) {
    const std::string message = why(std::string_view(file).substr(0, bytes));
    if (bytes == first || bytes == second) {
      EXPECT_EQ(message, "accepted");  // between frames: what the tar inside notices
    } else {
      EXPECT_TRUE(message.starts_with("zstd: ")) << bytes << ": " << message;
    }
  }
}

TEST(Zstd, FindsEveryFlippedBitOrGivesTheSame) {
  const std::string text = text_of(200);
  std::string frame = frame_of(text);
  for (std::size_t bit = 0; bit < 8 * frame.size(); ++bit) {
    frame[bit / 8] = static_cast<char>(frame[bit / 8] ^ (1 << bit % 8));
    const auto result = decompressed(frame);
    frame[bit / 8] = static_cast<char>(frame[bit / 8] ^ (1 << bit % 8));
    if (!result) continue;
    // What may change: bits that mean nothing, a magic number that becomes a skippable frame's.
    EXPECT_TRUE(*result == text) << bit;
  }
}

TEST(Zstd, RefusesADictionary) {
  const std::string dictionary = text_of(2000);
  ZSTD_CCtx* context = ZSTD_createCCtx();
  ZSTD_CCtx_loadDictionary(context, dictionary.data(), dictionary.size());
  std::string frame(1000, '\0');
  frame.resize(ZSTD_compress2(context, frame.data(), frame.size(), "text", 4));
  ZSTD_freeCCtx(context);
  EXPECT_EQ(why(frame), "accepted") << "one without an id that is not used is no dictionary";
  // The frame header of an id of 1, 2 and 4 octets.
  for (const int flag : {1, 2, 3}) {
    std::string with_id = frame_of("text");
    with_id[4] = static_cast<char>(with_id[4] | flag);
    with_id.insert(5, "\x01\0\0\0", flag == 3 ? 4u : static_cast<unsigned>(flag));
    EXPECT_EQ(why(with_id), "zstd: a frame wants a dictionary");
  }
}

// A frame header with a window descriptor, then one raw block of one octet.
std::string with_window(unsigned exponent, unsigned mantissa) {
  std::string frame("\x28\xB5\x2F\xFD\0", 5);
  frame.push_back(static_cast<char>(exponent << 3 | mantissa));
  frame += std::string("\x09\0\0x", 4);
  return frame;
}

TEST(Zstd, RefusesAWindowOverTheLimit) {
  EXPECT_EQ(decompressed(with_window(0, 0)).value(), "x");
  EXPECT_EQ(decompressed(with_window(17, 0)).value(), "x");  // 2^27
  EXPECT_EQ(why(with_window(17, 1)), "zstd: window is over 128 MiB");
  EXPECT_EQ(why(with_window(18, 0)), "zstd: window is over 128 MiB");
  EXPECT_EQ(why(with_window(31, 7)), "zstd: window is over 128 MiB");
  // A single segment: the content is the window.
  const auto single = [](std::uint64_t content) {
    std::string frame("\x28\xB5\x2F\xFD\xE0", 5);
    for (int i = 0; i < 8; ++i) frame.push_back(static_cast<char>(content >> 8 * i & 255));
    return frame + std::string("\x09\0\0x", 4);
  };
  EXPECT_EQ(decompressed(single(1)).value(), "x");
  EXPECT_EQ(why(single(kZstdWindowBytesMax + 1)), "zstd: window is over 128 MiB");
  EXPECT_EQ(why(single(~std::uint64_t{0})), "zstd: window is over 128 MiB");
}

TEST(Zstd, RefusesReservedBits) {
  std::string frame = frame_of("x");
  frame[4] = static_cast<char>(frame[4] | 8);
  EXPECT_EQ(why(frame), "zstd: reserved bit of a frame header is set");
}

TEST(Zstd, RefusesContentThatIsNotAsLongAsTheFrameSays) {
  for (const char said : {'\0', '\2', 'd'}) {
    std::string frame = frame_of("x");
    ASSERT_EQ(frame[4], '\x24');  // single segment, size in one octet, checksum
    frame[5] = said;
    EXPECT_TRUE(why(frame).starts_with("zstd: ")) << int{said};
  }
}

TEST(Zstd, GivesABombPieceByPiece) {
  // 4 GiB of zeros in frames of 16 MiB, of which the reader wants the first MiB only.
  const std::string frame = frame_of(std::string(16u << 20, '\0'));
  EXPECT_LT(frame.size(), 4096u);
  std::string bomb;
  for (int i = 0; i < 256; ++i) bomb += frame;
  base::StringSource in(bomb);
  ZstdSource source(in);
  std::string part(64u << 10, 'x');
  for (int i = 0; i < 16; ++i) {
    const std::size_t n = source.read(part).value();
    ASSERT_GT(n, 0u);
    ASSERT_LE(n, part.size());
    EXPECT_EQ(part.find_first_not_of('\0'), n == part.size() ? part.npos : n);
  }
}

TEST(Zstd, AnErrorIsFinal) {
  FailingSource in(frame_of("text").substr(0, 10));
  ZstdSource source(in);
  std::array<char, 100> out{};
  for (int i = 0; i < 2; ++i) {
    const auto result = source.read(out);
    ASSERT_FALSE(result);
    EXPECT_EQ(result.error().message, "the disk is gone");
  }
  EXPECT_EQ(in.failures, 1);
}

// Runs a shell command; what it prints.
std::string output_of(const std::string& command) {
  FILE* pipe = ::popen((command + " 2>&1").c_str(), "r");
  std::string text;
  std::array<char, 65536> part{};
  while (const std::size_t n = std::fread(part.data(), 1, part.size(), pipe)) text.append(part.data(), n);
  const int status = ::pclose(pipe);
  EXPECT_TRUE(WIFEXITED(status) && WEXITSTATUS(status) == 0) << command << "\n" << text;
  return text;
}

TEST(ZstdInterop, TheProgramReadsFramesPaddingAndSeekTable) {
  const testing::TempDirectory directory;
  const std::string path = directory.path() + "/f.zst";
  const std::string first = text_of(100'000);
  const std::string second = text_of(5, 2);
  std::ofstream(path, std::ios::binary) << file_of(first, second);
  EXPECT_EQ(output_of("zstd -q -t " + path), "");
  EXPECT_TRUE(output_of("zstd -q -dc " + path) == first + second);
}

TEST(ZstdInterop, ReadsWhatTheProgramWrites) {
  const testing::TempDirectory directory;
  const std::string path = directory.path() + "/f";
  const std::string text = text_of(300'000);
  std::ofstream(path, std::ios::binary) << text;
  const auto compressed = [&](const std::string& options) { return output_of("zstd -q -c " + options + " < " + path); };
  for (const std::string options : {"-1", "-19", "--long=27", "--no-check", "-3 --stream-size=300000"}) {
    const auto result = decompressed(compressed(options));
    ASSERT_TRUE(result) << options << ": " << result.error().message;
    EXPECT_TRUE(*result == text) << options;
  }
  EXPECT_EQ(why(compressed("--ultra -22 --long=28")), "zstd: window is over 128 MiB");
}

TEST(ZstdInterop, TarReadsAnEntireCompressedTar) {
  const testing::TempDirectory directory;
  const std::string path = directory.path() + "/t.tar.zst";
  const std::string tar = tar_of(every_kind());
  std::ofstream(path, std::ios::binary) << file_of(std::string_view(tar).substr(0, 1024),
                                                   std::string_view(tar).substr(1024));
  const std::string listing = output_of("tar -tf " + path);
  EXPECT_EQ(std::ranges::count(listing, '\n'), static_cast<std::ptrdiff_t>(every_kind().size()));
}

}  // namespace
}  // namespace spl::codec
