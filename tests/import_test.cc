// Which bundles an instance takes, and what an import does beside bringing records: the identity that is adopted, the
// one before it, tokens, what takes effect.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <algorithm>
#include <atomic>
#include <functional>
#include <set>
#include <thread>

#include "base/encoding.h"
#include "crypto/sha256.h"
#include "instance/access.h"
#include "instance/ingest.h"
#include "portability_fixture.h"
#include "sample_instance.h"
#include "testing/bundle_forge.h"
#include "testing/tree_contents.h"

namespace spl {
namespace {

using instance::Instance;
using instance::OpenFor;
using operation::ExportOptions;
using operation::Finding;
using operation::ImportOptions;
using testing::Contents;
using testing::contents_of;
using testing::error_of;
using testing::export_text;
using ::testing::HasSubstr;
using testing::import_text;
using testing::kAgeKey;
using testing::Machine;
using testing::SampleSize;
using testing::setting_of;
using testing::tree_contents;
using testing::verify_bundle;

using Import = testing::Portability;

TEST_F(Import, AnotherSignerThanTheExpectedIsRefused) {
  const std::string bundle = sample_bundle("source");
  const std::string did = verify_bundle(bundle)->manifest.source_did;
  (void)machine_.open("target");
  ImportOptions options;
  options.expect_did = "did:key:z6MkehRgf7yJbgaGfYsdoAsKdBPE3dj2CYhowQdcjqSJgvVd";
  const Error error = refused("target", bundle, options, ErrorCode::kRefused);
  EXPECT_EQ(error.message, "import refused: the bundle is signed by " + did + ", not by " + *options.expect_did);
  EXPECT_EQ(finding("authority"), "(none)") << "it is only verified, and not put into the store first";
  options.expect_did = did;
  const auto report = import_text(*machine_.open("target"), bundle, options);
  ASSERT_TRUE(report) << error_of(report);
  EXPECT_EQ(report->signer, operation::Signer::kExpected);
}

TEST_F(Import, StrictSignersStopAnUnknownOneAtAStoreWithRecords) {
  const std::string bundle = sample_bundle("source");
  env::PosixFileSystem fs;
  for (const char* home : {"empty", "full"}) {
    (void)machine_.open(home);
    ASSERT_TRUE(
        env::write_file_atomically(fs, machine_.path(std::string(home) + "/config.toml"), "strict_signers = true\n"));
  }
  EXPECT_TRUE(import_text(*machine_.open("empty"), bundle)) << "an empty store takes it";
  (void)with_records("full", "th_mine", 1);
  ImportOptions force;
  force.force_overwrite = true;
  const Error error = refused("full", bundle, force, ErrorCode::kStop);
  EXPECT_THAT(error.message, HasSubstr("strict_signers"));
  EXPECT_THAT(finding("signer"), HasSubstr("stop: "));
  EXPECT_EQ(refused("full", bundle, {}, ErrorCode::kRefused).code, ErrorCode::kRefused) << "3 comes before 5";
  force.expect_did = verify_bundle(bundle)->manifest.source_did;
  EXPECT_TRUE(import_text(*machine_.open("full"), bundle, force));
}

TEST_F(Import, AServiceThatTheHomeDoesNotDeclareIsAStopUnlessItIsLeftOut) {
  testing::BundleForge forge;
  forge.add("services/notes/db/@instance/dump.bin", "x");
  forge.edit_manifest = [](bundle::Manifest& m) {
    m.services.push_back({"notes",
                          "1",
                          1,
                          "",
                          {{"db", bundle::SurfaceKind::kCommand, bundle::SurfaceClass::kSource, false, true, "cat"}}});
  };
  const std::string bundle = forge.tar();
  (void)machine_.open("target");
  const Error error = refused("target", bundle, {}, ErrorCode::kStop);
  EXPECT_THAT(error.message, HasSubstr("no service"));
  EXPECT_THAT(error.hint, HasSubstr("leave it out with --without notes"));
  ImportOptions options;
  options.without = {"other"};
  (void)refused("target", bundle, options, ErrorCode::kStop);
  options.without = {"notes", "other"};
  const auto report = import_text(*machine_.open("target"), bundle, options, &findings_);
  ASSERT_TRUE(report) << error_of(report);
  EXPECT_GT(report->records_inserted, 0u);
  EXPECT_THAT(finding("service"), HasSubstr("ok: "));
  EXPECT_TRUE(std::ranges::any_of(findings_, [](const Finding& f) {
    return f.check == "service" && f.status == operation::FindingStatus::kWarn && f.subject == "other";
  })) << "a name that the bundle does not have is told";
}

TEST_F(Import, AVerificationOfANewerExportIsGoneOnFrom) {
  const auto source = machine_.make("source");
  testing::fill_sample(*source, SampleSize::kSmall);
  const std::string first = *export_text(*source);
  const std::string second = *export_text(*source);
  ASSERT_TRUE(import_text(*machine_.open("target"), first));
  ImportOptions dry;
  dry.dry_run = true;
  ASSERT_TRUE(import_text(*machine_.open("target"), second, dry));
  EXPECT_EQ(*setting_of(*machine_.open("target"), store::kExportSequenceSetting), "1");
  const auto verified = import_text(*machine_.open("target"), second);
  ASSERT_TRUE(verified);
  EXPECT_EQ(verified->records_inserted, 0U);
  const auto next = verify_bundle(*export_text(*machine_.open("target")));
  EXPECT_EQ(next->manifest.export_sequence, 3U) << "no two exports of an identity have one number";
  EXPECT_EQ(next->manifest.previous, verify_bundle(second)->manifest.bundle_sha256);
}

TEST_F(Import, WhatTakesNoEffectIsNamed) {
  const auto target = with_records("target", "th_mine", 1);
  const Record foreign = testing::BundleForge::make_record("th_consent", 1);
  const Record other = testing::BundleForge::make_record("th_adapters", 1);
  testing::BundleForge forge;
  forge.add_record(foreign);
  forge.add_record(other);
  ImportOptions options;
  options.force_overwrite = true;
  options.dry_run = true;
  ASSERT_TRUE(import_text(*target, forge.tar(), options, &findings_));
  std::set<std::string> named;
  for (const Finding& each : findings_) {
    if (each.check == "authority" && each.status == operation::FindingStatus::kWarn) named.insert(each.subject);
  }
  EXPECT_EQ(named, (std::set<std::string>{foreign.id.hex(), other.id.hex()}));
}

TEST_F(Import, AnOpenInstanceFollowsItsConfiguration) {
  const std::string bundle = sample_bundle("source");
  const auto target = with_records("target", "th_mine", 1);
  env::PosixFileSystem fs;
  const auto configure = [&](const std::string& text) {
    ASSERT_TRUE(env::write_file_atomically(fs, machine_.path("target/config.toml"), text));
  };
  const std::string recipient = crypto::AgeIdentity::parse(kAgeKey)->recipient().text();
  ASSERT_TRUE(verify_bundle(*export_text(*target)));
  configure("recipients = [\"" + recipient + "\"]\nstrict_signers = true\n");
  const auto encrypted = export_text(*target);
  ASSERT_TRUE(encrypted) << error_of(encrypted);
  EXPECT_TRUE(encrypted->starts_with("age-encryption.org/v1\n"));
  ImportOptions force;
  force.force_overwrite = true;
  const auto strict = import_text(*target, bundle, force);
  ASSERT_FALSE(strict);
  EXPECT_EQ(strict.error().code, ErrorCode::kStop);
  configure("recipients = [\n");
  EXPECT_FALSE(export_text(*target));
  EXPECT_FALSE(import_text(*target, bundle, force));
  configure("");
  EXPECT_TRUE(verify_bundle(*export_text(*target)));
  EXPECT_TRUE(import_text(*target, bundle, force));
}

TEST_F(Import, ADamagedBundleComesBeforeEveryOtherRefusal) {
  std::string bundle = sample_bundle("source", [] {
    ExportOptions options;
    options.uncompressed = true;
    return options;
  }());
  bundle[bundle.rfind("\"clock\":0") + 8] = '1';
  (void)with_records("target", "th_mine", 3);
  ImportOptions options;
  options.expect_did = "did:key:z6MkehRgf7yJbgaGfYsdoAsKdBPE3dj2CYhowQdcjqSJgvVd";
  EXPECT_THAT(refused("target", bundle, options, ErrorCode::kVerification).message, HasSubstr("bundle malformed: "));
}

TEST_F(Import, ARehearsalThatWouldSucceedChangesNothing) {
  const std::string bundle = sample_bundle("source");
  (void)machine_.make("empty");
  (void)with_records("full", "th_mine", 3);
  for (const char* home : {"empty", "full"}) {
    const auto before = tree_contents(machine_.path(home));
    ImportOptions options;
    options.dry_run = options.force_overwrite = options.adopt_identity = true;
    const auto rehearsed = import_text(*machine_.open(home, OpenFor::kWriting), bundle, options);
    ASSERT_TRUE(rehearsed) << error_of(rehearsed);
    EXPECT_TRUE(rehearsed->dry_run);
    EXPECT_TRUE(before == tree_contents(machine_.path(home))) << home;
    options.dry_run = false;
    const auto real = import_text(*machine_.open(home, OpenFor::kWriting), bundle, options);
    ASSERT_TRUE(real) << error_of(real);
    EXPECT_EQ(real->records_inserted, rehearsed->records_inserted);
    EXPECT_EQ(real->federation_pairs, rehearsed->federation_pairs);
    EXPECT_EQ(real->consent_grants, rehearsed->consent_grants);
    EXPECT_EQ(real->identity, rehearsed->identity);
    EXPECT_EQ(real->identity, operation::IdentityOutcome::kAdopted);
    EXPECT_EQ(real->preflight.size(), rehearsed->preflight.size());
  }
}

TEST_F(Import, TheIdentityBeforeIsKeptUnderPrevious) {
  const std::string bundle = sample_bundle("source");
  std::string own;
  std::string own_key;
  {
    const auto target = machine_.make("target");
    own = *target->did();
    own_key = tree_contents(machine_.path("target")).at("identity/private_key.bin");
    const auto report = import_text(*target, bundle);
    ASSERT_TRUE(report) << error_of(report);
    EXPECT_EQ(report->identity, operation::IdentityOutcome::kAdopted);
    EXPECT_EQ(target->did(), report->source_did);
    EXPECT_TRUE(target->verify_identity());
  }
  const auto tree = tree_contents(machine_.path("target"));
  EXPECT_EQ(tree.at("identity/previous/" + own + "/private_key.bin"), own_key);
  EXPECT_TRUE(tree.contains("identity/previous/" + own + "/did_document.json"));
  EXPECT_NE(tree.at("identity/private_key.bin"), own_key);
  EXPECT_FALSE(tree.contains("identity/incoming"));
}

TEST_F(Import, ImportsThatAdoptAtOnceLeaveTheIdentityThatTheStoreNames) {
  const std::string bundles[] = {sample_bundle("one"), sample_bundle("two")};
  const auto target = machine_.open("target");
  ImportOptions options;
  options.force_overwrite = options.adopt_identity = options.allow_older = true;
  std::atomic<int> failed = 0;
  for (int round = 0; round < 25; ++round) {
    {
      std::vector<std::jthread> threads;
      for (const std::string& bundle : bundles) {
        threads.emplace_back([&] {
          for (const Finding& finding :
               import_text(*target, bundle, options).value_or(operation::ImportReport{}).preflight)
            if (finding.check == "identity") ++failed;
        });
      }
    }
    ASSERT_EQ(failed, 0);
    const auto sound = target->verify_identity();
    ASSERT_TRUE(sound) << "round " << round << ": " << error_of(sound);
    ASSERT_EQ(target->did(), *setting_of(*target, store::kDidSetting)) << "round " << round;
  }
}

TEST_F(Import, AFileThatIsNoKeyIsKeptAndReplaced) {
  const std::string bundle = sample_bundle("source");
  (void)machine_.open("target");
  env::PosixFileSystem fs;
  ASSERT_TRUE(env::write_file_atomically(fs, machine_.path("target/identity/private_key.bin"), "12345"));
  ASSERT_TRUE(
      env::write_file_atomically(fs, machine_.path("target/identity/did_document.json"), std::string(100'000, 'x')));
  {
    const auto target = machine_.open("target");
    const auto report = import_text(*target, bundle);
    ASSERT_TRUE(report) << error_of(report);
    EXPECT_EQ(report->identity, operation::IdentityOutcome::kAdopted);
    EXPECT_TRUE(target->verify_identity());
  }
  EXPECT_TRUE(machine_.open("target", OpenFor::kWriting)->verify_identity());
  EXPECT_FALSE(tree_contents(machine_.path("target")).contains("identity/incoming"));
  const auto kept = [&](const std::string& content, const std::string& name) {
    const std::string place = "target/identity/previous/unreadable-" + base::to_hex(crypto::sha256(content).view());
    const auto file = env::read_file(fs, machine_.path(place + "/" + name), content.size());
    return file && *file == content;
  };
  EXPECT_TRUE(kept("12345", "private_key.bin"));
  EXPECT_TRUE(kept(std::string(100'000, 'x'), "did_document.json"));
}

TEST_F(Import, AnImportHoldsThoughTheKeyCannotGoToItsPlaceYet) {
  const std::string bundle = sample_bundle("source");
  const std::string second = sample_bundle("second");
  const std::string did = verify_bundle(bundle)->manifest.source_did;
  const std::string in_the_way = machine_.path("target/identity/previous");
  env::PosixFileSystem fs;
  ImportOptions adopt;
  adopt.force_overwrite = adopt.adopt_identity = true;
  {
    const auto target = machine_.make("target");
    ASSERT_TRUE(env::write_file_atomically(fs, in_the_way, "no directory"));
    const auto report = import_text(*target, bundle);
    ASSERT_TRUE(report) << error_of(report);
    EXPECT_EQ(report->preflight.back().check, "identity");
    EXPECT_EQ(report->preflight.back().status, operation::FindingStatus::kWarn);
    EXPECT_EQ(target->did(), did);
    EXPECT_FALSE(import_text(*target, second, adopt)) << "would stage over the only copy of the key";
  }
  {
    const auto target = machine_.open("target", OpenFor::kWriting);
    ASSERT_EQ(target->did(), did);
    EXPECT_TRUE(export_text(*target));
  }
  ASSERT_TRUE(fs.remove(in_the_way));
  EXPECT_TRUE(machine_.open("target", OpenFor::kWriting)->verify_identity());
  EXPECT_FALSE(tree_contents(machine_.path("target")).contains("identity/incoming"));
}

TEST_F(Import, AVerificationSaysThatItAdoptsNothing) {
  const std::string bundle = sample_bundle("source");
  const auto target = machine_.make("target");
  const std::string own = *target->did();
  ImportOptions options;
  options.force_overwrite = true;
  ASSERT_TRUE(instance::put_records(*target, testing::many_records("th_mine", 1)));
  ASSERT_TRUE(import_text(*target, bundle, options));
  options.force_overwrite = false;
  EXPECT_TRUE(import_text(*target, bundle, options, &findings_));
  EXPECT_EQ(finding("identity"), "(none)");
  options.adopt_identity = true;
  EXPECT_TRUE(import_text(*target, bundle, options, &findings_));
  EXPECT_EQ(finding("identity"), "warn: the identity stays the local one: this import only verifies");
  EXPECT_EQ(target->did(), own);
}

TEST_F(Import, TheExportBeforeIsTheLatestOfTheIdentityInForce) {
  const std::string bundle = sample_bundle("source");
  const auto target = with_records("target", "th_mine", 1);
  base::NoProgress progress;
  const auto previous = [&] { return *setting_of(*target, store::kPreviousExportSetting); };
  const auto first = operation::prepare_export(*target, {}, progress);
  const auto second = operation::prepare_export(*target, {}, progress);
  const auto third = operation::prepare_export(*target, {}, progress);
  ASSERT_TRUE(first && second && third);
  ASSERT_TRUE((*second)->note_durable());
  ASSERT_TRUE((*first)->note_durable());
  EXPECT_EQ(previous(), base::to_hex((*second)->report().bundle_sha256.view())) << "the later stays";
  ImportOptions adopt;
  adopt.force_overwrite = adopt.adopt_identity = true;
  ASSERT_TRUE(import_text(*target, bundle, adopt));
  const std::string digest = base::to_hex(verify_bundle(bundle)->manifest.bundle_sha256.view());
  EXPECT_EQ(previous(), digest);
  ASSERT_TRUE((*third)->note_durable());
  EXPECT_EQ(previous(), digest) << "the third is another identity's";
  ASSERT_TRUE(export_text(*target));
  EXPECT_NE(previous(), digest);
}

TEST_F(Import, AnOlderBundleThatIsAdoptedGoesOnFromTheNewestSeenHere) {
  const auto source = with_records("source", "th_source", 1);
  const auto older = export_text(*source);
  const auto newer = export_text(*source);
  const auto target = with_records("target", "th_mine", 1);
  ImportOptions options;
  options.force_overwrite = true;
  ASSERT_TRUE(import_text(*target, *newer, options));
  ASSERT_TRUE(export_text(*target));
  options.adopt_identity = true;
  ASSERT_TRUE(import_text(*target, *older, options));
  const auto next = export_text(*target);
  ASSERT_TRUE(next) << error_of(next);
  EXPECT_EQ(verify_bundle(*next)->manifest.previous, verify_bundle(*newer)->manifest.bundle_sha256);
}

TEST_F(Import, AdoptingListsWhatLosesItsEffect) {
  const std::string bundle = sample_bundle("source");
  const auto target = machine_.make("target");
  testing::fill_sample(*target, SampleSize::kSmall);
  const std::string own = *target->did();
  const std::uint64_t own_grants = contents_of(*target)->grants;
  ASSERT_GT(own_grants, 0U);
  ImportOptions options;
  options.force_overwrite = options.adopt_identity = true;
  const auto report = import_text(*target, bundle, options, &findings_);
  ASSERT_TRUE(report) << error_of(report);
  EXPECT_EQ(report->identity, operation::IdentityOutcome::kAdopted);
  const auto lost = std::ranges::find_if(
      findings_, [](const Finding& f) { return f.message.find("lose their effect") != std::string::npos; });
  ASSERT_NE(lost, findings_.end());
  EXPECT_EQ(lost->status, operation::FindingStatus::kWarn);
  EXPECT_EQ(lost->subject, own);
  EXPECT_THAT(lost->hint, HasSubstr("spl authority endorse"));
  EXPECT_EQ(report->consent_grants, own_grants) << "only those of the bundle's identity count";
  EXPECT_EQ(contents_of(*target)->grants, report->consent_grants);
}

TEST_F(Import, TokensComeOnlyWithTheirIdentity) {
  ExportOptions carry;
  carry.carry_tokens = true;
  const std::string bundle = sample_bundle("source", std::move(carry));
  const auto tokens_after = [&](const std::string& home, const ImportOptions& options) {
    const auto target = with_records(home, "th_mine", 1);
    findings_.clear();
    const auto report = import_text(*target, bundle, options, &findings_);
    EXPECT_TRUE(report || report.error().code == ErrorCode::kStop) << error_of(report);
    return instance::list_tokens(*target)->size();
  };
  ImportOptions options;
  options.force_overwrite = true;
  EXPECT_EQ(tokens_after("kept", options), 0U);
  EXPECT_THAT(finding("tokens"), HasSubstr("warn: the bundle's tokens stay out"));
  options.adopt_identity = true;
  EXPECT_EQ(tokens_after("unknown", options), 0U);
  EXPECT_THAT(finding("tokens"), HasSubstr("stop: "));
  options.expect_did = verify_bundle(bundle)->manifest.source_did;
  EXPECT_EQ(tokens_after("expected", options), 3U);
  EXPECT_THAT(finding("tokens"), HasSubstr("ok: "));
  const auto empty = machine_.open("empty");
  ASSERT_TRUE(import_text(*empty, bundle));
  EXPECT_EQ(instance::list_tokens(*empty)->size(), 3U);
  EXPECT_EQ(verify_bundle(*export_text(*empty))->manifest.tokens_carried, false) << "not without being asked";
}

TEST_F(Import, AnOlderBundleIsAWarningAndAStopForItsTokens) {
  const auto source = machine_.make("source");
  testing::fill_sample(*source, SampleSize::kSmall);
  const auto carried = [&source] {
    ExportOptions options;
    options.carry_tokens = true;
    return *export_text(*source, std::move(options));
  };
  const std::string plain = *export_text(*source);
  const std::string older = carried();
  const std::string newer = carried();
  ASSERT_TRUE(import_text(*machine_.open("target"), newer));
  const std::string sequence = *setting_of(*machine_.open("target"), store::kExportSequenceSetting);
  EXPECT_EQ(sequence, "3");
  EXPECT_THAT(refused("target", older, {}, ErrorCode::kStop).message, HasSubstr("pre-flight: age: "));
  EXPECT_TRUE(import_text(*machine_.open("target"), plain, {}, &findings_));
  EXPECT_THAT(finding("age"), HasSubstr("warn: the bundle is export 1"));
  ImportOptions allow;
  allow.allow_older = allow.force_overwrite = true;
  EXPECT_TRUE(import_text(*machine_.open("target"), older, allow));
  EXPECT_EQ(*setting_of(*machine_.open("target"), store::kExportSequenceSetting), sequence) << "it never goes back";
}

TEST_F(Import, AnIdentityThatComesBackGoesOnFromItsLastExport) {
  const auto source = machine_.make("source");
  testing::fill_sample(*source, SampleSize::kSmall);
  const std::string first = *export_text(*source);
  const std::string second = *export_text(*source);
  const std::string last = base::to_hex(verify_bundle(second)->manifest.bundle_sha256.view());
  ImportOptions adopt;
  adopt.force_overwrite = adopt.adopt_identity = true;
  ASSERT_TRUE(import_text(*source, sample_bundle("other"), adopt));
  ASSERT_TRUE(export_text(*source));
  ASSERT_TRUE(import_text(*source, first, adopt));
  EXPECT_EQ(*setting_of(*source, store::kPreviousExportSetting), last);
  const auto next = verify_bundle(*export_text(*source));
  EXPECT_EQ(next->manifest.export_sequence, 3U);
  ASSERT_TRUE(next->manifest.previous);
  EXPECT_EQ(base::to_hex(next->manifest.previous->view()), last);
}

// A signature is beside the record, so a store that has every record may still lack some of theirs.
TEST_F(Import, AVerificationFillsSignaturesThatAreMissing) {
  const auto source = machine_.make("source");
  instance::Emission emission;
  emission.text = "signed";
  const auto emitted = instance::emit(*source, emission);
  ASSERT_TRUE(emitted);
  const std::string bundle = *export_text(*source);
  Record unsigned_record = *source->store().reader().value()->find(emitted->id).value();
  unsigned_record.sig.reset();
  const auto target = machine_.make("target");
  ASSERT_TRUE(instance::put_records(*target, {unsigned_record}));
  ImportOptions dry;
  dry.dry_run = true;
  const auto is_signed = [&] { return target->store().reader().value()->find(emitted->id).value()->sig.has_value(); };
  ASSERT_TRUE(import_text(*target, bundle, dry));
  EXPECT_FALSE(is_signed());
  const auto report = import_text(*target, bundle, {}, &findings_);
  ASSERT_TRUE(report) << error_of(report);
  EXPECT_EQ(report->records_deduplicated, 1U);
  EXPECT_TRUE(is_signed());
  EXPECT_THAT(finding("signatures"), HasSubstr("1 record gets the signature"));
}

TEST_F(Import, AnOlderBundleOfOnesOwnBringsNoTokensBack) {
  const auto source = machine_.make("source");
  testing::fill_sample(*source, SampleSize::kSmall);
  ExportOptions carry;
  carry.carry_tokens = true;
  const std::string older = *export_text(*source, std::move(carry));
  const auto tokens = instance::list_tokens(*source).value();
  ASSERT_EQ(tokens.size(), 3U);
  ImportOptions force;
  force.force_overwrite = true;
  EXPECT_TRUE(import_text(*source, older, force)) << "the latest of one's own";
  ASSERT_TRUE(instance::revoke_token(*source, base::to_hex(tokens[0].sha256.view())));
  const std::string plain = *export_text(*source);
  ASSERT_TRUE(export_text(*source));
  const auto stopped = import_text(*source, older, force);
  ASSERT_FALSE(stopped);
  EXPECT_EQ(stopped.error().code, ErrorCode::kStop);
  EXPECT_THAT(stopped.error().message, HasSubstr("export 3 was made here since"));
  EXPECT_EQ(instance::list_tokens(*source)->size(), 2U);
  findings_.clear();
  EXPECT_TRUE(import_text(*source, older, {}, &findings_)) << "a verification takes none";
  EXPECT_THAT(finding("age"), HasSubstr("warn: "));
  findings_.clear();
  EXPECT_TRUE(import_text(*source, plain, force, &findings_)) << "it has no tokens";
  EXPECT_THAT(finding("age"), HasSubstr("warn: the bundle is export 2"));
  EXPECT_EQ(instance::list_tokens(*source)->size(), 2U);
  force.allow_older = true;
  EXPECT_TRUE(import_text(*source, older, force));
  EXPECT_EQ(instance::list_tokens(*source)->size(), 3U);
}

TEST_F(Import, TheFindingOfTokensSaysWhatBecomesOfThem) {
  ExportOptions carry;
  carry.carry_tokens = true;
  const std::string bundle = sample_bundle("source", std::move(carry));
  const auto said = [&](const ImportOptions& options) {
    findings_.clear();
    const auto report = import_text(*machine_.open("target"), bundle, options, &findings_);
    EXPECT_TRUE(report) << error_of(report);
    return finding("tokens");
  };
  ImportOptions dry;
  dry.dry_run = true;
  EXPECT_THAT(said(dry), HasSubstr("ok: 3 tokens would be installed"));
  EXPECT_THAT(said({}), HasSubstr("ok: 3 tokens are installed"));
  const auto tokens = instance::list_tokens(*machine_.open("target")).value();
  ASSERT_TRUE(instance::revoke_token(*machine_.open("target"), base::to_hex(tokens[0].sha256.view())));
  EXPECT_THAT(said({}), HasSubstr("warn: 3 tokens stay out"));
  EXPECT_EQ(instance::list_tokens(*machine_.open("target"))->size(), 2U);
  ImportOptions force;
  force.force_overwrite = true;
  EXPECT_THAT(said(force), HasSubstr("ok: 3 tokens are installed"));
  EXPECT_EQ(instance::list_tokens(*machine_.open("target"))->size(), 3U);
}

}  // namespace
}  // namespace spl
