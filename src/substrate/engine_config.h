// The configuration that an instance carries in its records (docs/formats/engine-config.md): rules, and whether
// permission rules are asked. LEARN records on th_engine_config; the last of a name in fold order wins. Follows a
// StoreReader's rules for threads: one thread; a RuleBook in memory by any.
#pragma once

#include <array>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "base/result.h"
#include "codec/enum_names.h"
#include "codec/json.h"
#include "codec/shape.h"
#include "store/record_store.h"
#include "substrate/expression.h"

namespace spl::substrate {

enum class RuleKind : std::uint8_t {
  kPermission,  // whether a record may be written: evaluated
  kAitl,        // whether a request is decided without its owner: evaluated
  kRouting,     // carried and listed
  kFold,        // carried and listed
};
constexpr auto names_of(RuleKind) {
  using enum RuleKind;
  return std::array{std::pair{kPermission, "permission"}, std::pair{kAitl, "aitl"}, std::pair{kRouting, "routing"},
                    std::pair{kFold, "fold"}};
}

struct Rule {
  std::string name;
  RuleKind kind = RuleKind::kPermission;
  std::string expression;
  std::string action;  // "allow", "deny" of a permission rule; "auto_approve", "auto_reject", "ask" of an AITL rule
  std::uint32_t priority = 0;  // at most 1,000,000

  static constexpr auto shape() {
    return codec::shape(codec::member("name", &Rule::name, "[a-z0-9][a-z0-9_-]{0,62}"),
                        codec::member("kind", &Rule::kind, "permission, aitl, routing or fold"),
                        codec::member("expression", &Rule::expression, "when it fits"),
                        codec::member("action", &Rule::action, "what then"),
                        codec::member("priority", &Rule::priority, "the larger is asked first; to 1000000"));
  }
};

// Code kUsage where it is none: its name, its action, its expression.
Result<void> check_rule(const Rule& rule);
// The bodies of the records.
std::string rule_body(const Rule& rule);
std::string removed_rule_body(const Rule& rule);
std::string permissions_body(bool are_enabled);

// What effective records say. Rules descend by priority; equal ones ascend by name.
struct EngineConfig {
  std::vector<Rule> rules;
  bool permissions_enabled = false;

  static constexpr auto shape() {
    return codec::shape(codec::member("rules", &EngineConfig::rules, "in the order in which they are asked"),
                        codec::member("permissions_enabled", &EngineConfig::permissions_enabled,
                                      "whether what no permission rule allows is denied"));
  }
};
Result<EngineConfig> engine_config(store::StoreReader& reader, const std::optional<std::string>& did);

// The rule that decides, and what it says.
struct Ruling {
  std::string rule;
  std::string action;
};

// The rules of one kind, ready to be asked.
class RuleBook {
 public:
  RuleBook(const EngineConfig& config, RuleKind kind);
  // The first rule that fits; nothing where none does. A rule whose expression ends in an error does not fit.
  // `variables`: record, actor, account.
  [[nodiscard]] std::optional<Ruling> ruling_for(const codec::Json& variables) const;
  // The action alone.
  [[nodiscard]] std::optional<std::string> action_for(const codec::Json& variables) const;

 private:
  std::vector<std::pair<Expression, Ruling>> rules_;
};

}  // namespace spl::substrate
