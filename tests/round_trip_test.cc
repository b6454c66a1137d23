// An instance goes out through a bundle and comes in somewhere else: it is the same there, whatever the container and
// however the bytes arrive; and where an import is not wanted, nothing changes and the words are those of the contract.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <algorithm>
#include <atomic>
#include <functional>
#include <thread>

#include "base/encoding.h"
#include "crypto/sha256.h"
#include "instance/access.h"
#include "instance/ingest.h"
#include "portability_fixture.h"
#include "sample_instance.h"
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
using testing::Portability;
using testing::SampleSize;
using testing::setting_of;
using testing::tree_contents;
using testing::verify_bundle;

constexpr char kPassphrase[] = "a passphrase of the tests";

// As a pipe gives octets: now many, now one, never as many as were asked for.
class PipeSource final : public Source {
 public:
  explicit PipeSource(std::string_view octets) : rest_(octets) {}
  Result<std::size_t> read(std::span<char> out) override {
    constexpr std::size_t kSizes[] = {1, 511, 7, 4096, 65536, 3, 100'000};
    const std::size_t n = rest_.copy(out.data(), std::min(out.size(), kSizes[turn_++ % std::size(kSizes)]));
    rest_.remove_prefix(n);
    return n;
  }

 private:
  std::string_view rest_;
  std::size_t turn_ = 0;
};

// Takes what is written and nothing else: no seeking, no length.
class PipeSink final : public Sink {
 public:
  Result<void> write(std::string_view octets) override {
    for (std::size_t at = 0; at < octets.size(); at += kPieceBytes) text += octets.substr(at, kPieceBytes);
    return {};
  }
  std::string text;

