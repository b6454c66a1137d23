// Bundles that break one rule and are otherwise correctly signed: each is refused with code 4 and a message that names
// the entry, and the instance that was to take it is as it was.
#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <openssl/evp.h>

#include "bundle/layout.h"
#include "env/posix_env.h"
#include "env/posix_file_system.h"
#include "hostile_cases.h"
#include "hostile_reading.h"
#include "operation/import.h"
#include "substrate/accounts.h"
#include "testing/fake_clock.h"
#include "testing/temp_directory.h"
#include "testing/tree_contents.h"

namespace spl {
namespace {

using testing::BundleForge;
using testing::Hostile;
using testing::hostile_bundles;
using testing::hostile_message;
using testing::read_whole;

class HostileImport : public ::testing::Test {
 protected:
  // A home with a store and an identity, in memory.
  HostileImport() {
    const auto made = instance::Instance::open(env(), options_, instance::OpenFor::kCreating);
    EXPECT_TRUE(made.has_value()) << made.error().message;
    EXPECT_TRUE((*made)->generate_identity());
  }
  env::Env env() { return {fs_, clock_, random_, log_}; }

  Result<operation::ImportReport> import(std::string_view octets) {
    const auto opened = TRY(instance::Instance::open(env(), options_, instance::OpenFor::kWriting));
    base::StringSource source(octets);
    base::NoProgress progress;
    return operation::import_bundle(*opened, source, {}, progress, nullptr);
  }

  env::PosixFileSystem fs_;
  testing::FakeClock clock_;
  env::SystemRandom random_;
  env::NullLog log_;
  testing::TempDirectory directory_;
  instance::InstanceOptions options_{.home = directory_.path() + "/home", .store_url = {}};
};

class HostileBundle : public HostileImport, public ::testing::WithParamInterface<Hostile> {};

TEST_P(HostileBundle, IsRefusedAndNothingIsKept) {
  BundleForge forge;
  const std::string entry = GetParam().forge(forge);
  const std::string message = hostile_message(entry, GetParam().rule);
  for (const std::string& octets : {forge.tar(), forge.tar_zst()}) {
    const auto before = testing::tree_contents(directory_.path());
    const auto imported = import(octets);
    ASSERT_FALSE(imported.has_value());
    EXPECT_EQ(imported.error().code, ErrorCode::kVerification) << imported.error().message;
    EXPECT_EQ(imported.error().message, message);
    EXPECT_EQ(testing::tree_contents(directory_.path()), before);
  }
}

INSTANTIATE_TEST_SUITE_P(, HostileBundle, ::testing::ValuesIn(hostile_bundles()),
                         [](const auto& hostile) { return std::string(hostile.param.name); });

TEST(Forge, MakesAGoodBundleWhenNothingIsChanged) {
  const BundleForge forge;
  EXPECT_EQ(read_whole(forge.tar()).value().size(), 8u);
  EXPECT_EQ(read_whole(forge.tar_zst()).value(), read_whole(forge.tar()).value());
}

TEST(Forge, MakesASignatureOfSmallOrderThatOthersTake) {
  const BundleForge forge;
  const std::string signature = testing::small_order_signature(forge, "text");
  const std::string_view key = forge.key().public_key().view();
  EVP_PKEY* raw = EVP_PKEY_new_raw_public_key(EVP_PKEY_ED25519, nullptr,
                                              reinterpret_cast<const unsigned char*>(key.data()), key.size());
  EVP_MD_CTX* context = EVP_MD_CTX_new();
  ASSERT_EQ(EVP_DigestVerifyInit(context, nullptr, nullptr, nullptr, raw), 1);
  EXPECT_EQ(EVP_DigestVerify(context, reinterpret_cast<const unsigned char*>(signature.data()), signature.size(),
                             reinterpret_cast<const unsigned char*>("text"), 4),
            1);
  EVP_MD_CTX_free(context);
  EVP_PKEY_free(raw);
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

// In eight parts, so that they can run side by side.
constexpr std::size_t kParts = 8;
class FlippedBitOfPart : public ::testing::TestWithParam<std::size_t> {};
INSTANTIATE_TEST_SUITE_P(, FlippedBitOfPart, ::testing::Range(std::size_t{0}, kParts));

// One flipped bit in every byte of the tar, another bit in each.
TEST_P(FlippedBitOfPart, IsFoundInEveryByte) {
  const std::string tar = BundleForge().tar();
  for (std::size_t at = tar.size() * GetParam() / kParts; at < tar.size() * (GetParam() + 1) / kParts; ++at) {
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
  const auto entries = read_whole(packed).value();
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

TEST(Message, ShowsAnEntryEscaped) {
  BundleForge forge;
  forge.add("records/th_alpha/\x1b[2J\n\xe2\x80\xae.json", "x");
  EXPECT_EQ(testing::why_refused(forge.tar()).message,
            "bundle malformed: records/th_alpha/\\x1b[2J\\x0a\\xe2\\x80\\xae.json: nothing of this name has a place in "
            "a bundle");
}

TEST(LargeContent, OfARecordIsRefused) {
  BundleForge forge;
  const std::string path = "records/th_alpha/" + std::string(64, 'f') + ".json";
  forge.add(path, std::string((16u << 20) + 1, ' '));
  EXPECT_EQ(testing::why_refused(forge.tar_zst()).message,
            hostile_message(path, "longer than a record may be: 16 MiB"));
}

TEST_F(HostileImport, OfTooManyTokensIsRefused) {
  std::vector<store::Token> tokens(100'001);
  for (std::size_t i = 0; i < tokens.size(); ++i) {
    for (int octet = 0; octet < 4; ++octet)
      tokens[i].sha256.octets[octet] = static_cast<std::uint8_t>(i >> (24 - 8 * octet));
    tokens[i].created_at = "2026-01-31T12:00:00Z";
  }
  BundleForge forge;
  forge.add(std::string(bundle::kTokensPath), substrate::tokens_text(tokens));
  const auto imported = import(forge.tar());
  ASSERT_FALSE(imported);
  EXPECT_EQ(imported.error().code, ErrorCode::kVerification);
  EXPECT_EQ(imported.error().message, hostile_message(bundle::kTokensPath, "has more than 100000 tokens"));
}

TEST(EmptyInput, IsRefused) {
  const auto read = read_whole("");
  ASSERT_FALSE(read.has_value());
  EXPECT_EQ(read.error().code, ErrorCode::kVerification);
}

}  // namespace
}  // namespace spl
