// Lines of the shell: one whose output is a secret, and how a word stands in one. Any thread. Sources: posix_spawn(3),
// system(3).
#pragma once

#include <cstddef>
#include <string>
#include <string_view>

#include "base/bytes.h"
#include "base/result.h"
#include "env/interrupt.h"

namespace spl::env {

// What "/bin/sh -c <line>" writes to its standard output. It has no input, and its standard error is the caller's;
// `environment` is as environ(7) has it. An error, which does not show the output, where the line ends with another
// code than 0, by a signal, or writes more than `max_bytes`. After an interrupt (may be null) it is ended and waited
// for; then the cause is kCancelled.
Result<SecretBytes> secret_output_of(const std::string& line, char* const* environment, std::size_t max_bytes,
                                     const Interrupt* interrupt);

// As one word of such a line.
std::string shell_quoted(std::string_view text);

}  // namespace spl::env
