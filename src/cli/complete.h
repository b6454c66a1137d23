// What a shell offers for the word under the cursor: `spl __complete`, which the scripts of `spl completion` call. It
// never fails, says nothing on standard error, needs no daemon and reads little. One thread.
//
//   spl __complete bash LINE BREAKS   the line up to the cursor, as it was typed, and COMP_WORDBREAKS
//   spl __complete zsh|fish WORD...   the words after "spl" without their quotes, the last one up to the cursor
//
// Each line of the answer is a word, in zsh and fish with a tab and what it means; or ":files" or ":directories", where
// the shell itself is to offer those.
#pragma once

#include <string>
#include <string_view>
#include <vector>

namespace spl::cli {

// `words` are those after "__complete". The exit code.
int complete(const std::vector<std::string>& words);

// The words of a line of bash; the last one is that under the cursor, and may be empty.
struct TypedLine {
  std::vector<std::string> words;
  std::size_t kept_bytes =
      0;  // of the last word, which bash takes for a word of its own: up to a character of `breaks`
};
// Quotes and backslashes are taken away. Pure.
TypedLine words_of_line(std::string_view line, std::string_view breaks);

}  // namespace spl::cli
