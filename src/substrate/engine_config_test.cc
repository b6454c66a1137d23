#include "substrate/engine_config.h"

#include <gtest/gtest.h>

#include "crypto/did_key.h"
#include "record/thread.h"
#include "store/conformance_model.h"
#include "store/memory/memory_store.h"

namespace spl::substrate {
namespace {

using codec::Json;
using store::conformance::signer;

Rule rule(const std::string& name, const std::string& expression, const std::string& action,
          std::uint32_t priority = 0) {
  return {
      .name = name, .kind = RuleKind::kPermission, .expression = expression, .action = action, .priority = priority};
}

Json about(const std::string& actor) {
  return Json::parse(R"({"record":{"act":"DO","body":{}},"actor":")" + actor + R"(","account":""})").value();
}

std::optional<std::string> asked(const std::vector<Rule>& rules, const std::string& actor = "a") {
  return RuleBook({.rules = rules, .permissions_enabled = true}, RuleKind::kPermission).action_for(about(actor));
}

TEST(CheckRule, TakesARuleThatItsKindKnows) {
  EXPECT_TRUE(check_rule(rule("r", "true", "allow", 1'000'000)));
  EXPECT_TRUE(check_rule({.name = "r", .kind = RuleKind::kAitl, .expression = "true", .action = "auto_approve"}));
  EXPECT_TRUE(check_rule({.name = "r", .kind = RuleKind::kRouting, .expression = "true", .action = "to the left"}));
}

TEST(CheckRule, RefusesAnyOtherAsWrongUse) {
  const Rule good = rule("r", "true", "allow");
  const auto refused = [&good](const auto& spoil) {
    Rule bad = good;
    spoil(bad);
    const auto checked = check_rule(bad);
    return !checked && checked.error().code == ErrorCode::kUsage;
  };
  EXPECT_TRUE(refused([](Rule& r) { r.name = ""; }));
  EXPECT_TRUE(refused([](Rule& r) { r.name = "Two Words"; }));
  EXPECT_TRUE(refused([](Rule& r) { r.action = "maybe"; }));
  EXPECT_TRUE(refused([](Rule& r) { r.action = "ask"; })) << "an action of another kind";
  EXPECT_TRUE(refused([](Rule& r) { r.kind = RuleKind::kAitl; }));
  EXPECT_TRUE(refused([](Rule& r) { r.priority = 1'000'001; }));
  EXPECT_TRUE(refused([](Rule& r) { r.expression = "record.act =="; }));
  EXPECT_TRUE(refused([](Rule& r) { r.expression = std::string(kExpressionBytesMax + 1, ' '); }));
  EXPECT_TRUE(refused([](Rule& r) {
    r.kind = RuleKind::kFold;
    r.action = std::string(81, 'x');
  }));
}

TEST(RuleBook, TheFirstThatFitsDecides) {
  EXPECT_EQ(asked({}), std::nullopt);
  EXPECT_EQ(asked({rule("one", "true", "deny"), rule("two", "true", "allow")}), "deny");
  EXPECT_EQ(asked({rule("one", "actor == \"b\"", "deny"), rule("two", "true", "allow")}), "allow");
  EXPECT_EQ(asked({rule("one", "actor == \"b\"", "deny")}), std::nullopt);
}

TEST(RuleBook, NamesTheRuleThatDecides) {
  const RuleBook book(
      {.rules = {rule("one", "actor == \"b\"", "allow"), rule("two", "true", "deny")}, .permissions_enabled = true},
      RuleKind::kPermission);
  EXPECT_EQ(book.ruling_for(about("a")).value().rule, "two");
  EXPECT_EQ(book.ruling_for(about("b")).value().rule, "one");
}

TEST(RuleBook, ARuleThatEndsInAnErrorDoesNotFit) {
  EXPECT_EQ(asked({rule("one", "record.body.size > 3", "deny"), rule("two", "true", "allow")}), "allow");
  EXPECT_EQ(asked({rule("one", "actor", "allow")}), std::nullopt) << "neither true nor false";
  EXPECT_EQ(asked({rule("one", "nothing == 1", "allow")}), std::nullopt);
}

TEST(RuleBook, HasTheRulesOfItsKindAlone) {
  Rule other = rule("one", "true", "auto_approve");
  other.kind = RuleKind::kAitl;
  EXPECT_EQ(asked({other}), std::nullopt);
  EXPECT_EQ(RuleBook({.rules = {other}, .permissions_enabled = false}, RuleKind::kAitl).action_for(about("a")),
            "auto_approve");
}

// What the records of th_engine_config add up to.
class EngineConfigRecords : public ::testing::Test {
 protected:
  void lay_down(const std::string& body, const std::string& act = "LEARN") {
    Record record = store::conformance::make({.act = act,
                                              .actor = did_,
                                              .thread = std::string(record::kEngineConfigThread),
                                              .clock = ++clock_,
                                              .body = body});
    record.sig = signer().sign(record.canonical);
    store::conformance::put(*store_, {record});
  }
  EngineConfig config() { return engine_config(*store_->reader().value(), did_).value(); }
  std::vector<std::string> names() {
    std::vector<std::string> list;
    for (const Rule& one : config().rules) list.push_back(one.name);
    return list;
  }

