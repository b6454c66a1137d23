#include "cli/findings.h"

#include <algorithm>

#include "cli/session.h"

namespace spl::cli {

using instance::Finding;

bool any_stop(const std::vector<Finding>& findings) {
  return std::ranges::any_of(findings, [](const Finding& finding) { return finding.status == "stop"; });
}

std::string finding_line(const Output& out, const Finding& finding) {
  const Color color = finding.status == "ok" ? Color::kGreen : finding.status == "warn" ? Color::kYellow : Color::kRed;
  std::string status = finding.status;
  status.resize(std::max<std::size_t>(status.size(), 4), ' ');
  std::string line = out.painted(color, status) + "  " + finding.check + ": ";
  if (!finding.subject.empty()) line += shown(finding.subject) + ": ";
  line += one_line(finding.message);
  if (!finding.hint.empty()) line += " — " + one_line(finding.hint);
  return line;
}

Result<void> print_findings(Output& out, const std::vector<Finding>& findings) {
  ListOutput list(out);
  for (const Finding& finding : findings)
    TRY(list.item(out.text() ? finding_line(out, finding)
                             : instance::findings_json({finding}).array()->front().text()));
  return list.end();
}

}  // namespace spl::cli
