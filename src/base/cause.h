// The stable words of errors: what `-o json` and HTTP call the cause of an error ("code"), and how far it reaches.
// docs/formats/http.md lists them; a test holds the page to this table. Pure; any thread.
#pragma once

#include <string_view>
#include <vector>

#include "base/result.h"

namespace spl::base {

// "NO_SPACE" of the cause; of an unspecified one the word of the code: "FAILED", "INVALID_REQUEST", ...
std::string_view word_of(const Error& error);
// The cause of a word; kUnspecified of one that is a code's, or is not known.
Cause cause_of_word(std::string_view word);
// Whether it is because the place cannot be written: full, read-only, or not this user's to write.
bool cannot_be_written(const Error& error);
// Every word that there is.
const std::vector<std::string_view>& error_words();

}  // namespace spl::base
