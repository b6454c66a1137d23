#include "instance/policy.h"

#include <algorithm>
#include <optional>
#include <string_view>
#include <utility>

#include "base/encoding.h"
#include "instance/ingest.h"
#include "record/thread.h"

namespace spl::instance {
namespace {

constexpr std::size_t kShortestId = 8;

Result<Emitted> lay_down(Instance& instance, store::StoreWriter& writer, std::string_view thread, std::string body) {
  Emission emission;
  emission.act = record::Act::kLearn;
  emission.thread = std::string(thread);
  emission.body = std::move(body);
  return emit_within(instance, writer, emission);
}

}  // namespace

Result<substrate::ConsentGrant> grant_consent(Instance& instance, substrate::ConsentRequest request) {
  request = TRY(substrate::checked(std::move(request)));
  if (request.expires && *request.expires <= env::rfc3339(instance.env().clock.now()))
    return fail(ErrorCode::kUsage, "the grant would end before it begins: " + *request.expires + " is past");
  std::optional<RecordId> id;
  TRY(instance.committer().run([&](store::StoreWriter& writer) -> Result<void> {
    id = TRY(lay_down(instance, writer, record::kConsentThread, substrate::consent_body(request))).id;
    return {};
  }));
  return substrate::ConsentGrant::of(*id, std::move(request));
}

Result<std::vector<substrate::ConsentGrant>> list_consents(Instance& instance) {
  return substrate::consent_grants(*TRY(instance.store().reader()), instance.did());
}

Result<RecordId> revoke_consent(Instance& instance, const std::string& id) {
  if (id.size() < kShortestId)
    return fail(ErrorCode::kUsage, "a grant is named by at least 8 digits of its id", "spl consent list shows them");
  std::optional<RecordId> found;
  TRY(instance.committer().run([&](store::StoreWriter& writer) -> Result<void> {
    found.reset();
    for (const substrate::ConsentGrant& grant : TRY(substrate::consent_grants(writer, instance.did()))) {
      if (grant.is_revoked || !grant.id.hex().starts_with(id)) continue;
      if (found)
        return fail(ErrorCode::kUsage, "more than one grant has an id that begins so", "give more digits of it");
      found = grant.id;
    }
    if (!found)
      return fail(ErrorCode::kUsage, Cause::kNotFound, "there is no grant \"" + base::escaped(id, 80) + "\" that holds",
                  "spl consent list shows them");
    TRY(lay_down(instance, writer, record::kConsentThread, substrate::revocation_body(*found)));
    return {};
  }));
  return *found;
}

Result<substrate::Adapter> add_adapter(Instance& instance, substrate::Adapter adapter) {
  TRY(substrate::check_adapter(adapter));
  TRY(instance.committer().run([&](store::StoreWriter& writer) -> Result<void> {
    TRY(lay_down(instance, writer, record::kAdaptersThread, substrate::adapter_body(adapter)));
    return {};
  }));
  return adapter;
}

Result<std::vector<substrate::Adapter>> list_adapters(Instance& instance) {
  return substrate::adapters(*TRY(instance.store().reader()), instance.did());
}

Result<void> remove_adapter(Instance& instance, const std::string& did) {
  return instance.committer().run([&](store::StoreWriter& writer) -> Result<void> {
    const auto known = TRY(substrate::adapters(writer, instance.did()));
    if (std::ranges::find(known, did, &substrate::Adapter::did) == known.end())
      return fail(ErrorCode::kUsage, Cause::kNotFound, "there is no adapter \"" + base::escaped(did, 80) + "\"",
                  "spl adapter list shows them");
    TRY(lay_down(instance, writer, record::kAdaptersThread, substrate::removed_adapter_body(did)));
    return {};
  });
}

Result<substrate::Rule> add_rule(Instance& instance, substrate::Rule rule) {
  TRY(substrate::check_rule(rule));
  TRY(instance.committer().run([&](store::StoreWriter& writer) -> Result<void> {
    TRY(lay_down(instance, writer, record::kEngineConfigThread, substrate::rule_body(rule)));
    return {};
  }));
  return rule;
}

Result<substrate::Rule> remove_rule(Instance& instance, const std::string& name,
                                    std::optional<substrate::RuleKind> kind) {
  std::optional<substrate::Rule> found;
  TRY(instance.committer().run([&](store::StoreWriter& writer) -> Result<void> {
    found.reset();
    for (substrate::Rule& rule : TRY(substrate::engine_config(writer, instance.did())).rules) {
      if (rule.name != name || (kind && rule.kind != *kind)) continue;
      if (found)
        return fail(ErrorCode::kUsage, "rules of two kinds have the name " + name, "name the kind with --kind");
      found = std::move(rule);
    }
    if (!found)
      return fail(ErrorCode::kUsage, Cause::kNotFound, "there is no rule \"" + base::escaped(name, 80) + "\"",
                  "spl config rule list shows them");
    TRY(lay_down(instance, writer, record::kEngineConfigThread, substrate::removed_rule_body(*found)));
    return {};
  }));
  return std::move(*found);
}

Result<substrate::EngineConfig> list_rules(Instance& instance) {
  return substrate::engine_config(*TRY(instance.store().reader()), instance.did());
}

Result<void> enable_permissions(Instance& instance, bool are_enabled) {
  return instance.committer().run([&](store::StoreWriter& writer) -> Result<void> {
    TRY(lay_down(instance, writer, record::kEngineConfigThread, substrate::permissions_body(are_enabled)));
    return {};
  });
}

}  // namespace spl::instance
