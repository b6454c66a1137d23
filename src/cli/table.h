// Lists for people: columns, each as wide as its widest cell. One thread.
#pragma once

#include <string>
#include <vector>

#include "base/result.h"
#include "cli/output.h"

namespace spl::cli {

// A line for each row; two spaces stand between columns.
Result<void> print_table(Output& out, const std::vector<std::vector<std::string>>& rows);

}  // namespace spl::cli
