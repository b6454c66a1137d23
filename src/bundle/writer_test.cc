#include "bundle/writer.h"

#include <gtest/gtest.h>

#include "bundle/digest.h"
#include "codec/tar.h"
#include "codec/zstd.h"
#include "env/posix_env.h"
#include "env/posix_file_system.h"
#include "testing/temp_directory.h"

namespace spl::bundle {
namespace {

struct Written {
  Manifest manifest;
  std::string file;
};

std::string noise(std::size_t size) {
  std::string text(size, '\0');
  std::uint32_t state = 1;
  for (char& c : text) {
    state = state * 1664525 + 1013904223;
    c = static_cast<char>(state >> 24);
  }
  return text;
}

class BundleWriterEntries : public ::testing::Test {
 protected:
  BundleWriter writer(Compression compression) {
    auto spool = spool::Spool::make(env_, {directory_.path(), spool::Secrecy::kPlain});
    EXPECT_TRUE(spool);
    return {std::move(*spool), {compression, 2, 1u << 20}};
  }

  testing::TempDirectory directory_;
  env::PosixFileSystem fs_;
  env::SystemClock clock_;
  env::SystemRandom random_;
  env::NullLog log_;
  env::Env env_{fs_, clock_, random_, log_};
};

codec::TarEntry entry_of(std::string path, codec::TarType type, std::uint64_t size, std::string link = {}) {
  codec::TarEntry entry;
  entry.path = std::move(path);
  entry.type = type;
  entry.size_bytes = size;
  entry.mode = 04751;
  entry.uid = 7;
  entry.gid = 8;
  entry.mtime_s = 123456789;
  entry.link = std::move(link);
  return entry;
}

TEST_F(BundleWriterEntries, OfEverySizeAndTypeStandInTheTarAndInTheDigests) {
  BundleWriter writer = this->writer(Compression::kNone);
  const std::string prefix = "services/notes/files/@instance/";
  ASSERT_TRUE(writer.begin_section(prefix));
  std::vector<std::pair<codec::TarEntry, std::string>> expected;
  const auto add = [&](codec::TarEntry entry, const std::string& content, std::size_t piece) {
    entry.size_bytes = content.size();
    entry.path.insert(0, prefix);
    ASSERT_TRUE(writer.begin_entry(entry));
    for (std::size_t at = 0; at < content.size(); at += piece)
      ASSERT_TRUE(writer.write(std::string_view(content).substr(at, piece)));
    expected.emplace_back(entry, content);
  };
  using enum codec::TarType;
  add(entry_of("tree.mtree", kFile, 0), "#mtree\n", 3);
  add(entry_of("tree/a", kDirectory, 0), "", 1);
  add(entry_of("tree/a/empty", kFile, 0), "", 1);
  add(entry_of("tree/a/large", kFile, 0), noise((5u << 20) + 3), 70001);
  add(entry_of("tree/a/link", kSymlink, 0, "../target"), "", 1);
  add(entry_of("tree/a/small", kFile, 0), noise(1000), 1000);
  for (int i = 100; i < 900; ++i) add(entry_of("tree/b" + std::to_string(i), kFile, 0), noise(4000), 4000);
  add(entry_of("tree/c", kFile, 0), noise(1u << 19), 1u << 19);
  add(entry_of("tree/d", kFile, 0), noise((1u << 19) + 1), 1u << 20);
  Manifest manifest;
  ASSERT_TRUE(writer.finish_body(manifest));
  base::StringSink out;
  ASSERT_TRUE(writer.write_out("{}", crypto::Signature(), out));

  base::StringSource in(out.text);
  codec::TarReader tar(in);
  ASSERT_TRUE(tar.next());
  ASSERT_TRUE(tar.next());
  std::string lines;
  std::uint64_t files = 0;
  std::uint64_t bytes = 0;
  for (const auto& [entry, content] : expected) {
    const auto read = tar.next();
    ASSERT_TRUE(read && *read) << entry.path;
    EXPECT_EQ((*read)->path, entry.path);
    EXPECT_EQ((*read)->type, entry.type);
    EXPECT_EQ((*read)->mode, entry.mode);
    EXPECT_EQ((*read)->uid, entry.uid);
    EXPECT_EQ((*read)->mtime_s, entry.mtime_s);
    EXPECT_EQ((*read)->link, entry.link);
    std::string got;
    ASSERT_TRUE(tar.append_content(got));
    EXPECT_EQ(got, content) << entry.path;
    if (entry.type != kFile) continue;
    append_digest_line(lines, crypto::sha256(content), entry.path);
    ++files;
    bytes += content.size();
  }
  const auto end = tar.next();
  ASSERT_TRUE(end);
  EXPECT_FALSE(*end);
  ASSERT_EQ(manifest.sections.size(), 1u);
  EXPECT_EQ(manifest.sections[0].files, files);
  EXPECT_EQ(manifest.sections[0].bytes, bytes);
  EXPECT_EQ(manifest.sections[0].sha256, crypto::sha256(lines));
  EXPECT_EQ(manifest.bundle_sha256, crypto::sha256(lines));
}

TEST_F(BundleWriterEntries, SaySameDigestsCompressedAndNot) {
  std::vector<Digest> digests;
  for (const Compression compression : {Compression::kNone, Compression::kZstd}) {
    BundleWriter writer = this->writer(compression);
    ASSERT_TRUE(writer.begin_section("services/a/b/@instance/"));
    const std::string content = noise(3u << 20);
    ASSERT_TRUE(writer.begin_entry(entry_of("services/a/b/@instance/tree/x", codec::TarType::kFile, content.size())));
    ASSERT_TRUE(writer.write(content));
    Manifest manifest;
    ASSERT_TRUE(writer.finish_body(manifest));
    digests.push_back(manifest.bundle_sha256);
  }
  EXPECT_EQ(digests[0], digests[1]);
}

}  // namespace
}  // namespace spl::bundle
