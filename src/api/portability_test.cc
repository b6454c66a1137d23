// Export and import between daemons.
#include <gtest/gtest.h>

#include <algorithm>
#include <set>

#include "api/remote_operations.h"
#include "api/server_test_util.h"
#include "crypto/age_test_util.h"
#include "operation/import.h"
#include "store/record_store.h"
#include "testing/fake_clock.h"
#include "testing/temp_directory.h"

namespace spl::api {
namespace {

using base::NoProgress;
using operation::ImportOptions;

constexpr char kOtherKey[] = "AGE-SECRET-KEY-10KZJVY4CQ452VA3SGJ67JH45WRULLGA4SPMUSMEN36UU54RNWKFSNV3E8N";

// Ends an operation at its n-th look.
class Impatient final : public base::Progress {
 public:
  explicit Impatient(int looks) : looks_(looks) {}
  void update(std::string_view, std::uint64_t, std::uint64_t, std::string_view) override {}
  bool cancelled() override { return looks_-- <= 0; }

 private:
  int looks_;
};

using OpeningValue = codec::JsonValue<bundle::Opening>;

class PortabilityTest : public ::testing::Test {
 protected:
  PortabilityTest() {
    SPL_CHECK(from_.instance().generate_identity().has_value());
    std::string lines;
    for (int n = 0; n < kRecords; ++n) lines += record_json(n, "th_" + std::to_string(n % 10)) + "\n";
    SPL_CHECK(from_.local().ask("POST", "/v1/records", lines, kNdjsonField)->status == 200);
  }
  static std::unique_ptr<RemoteOperations> client(TestDaemon& daemon) {
    return std::move(*RemoteOperations::connect(daemon.env(), daemon.instance().paths(), nullptr));
  }
  // A text, and what becomes of it when the bundle is whole.
  struct TextDestination final : operation::Destination {
    base::StringSink out;
    std::function<Result<void>()> committed = [] { return Result<void>(); };
    Sink& sink() override { return out; }
    Result<void> commit() override { return committed(); }
  };
  static operation::ExportOptions copy_of(const operation::ExportOptions& options) {
    return codec::parse_shape_text<operation::ExportOptions>(codec::shape_text(options), codec::Unknown::kRefused)
        .value();
  }
  std::string exported(const operation::ExportOptions& options = {}) {
    TextDestination to;
    const auto report = client(from_)->export_bundle(copy_of(options), to, progress_);
    EXPECT_TRUE(report) << report.error().message;
    return to.out.text;
  }
  Result<operation::ImportReport> import(std::string_view bundle, const ImportOptions& options = {},
                                         std::vector<operation::Finding>* findings = nullptr) {
    base::StringSource in(bundle);
    return client(to_)->import_bundle(in, options, progress_, findings);
  }
  std::optional<std::string> previous_export() {
    return from_.instance().store().reader().value()->setting(store::kPreviousExportSetting).value();
  }

