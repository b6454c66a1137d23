// What an attacker does to the layers around a good bundle: nothing is appended, cut, wrapped again or changed unseen.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "codec/seek_table.h"
#include "codec/zstd.h"
#include "crypto/age.h"
#include "env/posix_env.h"
#include "hostile_reading.h"
#include "testing/bundle_forge.h"

namespace spl {
namespace {

using testing::BundleForge;
using testing::read_whole;
using ::testing::StartsWith;

std::string why(std::string_view octets, const bundle::ReaderOptions& options = {}) {
  const Error error = testing::why_refused(octets, options);
  EXPECT_TRUE(error.code == ErrorCode::kVerification || error.message == "accepted") << error.message;
  return error.message;
}

std::string frame_of(std::string_view text) {
  std::string out;
  codec::ZstdCompressor(3).compress_frame(text, out);
  return out;
}

// A skippable frame of `bytes` (8 to 255 + 8) in all, which means nothing.
std::string padding(std::size_t bytes) {
  const std::string magic = "\x50\x2A\x4D\x18";
  return magic + static_cast<char>(bytes - 8) + std::string(3 + bytes - 8, '\0');
}

std::string table_of(std::size_t compressed_bytes, std::size_t bytes) {
  codec::SeekTable table;
  table.add(compressed_bytes, bytes);
  std::string out;
  table.append_to(out);
  return out;
}

// A frame of raw blocks under a header made by hand.
std::string raw_frame(std::string_view header, std::string_view content) {
  constexpr std::size_t kBlockBytes = 100'000;
  std::string frame = "\x28\xB5\x2F\xFD" + std::string(header);
  for (std::size_t at = 0; at < content.size(); at += kBlockBytes) {
    const std::string_view block = content.substr(at, kBlockBytes);
    const std::size_t head = block.size() << 3 | (at + kBlockBytes >= content.size() ? 1 : 0);
    for (int shift = 0; shift < 24; shift += 8) frame.push_back(static_cast<char>(head >> shift & 0xFF));
    frame += block;
  }
  return frame;
}

class Encrypted {
 public:
  std::string operator()(std::string_view octets) const {
    base::StringSink out;
    const auto sink = crypto::AgeEncryptSink::make_with_passphrase(
        out, passphrase_, [](std::span<char> bytes) { env::SystemRandom().fill(bytes); }, 1);
    EXPECT_TRUE(sink && (*sink)->write(octets) && (*sink)->finish());
    return out.text;
  }
  [[nodiscard]] bundle::ReaderOptions options() const { return {.identities = {}, .passphrase = &passphrase_}; }

