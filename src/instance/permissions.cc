#include "instance/permissions.h"

#include <utility>

#include "codec/json.h"
#include "codec/json_size.h"
#include "record/thread.h"

namespace spl::instance {
namespace {

using codec::Json;

constexpr std::string_view kAllow = "allow";
constexpr std::size_t kAskedValuesMax = 300'000;

// The names of the expressions: record with its eight members, actor, account.
Result<Json> variables_of(const Record& record, const std::string& account) {
  if (!codec::has_few_values(record.canonical, kAskedValuesMax))
    return fail(ErrorCode::kRefused, Cause::kRuleDenied,
                "record " + record.id.hex() + " is not written: it holds too many values for a rule to look at",
                "put it where it is one value, as a string");
  Json members = TRY(Json::parse(record.canonical));
  members.add("judged_by", record.judged_by ? Json(*record.judged_by) : Json());
  Json variables = Json::Object{};
  variables.add("record", std::move(members));
  variables.add("actor", record.actor);
  variables.add("account", account);
  return variables;
}

Result<substrate::EngineConfig> config_in(store::StoreReader& reader, const std::optional<std::string>& did) {
  // Mostly nobody has laid down anything.
  if (!did || !TRY(reader.thread(record::kEngineConfigThread))) return substrate::EngineConfig{};
  return substrate::engine_config(reader, did);
}

}  // namespace

Permissions::Permissions(const substrate::EngineConfig& config) {
  if (config.permissions_enabled) rules_.emplace(config, substrate::RuleKind::kPermission);
}

Result<void> Permissions::check(const Record& record, const std::string& account) const {
  if (!rules_) return {};
  const auto ruling = rules_->ruling_for(TRY(variables_of(record, account)));
  if (ruling && ruling->action == kAllow) return {};
  const std::string what = "record " + record.id.hex() + " is not written: ";
  return fail(ErrorCode::kRefused, Cause::kRuleDenied,
              what + (ruling ? "the rule " + ruling->rule + " denies it" : "no permission rule allows it"),
              "spl config rule list shows the rules");
}

Result<std::shared_ptr<const Permissions>> PermissionRules::current(const std::optional<std::string>& did) {
  const std::scoped_lock lock(mutex_);
  // Before they are read: a commit meanwhile makes what is read worthless.
  const std::uint64_t generation = store_.authority_generation();
  if (read_ && generation_ == generation && did_ == did) return read_;
  read_.reset();
  read_ = std::make_shared<const Permissions>(TRY(config_in(*TRY(store_.reader()), did)));
  generation_ = generation;
  did_ = did;
  return read_;
}

}  // namespace spl::instance
