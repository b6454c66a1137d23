// Records as people are shown them, in a line.
#pragma once

#include <string>

#include "record/record.h"

namespace spl::cli {

// With spaces to `width`.
std::string padded(std::string text, std::size_t width);
// At most `bytes` of it, not within a character; "..." follows where that is not all.
std::string cut(std::string text, std::size_t bytes);
// The beginning of body.text, or of the body where it has none.
std::string record_text(const Record& record);

}  // namespace spl::cli