 private:
  SecretBytes passphrase_{"open sesame"};
};

constexpr char kAfterTar[] = "bundle malformed: tar: bytes after the end";
constexpr char kAfterTable[] = "bundle malformed: zstd: bytes after the seek table";
constexpr char kAfterContent[] =
    "bundle malformed: zstd: after the last frame that holds something, only a seek table may stand";
constexpr char kNoFrame[] = "bundle malformed: zstd: bytes after a frame that are no frame";

TEST(AfterTheEnd, OfATarStandsNothing) {
  const std::string tar = BundleForge().tar();
  for (const std::string& more :
       {std::string("x"), std::string(1, '\0'), std::string(512, '\0'), std::string(10240, '\0'), tar, frame_of(tar)})
    EXPECT_EQ(why(tar + more), kAfterTar);
}

TEST(AfterTheEnd, OfACompressedTarStandsNoOtherFrame) {
  const std::string tar = BundleForge().tar();
  const std::string packed = frame_of(tar);
  const auto whole = read_whole(tar);
  ASSERT_TRUE(whole);
  EXPECT_EQ(read_whole(packed).value(), *whole);
  EXPECT_EQ(why(packed + packed), kAfterTar);
  EXPECT_EQ(why(packed + frame_of(std::string(1, '\0'))), kAfterTar);
  EXPECT_EQ(why(packed + tar), kNoFrame);
  EXPECT_EQ(why(packed + "x"), kNoFrame);
  EXPECT_EQ(why(packed + std::string(10240, '\0')), kNoFrame);
  EXPECT_EQ(why(packed + frame_of("")), kAfterContent);
  EXPECT_EQ(why(packed + padding(8)), kAfterContent);
  EXPECT_EQ(why(packed + padding(8) + table_of(packed.size(), tar.size())), kAfterContent);
}

TEST(AfterTheEnd, OneSeekTableIsTheLastThing) {
  const std::string tar = BundleForge().tar();
  const std::string first = frame_of(std::string_view(tar).substr(0, 4096));
  const std::string rest = frame_of(std::string_view(tar).substr(4096));
  const std::string packed = first + padding(100) + frame_of("") + rest;
  const std::string table = table_of(packed.size(), tar.size());
  EXPECT_EQ(read_whole(packed + table).value(), read_whole(tar).value());
  EXPECT_EQ(why(packed + table + table), kAfterTable);
  EXPECT_EQ(why(packed + table + padding(8)), kAfterTable);
  EXPECT_EQ(why(packed + table + frame_of("")), kAfterTable);
  EXPECT_EQ(why(packed + table + "x"), kAfterTable);
  EXPECT_EQ(why(first + table + rest), kAfterTable);
  EXPECT_EQ(why(table + packed), kAfterTable);
  std::string reserved = packed + table;
  reserved[reserved.size() - 5] = 4;
  EXPECT_EQ(why(reserved), "bundle malformed: zstd: seek table: reserved bits are set");
  std::string no_footer = packed + table;
  no_footer.back() = 0;
  EXPECT_EQ(why(no_footer), kAfterContent);
}

TEST(Layers, AreEachThereOnceAndInTheirOrder) {
  const Encrypted encrypted;
  const auto options = encrypted.options();
  const std::string tar = BundleForge().tar();
  const std::string packed = frame_of(tar);
  for (const std::string& inner : {tar, packed}) {
    EXPECT_EQ(read_whole(encrypted(inner), options).value(), read_whole(tar).value());
    EXPECT_EQ(why(encrypted(encrypted(inner)), options), "bundle malformed: age: a second layer of encryption");
    const Error within = testing::why_refused(frame_of(encrypted(inner)), options);
    EXPECT_EQ(within.message, "bundle malformed: age: a layer of encryption within the compression");
    EXPECT_EQ(within.hint, "a bundle is compressed first, then encrypted");
  }
  constexpr char kTwice[] = "bundle malformed: zstd: a second layer of compression";
  EXPECT_EQ(why(frame_of(packed)), kTwice);
  EXPECT_EQ(why(padding(8) + frame_of(padding(8) + packed)), kTwice);
  EXPECT_EQ(why(encrypted(frame_of(packed)), options), kTwice);
}

TEST(Layers, AreNeverArmoured) {
  const Encrypted encrypted;
  const auto options = encrypted.options();
  const std::string armoured = "-----BEGIN AGE ENCRYPTED FILE-----\nYWdl\n-----END AGE ENCRYPTED FILE-----\n";
  EXPECT_EQ(why(armoured), "bundle malformed: age: armoured, a bundle is binary");
  EXPECT_EQ(why(encrypted(armoured), options), "bundle malformed: age: a second layer of encryption");
  EXPECT_EQ(why(frame_of(armoured)), "bundle malformed: age: a layer of encryption within the compression");
}

TEST(Zstd, OfABundleHasNoDictionaryAndAWindowOfAtMost128MiB) {
  const std::string tar = BundleForge().tar();
  const auto with_window = [&tar](char exponent) {
    return raw_frame({std::string("\0", 1) + static_cast<char>(exponent << 3)}, tar);
  };
  EXPECT_EQ(read_whole(with_window(17)).value(), read_whole(tar).value());
  EXPECT_EQ(why(with_window(18)), "bundle malformed: zstd: window is over 128 MiB");
  EXPECT_EQ(why(raw_frame(std::string("\1\x50\7", 3), tar)), "bundle malformed: zstd: a frame wants a dictionary");
}

// Its chunks are authenticated, its header too: every one of these is found.
TEST(EncryptedBundle, IsRefusedWhereItIsCutOrChanged) {
  const Encrypted encrypted;
  const auto options = encrypted.options();
  BundleForge forge;
  for (std::uint64_t i = 0; i < 200; ++i)
    forge.add_record(BundleForge::make_record("th_many", i, "{\"text\":\"" + std::string(500, 'x') + "\"}"));
  for (const std::string& inner : {forge.tar(), forge.tar_zst()}) {
    const std::string whole = encrypted(inner);
    ASSERT_TRUE(read_whole(whole, options));
    const std::size_t step = whole.size() / 97 + 1;
    for (std::size_t at = 0; at < whole.size(); at += at < 300 ? 7 : step) {
      EXPECT_THAT(why(whole.substr(0, at), options), StartsWith("bundle ")) << at;
      std::string changed = whole;
      changed[at] = static_cast<char>(changed[at] ^ (1 << at % 8));
      const std::string message = why(changed, options);
      EXPECT_NE(message, "accepted") << at;
    }
    for (const std::size_t less : {1u, 16u, 17u})
      EXPECT_THAT(why(whole.substr(0, whole.size() - less), options), StartsWith("bundle malformed: "));
    for (const std::string& more : {std::string("x"), std::string(16, '\0'), whole})
      EXPECT_THAT(why(whole + more, options), StartsWith("bundle malformed: "));
  }
}

}  // namespace
}  // namespace spl
