#include "operation/findings.h"

#include <algorithm>

#include "substrate/authority.h"

namespace spl::operation {
namespace {

constexpr std::size_t kIneffectiveNamedMax = 20;

}  // namespace

const Finding* first_stop(const std::vector<Finding>& findings) {
  const auto stop = std::ranges::find(findings, FindingStatus::kStop, &Finding::status);
  return stop == findings.end() ? nullptr : &*stop;
}

Result<void> add_ineffective(store::StoreReader& reader, const std::optional<std::string>& did,
                             std::vector<Finding>& findings) {
  const auto ineffective = TRY(substrate::ineffective_records(reader, did, kIneffectiveNamedMax));
  for (const auto& record : ineffective.records)
    findings.push_back({"authority", FindingStatus::kWarn, record.id.hex(),
                        "a record on " + record.thread + " takes no effect: " + record.reason,
                        "spl authority endorse " + record.id.hex() + " puts it into force"});
  if (ineffective.count > ineffective.records.size())
    findings.push_back({"authority", FindingStatus::kWarn, std::to_string(ineffective.count) + " records",
                        "take no effect on reserved threads; these were the first", "spl authority list shows all"});
  return {};
}

}  // namespace spl::operation
