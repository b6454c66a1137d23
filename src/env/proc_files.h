// Small files, directories and links of /proc, read so that a failure to look is never taken for "no such process".
// For process.cc, process_table.cc and who looks for processes beside them. Any thread. Source: proc(5).
#pragma once

#include <functional>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "base/result.h"

namespace spl::env {

// All of these give nothing where the process has gone (ENOENT, ESRCH), and an error for everything else: cause kDenied
// where it may not be looked at, as another user's process without CAP_SYS_PTRACE, another one as where there is no
// free descriptor. Whoever asks knows whether the answer matters.

// The whole file. Cause kTooLarge where it has more than `bytes_max`.
Result<std::optional<std::string>> read_proc(const std::string& path, std::size_t bytes_max);
// Each line, without its end, until `take` gives false; a last line may have no end. False: there is no such file.
Result<bool> read_proc_lines(const std::string& path, const std::function<bool(std::string_view)>& take);
Result<std::optional<std::vector<std::string>>> proc_names(const std::string& directory);
// Cause kTooLarge where it leads to a path that is longer than any that can be told.
Result<std::optional<std::string>> proc_link(const std::string& path);
// The names that are numbers: of processes in "/proc", of threads in "/proc/12/task".
Result<std::vector<int>> proc_numbers(const std::string& directory);

}  // namespace spl::env
