#include "bundle/digest.h"

#include <gtest/gtest.h>
#include <sys/wait.h>

#include <cstdio>
#include <filesystem>
#include <fstream>

#include "crypto/sha256.h"
#include "testing/temp_directory.h"

namespace spl::bundle {
namespace {

std::string line_of(std::string_view content, std::string_view path) {
  std::string line;
  append_digest_line(line, crypto::sha256(content), path);
  return line;
}

TEST(DigestLine, IsTheDigestAndThePath) {
  EXPECT_EQ(line_of("", "a/b"), "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855  a/b\n");
}

TEST(DigestLine, EscapesWhatSha256sumEscapes) {
  EXPECT_EQ(line_of("", "a\\b\nc\rd").substr(0, 5), "\\e3b0");
  EXPECT_EQ(line_of("", "a\\b\nc\rd").substr(65), "  a\\\\b\\nc\\rd\n");
}

TEST(DigestLine, IsWhatSha256sumPrints) {
  const testing::TempDirectory directory;
  for (const std::string& name :
       {std::string("plain"), std::string("with space"), std::string("back\\slash"), std::string("line\nfeed"),
        std::string("\xc3\xbc"), std::string("\xff"), std::string("\t")}) {
    std::ofstream(directory.path() + "/" + name, std::ios::binary) << name;
    FILE* pipe =
        ::popen(("cd " + directory.path() + " && find . -type f -printf '%P\\0' | xargs -0 sha256sum").c_str(), "r");
    ASSERT_NE(pipe, nullptr);
    std::string printed(1024, '\0');
    printed.resize(std::fread(printed.data(), 1, printed.size(), pipe));
    EXPECT_EQ(::pclose(pipe), 0);
    EXPECT_EQ(line_of(name, name), printed);
    std::filesystem::remove(directory.path() + "/" + name);
  }
}

}  // namespace
}  // namespace spl::bundle
