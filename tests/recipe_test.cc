// The recipe of docs/formats/bundle.md, "Without spl", run as it is printed there: it takes every good bundle, and none
// that somebody has changed. A tool that is missing is a failure: the promise is about these programs.
#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <sys/wait.h>

#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <iterator>

#include "bundle/layout.h"
#include "instance/ingest.h"
#include "record/thread.h"
#include "sample_instance.h"
#include "testing/bundle_forge.h"

namespace spl {
namespace {

namespace fs = std::filesystem;
using operation::ExportOptions;
using testing::BundleForge;
using ::testing::HasSubstr;
using testing::Machine;

constexpr char kAgeKey[] = "AGE-SECRET-KEY-10KZJVY4CQ452VA3SGJ67JH45WRULLGA4SPMUSMEN36UU54RNWKFSNV3E8N";

std::string read(const fs::path& path) {
  std::ifstream in(path, std::ios::binary);
  EXPECT_TRUE(in) << path;
  return {std::istreambuf_iterator<char>(in), {}};
}

void write(const fs::path& path, std::string_view content) {
  std::ofstream out(path, std::ios::binary);
  out << content;
  EXPECT_TRUE(out.flush()) << path;
}

// What stands between the two marks, without the fences.
std::string recipe() {
  const std::string document = read(fs::path(SPL_SOURCE_DIR) / "docs/formats/bundle.md");
  constexpr std::string_view kBegin = "<!-- recipe: begin -->\n```sh\n";
  const std::size_t begin = document.find(kBegin);
  const std::size_t end = document.find("```\n<!-- recipe: end -->", begin);
  EXPECT_NE(begin, std::string::npos);
  EXPECT_NE(end, std::string::npos);
  if (begin == std::string::npos || end == std::string::npos) return "exit 99";
  return document.substr(begin + kBegin.size(), end - begin - kBegin.size());
}

struct Outcome {
  int code = -1;
  std::string output;
};

class Recipe : public ::testing::Test {
 protected:
  static void SetUpTestSuite() {
    for (const char* tool : {"sh", "age", "zstd", "tar", "sha256sum", "openssl", "jq", "python3"}) {
      const int code = std::system(("command -v " + std::string(tool) + " >/dev/null").c_str());
      EXPECT_EQ(code, 0) << "the recipe needs the program " << tool << ", and it is not installed";
    }
  }

  // Runs a script in a new directory with BUNDLE set to the path of a file of this content.
  Outcome run(const std::string& script, std::string_view bundle) {
    const fs::path directory = machine_.path("run" + std::to_string(++runs_));
    fs::create_directory(directory);
    write(directory / "my bundle.spl", bundle);
    write(directory / "key.txt", kAgeKey);
    write(directory / "recipe.sh", script);
    const std::string command = "cd '" + directory.string() + "' && BUNDLE='" + (directory / "my bundle.spl").string() +
                                "' sh recipe.sh >output 2>&1 </dev/null";
    const int status = std::system(command.c_str());
    return {WIFEXITED(status) ? WEXITSTATUS(status) : -1, read(directory / "output")};
  }
  void expect_good(std::string_view bundle) {
    const Outcome outcome = run(recipe(), bundle);
    EXPECT_EQ(outcome.code, 0) << outcome.output;
  }
  void expect_bad(std::string_view bundle, std::string_view because) {
    const Outcome outcome = run(recipe(), bundle);
    EXPECT_NE(outcome.code, 0) << because << ": " << outcome.output;
    EXPECT_NE(outcome.code, 99);
  }

  std::string bundle(ExportOptions options = {}) {
    if (!source_) {
      source_ = machine_.make("source");
      testing::fill_sample(*source_, testing::SampleSize::kSmall);
    }
    auto text = testing::export_text(*source_, std::move(options));
    EXPECT_TRUE(text) << text.error().message;
    return text.value_or("");
  }
  std::string plain_tar() {
    ExportOptions options;
    options.uncompressed = true;
    return bundle(std::move(options));
  }

