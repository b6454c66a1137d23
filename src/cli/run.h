// The program, from its words to its exit code.
#pragma once

#include <string>
#include <string_view>
#include <vector>

namespace spl::cli {

// Of which the program was made, "02aeb49"; "unknown" where that was not told. Generated (cmake/commit.cmake), and only
// in the program itself.
extern const char* const kCommit;

// `words` are those after the program's name. Never throws.
int run(const std::vector<std::string>& words, std::string_view commit);

}  // namespace spl::cli
