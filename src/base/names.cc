#include "base/names.h"

#include <algorithm>

namespace spl::base {

bool is_name(std::string_view text) {
  const auto is_alnum = [](char c) { return (c >= 'a' && c <= 'z') || (c >= '0' && c <= '9'); };
  return !text.empty() && text.size() <= 63 && is_alnum(text[0]) &&
         std::ranges::all_of(text, [&](char c) { return is_alnum(c) || c == '_' || c == '-'; });
}

}  // namespace spl::base
