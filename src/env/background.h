// A process that goes on in the background, and the caller that waits until it is ready. To be called before this
// process has any other thread. Sources: fork(2), setsid(2), daemon(7).
#pragma once

#include <functional>
#include <optional>
#include <string>

#include "base/result.h"

namespace spl::env {

// To be called in the background process when it is ready: the text reaches the caller, and standard input, output and
// error are left.
using Ready = std::function<void(const std::string& text)>;

// Runs `work` in a process of its own session, in the directory "/"; from its Ready on, what is said on standard error
// goes to `error_file`. In the caller it returns the text that `work` gave when it was ready, or its error where it
// failed before; in the background process it returns nothing, when `work` has ended.
Result<std::optional<std::string>> run_in_background(const std::string& error_file,
                                                     const std::function<Result<void>(const Ready&)>& work);

}  // namespace spl::env
