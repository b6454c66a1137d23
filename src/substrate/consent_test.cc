#include "substrate/consent.h"

#include <gtest/gtest.h>

#include "codec/json.h"
#include "crypto/did_key.h"
#include "record/thread.h"
#include "store/conformance_model.h"
#include "store/memory/memory_store.h"

namespace spl::substrate {
namespace {

using store::conformance::signer;

constexpr std::string_view kNow = "2026-06-01T00:00:00Z";

struct Terms {
  std::string source = "research";
  std::vector<std::string> levels = {};
  std::vector<std::string> threads = {};
  std::optional<std::string> expires = {};
};

ConsentGrant grant(const Terms& terms = {}) {
  return ConsentGrant::of({}, {.source_namespace = terms.source,
                               .target_namespace = "default",
                               .hash_levels = terms.levels,
                               .threads = terms.threads,
                               .purpose = "",
                               .expires = terms.expires});
}

Passage passage(std::vector<ConsentGrant> grants, std::string_view thread = "t", std::string_view source = "research",
                std::string_view target = "default") {
  return Consent(std::move(grants)).passage(source, {std::string(target)}, thread, kNow);
}

TEST(Consent, NothingPassesWithoutAGrantThatFits) {
  EXPECT_EQ(passage({}), Passage::kNothing);
  EXPECT_EQ(passage({grant()}), Passage::kWhole);
  EXPECT_EQ(passage({grant()}, "t", "default"), Passage::kNothing);
  EXPECT_EQ(passage({grant()}, "t", "research", "other"), Passage::kNothing);
}

TEST(Consent, TheLastGrantThatFitsDecides) {
  const ConsentGrant whole = grant();
  const ConsentGrant redacted = grant({.levels = {"L1"}});
  EXPECT_EQ(passage({whole, redacted}), Passage::kRedacted);
  EXPECT_EQ(passage({redacted, whole}), Passage::kWhole);
  EXPECT_EQ(passage({whole, grant({.levels = {"L1"}, .threads = {"other"}})}), Passage::kWhole);
  EXPECT_EQ(passage({whole, grant({.source = "other", .levels = {"L1"}})}), Passage::kWhole);
}

TEST(Consent, OnlyL0LetsTheBodyPass) {
  EXPECT_EQ(passage({grant({.levels = {"L0"}})}), Passage::kWhole);
  EXPECT_EQ(passage({grant({.levels = {"L0", "L3"}})}), Passage::kWhole);
  EXPECT_EQ(passage({grant({.levels = {"L1", "L2", "L3"}})}), Passage::kRedacted);
}

TEST(Consent, ThreadsAreThoseThatAreNamed) {
  const ConsentGrant two = grant({.threads = {"a", "b"}});
  EXPECT_EQ(passage({two}, "a"), Passage::kWhole);
  EXPECT_EQ(passage({two}, "b"), Passage::kWhole);
  EXPECT_EQ(passage({two}, "ab"), Passage::kNothing);
  EXPECT_EQ(passage({two}, ""), Passage::kNothing);
  EXPECT_EQ(passage({grant({.threads = {"*"}})}, "any"), Passage::kWhole);
}

TEST(Consent, WhatIsRevokedOrExpiredIsPassedOver) {
  ConsentGrant revoked = grant();
  revoked.is_revoked = true;
  const ConsentGrant expired = grant({.expires = std::string(kNow)});
  const ConsentGrant lasting = grant({.expires = "2026-06-01T00:00:01Z"});
  const ConsentGrant redacted = grant({.levels = {"L1"}});
  EXPECT_EQ(passage({revoked}), Passage::kNothing);
  EXPECT_EQ(passage({expired}), Passage::kNothing) << "its end is not in it";
  EXPECT_EQ(passage({lasting}), Passage::kWhole);
  EXPECT_EQ(passage({redacted, revoked}), Passage::kRedacted);
  EXPECT_EQ(passage({redacted, expired}), Passage::kRedacted);
}

// What the records of th_consent add up to.
class ConsentRecords : public ::testing::Test {
 protected:
  RecordId lay_down(const std::string& body, const std::string& act = "LEARN") {
    Record record = store::conformance::make(
        {.act = act, .actor = did_, .thread = std::string(record::kConsentThread), .clock = ++clock_, .body = body});
    record.sig = signer().sign(record.canonical);
    store::conformance::put(*store_, {record});
    return record.id;
  }
  std::vector<ConsentGrant> grants() { return consent_grants(*store_->reader().value(), did_).value(); }

 private:
  const std::string did_ = crypto::did_of(signer().public_key());
  std::unique_ptr<store::RecordStore> store_ = store::make_memory_store(std::string(32, '0'));
  std::uint64_t clock_ = 0;
};

TEST_F(ConsentRecords, ARevocationWinsWhateverTheOrder) {
  const std::string body = R"({"kind":"core.consent.v1","source_namespace":"research","target_namespace":"default"})";
  const RecordId early = lay_down(body);
  lay_down(revocation_body(early));
  EXPECT_EQ(passage(grants()), Passage::kNothing);
  const RecordId again = lay_down(body);
  EXPECT_EQ(passage(grants()), Passage::kWhole) << "a new grant is another one";
  lay_down("{\"revokes\":\"" + again.hex() + "\"}");
  EXPECT_EQ(passage(grants()), Passage::kNothing) << "one id, and no list";
  EXPECT_EQ(grants().size(), 2u);
}

TEST_F(ConsentRecords, WhatIsNotUnderstoodGrantsNothing) {
  const auto body = [](const std::string& more) {
    return R"({"kind":"core.consent.v1","source_namespace":"research")" + more + "}";
  };
  const std::string target = R"(,"target_namespace":"default")";
  for (const std::string& more :
       {std::string(), target + R"(,"threads":"t")", target + R"(,"threads":[1])",
        target + R"(,"hash_levels":["L0",0])", target + R"(,"expires":7)", target + R"(,"expires":"soon")"})
    lay_down(body(more));
  lay_down(body(target), "KNOW");
  EXPECT_TRUE(grants().empty());
  lay_down(body(target + R"(,"expires":null,"new_member":{})"));
  EXPECT_EQ(passage(grants()), Passage::kWhole);
}

}  // namespace
}  // namespace spl::substrate