 private:
  const std::string did_ = crypto::did_of(signer().public_key());
  std::unique_ptr<store::RecordStore> store_ = store::make_memory_store(std::string(32, '0'));
  std::uint64_t clock_ = 0;
};

TEST_F(EngineConfigRecords, RulesDescendByPriorityThenAscendByName) {
  for (const Rule& one : {rule("c", "true", "allow", 5), rule("b", "true", "deny", 5), rule("z", "true", "allow", 9),
                          rule("a", "true", "allow")})
    lay_down(rule_body(one));
  EXPECT_EQ(names(), (std::vector<std::string>{"z", "b", "c", "a"}));
  EXPECT_EQ(RuleBook(config(), RuleKind::kPermission).action_for(about("a")), "allow");
  lay_down(removed_rule_body(rule("z", "", "")));
  EXPECT_EQ(RuleBook(config(), RuleKind::kPermission).action_for(about("a")), "deny");
}

TEST_F(EngineConfigRecords, TheLastOfANameDecides) {
  lay_down(rule_body(rule("r", "true", "allow", 5)));
  lay_down(rule_body(rule("r", "actor == \"b\"", "deny", 7)));
  ASSERT_EQ(config().rules.size(), 1u);
  EXPECT_EQ(config().rules[0].action, "deny");
  EXPECT_EQ(config().rules[0].priority, 7u);
}

TEST_F(EngineConfigRecords, WhatIsNoRuleChangesNothing) {
  lay_down(rule_body(rule("r", "true", "allow", 5)));
  lay_down(rule_body(rule("r", "true ==", "deny", 5)));
  lay_down(rule_body(rule("r", "true", "perhaps", 5)));
  lay_down(rule_body(rule("r", "true", "deny", 5)), "KNOW");
  lay_down(R"({"kind":"core.unknown_rule.v1","name":"r"})");
  lay_down("{}");
  ASSERT_EQ(config().rules.size(), 1u);
  EXPECT_EQ(config().rules[0].action, "allow");
}

TEST_F(EngineConfigRecords, PermissionsAreAskedOnceThatIsSaidAndUntilItIsTakenBack) {
  EXPECT_FALSE(config().permissions_enabled);
  lay_down(permissions_body(true));
  EXPECT_TRUE(config().permissions_enabled);
  lay_down(R"({"enabled":"no","kind":"core.permissions.v1"})");
  EXPECT_TRUE(config().permissions_enabled);
  lay_down(permissions_body(false));
  EXPECT_FALSE(config().permissions_enabled);
}

}  // namespace
}  // namespace spl::substrate
