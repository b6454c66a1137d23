#include "operation/preflight.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <algorithm>
#include <string>
#include <vector>

namespace spl::operation {
namespace {

using ::testing::HasSubstr;
using ::testing::IsEmpty;

constexpr char kOwn[] = "did:key:own";
constexpr char kSource[] = "did:key:source";

class PreflightTest : public ::testing::Test {
 protected:
  PreflightTest() {
    manifest_.source_did = kSource;
    manifest_.export_sequence = 5;
    facts_.did = kOwn;
    facts_.records = 1;
  }

  // "status: message" of each finding of this check.
  std::vector<std::string> of(const std::string& check) {
    std::vector<std::string> found;
    for (const Finding& finding : preflight(manifest_, options_, facts_)) {
      if (finding.check == check)
        found.push_back(std::string(codec::enum_name(finding.status)) + ": " + finding.message);
    }
    return found;
  }
  std::string status_of(const std::string& check) {
    const auto found = of(check);
    return found.size() == 1 ? found[0].substr(0, found[0].find(':')) : std::to_string(found.size()) + " findings";
  }
  // The checks that stop the import, in their order.
  std::vector<std::string> stops() {
    std::vector<std::string> found;
    for (const Finding& finding : preflight(manifest_, options_, facts_)) {
      if (finding.status != FindingStatus::kStop) continue;
      EXPECT_NE(finding.hint, "") << finding.check << " stops and does not say what to do";
      found.push_back(finding.check);
    }
    return found;
  }
  void bring_service(const std::string& name) { manifest_.services.push_back({name, "1", 0, "", {}}); }
  void stop_service(const std::string& name) {
    facts_.services.push_back({"service", FindingStatus::kStop, name, "no service of this name", "declare it"});
  }

