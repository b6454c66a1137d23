#include "bundle/foreign_file.h"

#include <gtest/gtest.h>

#include <string>

namespace spl::bundle {
namespace {

using namespace std::string_literals;

std::string fault(const std::string& first) {
  const auto checked = check_beginning(first);
  if (checked) return "";
  EXPECT_EQ(checked.error().code, ErrorCode::kVerification);
  EXPECT_EQ(checked.error().cause, Cause::kNotABundle);
  EXPECT_NE(checked.error().hint, "");
  EXPECT_EQ(checked.error().hint.find("damaged"), std::string::npos);
  return checked.error().message;
}

TEST(ForeignFile, IsToldAsWhatItIs) {
  const std::string no = "bundle malformed: no bundle: ";
  EXPECT_EQ(fault(""), no + "it is empty");
  EXPECT_EQ(fault("hello\n"), no + "it is text");
  EXPECT_EQ(fault("gr\xC3\xBC\xC3"s), no + "it is text");
  EXPECT_EQ(fault("\x1F\x8B\x08\0"s), no + "it is a gzip file");
  EXPECT_EQ(fault("\xFD"
                  "7zXZ\0\0"s),
            no + "it is an xz file");
  EXPECT_EQ(fault("PK\x03\x04"s), no + "it is a zip file");
  EXPECT_EQ(fault("a"s + std::string(256, '\0') + "ustar  "), no + "it is a tar of other files");
  EXPECT_EQ(fault("SQLite format 3\0"s), no + "it is an SQLite database");
  EXPECT_EQ(fault("\x7F"
                  "ELF\x02\0\0"s),
            no + "it begins as no bundle does");
}

TEST(ForeignFile, IsNotWhatABundleMayBeginWith) {
  for (const std::string& bundle : {"manifest.json\0"s, "manif"s, "age-encryption.org/v1\n"s, "age-enc"s, "\x28\xB5"s,
                                    std::string(512, '\0'), "a"s + std::string(256, '\0') + "ustar"s})
    EXPECT_EQ(fault(bundle), "") << bundle;
}

}  // namespace
}  // namespace spl::bundle
