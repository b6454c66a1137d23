// What TarReader and append_tar_header agree on with GNU tar and Python's tarfile.

#include <gtest/gtest.h>
#include <sys/wait.h>

#include <array>
#include <cstdio>
#include <filesystem>
#include <fstream>
#include <iterator>
#include <string>
#include <vector>

#include "codec/tar.h"
#include "codec/tar_test_util.h"
#include "testing/temp_directory.h"

namespace spl::codec {
namespace {

namespace fs = std::filesystem;

// What a shell command prints; the test fails where the command does.
std::string output_of(const std::string& command) {
  FILE* pipe = ::popen((command + " 2>&1").c_str(), "r");
  std::string text;
  std::array<char, 4096> part{};
  while (const std::size_t n = std::fread(part.data(), 1, part.size(), pipe)) text.append(part.data(), n);
  const int status = ::pclose(pipe);
  EXPECT_TRUE(WIFEXITED(status) && WEXITSTATUS(status) == 0) << command << "\n" << text;
  return text;
}

void write_file(const std::string& path, std::string_view text) {
  std::ofstream(path, std::ios::binary) << text;
}

std::string file_text(const fs::path& path) {
  std::ifstream stream(path, std::ios::binary);
  return {std::istreambuf_iterator<char>(stream), {}};
}

TEST(TarInterop, GnuTarListsEveryEntry) {
  const testing::TempDirectory directory;
  write_file(directory.path() + "/t.tar", tar_of(every_kind()));
  std::string expected;
  for (const Member& member : every_kind()) {
    expected += member.entry.path;
    if (member.entry.type == TarType::kDirectory) expected += '/';
    expected += '\n';
  }
  EXPECT_EQ(output_of("tar --quoting-style=literal -tf " + directory.path() + "/t.tar"), expected);
}

TEST(TarInterop, GnuTarExtractsEveryEntry) {
  const testing::TempDirectory directory;
  write_file(directory.path() + "/t.tar", tar_of(every_kind()));
  fs::create_directory(directory.path() + "/x");
  EXPECT_EQ(output_of("cd " + directory.path() + " && tar --no-same-owner -xpf t.tar -C x"), "");
  for (const auto& [entry, content] : every_kind()) {
    const fs::path path = directory.path() + "/x/" + entry.path;
    const fs::file_status status = fs::symlink_status(path);
    switch (entry.type) {
      case TarType::kFile:
        ASSERT_TRUE(fs::is_regular_file(status)) << entry.path;
        EXPECT_EQ(file_text(path), content) << entry.path;
        EXPECT_EQ(static_cast<std::uint32_t>(status.permissions()), entry.mode) << entry.path;
        break;
      case TarType::kDirectory:
        ASSERT_TRUE(fs::is_directory(status)) << entry.path;
        EXPECT_EQ(static_cast<std::uint32_t>(status.permissions()), entry.mode) << entry.path;
        break;
      case TarType::kSymlink:
        ASSERT_TRUE(fs::is_symlink(status)) << entry.path;
        EXPECT_EQ(fs::read_symlink(path).string(), entry.link) << entry.path;
        break;
    }
  }
}

TEST(TarInterop, GnuTarReadsASizeBeyondUstar) {
  const testing::TempDirectory directory;
  const std::string path = directory.path() + "/t.tar";
  const std::uint64_t size = (std::uint64_t{8} << 30) + 1;
  std::string text;
  append_tar_header(text, file("huge", size));
  const std::uint64_t content_at = text.size();
  write_file(path, text);
  fs::resize_file(path, content_at + size + tar_padding(size));  // a hole
  text.clear();
  append_tar_header(text, file("after"));
  append_tar_end(text, content_at + size + tar_padding(size) + text.size());
  std::ofstream(path, std::ios::binary | std::ios::app) << text;
  const std::string listing = output_of("tar -tvf " + path);
  EXPECT_NE(listing.find(" 8589934593 "), std::string::npos) << listing;
  EXPECT_NE(listing.find(" after\n"), std::string::npos) << listing;
}

TEST(TarInterop, PythonSeesTheSameEntries) {
  const testing::TempDirectory directory;
  write_file(directory.path() + "/t.tar", tar_of(every_kind()));
  write_file(directory.path() + "/list.py", R"(
import os, sys, tarfile
tarfile.ENCODING = "utf-8"
with tarfile.open(sys.argv[1], "r:", encoding="utf-8", errors="surrogateescape") as tar:
    for m in tar:
        name = m.name.encode("utf-8", "surrogateescape").hex()
        link = m.linkname.encode("utf-8", "surrogateescape").hex()
        content = tar.extractfile(m).read().hex() if m.isreg() else ""
        print(name, m.type.decode(), m.size, oct(m.mode), m.uid, m.gid, m.mtime, "[%s]" % m.uname,
              "[%s]" % m.gname, link, content)
)");
  const auto hex = [](std::string_view octets) {
    std::string text;
    for (const char c : octets) {
      constexpr char kDigits[] = "0123456789abcdef";
      text += kDigits[static_cast<unsigned char>(c) >> 4];
      text += kDigits[static_cast<unsigned char>(c) & 15];
    }
    return text;
  };
  std::string expected;
  for (const auto& [entry, content] : every_kind()) {
    std::array<char, 32> mode{};
    std::snprintf(mode.data(), mode.size(), "0o%o", entry.mode);
    expected += hex(entry.path) + " " + static_cast<char>(entry.type) + " " + std::to_string(entry.size_bytes) + " " +
                mode.data() + " " + std::to_string(entry.uid) + " " + std::to_string(entry.gid) + " " +
                std::to_string(entry.mtime_s) + " [] [] " + hex(entry.link) + " " + hex(content) + "\n";
  }
  EXPECT_EQ(output_of("cd " + directory.path() + " && python3 list.py t.tar"), expected);
}

TEST(TarInterop, ReadsWhatGnuTarWritesAsUstar) {
  const testing::TempDirectory directory;
  const std::string root = directory.path() + "/in";
  const std::string deep = "tree/" + std::string(60, 'd') + "/" + std::string(60, 'e');
  fs::create_directories(root + "/" + deep);
  write_file(root + "/" + deep + "/file", "hello");
  fs::create_symlink("../to", root + "/tree/link");
  output_of("cd " + root + " && tar --format=ustar --sort=name --owner=0 --group=0 --numeric-owner " +
            "--mtime=@1700000000 -cf ../t.tar tree");
  const auto read = read_tar(file_text(directory.path() + "/t.tar"));
  ASSERT_TRUE(read) << read.error().message;
  ASSERT_EQ(read->size(), 5u);
  EXPECT_EQ(read->at(0).entry.path, "tree");
  EXPECT_EQ(read->at(2).entry.path, deep);
  EXPECT_EQ(read->at(2).entry.type, TarType::kDirectory);
  EXPECT_EQ(read->at(3).entry.path, deep + "/file");
  EXPECT_EQ(read->at(3).entry.mtime_s, 1'700'000'000);
  EXPECT_EQ(read->at(3).content, "hello");
  EXPECT_EQ(read->at(4).entry.link, "../to");
}

}  // namespace
}  // namespace spl::codec
