#include "cli/findings.h"

#include <algorithm>

#include "cli/session.h"

namespace spl::cli {

using operation::Finding;
using operation::FindingStatus;

std::string finding_line(const Output& out, const Finding& finding) {
  const Color color = finding.status == FindingStatus::kOk     ? Color::kGreen
                      : finding.status == FindingStatus::kWarn ? Color::kYellow
                                                               : Color::kRed;
  std::string status(codec::enum_name(finding.status));
  status.resize(std::max<std::size_t>(status.size(), 4), ' ');
  std::string line = out.painted(color, status) + "  " + finding.check + ": ";
  if (!finding.subject.empty()) line += shown(finding.subject) + ": ";
  return line + out.with_hint(finding.message, finding.hint);
}

Result<void> print_findings(Output& out, const std::vector<Finding>& findings) {
  ListOutput list(out);
  for (const Finding& finding : findings)
    TRY(list.item(out.text() ? finding_line(out, finding) : codec::shape_json(finding).text()));
  return list.end();
}

std::string rebuild_line(const operation::Rebuild& rebuild) {
  const std::string line = "rebuild: " + shown(rebuild.text()) + " " + std::string(codec::enum_name(rebuild.state));
  if (rebuild.error.empty()) return line + " since " + shown(rebuild.since);
  return line + ": " + shown(rebuild.error) + "; spl service " + shown(rebuild.service) + " rebuild runs it again";
}

}  // namespace spl::cli
