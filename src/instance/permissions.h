// Whether records may be written: what the permission rules of th_engine_config say (docs/formats/policy.md). They are
// read again only after a commit that may have changed them. Any thread.
#pragma once

#include <cstdint>
#include <memory>
#include <mutex>
#include <optional>
#include <string>

#include "base/result.h"
#include "record/record.h"
#include "store/record_store.h"
#include "substrate/engine_config.h"

namespace spl::instance {

// The rules of one moment.
class Permissions {
 public:
  explicit Permissions(const substrate::EngineConfig& config);
  // Code kRefused, cause kRuleDenied, with the rule that denies it, or that none allows it. `account` is that of the
  // token that asks; "" is the owner.
  [[nodiscard]] Result<void> check(const Record& record, const std::string& account) const;

 private:
  std::optional<substrate::RuleBook> rules_;  // nothing where they are not to be asked
};

class PermissionRules {
 public:
  explicit PermissionRules(store::RecordStore& store) : store_(store) {}
  // As they are committed now, for the instance of this DID. Who asks while it holds the store's writer gets those that
  // were there before what it writes itself.
  Result<std::shared_ptr<const Permissions>> current(const std::optional<std::string>& did);

 private:
  store::RecordStore& store_;
  std::mutex mutex_;  // guards all below, and is held while they are read
  std::shared_ptr<const Permissions> read_;
  std::uint64_t generation_ = 0;
  std::optional<std::string> did_;
};

}  // namespace spl::instance
