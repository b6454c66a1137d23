// What pre-flight and doctor found, for people and programs. Pure but for the output; one thread.
#pragma once

#include <vector>

#include "base/result.h"
#include "cli/output.h"
#include "instance/import.h"

namespace spl::cli {

bool any_stop(const std::vector<instance::Finding>& findings);
// "warn  authority  th_consent: 3 records take no effect — spl authority list shows them"
std::string finding_line(const Output& out, const instance::Finding& finding);
// All of them: lines, or a JSON array.
Result<void> print_findings(Output& out, const std::vector<instance::Finding>& findings);

}  // namespace spl::cli
