#include "instance/findings.h"

#include "codec/json_members.h"
#include "substrate/authority.h"

namespace spl::instance {
namespace {

using codec::Json;

constexpr std::size_t kIneffectiveNamedMax = 20;

Json finding_json(const Finding& finding) {
  return Json::Object{{"check", finding.check},
                      {"status", finding.status},
                      {"subject", finding.subject},
                      {"message", finding.message},
                      {"hint", finding.hint}};
}

}  // namespace

Result<std::vector<Finding>> parse_findings(const Json& json) {
  if (json.array() == nullptr) return fail("the pre-flight is no array");
  std::vector<Finding> findings;
  for (const Json& item : *json.array()) {
    codec::JsonMembers members = TRY(codec::JsonMembers::of(item));
    Finding& finding = findings.emplace_back();
    finding.check = TRY(members.text("check"));
    finding.status = TRY(members.text("status"));
    finding.subject = TRY(members.text("subject"));
    finding.message = TRY(members.text("message"));
    finding.hint = TRY(members.text("hint"));
  }
  return findings;
}

Json findings_json(const std::vector<Finding>& findings) {
  Json::Array array;
  for (const Finding& finding : findings) array.push_back(finding_json(finding));
  return array;
}

Result<void> find_ineffective(store::StoreReader& reader, const std::optional<std::string>& did,
                              std::vector<Finding>& findings) {
  const auto ineffective = TRY(substrate::ineffective_records(reader, did, kIneffectiveNamedMax));
  for (const auto& record : ineffective.records)
    findings.push_back({"authority", "warn", record.id.hex(),
                        "a record on " + record.thread + " takes no effect: " + record.reason,
                        "spl authority endorse " + record.id.hex() + " puts it into force"});
  if (ineffective.count > ineffective.records.size())
    findings.push_back({"authority", "warn", std::to_string(ineffective.count) + " records",
                        "take no effect on reserved threads; these were the first", "spl authority list shows all"});
  return {};
}

}  // namespace spl::instance
