#include "substrate/engine_config.h"

#include <algorithm>
#include <map>

#include "base/encoding.h"
#include "base/names.h"
#include "record/thread.h"
#include "substrate/authority.h"
#include "substrate/body_members.h"

namespace spl::substrate {
namespace {

using codec::Json;

constexpr std::string_view kPermissionsKind = "core.permissions.v1";
constexpr std::string_view kRemoved = "removed";
constexpr std::uint32_t kPriorityMax = 1'000'000;

// "core.permission_rule.v1"
std::string body_kind(RuleKind kind) {
  return "core." + std::string(codec::enum_name(kind)) + "_rule.v1";
}

std::optional<RuleKind> kind_of(std::string_view body_kind_text) {
  for (const auto& [kind, name] : names_of(RuleKind{})) {
    if (body_kind(kind) == body_kind_text) return kind;
  }
  return std::nullopt;
}

std::uint32_t priority_of(const Json& body) {
  const Json* value = body.find("priority");
  const auto number = value != nullptr ? value->whole_number() : Result<std::uint64_t>(0U);
  return number && *number <= kPriorityMax ? static_cast<std::uint32_t>(*number) : 0;
}

bool is_action(RuleKind kind, std::string_view action) {
  if (kind == RuleKind::kPermission) return action == "allow" || action == "deny";
  if (kind == RuleKind::kAitl) return action == "auto_approve" || action == "auto_reject" || action == "ask";
  return action.size() <= 80;
}

std::string known_actions(RuleKind kind) {
  if (kind == RuleKind::kPermission) return "allow and deny";
  return kind == RuleKind::kAitl ? "auto_approve, auto_reject and ask" : "texts of up to 80 bytes";
}

}  // namespace

Result<void> check_rule(const Rule& rule) {
  if (!base::is_name(rule.name))
    return fail(ErrorCode::kUsage, "\"" + base::escaped(rule.name, 80) + "\" is no name for a rule",
                "use lowercase letters, digits, _ and -, at most 63");
  if (!is_action(rule.kind, rule.action))
    return fail(ErrorCode::kUsage,
                "a rule of the kind " + std::string(codec::enum_name(rule.kind)) + " has no action \"" +
                    base::escaped(rule.action, 80) + "\"",
                "its actions are " + known_actions(rule.kind));
  if (rule.priority > kPriorityMax) return fail(ErrorCode::kUsage, "a priority is from 0 to 1000000");
  TRY(Expression::parse(rule.expression));
  return {};
}

std::string rule_body(const Rule& rule) {
  const Json body = Json::Object{{"action", rule.action},
                                 {"expression", rule.expression},
                                 {"kind", body_kind(rule.kind)},
                                 {"name", rule.name},
                                 {"priority", std::uint64_t{rule.priority}},
                                 {"topic", std::string(codec::enum_name(rule.kind)) + "_rule"}};
  return body.text();
}

std::string removed_rule_body(const Rule& rule) {
  const Json body = Json::Object{{"kind", body_kind(rule.kind)},
                                 {"name", rule.name},
                                 {"state", kRemoved},
                                 {"topic", std::string(codec::enum_name(rule.kind)) + "_rule"}};
  return body.text();
}

std::string permissions_body(bool are_enabled) {
  const Json body =
      Json::Object{{"enabled", are_enabled}, {"kind", kPermissionsKind}, {"topic", "permissions_enabled"}};
  return body.text();
}

Result<EngineConfig> engine_config(store::StoreReader& reader, const std::optional<std::string>& did) {
  EngineConfig config;
  std::map<std::pair<RuleKind, std::string>, Rule> by_name;
  TRY(effective_records(reader, record::kEngineConfigThread, did, [&](const Record& record) -> Result<void> {
    if (record.act != record::Act::kLearn) return {};
    const Json body = body_of(record);
    const std::string kind_text = text_in(body, "kind");
    if (kind_text == kPermissionsKind) {
      const Json* enabled = body.find("enabled");
      if (enabled != nullptr && enabled->boolean() != nullptr) config.permissions_enabled = *enabled->boolean();
      return {};
    }
    const auto kind = kind_of(kind_text);
    if (!kind) return {};
    Rule rule{.name = text_in(body, "name"),
              .kind = *kind,
              .expression = text_in(body, "expression"),
              .action = text_in(body, "action"),
              .priority = priority_of(body)};
    const std::pair key{*kind, rule.name};
    if (text_in(body, "state") == kRemoved) {
      by_name.erase(key);
    } else if (check_rule(rule)) {
      // What is no rule's body changes nothing.
      by_name.insert_or_assign(key, std::move(rule));
    }
    return {};
  }));
  for (auto& [key, rule] : by_name) config.rules.push_back(std::move(rule));
  std::ranges::sort(config.rules, [](const Rule& one, const Rule& other) {
    if (one.priority != other.priority) return one.priority > other.priority;
    return one.name != other.name ? one.name < other.name : one.kind < other.kind;
  });
  return config;
}

RuleBook::RuleBook(const EngineConfig& config, RuleKind kind) {
  for (const Rule& rule : config.rules) {
    if (rule.kind != kind) continue;
    auto expression = Expression::parse(rule.expression);
    if (expression) rules_.emplace_back(std::move(*expression), Ruling{rule.name, rule.action});
  }
}

std::optional<Ruling> RuleBook::ruling_for(const Json& variables) const {
  for (const auto& [expression, ruling] : rules_) {
    const auto fits = expression.holds(variables);
    if (fits && *fits) return ruling;
  }
  return std::nullopt;
}

std::optional<std::string> RuleBook::action_for(const Json& variables) const {
  auto ruling = ruling_for(variables);
  return ruling ? std::optional(std::move(ruling->action)) : std::nullopt;
}

}  // namespace spl::substrate
