#include "instance/permissions.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <utility>

#include "crypto/did_key.h"
#include "record/thread.h"
#include "store/conformance_model.h"
#include "store/memory/memory_store.h"

namespace spl::instance {
namespace {

using store::conformance::make;
using store::conformance::nth;
using store::conformance::signer;
using substrate::Rule;
using ::testing::HasSubstr;

Rule rule(const std::string& name, const std::string& expression, const std::string& action,
          std::uint32_t priority = 0) {
  return {.name = name,
          .kind = substrate::RuleKind::kPermission,
          .expression = expression,
          .action = action,
          .priority = priority};
}

// Counts who reads.
class CountingStore final : public store::RecordStore {
 public:
  Result<std::unique_ptr<store::StoreReader>> reader() override {
    ++readers;
    return inner_->reader();
  }
  Result<std::unique_ptr<store::StoreWriter>> writer() override { return inner_->writer(); }
  [[nodiscard]] std::string name() const override { return inner_->name(); }
  [[nodiscard]] std::string directory() const override { return {}; }
  [[nodiscard]] std::vector<std::string> files() const override { return {}; }
  Result<void> check() override { return inner_->check(); }
  [[nodiscard]] std::uint64_t authority_generation() const override { return inner_->authority_generation(); }

  int readers = 0;

 private:
  std::unique_ptr<store::RecordStore> inner_ = store::make_memory_store(std::string(32, '0'));
};

class PermissionsTest : public ::testing::Test {
 protected:
  Record own(const std::string& body, std::string_view thread = record::kEngineConfigThread) {
    Record record =
        make({.act = "LEARN", .actor = did_, .thread = std::string(thread), .clock = ++clock_, .body = body});
    record.sig = signer().sign(record.canonical);
    return record;
  }
  void lay_down(const std::string& body) { store::conformance::put(store_, {own(body)}); }
  void enable() { lay_down(substrate::permissions_body(true)); }
  Result<void> ask(const Record& record, const std::string& account = "") {
    return rules_.current(did_).value()->check(record, account);
  }

  const std::string did_ = crypto::did_of(signer().public_key());
  CountingStore store_;
  PermissionRules rules_{store_};

 private:
  std::uint64_t clock_ = 0;
};

TEST_F(PermissionsTest, NobodyIsAskedUntilTheyAreEnabled) {
  EXPECT_TRUE(ask(nth(1)));
  lay_down(substrate::rule_body(rule("none", "true", "deny")));
  EXPECT_TRUE(ask(nth(1)));
  enable();
  EXPECT_FALSE(ask(nth(1)));
  lay_down(substrate::permissions_body(false));
  EXPECT_TRUE(ask(nth(1)));
}

TEST_F(PermissionsTest, WhatNoRuleAllowsIsDeniedAndTheRuleThatDeniesIsNamed) {
  enable();
  const auto none = ask(nth(1));
  ASSERT_FALSE(none);
  EXPECT_EQ(none.error().code, ErrorCode::kRefused);
  EXPECT_EQ(none.error().cause, Cause::kRuleDenied);
  EXPECT_THAT(none.error().message, HasSubstr("no permission rule allows it"));
  EXPECT_THAT(none.error().message, HasSubstr(nth(1).id.hex()));
  lay_down(substrate::rule_body(rule("not-this", "record.clock == 1", "deny", 5)));
  lay_down(substrate::rule_body(rule("all", "true", "allow")));
  const auto denied = ask(nth(1));
  ASSERT_FALSE(denied);
  EXPECT_EQ(denied.error().cause, Cause::kRuleDenied);
  EXPECT_THAT(denied.error().message, HasSubstr("the rule not-this denies it"));
  EXPECT_TRUE(ask(nth(2)));
}

TEST_F(PermissionsTest, TheFirstThatFitsByDescendingPriorityDecides) {
  enable();
  lay_down(substrate::rule_body(rule("a", "true", "deny", 1)));
  lay_down(substrate::rule_body(rule("z", "account == \"ci\"", "allow", 2)));
  EXPECT_TRUE(ask(nth(1), "ci"));
  EXPECT_FALSE(ask(nth(1), "other"));
  EXPECT_FALSE(ask(nth(1))) << "the owner";
  lay_down(substrate::rule_body(rule("owner", "account == \"\"", "allow", 3)));
  EXPECT_TRUE(ask(nth(1)));
}

TEST_F(PermissionsTest, RulesSpeakOfEveryMemberOfTheRecord) {
  enable();
  lay_down(substrate::rule_body(
      rule("all",
           R"(record.act == "DO" && record.actor == actor && record.body.n == 7 && record.clock == 7 && )"
           R"(record.data_type == "VOID" && record.judged_by == "judge" && size(record.parents) == 0 && )"
           R"(record.thread == "t" && account == "ci")",
           "allow")));
  Record judged = nth(7);
  EXPECT_FALSE(ask(judged, "ci")) << "judged_by is null";
  judged.judged_by = "judge";
  EXPECT_TRUE(ask(judged, "ci"));
  lay_down(substrate::rule_body(rule("all", "record.judged_by == null", "allow")));
  EXPECT_TRUE(ask(nth(7)));
  EXPECT_FALSE(ask(judged));
}

TEST_F(PermissionsTest, ARecordOfTheGreatestDepthIsAskedAboutToo) {
  enable();
  lay_down(substrate::rule_body(rule("all", "record.act == \"DO\"", "allow")));
  constexpr int kLists = 126;  // below the record and the body
  const std::string deep = "{\"a\":" + std::string(kLists, '[') + std::string(kLists, ']') + "}";
  EXPECT_TRUE(ask(make({.body = deep})));
}

TEST_F(PermissionsTest, AreReadAgainOnlyAfterACommitThatMayHaveChangedThem) {
  const auto reads = [this] {
    EXPECT_TRUE(rules_.current(did_));
    return std::exchange(store_.readers, 0);
  };
  EXPECT_EQ(reads(), 1);
  EXPECT_EQ(reads(), 0);
  store::conformance::put(store_, {nth(1), nth(2, "u")});
  EXPECT_EQ(reads(), 0) << "ordinary threads";
  enable();
  EXPECT_EQ(reads(), 1);
  EXPECT_EQ(reads(), 0);
  EXPECT_TRUE(rules_.current("did:key:other"));
  EXPECT_EQ(std::exchange(store_.readers, 0), 1) << "another identity";
  EXPECT_TRUE(rules_.current("did:key:other").value()->check(nth(1), "")) << "for whom no rule takes effect";
}

TEST_F(PermissionsTest, AnEndorsementOnAnotherThreadChangesThem) {
  enable();
  const Record foreign = make({.act = "LEARN",
                               .actor = "did:x:stranger",
                               .thread = std::string(record::kEngineConfigThread),
                               .body = substrate::rule_body(rule("all", "true", "allow"))});
  store::conformance::put(store_, {foreign});
  EXPECT_FALSE(ask(nth(1))) << "a stranger's rule";
  store::conformance::put(store_, {own("{\"endorses\":\"" + foreign.id.hex() + "\"}", record::kConsentThread)});
  EXPECT_TRUE(ask(nth(1)));
}

TEST_F(PermissionsTest, WhatIsNotCommittedDoesNotDecide) {
  enable();
  EXPECT_FALSE(ask(nth(1)));
  {
    auto writer = store_.writer().value();
    ASSERT_TRUE(writer->put(own(substrate::rule_body(rule("all", "true", "allow")))));
    EXPECT_FALSE(ask(nth(1)));
  }
  EXPECT_FALSE(ask(nth(1))) << "taken back";
}

}  // namespace
}  // namespace spl::instance
