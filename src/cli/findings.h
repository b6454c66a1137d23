// What pre-flight and doctor found, for people and programs. Pure but for the output; one thread.
#pragma once

#include <vector>

#include "base/result.h"
#include "cli/output.h"
#include "operation/findings.h"

namespace spl::cli {

// "warn  authority  th_consent: 3 records take no effect — spl authority list shows them"
std::string finding_line(const Output& out, const operation::Finding& finding);
// All of them: lines, or a JSON array.
Result<void> print_findings(Output& out, const std::vector<operation::Finding>& findings);

}  // namespace spl::cli
