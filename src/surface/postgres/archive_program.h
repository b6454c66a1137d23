// pg_restore for an archive that nobody has looked at: with limits, and where this process is root as one that is
// nobody. One thread.
#pragma once

#include <chrono>
#include <string>
#include <vector>

#include "base/result.h"
#include "env/child_process.h"
#include "surface/postgres/dump_program.h"

namespace spl::surface {

// `time_max` is of the processor's time.
Result<env::ChildOptions> archive_program_options(const DumpProgram& program, std::vector<std::string> words,
                                                  std::chrono::seconds time_max);
// An error where it ended with one: code kVerification, or kStop where it is too old for the archive.
Result<void> expect_archive_read(const DumpProgram& program, const env::ChildExit& exit, const std::string& said);
// What of an archive a restore passes over: the server that it comes to has its own. "--no-owner", ...
const std::vector<std::string>& words_for_what_stays();

}  // namespace spl::surface
