// What GNU tar and Python's tarfile write in each of their dialects is read; what could harm whoever unpacks is
// refused.
#include "codec/foreign_tar.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <array>
#include <cstdlib>
#include <fstream>
#include <iterator>
#include <string>
#include <vector>

#include "codec/tar_format.h"
#include "codec/tar_test_util.h"
#include "testing/temp_directory.h"

namespace spl::codec {
namespace {

using ::testing::ElementsAre;
using ::testing::HasSubstr;

std::string text_of(const std::string& path) {
  std::ifstream stream(path, std::ios::binary);
  return {std::istreambuf_iterator<char>(stream), {}};
}

// A line an entry: "d dir", "f file 5 x text", "l link -> to", "h link -> to"; the last one is the error, if any.
std::vector<std::string> read_through(std::string_view tar) {
  base::StringSource source(tar);
  ForeignTarReader reader(source);
  std::vector<std::string> lines;
  for (;;) {
    const auto entry = reader.next();
    if (!entry) {
      EXPECT_EQ(entry.error().code, ErrorCode::kVerification);
      lines.push_back(entry.error().message);
      return lines;
    }
    if (!*entry) return lines;
    const ForeignEntry& one = **entry;
    constexpr std::array kTypes{'f', 'd', 'l', 'h'};
    std::string line = std::string(1, kTypes[static_cast<std::size_t>(one.type)]) + " " + one.path;
    if (one.type == ForeignType::kSymlink || one.type == ForeignType::kHardLink) line += " -> " + one.link;
    if (one.type == ForeignType::kFile) {
      line += " " + std::to_string(one.size_bytes) + (one.is_executable ? " x " : " - ");
      std::array<char, 7> piece{};
      for (;;) {
        const auto read = reader.read(piece);
        if (!read || *read == 0) break;
        line.append(piece.data(), *read);
      }
    }
    lines.push_back(line);
  }
}

TEST(ForeignTar, EveryDialectOfGnuTarIsRead) {
  const testing::TempDirectory directory;
  const std::string long_name(90, 'n');
  const std::string deep = long_name + "/" + long_name;
  const std::string make = "cd " + directory.path() +
                           " && mkdir -p t/d && printf hello >t/file && chmod 640 t/file && "
                           "printf '#!' >t/d/run && chmod 755 t/d/run && ln -s ../file t/d/link && ln t/file t/same";
  ASSERT_EQ(std::system(make.c_str()), 0);
  for (const char* format : {"v7", "oldgnu", "gnu", "ustar", "posix"}) {
    SCOPED_TRACE(format);
    const std::string pack = "cd " + directory.path() + "/t && tar --sort=name --format=" + format + " -cf ../t.tar .";
    ASSERT_EQ(std::system(pack.c_str()), 0);
    EXPECT_THAT(
        read_through(text_of(directory.path() + "/t.tar")),
        ElementsAre("d ", "d d", "l d/link -> ../file", "f d/run 2 x #!", "f file 5 - hello", "h same -> file"));
  }
  const std::string more = "cd " + directory.path() + " && mkdir -p u/" + deep + " && printf x >u/" + deep +
                           "/f && ln -s " + deep + "/" + deep + " u/l";
  ASSERT_EQ(std::system(more.c_str()), 0);
  for (const char* format : {"gnu", "posix"}) {
    SCOPED_TRACE(format);
    const std::string pack = "cd " + directory.path() + "/u && tar --sort=name --format=" + format + " -cf ../u.tar *";
    ASSERT_EQ(std::system(pack.c_str()), 0);
    EXPECT_THAT(read_through(text_of(directory.path() + "/u.tar")),
                ElementsAre("l l -> " + deep + "/" + deep, "d " + long_name, "d " + deep, "f " + deep + "/f 1 - x"));
  }
}

// A header with this name, size and type flag, its checksum right.
std::string header(const std::string& name, std::uint64_t size = 0, char flag = '0') {
  std::string block;
  TarEntry entry;
  entry.path = "x";
  entry.size_bytes = size;
  append_tar_header(block, entry);
  std::fill_n(block.begin(), 100, '\0');
  name.copy(block.data(), 100);
  block[ustar::kType.at] = flag;
  return block;
}
std::string sealed(std::string block) {
  std::uint32_t sum = ustar::checksum(block.data());
  for (std::size_t i = 6; i > 0; --i, sum /= 8) block[ustar::kChecksum.at + i - 1] = static_cast<char>('0' + sum % 8);
  return block;
}
std::string padded(std::string text) {
  text.resize((text.size() + kTarBlock - 1) / kTarBlock * kTarBlock);
  return text;
}
// A header that says something of the next entry.
std::string extension(char flag, const std::string& text) {
  return sealed(header("e", text.size(), flag)) + padded(text);
}
// A record of a pax header, whose length counts itself.
std::string record(const std::string& key, const std::string& value) {
  const std::string rest = " " + key + "=" + value + "\n";
  std::size_t length = rest.size() + 1;
  while (std::to_string(length).size() + rest.size() != length) ++length;
  return std::to_string(length) + rest;
}
std::string the_error(const std::string& tar) {
  const auto lines = read_through(tar);
  return lines.empty() ? "no error" : lines.back();
}
const std::string kEnd(2 * kTarBlock, '\0');

TEST(ForeignTar, SizesBeyondOctalDigitsAreRead) {
  std::string block = header("big");
  const std::string size("\x80\0\0\0\0\0\0\0\0\0\0\5", 12);
  block.replace(ustar::kSize.at, size.size(), size);
  EXPECT_THAT(read_through(sealed(block) + padded("hello") + kEnd), ElementsAre("f big 5 - hello"));
  block.replace(ustar::kSize.at, 12, std::string(12, '\xff'));
  EXPECT_THAT(the_error(sealed(block) + kEnd), HasSubstr("is no number"));
}

TEST(ForeignTar, WhatAGlobalHeaderSaysOfNoFileIsPassedOver) {
  const std::string entry = sealed(header("a"));
  EXPECT_THAT(read_through(extension('g', record("comment", "0123456789")) + entry + kEnd), ElementsAre("f a 0 - "));
  EXPECT_THAT(the_error(extension('g', record("path", "b")) + entry + kEnd), HasSubstr("says the same of all entries"));
}

TEST(ForeignTar, PathsThatLeadOutAreRefusedInEveryDialect) {
  const std::string entry = sealed(header("a"));
  for (const std::string path : {"/etc/x", "../x", "a/../../x", "a//b", ".."}) {
    SCOPED_TRACE(path);
    EXPECT_THAT(the_error(sealed(header(path)) + kEnd), HasSubstr(": path "));
    EXPECT_THAT(the_error(extension('L', path) + entry + kEnd), HasSubstr(": path "));
    EXPECT_THAT(the_error(extension('x', record("path", path)) + entry + kEnd), HasSubstr(": path "));
    EXPECT_THAT(the_error(extension('x', record("linkpath", path)) + sealed(header("a", 0, '1')) + kEnd),
                HasSubstr(": path "));
  }
}

TEST(ForeignTar, WhatIsNoFileDirectoryOrLinkIsRefused) {
  for (const char flag : {'3', '4', '6', 'S', 'D', 'M', 'V', 'Z'})
    EXPECT_THAT(the_error(sealed(header("a", 0, flag)) + kEnd), HasSubstr("a: it is no file, directory or link"))
        << flag;
  EXPECT_THAT(the_error(extension('x', record("GNU.sparse.major", "1")) + sealed(header("a")) + kEnd),
              HasSubstr("sparse"));
  EXPECT_THAT(the_error(sealed(header("a", 5, '2')) + kEnd), HasSubstr("link target is empty"));
}

TEST(ForeignTar, WhatIsCutOffOrNoTarIsRefused) {
  const std::string whole = sealed(header("a", 5)) + padded("hello");
  EXPECT_THAT(read_through(whole), ElementsAre("f a 5 - hello")) << "some programs write no end";
  for (std::size_t size = 1; size < whole.size(); size += 37)
    EXPECT_THAT(the_error(whole.substr(0, size)), HasSubstr("it is cut off")) << size;
  std::string wrong = sealed(header("a"));
  wrong[0] = 'b';
  EXPECT_THAT(the_error(wrong + kEnd), HasSubstr("a block that is no header"));
  EXPECT_THAT(the_error(extension('L', "long") + kEnd), HasSubstr("a header without an entry after it"));
  EXPECT_THAT(the_error(sealed(header("e", 1u << 20, 'x'))), HasSubstr("over 64 KiB"));
  std::string many;
  for (int i = 0; i < 20; ++i) many += extension('L', "long");
  EXPECT_THAT(the_error(many + sealed(header("a"))), HasSubstr("too many headers"));
}

}  // namespace
}  // namespace spl::codec
