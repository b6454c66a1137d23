// Bundles that break one rule and are otherwise correctly signed: each is refused with code 4 and a message that names
// the entry, and the instance that was to take it is as it was.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "bundle/reader.h"
#include "env/posix_env.h"
#include "env/posix_file_system.h"
#include "hostile_cases.h"
#include "instance/import.h"
#include "testing/fake_clock.h"
#include "testing/temp_directory.h"
#include "testing/tree_contents.h"

namespace spl {
namespace {

using testing::BundleForge;
using ::testing::HasSubstr;
using testing::Hostile;
using testing::hostile_bundles;
using ::testing::TestWithParam;

// Reads a bundle to its end; the error where it is refused.
Result<std::uint64_t> read_whole(std::string_view octets) {
  base::StringSource source(octets);
  const auto reader = TRY(bundle::BundleReader::open(source, {}));
  std::uint64_t entries = 0;
  while (const auto entry = TRY(reader->next())) {
    ++entries;
    if (entry->kind != bundle::EntryKind::kServiceFile) continue;
    std::string piece(4096, '\0');
    while (TRY(reader->read_content(piece)) > 0) {
    }
  }
  return entries;
}

class HostileBundle : public TestWithParam<Hostile> {
 protected:
  // A home with a store and an identity, in memory.
  HostileBundle() {
    const auto made = instance::Instance::open(env(), options_, instance::OpenFor::kCreating);
    EXPECT_TRUE(made.has_value()) << made.error().message;
    EXPECT_TRUE((*made)->generate_identity());
  }
  env::Env env() { return {fs_, clock_, random_, log_}; }

  Result<instance::ImportReport> import(std::string_view octets) {
    const auto opened = TRY(instance::Instance::open(env(), options_, instance::OpenFor::kWriting));
    base::StringSource source(octets);
    instance::NoProgress progress;
    return instance::import_bundle(*opened, source, {}, progress, nullptr);
  }

  env::PosixFileSystem fs_;
  testing::FakeClock clock_;
  env::SystemRandom random_;
  env::NullLog log_;
  testing::TempDirectory directory_;
  instance::InstanceOptions options_{directory_.path() + "/home", "", ""};
};

TEST_P(HostileBundle, IsRefusedAndNothingIsKept) {
  BundleForge forge;
  GetParam().forge(forge);
  for (const std::string& octets : {forge.tar(), forge.tar_zst()}) {
    const auto before = testing::tree_contents(directory_.path());
    const auto imported = import(octets);
    ASSERT_FALSE(imported.has_value());
    EXPECT_EQ(imported.error().code, ErrorCode::kVerification) << imported.error().message;
    EXPECT_THAT(imported.error().message, HasSubstr(GetParam().message));
    EXPECT_EQ(testing::tree_contents(directory_.path()), before);
  }
}

INSTANTIATE_TEST_SUITE_P(, HostileBundle, ::testing::ValuesIn(hostile_bundles()),
                         [](const auto& hostile) { return std::string(hostile.param.name); });

TEST(Forge, MakesAGoodBundleWhenNothingIsChanged) {
  const BundleForge forge;
  EXPECT_EQ(read_whole(forge.tar()).value(), 8u);
  EXPECT_EQ(read_whole(forge.tar_zst()).value(), 8u);
}

// Every one of these is a bundle cut short: of its tar and of its compressed form.
TEST(CutBundle, IsRefusedAtEveryLength) {
  const BundleForge forge;
  const std::string tar = forge.tar();
  for (std::size_t length = 0; length < tar.size(); length += 512) {
    const auto read = read_whole(std::string_view(tar).substr(0, length));
    ASSERT_FALSE(read.has_value()) << length;
    EXPECT_EQ(read.error().code, ErrorCode::kVerification) << length << ": " << read.error().message;
  }
  const std::string packed = forge.tar_zst();
  for (std::size_t length = 0; length < packed.size(); ++length) {
    const auto read = read_whole(std::string_view(packed).substr(0, length));
    ASSERT_FALSE(read.has_value()) << length;
    EXPECT_EQ(read.error().code, ErrorCode::kVerification) << length << ": " << read.error().message;
  }
}

// One flipped bit in every byte of the tar, another bit in each.
TEST(FlippedBit, IsFoundInEveryByte) {
  const std::string tar = BundleForge().tar();
  for (std::size_t at = 0; at < tar.size(); ++at) {
    std::string changed = tar;
    changed[at] = static_cast<char>(changed[at] ^ (1 << at % 8));
    const auto read = read_whole(changed);
    ASSERT_FALSE(read.has_value()) << "byte " << at;
    ASSERT_EQ(read.error().code, ErrorCode::kVerification) << "byte " << at << ": " << read.error().message;
  }
}

// zstd has bits that mean nothing: a bundle that opens all the same must hold the same.
TEST(FlippedBit, ChangesNothingUnseenInTheCompressedForm) {
  const std::string packed = BundleForge().tar_zst();
  const std::uint64_t entries = read_whole(packed).value();
  for (std::size_t at = 0; at < packed.size(); ++at) {
    std::string changed = packed;
    changed[at] = static_cast<char>(changed[at] ^ (1 << at % 8));
    const auto read = read_whole(changed);
    if (read) {
      ASSERT_EQ(*read, entries) << "byte " << at;
    } else {
      ASSERT_EQ(read.error().code, ErrorCode::kVerification) << "byte " << at << ": " << read.error().message;
    }
  }
}

TEST(BytesAfterTheEnd, AreRefused) {
  const BundleForge forge;
  for (const std::string& extra : {std::string("x"), std::string(1, '\0'), std::string(10240, '\0')}) {
    EXPECT_FALSE(read_whole(forge.tar() + extra).has_value());
    EXPECT_FALSE(read_whole(forge.tar_zst() + extra).has_value());
  }
}

TEST(EmptyInput, IsRefused) {
  const auto read = read_whole("");
  ASSERT_FALSE(read.has_value());
  EXPECT_EQ(read.error().code, ErrorCode::kVerification);
}

}  // namespace
}  // namespace spl