  static constexpr int kRecords = 3000;
  testing::TempDirectory home_;
  testing::MemoryLog log_;
  NoProgress progress_;
  TestDaemon from_{home_.path() + "/from", log_};
  TestDaemon to_{home_.path() + "/to", log_};
};

TEST_F(PortabilityTest, ABundleGoesFromDaemonToDaemon) {
  TextDestination to;
  to.committed = [&]() -> Result<void> {
    EXPECT_EQ(previous_export(), std::nullopt) << "it is not durable yet";
    return {};
  };
  const auto report = client(from_)->export_bundle({}, to, progress_);
  ASSERT_TRUE(report) << report.error().message;
  EXPECT_EQ(report->record_count, static_cast<std::uint64_t>(kRecords));
  EXPECT_EQ(report->source_did, *from_.instance().did());
  EXPECT_EQ(previous_export(), base::to_hex(report->bundle_sha256.view()));

  const auto imported = import(to.out.text);
  ASSERT_TRUE(imported) << imported.error().message;
  EXPECT_EQ(imported->records_inserted, static_cast<std::uint64_t>(kRecords));
  EXPECT_EQ(imported->identity, operation::IdentityOutcome::kAdopted);
  EXPECT_FALSE(imported->preflight.empty());
  EXPECT_EQ(to_.instance().did(), from_.instance().did());
  EXPECT_EQ(to_.records(), static_cast<std::uint64_t>(kRecords));
  const auto again = import(to.out.text);
  ASSERT_TRUE(again) << again.error().message;
  EXPECT_EQ(again->records_deduplicated, static_cast<std::uint64_t>(kRecords));
}

TEST_F(PortabilityTest, AnExportWithoutTheHeaderCommitsItself) {
  const auto answer = from_.local().ask("POST", "/v1/portability/export");
  ASSERT_TRUE(answer);
  EXPECT_EQ(answer->status, 200);
  EXPECT_TRUE(answer->whole);
  const auto report = codec::parse_shape<operation::ExportReport>(*codec::Json::parse(answer->fields.at("spl-report")),
                                                                  codec::Unknown::kRefused);
  ASSERT_TRUE(report);
  EXPECT_EQ(from_.local().ask("GET", "/health")->status, 200);
  from_.stop();
  EXPECT_EQ(previous_export(), base::to_hex(report->bundle_sha256.view()));
  EXPECT_TRUE(import(answer->body));
}

TEST_F(PortabilityTest, AnExportThatIsNotCommittedIsForgotten) {
  TextDestination to;
  to.committed = [] { return fail("it did not get there"); };
  ASSERT_FALSE(client(from_)->export_bundle({}, to, progress_));
  const auto answer = from_.local().ask("POST", "/v1/portability/export/commit");
  EXPECT_EQ(answer->status, 400);
  from_.stop();
  EXPECT_EQ(previous_export(), std::nullopt);
}

TEST_F(PortabilityTest, OptionsAreHeldTo) {
  operation::ExportOptions options;
  options.no_identity = true;
  options.uncompressed = true;
  const std::string bundle = exported(options);
  std::vector<operation::Finding> findings;
  const auto refused = import(bundle, {}, &findings);
  ASSERT_FALSE(refused);
  EXPECT_EQ(refused.error().code, ErrorCode::kRefused);
  EXPECT_EQ(refused.error().message, "import refused: bundle has no identity (exported with --no-identity)");
  EXPECT_EQ(to_.records(), 0u);
  const auto answer = from_.local().ask("POST", "/v1/portability/export", R"({"no_identiy":true})");
  EXPECT_EQ(answer->status, 400);
}

TEST_F(PortabilityTest, ASpoolDirectoryThatIsNotThereIsTheClientsFault) {
  const auto answer = from_.local().ask("POST", "/v1/portability/export", R"({"spool_directory":"/nope"})");
  ASSERT_TRUE(answer);
  EXPECT_EQ(answer->status, 400);
  EXPECT_NE(answer->text("message").find("/nope"), std::string::npos) << answer->body;
  EXPECT_EQ(from_.local().ask("POST", "/v1/portability/export", R"({"spool_directory":"/tmp"})")->status, 200);
}

TEST_F(PortabilityTest, EncryptedBundlesAreOpenedByTheClient) {
  operation::ExportOptions options;
  options.passphrase = SecretBytes("correct horse \xFF battery");
  const std::string bundle = exported(options);
  const auto locked = import(bundle);
  ASSERT_FALSE(locked);
  EXPECT_EQ(locked.error().code, ErrorCode::kVerification);
  EXPECT_EQ(locked.error().message, "bundle is encrypted: give --age-identity or --passphrase-file");
  ImportOptions open;
  open.reader.passphrase = &*options.passphrase;
  const auto imported = import(bundle, open);
  ASSERT_TRUE(imported) << imported.error().message;
  for (const auto& finding : imported->preflight) EXPECT_NE(finding.check, "encryption") << finding.message;
  EXPECT_EQ(to_.records(), static_cast<std::uint64_t>(kRecords));
}

TEST_F(PortabilityTest, ABundleThatWasClosedAgainForOthersIsNoticedBothWays) {
  const auto other = crypto::AgeIdentity::parse(kOtherKey).value().recipient();
  operation::ExportOptions options;
  options.recipients = crypto::test_recipients();
  const std::string bundle = exported(options);
  const auto keys = crypto::test_identities();
  ImportOptions open;
  open.dry_run = true;
  open.reader.identities = keys;
  const std::string inside = crypto::age_decrypt(bundle, keys).value();
  options.recipients.push_back(other);
  const std::string for_two = exported(options);
  const auto message_of = [](const Result<operation::ImportReport>& report) -> std::string {
    EXPECT_TRUE(report) << report.error().message;
    if (!report) return "";
    const auto found = std::ranges::find(report->preflight, "encryption", &operation::Finding::check);
    return found == report->preflight.end() ? "" : std::string(codec::enum_name(found->status)) + ": " + found->message;
  };
  const std::string first = options.recipients.front().text();
  const auto is_told = [&](const std::string& file, const std::string& message) {
    base::StringSource in(file);
    EXPECT_EQ(message_of(operation::import_bundle(to_.instance(), in, open, progress_, nullptr)), message);
    EXPECT_EQ(message_of(import(file, open)), message);
  };
  is_told(bundle, "");
  is_told(for_two, "");
  is_told(crypto::age_encrypt(inside), "");
  is_told(crypto::age_encrypt(inside, options.recipients),
          "warn: the file is encrypted for " + first + " and 1 other, its manifest says encrypted for " + first);
  is_told(inside, "warn: the file is not encrypted, its manifest says encrypted for " + first);
  const auto others = crypto::parse_identity_file(kOtherKey).value();
  open.reader.identities = others;
  is_told(for_two, "");
  is_told(crypto::age_encrypt(inside, {other}),
          "warn: the file is encrypted for " + other.text() + ", its manifest says encrypted for " + first);
}

TEST_F(PortabilityTest, HowABundleWasOpenedIsCheckedText) {
  for (const char* text : {"", "nothing", "recipients:", "recipients:age1nobody:1", "none:1", "recipients:1:2:3"}) {
    const auto answer = to_.local().ask("POST", std::string("/v1/portability/import?opened=") + text, "");
    ASSERT_TRUE(answer);
    EXPECT_EQ(answer->status, 400) << text << " " << answer->body;
  }
  const std::string recipient(crypto::kTestRecipient);
  for (const char* count : {"", "0", "x", "-1", "1x", "99999999999999999999"}) {
    const auto opened = OpeningValue::from("recipients:" + recipient + ":" + std::string(count));
    EXPECT_FALSE(opened) << count;
  }
  EXPECT_FALSE(OpeningValue::from("passphrase:" + recipient + ":1"));
  const auto opened = OpeningValue::from("recipients:" + recipient + ":3");
  ASSERT_TRUE(opened) << opened.error().message;
  EXPECT_EQ(opened->recipients, 3u);
  EXPECT_EQ(*OpeningValue::to(*opened).string(), "recipients:" + recipient + ":3");
}

TEST_F(PortabilityTest, ABrokenEncryptedBundleIsToldAsItIsWithoutADaemon) {
  operation::ExportOptions options;
  options.recipients = crypto::test_recipients();
  options.uncompressed = true;
  const std::string bundle = exported(options);
  ImportOptions open;
  const auto keys = crypto::test_identities();
  open.reader.identities = keys;
  std::string version = bundle;
  version[20] ^= 1;
  std::string mac = bundle;
  mac[bundle.find("--- ") + 4] ^= 1;
  std::string early = bundle;
  early[bundle.find("--- ") + 200] ^= 1;
  std::string late = bundle;
  late[bundle.size() - 20] ^= 1;
  for (const std::string& broken :
       {version, mac, early, late, bundle.substr(0, 30), bundle.substr(0, bundle.size() / 2),
        bundle.substr(0, bundle.size() - 1), crypto::age_encrypt(bundle)}) {
    base::StringSource in(broken);
    const auto direct = operation::import_bundle(to_.instance(), in, open, progress_, nullptr);
    const auto asked = import(broken, open);
    ASSERT_FALSE(direct);
    ASSERT_FALSE(asked);
    EXPECT_EQ(asked.error().message, direct.error().message);
    EXPECT_EQ(asked.error().hint, direct.error().hint);
    EXPECT_EQ(asked.error().code, direct.error().code);
    EXPECT_TRUE(asked.error().message.starts_with("bundle malformed: age")) << asked.error().message;
  }
}

TEST_F(PortabilityTest, RefusalsComeWithTheirFindingsAndCodes) {
  ASSERT_EQ(to_.local().ask("POST", "/v1/records", record_json(77777))->status, 201);
  const std::string bundle = exported();
  std::vector<operation::Finding> findings;
  const auto refused = import(bundle, {}, &findings);
  ASSERT_FALSE(refused);
  EXPECT_EQ(refused.error().code, ErrorCode::kRefused);
  EXPECT_EQ(refused.error().message,
            "import refused: local store has 1 records; pass --force-overwrite to import anyway");
  EXPECT_FALSE(findings.empty());
  ImportOptions options;
  options.expect_did = "did:key:zother&force_overwrite=1";
  options.force_overwrite = true;
  EXPECT_EQ(import(bundle, options).error().code, ErrorCode::kRefused);
  options.expect_did = from_.instance().did();
  options.dry_run = true;
  const auto tried = import(bundle, options);
  ASSERT_TRUE(tried) << tried.error().message;
  EXPECT_TRUE(tried->dry_run);
  EXPECT_EQ(tried->signer, operation::Signer::kExpected);
  options.without = {"notes", "crm"};
  const auto without = import(bundle, options, &findings);
  ASSERT_TRUE(without) << without.error().message;
  std::vector<std::string> named;
  for (const auto& finding : findings) {
    if (finding.check == "service") named.push_back(finding.subject);
  }
  EXPECT_EQ(named, options.without) << "the bundle has neither";
  EXPECT_EQ(to_.records(), 1u);
  options.dry_run = false;
  EXPECT_TRUE(import(bundle, options));
  EXPECT_EQ(to_.records(), static_cast<std::uint64_t>(kRecords) + 1);
}

TEST_F(PortabilityTest, ABrokenBundleChangesNothing) {
  std::string bundle = exported();
  for (const std::size_t length : {std::size_t{0}, std::size_t{10}, bundle.size() / 2, bundle.size() - 1}) {
    const auto imported = import(bundle.substr(0, length));
    ASSERT_FALSE(imported) << length;
    EXPECT_EQ(imported.error().code, ErrorCode::kVerification) << imported.error().message;
  }
  bundle[bundle.size() / 2] ^= 1;
  EXPECT_EQ(import(bundle).error().code, ErrorCode::kVerification);
  EXPECT_EQ(to_.records(), 0u);
  EXPECT_EQ(to_.instance().did(), std::nullopt);
}

// Follows the log of a daemon, and begins again where it is told to.
struct Poller {
  std::string since = "0";
  std::set<std::string> seen;
  int begun_again = 0;