  bundle::Manifest manifest_;
  ImportOptions options_;
  ImportFacts facts_;
};

TEST_F(PreflightTest, RecordsOfAnUnknownSignerAreOnlyWarnedOf) {
  EXPECT_EQ(signer_of(manifest_, options_, facts_), Signer::kUnknown);
  EXPECT_EQ(status_of("signer"), "warn");
  EXPECT_THAT(stops(), IsEmpty());
  options_.expect_did = kSource;
  EXPECT_EQ(signer_of(manifest_, options_, facts_), Signer::kExpected);
  EXPECT_EQ(status_of("signer"), "ok");
  facts_.did = kSource;
  EXPECT_EQ(signer_of(manifest_, options_, facts_), Signer::kSelf);
  EXPECT_EQ(status_of("signer"), "ok");
}

TEST_F(PreflightTest, StrictSignersAsksOnlyWhereThereAreRecords) {
  facts_.strict_signers = true;
  EXPECT_THAT(stops(), ::testing::ElementsAre("signer"));
  facts_.records = 0;
  EXPECT_THAT(stops(), IsEmpty());
}

TEST_F(PreflightTest, TheSignerIsAskedForFirst) {
  bring_service("wiki");
  stop_service("wiki");
  manifest_.tokens_carried = true;
  facts_.adopts = true;
  facts_.newest_seen = 6;
  facts_.opening.kind = bundle::Encryption::Kind::kPassphrase;
  EXPECT_THAT(stops(), ::testing::ElementsAre("signer", "encryption", "age", "tokens", "service"));
  options_.expect_did = "did:key:another";
  EXPECT_EQ(stops().front(), "signer");
}

TEST_F(PreflightTest, ServicesAskForAKnownSignerUnlessTheyAreAllLeftOut) {
  bring_service("wiki");
  bring_service("mail");
  EXPECT_THAT(stops(), ::testing::ElementsAre("signer"));
  options_.without = {"wiki"};
  EXPECT_THAT(stops(), ::testing::ElementsAre("signer"));
  options_.without = {"wiki", "mail"};
  EXPECT_THAT(stops(), IsEmpty());
  options_.without = {};
  facts_.records = 0;
  EXPECT_THAT(stops(), IsEmpty()) << "an empty home has nothing to be taken over";
  facts_.has_tenants = true;
  EXPECT_THAT(stops(), ::testing::ElementsAre("signer")) << "somebody lives there";
  facts_.services = {{"data", FindingStatus::kStop, "wiki", "data is in the way", "--replace"}};
  EXPECT_THAT(stops(), ::testing::ElementsAre("data")) << "that is so whoever has signed";
  facts_.services.clear();
  facts_.has_tenants = false;
  options_.replace = true;
  EXPECT_THAT(stops(), ::testing::ElementsAre("signer"));
}

TEST_F(PreflightTest, ServicesThatWereRestoredFromANewerBundleAreNamed) {
  bring_service("wiki");
  facts_.did = kSource;
  facts_.last_sequence = 9;
  EXPECT_THAT(stops(), IsEmpty()) << "exports made here do not count";
  facts_.older_services = {"wiki"};
  EXPECT_THAT(stops(), ::testing::ElementsAre("age"));
  options_.allow_older = true;
  EXPECT_THAT(stops(), IsEmpty());
}

TEST_F(PreflightTest, AnOlderBundleStopsForWhatItWouldTakeBack) {
  facts_.newest_seen = 5;
  EXPECT_THAT(of("age"), IsEmpty()) << "the same again is not older";
  facts_.newest_seen = 6;
  EXPECT_EQ(status_of("age"), "warn") << "records only ever come";
  manifest_.tokens_carried = true;
  EXPECT_EQ(status_of("age"), "stop");
  options_.allow_older = true;
  EXPECT_EQ(status_of("age"), "warn");
}

TEST_F(PreflightTest, ANumberThatLeavesNoExportsIsNotTakenOver) {
  manifest_.export_sequence = bundle::kExportSequenceMax;
  EXPECT_THAT(of("age"), IsEmpty()) << "its records alone leave the own number as it is";
  manifest_.identity_included = true;
  facts_.adopts = true;
  EXPECT_EQ(status_of("age"), "stop");
  manifest_.export_sequence = std::uint64_t{1} << 50;
  EXPECT_THAT(of("age"), IsEmpty());
}

TEST_F(PreflightTest, OwnExportsSinceCountAsSeenButNotAgainstAVerification) {
  facts_.did = kSource;
  facts_.last_sequence = 6;
  manifest_.tokens_carried = true;
  EXPECT_EQ(status_of("age"), "stop");
  facts_.compares = true;
  EXPECT_EQ(status_of("age"), "warn");
  facts_.did = kOwn;
  EXPECT_THAT(of("age"), IsEmpty()) << "another identity's numbers say nothing";
}

TEST_F(PreflightTest, TokensComeOnlyWithTheirIdentityAndFromAKnownSigner) {
  manifest_.tokens_carried = true;
  facts_.tokens = 2;
  EXPECT_EQ(status_of("tokens"), "warn") << "the local identity stays";
  facts_.adopts = true;
  EXPECT_EQ(status_of("tokens"), "stop");
  facts_.records = 0;
  EXPECT_THAT(of("tokens"), ::testing::ElementsAre("ok: 2 tokens are installed"));
  options_.dry_run = true;
  facts_.tokens = 1;
  EXPECT_THAT(of("tokens"), ::testing::ElementsAre("ok: 1 token would be installed"));
  facts_.compares = true;
  EXPECT_EQ(status_of("tokens"), "warn");
  manifest_.identity_included = false;
  EXPECT_EQ(status_of("tokens"), "warn");
}

TEST_F(PreflightTest, AccountsWithoutATokenAreNamed) {
  EXPECT_THAT(of("tokens"), IsEmpty());
  facts_.accounts_without_token = {"ci"};
  EXPECT_EQ(status_of("tokens"), "warn");
  facts_.accounts_without_token = {"ci", "reader"};
  for (const Finding& finding : preflight(manifest_, options_, facts_)) {
    if (finding.check != "tokens") continue;
    EXPECT_EQ(finding.subject, "ci, reader");
    EXPECT_THAT(finding.hint, HasSubstr("spl token create ci"));
  }
}

TEST_F(PreflightTest, AnInstanceThatComesHomeIsTold) {
  EXPECT_THAT(of("move"), IsEmpty());
  facts_.returns = true;
  EXPECT_THAT(of("move"),
              ::testing::ElementsAre(HasSubstr("ok: the instance had moved; with this bundle it comes home")));
  options_.dry_run = true;
  EXPECT_THAT(of("move"), ::testing::ElementsAre(HasSubstr("it would come home")));
}

TEST_F(PreflightTest, AnIdentityThatStaysThoughItsAdoptionWasAskedForIsNamed) {
  options_.adopt_identity = true;
  EXPECT_EQ(status_of("identity"), "warn");
  facts_.adopts = true;
  EXPECT_THAT(of("identity"), IsEmpty());
  facts_.adopts = false;
  facts_.did = kSource;
  EXPECT_THAT(of("identity"), IsEmpty());
}

}  // namespace
}  // namespace spl::operation
