// The program, from its words to its exit code.
#pragma once

#include <string>
#include <vector>

namespace spl::cli {

// `words` are those after the program's name. Never throws.
int run(const std::vector<std::string>& words);

}  // namespace spl::cli