  Machine machine_;
  std::unique_ptr<instance::Instance> source_;
  int runs_ = 0;
};

TEST_F(Recipe, TakesACompressedBundle) {
  expect_good(bundle());
}

TEST_F(Recipe, TakesAPlainTar) {
  expect_good(plain_tar());
}

TEST_F(Recipe, TakesABundleWithTokens) {
  ExportOptions options;
  options.carry_tokens = true;
  expect_good(bundle(std::move(options)));
}

TEST_F(Recipe, TakesABundleWithoutIdentity) {
  ExportOptions options;
  options.no_identity = true;
  expect_good(bundle(std::move(options)));
}

TEST_F(Recipe, TakesABundleWithoutRecordsAndOneWhoseRecordsAreAllSigned) {
  const auto lonely = machine_.make("lonely");
  expect_good(testing::export_text(*lonely).value_or(""));
  instance::Emission emission;
  emission.text = "signed, as all that an instance says itself";
  ASSERT_TRUE(instance::emit(*lonely, emission));
  expect_good(testing::export_text(*lonely).value_or(""));
}

TEST_F(Recipe, TakesAnEncryptedBundleThatAgeDecrypted) {
  ExportOptions options;
  const auto key = crypto::AgeIdentity::parse(kAgeKey);
  ASSERT_TRUE(key) << key.error().message;
  options.recipients.push_back(key->recipient());
  const std::string encrypted = bundle(std::move(options));
  const std::string document = read(fs::path(SPL_SOURCE_DIR) / "docs/formats/bundle.md");
  constexpr std::string_view kDecrypt = "age --decrypt -i key.txt \"$BUNDLE\" > plain.tar.zst";
  ASSERT_THAT(document, HasSubstr(kDecrypt));
  const Outcome outcome = run("set -e\n" + std::string(kDecrypt) + "\nBUNDLE=plain.tar.zst\n" + recipe(), encrypted);
  EXPECT_EQ(outcome.code, 0) << outcome.output;
}

TEST_F(Recipe, RefusesABundleOfWhichAByteWasChanged) {
  const std::string tar = plain_tar();
  const auto changed = [&tar](std::size_t at) {
    std::string copy = tar;
    copy[at] = static_cast<char>(copy[at] ^ 1);
    return copy;
  };
  expect_bad(changed(tar.rfind("\"clock\":0") + 8), "a record");
  expect_bad(changed(tar.find("\"created_at\": \"2") + 16), "the manifest's time");
  expect_bad(changed(tar.find("\"bundle_sha256\": \"") + 20), "the manifest's digest");
  expect_bad(changed(tar.find("\"source_did\": \"did:key:z6Mk") + 30), "the manifest's signer");
  const std::size_t signature_header = tar.find("manifest.sig");
  expect_bad(changed(signature_header + codec::kTarBlock + 5), "the signature");
  const std::size_t key_header = tar.find("identity/private_key.bin");
  expect_bad(changed(key_header + codec::kTarBlock + 5), "the private key");
}

// As an attacker with a key of its own makes it: everything is signed, only the rule is broken.
TEST_F(Recipe, RefusesARecordThatDoesNotHashToItsName) {
  for (const bool with_sig : {false, true}) {
    BundleForge forge;
    expect_good(forge.tar());
    Record record = BundleForge::make_record("th_beta", 5);
    if (with_sig) record.sig = forge.key().sign(record.canonical);
    record.judged_by = "did:example:\"judge\"";
    forge.add_record(record);
    expect_good(forge.tar_zst());
    std::string& content = forge.entry(record::record_path("th_beta", record.id)).content;
    content[content.find("\"clock\":5") + 8] = '6';
    expect_bad(forge.tar(), with_sig ? "a signed record" : "a record");
  }
}

TEST_F(Recipe, RefusesAPrivateKeyOfAnotherInstance) {
  BundleForge forge;
  forge.entry(bundle::kPrivateKeyPath).content[3] ^= 1;
  expect_bad(forge.tar(), "the key");
}

}  // namespace
}  // namespace spl
