// What an instance lays down in its records: consent, adapters, rules. Making, listing, ending. Any thread, on an open
// instance. What is written is signed by the instance, and so takes effect.
#pragma once

#include <string>
#include <vector>

#include "base/result.h"
#include "instance/instance.h"
#include "substrate/adapters.h"
#include "substrate/consent.h"
#include "substrate/engine_config.h"

namespace spl::instance {

Result<substrate::ConsentGrant> grant_consent(Instance& instance, substrate::ConsentRequest request);
// In fold order: by clock, then id.
Result<std::vector<substrate::ConsentGrant>> list_consents(Instance& instance);
// `id` is that of the grant, or a beginning of it that no other grant shares (8 digits or more). Its id. Code kUsage
// where there is none that holds.
Result<RecordId> revoke_consent(Instance& instance, const std::string& id);

// Takes the place of one of the same DID.
Result<substrate::Adapter> add_adapter(Instance& instance, substrate::Adapter adapter);
Result<std::vector<substrate::Adapter>> list_adapters(Instance& instance);
Result<void> remove_adapter(Instance& instance, const std::string& did);

// Takes the place of one of the same kind and name.
Result<substrate::Rule> add_rule(Instance& instance, substrate::Rule rule);
// `kind` may be left out where only one kind has a rule of the name.
Result<substrate::Rule> remove_rule(Instance& instance, const std::string& name,
                                    std::optional<substrate::RuleKind> kind);
Result<substrate::EngineConfig> list_rules(Instance& instance);
Result<void> enable_permissions(Instance& instance, bool are_enabled);

}  // namespace spl::instance
