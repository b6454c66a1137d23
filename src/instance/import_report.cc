#include "instance/import_report.h"

#include "codec/json_members.h"

namespace spl::instance {

using codec::Json;

Json ImportReport::json() const {
  return Json::Object{{"dry_run", dry_run},
                      {"source_did", source_did},
                      {"signer", signer},
                      {"records_inspected", records_inspected},
                      {"records_inserted", records_inserted},
                      {"records_deduplicated", records_deduplicated},
                      {"records_differing", records_differing},
                      {"records_failed", records_failed},
                      {"threads", threads},
                      {"federation_pairs", federation_pairs},
                      {"consent_grants", consent_grants},
                      {"identity", identity},
                      {"services", Json::Array{}},
                      {"preflight", findings_json(preflight)},
                      {"seconds", seconds}};
}

Result<ImportReport> ImportReport::parse(const Json& json) {
  codec::JsonMembers members = TRY(codec::JsonMembers::of(json));
  ImportReport report;
  report.dry_run = TRY(members.flag("dry_run"));
  report.source_did = TRY(members.text("source_did"));
  report.signer = TRY(members.text("signer"));
  report.records_inspected = TRY(members.number("records_inspected"));
  report.records_inserted = TRY(members.number("records_inserted"));
  report.records_deduplicated = TRY(members.number("records_deduplicated"));
  report.records_differing = TRY(members.number("records_differing"));
  report.records_failed = TRY(members.number("records_failed"));
  report.threads = TRY(members.number("threads"));
  report.federation_pairs = TRY(members.number("federation_pairs"));
  report.consent_grants = TRY(members.number("consent_grants"));
  report.identity = TRY(members.text("identity"));
  if (const Json* preflight = members.any("preflight")) report.preflight = TRY(parse_findings(*preflight));
  return report;
}

}  // namespace spl::instance