  void poll(TestDaemon& daemon) {
    for (bool more = true; more;) {
      const auto page = daemon.local().ask("GET", "/v1/records?limit=7&since=" + since);
      ASSERT_TRUE(page);
      if (page->status == 410) {
        EXPECT_EQ(page->text("code"), "CURSOR_GONE");
        since = "0";
        ++begun_again;
        continue;
      }
      ASSERT_EQ(page->status, 200) << page->body;
      const codec::Json json = page->json();
      for (const codec::Json& item : *json.find("records")->array()) seen.insert(*item.find("id")->string());
      since = page->text("cursor");
      more = *json.find("has_more")->boolean();
    }
  }
};

TEST_F(PortabilityTest, APollerLosesNothingWhenTheInstanceIsRestored) {
  const std::string bundle = exported();
  for (int n = 0; n < 20; ++n)
    ASSERT_EQ(from_.local().ask("POST", "/v1/records", record_json(n, "th_not_in_the_bundle"))->status, 201);
  Poller poller;
  poller.poll(from_);
  EXPECT_EQ(poller.seen.size(), static_cast<std::size_t>(kRecords) + 20);
  ASSERT_TRUE(import(bundle));
  // As many as the bundle lacked, and more: by their numbers alone the first of them are known.
  for (int n = 0; n < 30; ++n)
    ASSERT_EQ(to_.local().ask("POST", "/v1/records", record_json(n, "th_after"))->status, 201);
  poller.poll(to_);
  EXPECT_EQ(poller.begun_again, 1);
  EXPECT_EQ(poller.seen.size(), static_cast<std::size_t>(kRecords) + 50);
  poller.poll(to_);
  EXPECT_EQ(poller.begun_again, 1);
}

TEST_F(PortabilityTest, ACursorOfWhatWasPutBackToAnEarlierStateIsGone) {
  Poller poller;
  poller.poll(to_);
  EXPECT_TRUE(poller.since.ends_with(".0"));
  const auto answer = to_.local().ask("GET", "/v1/records?since=" + poller.since.substr(0, 33) + "5");
  EXPECT_EQ(answer->status, 410) << answer->body;
  EXPECT_FALSE(answer->text("hint").empty());
}

TEST_F(PortabilityTest, AnUploadThatStallsKeepsNobodyFromWriting) {
  operation::ExportOptions plain;
  plain.uncompressed = true;
  const std::string bundle = exported(plain);
  RawClient stalled = to_.local();
  ASSERT_TRUE(stalled.send("POST /v1/portability/import?force_overwrite=1 HTTP/1.1\r\nhost: test\r\ncontent-length: " +
                           std::to_string(bundle.size()) + "\r\nexpect: 100-continue\r\n\r\n"));
  ASSERT_EQ(stalled.receive()->status, 100);
  ASSERT_TRUE(stalled.send(std::string_view(bundle).substr(0, bundle.size() - 1)));
  EXPECT_EQ(to_.local().ask("POST", "/v1/records", record_json(77777))->status, 201);
  EXPECT_EQ(to_.records(), 1u);
  ASSERT_TRUE(stalled.send(std::string_view(bundle).substr(bundle.size() - 1)));
  const auto answer = stalled.receive();
  ASSERT_TRUE(answer);
  EXPECT_EQ(answer->status, 200) << answer->body;
  EXPECT_EQ(to_.records(), static_cast<std::uint64_t>(kRecords) + 1);
}

TEST_F(PortabilityTest, AnUploadThatBreaksOffChangesNothing) {
  const std::string bundle = exported();
  RawClient broken = to_.local();
  ASSERT_TRUE(broken.send("POST /v1/portability/import HTTP/1.1\r\nhost: test\r\ncontent-length: " +
                          std::to_string(bundle.size()) + "\r\n\r\n" + bundle.substr(0, bundle.size() - 1)));
  broken.end_writing();
  const auto answer = broken.receive();
  EXPECT_TRUE(!answer || answer->status >= 400);
  EXPECT_EQ(to_.records(), 0u);
}

TEST_F(PortabilityTest, AClientThatCancelsLeavesNothingBehind) {
  const std::string bundle = exported();
  Impatient impatient(0);
  base::StringSource in(bundle);
  EXPECT_FALSE(client(to_)->import_bundle(in, {}, impatient, nullptr));
  TextDestination to;
  Impatient later(1);
  EXPECT_FALSE(client(from_)->export_bundle({}, to, later));
  EXPECT_EQ(to_.local().ask("GET", "/health")->status, 200);
  EXPECT_EQ(to_.records(), 0u);
}

TEST_F(PortabilityTest, AnImportThatNobodyWaitsForEndsBeforeItsEnd) {
  // More than is read ahead, in few records.
  std::string lines;
  const std::string filler(50'000, 'x');
  for (int n = 0; n < 400; ++n) {
    std::string json = record_json(n, "th_large");
    lines += json.replace(json.find("{\"n\":"), 1, "{\"filler\":\"" + filler + "\",") + "\n";
  }
  ASSERT_EQ(from_.local().ask("POST", "/v1/records", lines, kNdjsonField)->status, 200);
  operation::ExportOptions plain;
  plain.uncompressed = true;
  const std::string bundle = exported(plain);
  auto writer = to_.instance().store().writer().value();
  {
    RawClient leaves = to_.local();
    ASSERT_TRUE(leaves.send("POST /v1/portability/import HTTP/1.1\r\nhost: test\r\ncontent-length: " +
                            std::to_string(bundle.size()) + "\r\n\r\n" + bundle));
    leaves.wait_until_read();
  }
  writer.reset();
  to_.stop();
  EXPECT_EQ(to_.records(), 0u);
}

TEST_F(PortabilityTest, ARefusalReachesAClientThatIsStillSending) {
  // Far more than any socket holds, and none of it a bundle.
  class Endless final : public Source {
   public:
    Result<std::size_t> read(std::span<char> out) override {
      std::ranges::fill(out, 'x');
      left_ -= std::min(left_, out.size());
      return left_ == 0 ? 0 : out.size();
    }

   private:
    std::size_t left_ = std::size_t{1} << 30;
  } endless;
  const auto imported = client(to_)->import_bundle(endless, {}, progress_, nullptr);
  ASSERT_FALSE(imported);
  EXPECT_EQ(imported.error().code, ErrorCode::kVerification) << imported.error().message;
}

}  // namespace
}  // namespace spl::api
