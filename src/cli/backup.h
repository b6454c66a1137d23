// What export and "service X backup" share, and import and "service X restore": each two are one operation. One thread.
#pragma once

#include <optional>
#include <string>
#include <vector>

#include "base/result.h"
#include "cli/command.h"
#include "cli/session.h"

namespace spl::cli {

// All of export's options but --out.
std::vector<Option> backup_options();
// Of the whole instance, or of one service. `out` as --out has it.
Result<int> run_backup(Session& session, const Arguments& arguments, const std::string& out,
                       const std::optional<std::string>& service);

// Whether records that are here stand in the way of those of the bundle (import), or these are merged (a restore).
enum class Records : bool { kGated, kMerged };
std::vector<Option> restore_options();
Result<int> run_restore(Session& session, const Arguments& arguments, const std::string& from, Records records,
                        const std::optional<std::string>& service);

}  // namespace spl::cli
