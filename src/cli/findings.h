// What pre-flight and doctor found, and what restores have left to be rebuilt, for people and programs. Pure but for
// the output; one thread.
#pragma once

#include <vector>

#include "base/result.h"
#include "cli/output.h"
#include "operation/findings.h"
#include "operation/rebuilds.h"

namespace spl::cli {

// "warn  authority  th_consent: 3 records take no effect — spl authority list shows them"
std::string finding_line(const Output& out, const operation::Finding& finding);
// All of them: lines, or a JSON array.
Result<void> print_findings(Output& out, const std::vector<operation::Finding>& findings);

// "rebuild: notes/index waiting since 2026-01-31T12:00:00Z"; "rebuild: notes/index failed: why".
std::string rebuild_line(const operation::Rebuild& rebuild);

}  // namespace spl::cli