 private:
  static constexpr std::size_t kPieceBytes = 513;
};

// How the bundle is made and opened.
struct Way {
  const char* name;
  bool uncompressed = false;
  bool for_recipient = false;
  bool for_passphrase = false;
  std::size_t workers = 1;
};
std::ostream& operator<<(std::ostream& out, const Way& way) {
  return out << way.name;
}

class RoundTrip : public ::testing::TestWithParam<Way> {
 protected:
  RoundTrip() {
    auto identity = crypto::AgeIdentity::parse(kAgeKey);
    EXPECT_TRUE(identity) << error_of(identity);
    if (identity) keys_.push_back(std::move(*identity));
  }
  ExportOptions export_options() {
    ExportOptions options;
    options.uncompressed = GetParam().uncompressed;
    options.carry_tokens = true;
    options.workers = GetParam().workers;
    if (GetParam().for_recipient) options.recipients.push_back(keys_.at(0).recipient());
    if (GetParam().for_passphrase) options.passphrase = passphrase_.copy();
    return options;
  }
  bundle::ReaderOptions reader_options() {
    bundle::ReaderOptions options;
    options.workers = GetParam().workers;
    if (GetParam().for_recipient) options.identities = keys_;
    if (GetParam().for_passphrase) options.passphrase = &passphrase_;
    return options;
  }
  Machine machine_;
  std::vector<crypto::AgeIdentity> keys_;
  SecretBytes passphrase_{kPassphrase};
};

TEST_P(RoundTrip, GivesTheSameInstanceAndTheSameBundleAgain) {
  const auto source = machine_.make("source");
  testing::fill_sample(*source);
  ASSERT_FALSE(HasFatalFailure());
  const Contents before = *contents_of(*source);
  ASSERT_GT(before.pairs, 0U);
  ASSERT_GT(before.grants, 0U);
  ASSERT_EQ(before.accounts, 2U);

  base::NoProgress progress;
  const auto prepared = operation::prepare_export(*source, export_options(), progress);
  ASSERT_TRUE(prepared) << error_of(prepared);
  PipeSink first;
  ASSERT_TRUE((*prepared)->write(first));
  ASSERT_TRUE((*prepared)->note_durable());
  EXPECT_EQ((*prepared)->report().record_count, before.records.size());
  EXPECT_EQ((*prepared)->report().thread_count, before.threads.size());
  EXPECT_EQ((*prepared)->report().federation_pairs, before.pairs);
  EXPECT_EQ((*prepared)->report().consent_grants, before.grants);

  const auto target = machine_.open("target");
  PipeSource pipe(first.text);
  ImportOptions options;
  options.reader = reader_options();
  const auto report = operation::import_bundle(*target, pipe, options, progress, nullptr);
  ASSERT_TRUE(report) << error_of(report);
  EXPECT_EQ(report->records_inserted, before.records.size());
  EXPECT_EQ(report->records_deduplicated, 0U);
  EXPECT_EQ(report->federation_pairs, before.pairs);
  EXPECT_EQ(report->consent_grants, before.grants);
  EXPECT_EQ(report->identity, operation::IdentityOutcome::kAdopted);
  EXPECT_EQ(*contents_of(*source), *contents_of(*target));
  EXPECT_TRUE(target->verify_identity());

  const auto second = export_text(*target, export_options());
  ASSERT_TRUE(second) << error_of(second);
  const auto one = verify_bundle(first.text, reader_options());
  const auto two = verify_bundle(*second, reader_options());
  ASSERT_TRUE(one) << error_of(one);
  ASSERT_TRUE(two) << error_of(two);
  EXPECT_EQ(one->files, two->files);
  EXPECT_EQ(one->manifest.bundle_sha256, two->manifest.bundle_sha256);
  ASSERT_EQ(one->manifest.sections.size(), 3U);
  ASSERT_EQ(two->manifest.sections.size(), 3U);
  for (std::size_t i = 0; i < 3; ++i) {
    EXPECT_EQ(one->manifest.sections[i].prefix, two->manifest.sections[i].prefix);
    EXPECT_EQ(one->manifest.sections[i].sha256, two->manifest.sections[i].sha256);
    EXPECT_EQ(one->manifest.sections[i].offset, two->manifest.sections[i].offset);
  }
  EXPECT_EQ(two->manifest.export_sequence, one->manifest.export_sequence + 1) << "the number travels";
  EXPECT_EQ(two->manifest.previous, one->manifest.bundle_sha256);
  EXPECT_EQ(two->manifest.source_did, one->manifest.source_did);
}

INSTANTIATE_TEST_SUITE_P(
    Ways, RoundTrip,
    ::testing::Values(Way{.name = "PlainTar", .uncompressed = true}, Way{.name = "Zstd"},
                      Way{.name = "ZstdOnFourThreads", .workers = 4},
                      Way{.name = "ForARecipient", .for_recipient = true, .workers = 4},
                      Way{.name = "PlainTarForARecipient", .uncompressed = true, .for_recipient = true},
                      Way{.name = "ForAPassphrase", .for_passphrase = true}),
    [](const auto& test) { return std::string(test.param.name); });

TEST_F(Portability, AnImportTwiceIsAVerification) {
  const std::string bundle = sample_bundle("source");
  const auto target = machine_.open("target");
  ASSERT_TRUE(import_text(*target, bundle));
  const Contents before = *contents_of(*target);
  const auto again = import_text(*target, bundle);
  ASSERT_TRUE(again) << error_of(again);
  EXPECT_EQ(again->records_inserted, 0U);
  EXPECT_EQ(again->records_deduplicated, before.records.size());
  EXPECT_EQ(again->records_inspected, before.records.size());
  EXPECT_EQ(again->identity, operation::IdentityOutcome::kSame);
  EXPECT_EQ(again->signer, operation::Signer::kSelf);
  EXPECT_EQ(*contents_of(*target), before);
  ImportOptions force;
  force.force_overwrite = true;
  const auto forced = import_text(*target, bundle, force);
  ASSERT_TRUE(forced) << error_of(forced);
  EXPECT_EQ(forced->records_inserted, 0U);
  EXPECT_EQ(*contents_of(*target), before);
}

TEST_F(Portability, MergesOfOverlappingStoresGiveTheSameInEitherOrder) {
  std::vector<std::string> bundles;
  for (const auto& [home, thread] : {std::pair("left", "th_left"), std::pair("right", "th_right")}) {
    const auto source = with_records(home, "th_both", 50);
    ASSERT_TRUE(instance::put_records(*source, testing::many_records(thread, 30)));
    ASSERT_TRUE(instance::put_records(*source, {testing::make_record({.clock = 3, .thread = "th_both"})}));
    bundles.push_back(*export_text(*source));
  }
  ImportOptions force;
  force.force_overwrite = true;
  std::vector<Contents> results;
  for (const auto& [home, first] : {std::pair("leftfirst", 0U), std::pair("rightfirst", 1U)}) {
    const auto target = with_records(home, "th_own", 5);
    const auto one = import_text(*target, bundles[first], force);
    const auto two = import_text(*target, bundles[1 - first], force);
    ASSERT_TRUE(one) << error_of(one);
    ASSERT_TRUE(two) << error_of(two);
    EXPECT_EQ(one->records_inserted, 81U);
    EXPECT_EQ(two->records_inserted, 30U);
    EXPECT_EQ(two->records_deduplicated, 51U);
    EXPECT_EQ(one->identity, operation::IdentityOutcome::kKept);
    EXPECT_EQ(two->identity, operation::IdentityOutcome::kKept);
    results.push_back(*contents_of(*target));
    EXPECT_EQ(results.back().did, target->did());
  }
  EXPECT_EQ(results[0].records, results[1].records);
  EXPECT_EQ(results[0].threads, results[1].threads);
  EXPECT_EQ(results[0].records.size(), 116U);
}

TEST_F(Portability, ADifferingJudgeIsCountedAndTheFirstIsKept) {
  const auto source = machine_.make("source");
  ASSERT_TRUE(instance::put_records(*source, {testing::make_record({.judged_by = "did:example:b"})}));
  const auto target = machine_.make("target");
  ASSERT_TRUE(instance::put_records(*target, {testing::make_record({.judged_by = "did:example:a"})}));
  const auto before = contents_of(*target)->records;
  ImportOptions force;
  force.force_overwrite = true;
  const auto report = import_text(*target, *export_text(*source), force);
  ASSERT_TRUE(report) << error_of(report);
  EXPECT_EQ(report->records_differing, 1U);
  EXPECT_EQ(report->records_deduplicated, 1U);
  EXPECT_EQ(contents_of(*target)->records, before);
  const auto verification = import_text(*target, *export_text(*source));
  ASSERT_TRUE(verification) << error_of(verification);
  EXPECT_EQ(verification->records_differing, 1U);
  EXPECT_EQ(verification->records_deduplicated, 1U);
}

TEST_F(Portability, AnExportSeesOneMomentWhileOthersWrite) {
  constexpr std::uint64_t kTogether = 5;  // records that one unit puts on one thread
  const auto source = machine_.make("source");
  std::atomic<bool> stop = false;
  std::vector<std::thread> writers;
  for (int w = 0; w < 3; ++w) {
    writers.emplace_back([&, w] {
      for (std::uint64_t n = 0; !stop; ++n) {
        const auto put = instance::put_records(
            *source, testing::many_records("th_" + std::to_string(w) + "_" + std::to_string(n), kTogether));
        EXPECT_TRUE(put) << error_of(put);
      }
    });
  }
  std::uint64_t least = 0;
  for (int round = 0; round < 5; ++round) {
    const auto verified = verify_bundle(export_text(*source).value_or(""));
    EXPECT_TRUE(verified) << error_of(verified);
    if (!verified) break;
    std::map<std::string, std::uint64_t> threads;
    for (const auto& [path, content] : verified->files) {
      if (path.starts_with("records/")) ++threads[path.substr(0, path.rfind('/'))];
    }
    EXPECT_EQ(verified->manifest.thread_count, threads.size());
    EXPECT_EQ(verified->manifest.record_count, kTogether * threads.size());
    for (const auto& [thread, count] : threads) EXPECT_EQ(count, kTogether) << thread << " is half there";
    EXPECT_GE(verified->manifest.record_count, least);
    least = verified->manifest.record_count;
  }
  stop = true;
  for (std::thread& writer : writers) writer.join();
}

TEST_F(Portability, ManyWritersMakeOneLargeThreadThatTravels) {
  constexpr int kWriters = 5;
  constexpr std::uint64_t kEach = 1000;
  const auto source = machine_.make("source");
  std::vector<std::thread> writers;
  for (int w = 0; w < kWriters; ++w) {
    writers.emplace_back([&, w] {
      const auto records = testing::many_records("th_large", kEach, "did:example:writer" + std::to_string(w));
      for (std::size_t at = 0; at < records.size(); at += 100) {
        const auto put = instance::put_records(*source, {records.begin() + static_cast<std::ptrdiff_t>(at),
                                                         records.begin() + static_cast<std::ptrdiff_t>(at + 100)});
        EXPECT_TRUE(put) << error_of(put);
      }
    });
  }
  for (std::thread& writer : writers) writer.join();
  ExportOptions options;
  options.workers = 4;
  const auto bundle = export_text(*source, std::move(options));
  ASSERT_TRUE(bundle) << error_of(bundle);
  const auto target = machine_.open("target");
  const auto report = import_text(*target, *bundle);
  ASSERT_TRUE(report) << error_of(report);
  EXPECT_EQ(report->records_inserted, kWriters * kEach);
  EXPECT_EQ(report->threads, 1U);
  EXPECT_EQ(*contents_of(*source), *contents_of(*target));
}

TEST_F(Portability, AStoreWithRecordsIsLeftAloneUnlessForced) {
  const std::string bundle = sample_bundle("source");
  (void)with_records("target", "th_mine", 3);
  const Error error = refused("target", bundle, {}, ErrorCode::kRefused);
  EXPECT_EQ(error.message, "import refused: local store has 3 records; pass --force-overwrite to import anyway");
  ImportOptions adopt;
  adopt.adopt_identity = true;
  EXPECT_EQ(refused("target", bundle, adopt, ErrorCode::kRefused).message, error.message)
      << "--adopt-identity alone forces nothing";
}

TEST_F(Portability, ABundleWithoutIdentityIsRefusedWhateverIsGiven) {
  ExportOptions without;
  without.no_identity = true;
  const std::string bundle = sample_bundle("source", std::move(without));
  constexpr char kWords[] = "import refused: bundle has no identity (exported with --no-identity)";
  (void)machine_.open("empty");
  EXPECT_EQ(refused("empty", bundle, {}, ErrorCode::kRefused).message, kWords);
  (void)with_records("full", "th_mine", 3);
  ImportOptions force;
  force.force_overwrite = force.adopt_identity = true;
  EXPECT_EQ(refused("full", bundle, force, ErrorCode::kRefused).message, kWords);
}

TEST_F(Portability, TokensThatNoReaderTakesAreNotExported) {
  const auto source = machine_.make("source");
  const auto export_with = [&source](const std::string& account, const std::string& created_at) {
    const store::Token token{{}, account, {"records:read"}, created_at, {}};
    EXPECT_TRUE(source->committer().run([&](store::StoreWriter& writer) { return writer.put_token(token); }));
    ExportOptions carry;
    carry.carry_tokens = true;
    return export_text(*source, std::move(carry));
  };
  const std::string time = "2026-01-31T12:00:00Z";
  EXPECT_TRUE(export_with("ci", time));
  for (const auto& [account, created_at] :
       {std::pair(std::string("ci"), std::string("yesterday")), std::pair(std::string(17u << 20, 'x'), time)}) {
    const auto bundle = export_with(account, created_at);
    ASSERT_FALSE(bundle);
    EXPECT_EQ(bundle.error().code, ErrorCode::kRefused);
  }
  EXPECT_TRUE(export_text(*source));
}

// In a path a slash follows the directory, and it is greater than % - and . are: a-b/ comes before a/.
TEST_F(Portability, ThreadsWhoseNamesBeginAlikeTravel) {
  const auto source = machine_.make("source");
  for (const char* thread : {"a", "a-b", "a.b", "a b", "ab", "a_b", "", "%"})
    ASSERT_TRUE(instance::put_records(*source, testing::many_records(thread, 2)));
  const auto target = machine_.open("target");
  const auto report = import_text(*target, *export_text(*source));
  ASSERT_TRUE(report) << error_of(report);
  EXPECT_EQ(*contents_of(*source), *contents_of(*target));
}

TEST_F(Portability, AnEmptyInstanceTravels) {
  const auto source = machine_.make("source");
  const auto bundle = export_text(*source);
  ASSERT_TRUE(bundle) << error_of(bundle);
  const auto target = machine_.open("target");
  const auto report = import_text(*target, *bundle);
  ASSERT_TRUE(report) << error_of(report);
  EXPECT_EQ(*contents_of(*source), *contents_of(*target));
  EXPECT_EQ(verify_bundle(*export_text(*target))->manifest.bundle_sha256,
            verify_bundle(*bundle)->manifest.bundle_sha256);
}

TEST_F(Portability, AnImportIntoAnEmptyStoreStartsAnotherLifeOfTheStore) {
  const std::string bundle = sample_bundle("source");
  const auto target = machine_.make("target");
  const auto life = [&target] { return *(*target->store().reader())->incarnation(); };
  const std::string before = life();
  ASSERT_TRUE(import_text(*target, bundle));
  const std::string after = life();
  EXPECT_NE(after, before);
  ASSERT_TRUE(import_text(*target, bundle));
  EXPECT_EQ(life(), after);
}

}  // namespace
}  // namespace spl
