#include "golden.h"

#include <gtest/gtest.h>

#include <array>
#include <fstream>
#include <iterator>

#include "base/encoding.h"
#include "base/version.h"
#include "crypto/sha256.h"

namespace spl::testing {
namespace {

constexpr std::array kWays = {
    GoldenWay{.file = "v1.tar", .uncompressed = true},
    GoldenWay{.file = "v1.tar.zst"},
    GoldenWay{.file = "v1.recipient.tar.zst.age", .for_recipient = true},
    GoldenWay{.file = "v1.passphrase.tar.zst.age", .for_passphrase = true},
};

}  // namespace

std::span<const GoldenWay> golden_ways() {
  return kWays;
}

Result<operation::ExportOptions> golden_options(const GoldenWay& way, const std::string& directory) {
  operation::ExportOptions options;
  options.carry_tokens = true;
  options.uncompressed = way.uncompressed;
  if (way.for_passphrase) options.passphrase = SecretBytes(kGoldenPassphrase);
  if (way.for_recipient) {
    for (const auto& identity : TRY(crypto::parse_identity_file(golden_file(directory, "key.txt"))))
      options.recipients.push_back(identity.recipient());
  }
  return options;
}

void fill_golden(instance::Instance& instance) {
  fill_sample(instance, SampleSize::kSmall);
}

GoldenKeys::GoldenKeys(const std::string& directory) {
  auto identities = crypto::parse_identity_file(golden_file(directory, "key.txt"));
  EXPECT_TRUE(identities) << identities.error().message;
  if (identities) identities_ = std::move(*identities);
}

bundle::ReaderOptions GoldenKeys::reader_options() const {
  return {.identities = identities_, .passphrase = &passphrase_};
}

std::string golden_text(const Contents& contents) {
  std::string text = "did " + contents.did + "\npairs " + std::to_string(contents.pairs) + "\ngrants " +
                     std::to_string(contents.grants) + "\naccounts " + std::to_string(contents.accounts) + "\ntokens " +
                     contents.tokens + "\n";
  for (const auto& [thread, state] : contents.threads) {
    text += "thread ";
    base::append_json_string(text, thread);
    text += ": " + state + "\n";
  }
  for (const auto& [id, content] : contents.records)
    text += "record " + id + ", its file " + base::to_hex(crypto::sha256(content).view()) + "\n";
  return text;
}

Result<std::string> reexport_manifest(instance::Instance& instance) {
  operation::ExportOptions options;
  options.uncompressed = options.carry_tokens = true;
  std::string text = TRY(verify_bundle(TRY(export_text(instance, std::move(options))))).text;
  const std::string version = "\"spl " + std::string(base::kVersion) + "\"";
  const std::size_t at = text.find(version);
  if (at == std::string::npos) return fail("the manifest does not name this program");
  return text.replace(at, version.size(), "\"spl x\"");
}

std::string golden_file(const std::string& directory, const std::string& name) {
  std::ifstream in(directory + "/" + name, std::ios::binary);
  EXPECT_TRUE(in) << directory << "/" << name;
  return {std::istreambuf_iterator<char>(in), {}};
}

}  // namespace spl::testing
